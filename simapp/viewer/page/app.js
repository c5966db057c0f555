// The page: who is signed in, which robot is watched, and what is shown of it.

import * as api from './api.js';
import { Control } from './control.js';
import { Drive } from './drive.js';
import { driveWords } from './drivewords.js';
import { Relay } from './relay.js';
import { Session } from './session.js';
import { Statistics } from './statistics.js';
import { Watchdog } from './watchdog.js';
import { choose, explain, loginError, noRobots, progress, signedOut } from './words.js';

const $ = (id) => document.getElementById(id);
const video = $('video');

const page = {
  demo: false,
  token: null,
  robots: [], // [{device_id, is_online}]
  relay: null,
  session: null,
  failed: null, // why the last session ended
  renewal: 0,
};

const drive = new Drive($('drive'), driveWords);
const statistics = new Statistics($('statistics'));
const watchdog = new Watchdog(video, {
  first: () => page.session?.pictured(),
  stale: (is) => {
    $('veil').hidden = !is;
    if (is) drive.giveBack('blind');
  },
});

// --- what is shown -------------------------------------------------------

// show puts a status on the stage. state names it for the style sheet; again
// offers to try again.
function show(state, { title, text = '' }, again = false) {
  const had = document.activeElement === $('again');
  document.body.dataset.state = state;
  $('status').hidden = false;
  $('login').hidden = true;
  $('status-title').textContent = title;
  $('status-text').textContent = text;
  $('pulse').hidden = again || ['idle', 'live'].includes(state);
  $('again').hidden = !again;
  if (again && had) $('again').focus();
}

function showLogin(why = '') {
  document.body.dataset.state = 'login';
  $('status').hidden = true;
  $('tools').hidden = true;
  $('login').hidden = false;
  $('login-error').textContent = why;
  $(($('email').value ? 'password' : 'email')).focus();
}

function showRobots() {
  const chosen = $('robots').value || sessionStorage.getItem('robot');
  $('robots').replaceChildren(...page.robots.map(({ device_id: id, is_online: online }) => {
    const label = `${id} – ${online ? 'online' : 'offline'}`;
    return new Option(label, id, false, id === chosen);
  }));
  if (!page.robots.some((r) => r.device_id === chosen) && page.robots.length > 1) {
    $('robots').prepend(new Option('Choose a robot…', '', true, true));
  }
  $('tools').hidden = false;
  $('robots').hidden = page.robots.length === 0;
}

// --- who is signed in ----------------------------------------------------

async function start() {
  show('starting', progress.starting);
  const { demo, relay } = await api.config().catch(() => ({}));
  page.demo = Boolean(demo);
  if (relay) $('relay-name').textContent = `Relay: ${relay}`;
  $('sign-out').hidden = page.demo;
  const kept = sessionStorage.getItem('token');
  if (page.demo) await demoLogin();
  else if (kept && api.lifeOf(kept) > 0) await enter(kept);
  else showLogin();
}

async function demoLogin() {
  try {
    await enter((await api.demoSession()).token);
  } catch {
    showLogin(signedOut.demo);
  }
}

async function login(event) {
  event.preventDefault();
  const button = $('login').querySelector('button');
  button.disabled = true;
  try {
    const { token } = await api.login($('email').value, $('password').value);
    $('password').value = '';
    await enter(token);
  } catch (error) {
    $('login-error').textContent = loginError(error.status);
  } finally {
    button.disabled = false;
  }
}

// enter goes on with a token: the list of robots, and the socket.
async function enter(token) {
  keep(token);
  show('starting', progress.socket);
  try {
    page.robots = await api.devices(token);
  } catch (error) {
    if (error.status === 401) leave('auth');
    else fail({ failure: 'relay' });
    return;
  }
  showRobots();
  page.relay?.close();
  page.relay = new Relay(token, {
    up: onUp,
    down: onDown,
    ended: leave,
    message: onMessage,
    check: () => api.devices(page.token).catch((error) => error.status === 401 && leave('auth')),
  });
}

// keep remembers a token for this tab, and renews it while it is good.
function keep(token) {
  page.token = token;
  if (!page.demo) sessionStorage.setItem('token', token);
  clearTimeout(page.renewal);
  const life = api.lifeOf(token);
  if (life > 10_000) page.renewal = setTimeout(renew, Math.min(life * 0.8, 2 ** 31 - 1));
}

async function renew() {
  const fresh = await api.refresh(page.token).catch(() => null);
  if (!fresh?.token) return; // the relay will end the login when it is due
  keep(fresh.token);
  page.relay?.renew(fresh.token);
}

// leave ends the login.
function leave(why) {
  stop();
  page.relay?.close();
  page.relay = null;
  clearTimeout(page.renewal);
  sessionStorage.removeItem('token');
  const wasDemo = page.demo && why === 'auth' && page.token;
  page.token = null;
  if (wasDemo) demoLogin(); // the demo's own token is renewed elsewhere
  else showLogin(signedOut[why] ?? '');
}

// --- which robot is watched ----------------------------------------------

const chosen = () => $('robots').value;

function watch() {
  stop();
  page.failed = null;
  if (page.robots.length === 0) return show('idle', noRobots, true);
  if (!chosen()) return show('idle', choose);
  sessionStorage.setItem('robot', chosen());
  if (!page.relay?.open) return show('starting', progress.socket);
  const session = new Session(page.relay, chosen(), {
    state: onState,
    stream: (stream) => {
      watchdog.start();
      video.srcObject = stream;
      video.play().catch(() => {}); // muted video may always play
    },
    channel: onChannel,
    ended: fail,
  });
  if (!session.over) page.session = session;
}

function onState(name) {
  show(name, progress[name]);
  if (name === 'live') statistics.start(page.session);
}

function onChannel(channel) {
  const control = new Control(channel, {
    quality: (m) => statistics.quality(m),
    refused: (ack) => drive.refused(ack),
    open: () => drive.attach(control),
    closed: () => drive.detach(),
  });
}

function stop() {
  drive.detach();
  page.session?.close();
  page.session = null;
  statistics.stop();
  watchdog.stop();
  video.srcObject = null;
}

function fail(why) {
  page.session = null;
  stop();
  page.failed = why;
  show('error', explain(why), true);
}

async function tryAgain() {
  if (page.relay?.open && page.robots.length > 0) watch();
  else if (page.token) await enter(page.token);
  else await start();
}

// --- what the relay says -------------------------------------------------

function onUp() {
  if (page.session) page.session.up();
  else if (!page.failed || page.failed.failure === 'relay') watch();
}

function onDown() {
  if (page.session) page.session.down();
  else fail({ failure: 'relay' });
}

function onMessage(m) {
  if (m.type === 'robot_status') onRobotStatus(m);
  else page.session?.receive(m);
}

// A robot that came back is watched again without being asked for.
function onRobotStatus({ device_id: id, online }) {
  const robot = page.robots.find((r) => r.device_id === id);
  if (!robot) return;
  robot.is_online = online;
  showRobots();
  const waiting = page.failed?.code === 'DEVICE_OFFLINE' || page.failed?.reason === 'robot_gone';
  if (online && waiting && id === chosen()) watch();
}

$('login').addEventListener('submit', login);
$('sign-out').addEventListener('click', () => leave());
$('again').addEventListener('click', tryAgain);
$('robots').addEventListener('change', watch);
addEventListener('pagehide', () => { stop(); page.relay?.close(); });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

start();
