// The page: who is signed in, which robot is watched, and what is shown of it.

import { Account } from './account.js';
import * as api from './api.js';
import { Control } from './control.js';
import { Drive } from './drive.js';
import { driveWords } from './drivewords.js';
import { Pairing } from './pairing.js';
import { Relay } from './relay.js';
import { Retry } from './retry.js';
import { Robots } from './robots.js';
import { Session } from './session.js';
import { SignIn } from './signin.js';
import { Stage } from './stage.js';
import { Statistics } from './statistics.js';
import { Toolbar } from './toolbar.js';
import { Watchdog } from './watchdog.js';
import { choose, clean, explain, noNetwork, noRobots, paired, progress, refused, relayAway, signedOut } from './words.js';

const $ = (id) => document.getElementById(id);

const pollEvery = 15_000; // ms, while there is no video: not every relay says who comes and goes
const blind = 2_000; // ms of a picture that stands still, by which nobody drives on
const asleep = 5_000; // ms that a second took if the computer slept

const page = {
  demo: false,
  owner: null, // of the video
  relay: null,
  session: null,
  leaving: new Set(), // sessions that were closed before the relay had answered them
  before: null, // the answer that the next request waits for
  control: null,
  state: 'starting', // of the session
  failed: null, // why the last session ended
  invited: false, // to pair a robot
};

const stage = new Stage();
const statistics = new Statistics($('statistics'));
const drive = new Drive($('drive'), driveWords);
const account = new Account({ renewed: (token) => page.relay?.renew(token), expired: onExpired });
const signIn = new SignIn({ done: onSignedIn });
const pairing = new Pairing({ token: () => account.token, paired: onPaired, expired: onExpired });
const robots = new Robots($('robots'), { chosen: onChosen });
const retry = new Retry($('notice'), watch);
const toolbar = new Toolbar({ say: (words) => stage.say(words) });
const watchdog = new Watchdog($('video'), { first: onPicture, stale: onStale });

// --- who is signed in ----------------------------------------------------

async function start() {
  stage.show('starting', progress.starting);
  const { demo, relay } = await api.config().catch(() => ({}));
  page.demo = Boolean(demo);
  if (relay) $('relay-name').textContent = `Relay: ${clean(relay)}`;
  $('sign-out').hidden = page.demo;
  if (page.demo) await demoLogin();
  else if (account.kept) enter(account.kept);
  else ask();
}

async function demoLogin(old) {
  try {
    const { token } = await api.demoSession();
    if (typeof token !== 'string' || token === old) throw new Error('no other token');
    enter(token);
  } catch {
    ask(signedOut.demo);
  }
}

function onSignedIn({ token, expires_in: seconds }) {
  enter(token, seconds);
}

// enter goes on with a token: the list of robots, and the socket. Video that is
// still playing goes on, if it is the same account's.
function enter(token, seconds) {
  account.keep(token, seconds);
  if (page.owner !== account.owner || !account.owner) {
    stop();
    stage.clear();
    if (page.owner) robots.forget();
    page.invited = false;
  }
  page.owner = account.owner;
  page.failed = null;
  $('tools').hidden = false;
  if (page.session) stage.show(page.state, progress[page.state]);
  else stage.show('starting', progress.socket);
  for (const session of page.leaving) session.down();
  page.relay?.close();
  page.relay = new Relay(token, {
    up: onUp, down: onDown, ended: onEnded, message: onMessage, check: loadRobots,
  });
}

// ask shows the form to sign in.
function ask(why) {
  $('tools').hidden = true;
  pairing.close();
  signIn.open(why);
}

// onExpired asks for a login again. The picture plays on for as long as the relay
// and the robot let it.
function onExpired() {
  const old = account.token;
  if (!old) return;
  disconnect();
  const playing = document.body.dataset.picture === 'playing' && page.session;
  if (!playing) stop();
  if (page.demo) demoLogin(old); // the demo's own token is renewed elsewhere
  else ask(playing ? signedOut.playing : signedOut.auth);
}

function signOut() {
  stop(); // the robot is told before the relay forgets who says so
  stage.clear();
  api.logout(account.token);
  disconnect();
  robots.forget();
  page.owner = null;
  ask();
}

function disconnect() {
  page.relay?.close();
  page.relay = null;
  account.forget();
}

// --- which robots there are ----------------------------------------------

// loadRobots reports whether the relay has answered.
async function loadRobots() {
  const { token } = account;
  if (!token) return false;
  try {
    const list = await api.devices(token);
    if (token !== account.token) return false;
    robots.set(list);
    return true;
  } catch (error) {
    if (token === account.token && error.status === 401) onExpired();
    return false;
  }
}

// poll looks who is there, and watches a robot that came.
async function poll() {
  if (page.session || document.hidden || !page.relay?.open || !(await loadRobots())) return;
  if (page.failed?.failure === 'relay') watch();
  else if (page.failed) onPresence();
  else if (robots.chosen && !page.session) watch();
}

async function onPaired(id) {
  await loadRobots();
  stage.say(paired(id ?? 'the robot'));
  if (id) robots.choose(id);
  else if (!page.session) watch();
}

function onChosen() {
  stop();
  stage.clear();
  retry.reset();
  watch();
}

const isAway = (why) => why?.code === 'DEVICE_OFFLINE' || why?.reason === 'robot_gone';

// A robot that came back is watched again without being asked for.
function onPresence() {
  if (!isAway(page.failed)) return;
  if (robots.online(robots.chosen)) watch();
  else stage.word(explain(page.failed, robots.seen(robots.chosen)).title);
}

// --- which robot is watched ----------------------------------------------

function watch() {
  if (signIn.shown) return;
  stop();
  page.failed = null;
  if (!page.relay?.dialling && !(page.relay?.open && robots.loaded)) return fail({ failure: 'relay' });
  if (page.relay.dialling) return stage.show('starting', progress.socket);
  if (robots.empty) {
    stage.show('idle', noRobots);
    if (!page.invited) pairing.open();
    page.invited = true;
    return;
  }
  if (!robots.chosen) return stage.show('idle', choose);
  stage.show('asking', progress.asking);
  const session = new Session(page.relay, robots.chosen, {
    state: (name) => onState(session, name),
    stream: (stream) => onStream(session, stream),
    channel: (channel) => onChannel(session, channel),
    ended: (why) => onOver(session, why),
  }, page.before);
  page.session = session;
}

// A session that was left has nothing to say any more.
const isCurrent = (session) => session === page.session;

function onState(session, name) {
  if (!isCurrent(session)) return;
  page.state = name;
  if (signIn.shown) return;
  stage.show(name, progress[name]);
  if (name === 'live') retry.succeeded();
}

function onStream(session, stream) {
  if (!isCurrent(session)) return;
  watchdog.start();
  stage.play(stream);
}

function onPicture() {
  stage.playing();
  toolbar.picture(true, robots.chosen);
  statistics.start(page.session);
  page.session.pictured();
  offerWheel();
}

// onStale is called with how old the picture is that is shown.
function onStale(age) {
  stage.stale(age);
  if (age > blind) drive.giveBack('blind');
}

// offerWheel is called when the robot listens and when there is a picture: it takes both.
function offerWheel() {
  if (page.control?.open && document.body.dataset.picture === 'playing') drive.attach(page.control);
}

function onChannel(session, channel) {
  if (!isCurrent(session)) return;
  page.control?.close();
  const control = new Control(channel, {
    open: () => {
      toolbar.attach(control);
      offerWheel();
    },
    closed: () => {
      toolbar.detach();
      drive.detach();
    },
    quality: (m) => {
      toolbar.quality(m);
      statistics.quality(m);
    },
    refused: (ack) => drive.refused(ack) || stage.say(refused(ack)),
  });
  page.control = control;
}

function onOver(session, why) {
  if (isCurrent(session)) fail(why);
}

// stop lets go of the video; its last picture stays.
function stop() {
  retry.stop();
  toolbar.picture(false);
  stage.freeze();
  watchdog.stop();
  statistics.stop();
  drive.detach();
  page.control?.close();
  page.control = null;
  const { session } = page;
  page.session = null;
  if (!session) return;
  session.close();
  page.before = session.answered;
  page.leaving.add(session);
  session.answered.then(() => page.leaving.delete(session));
}

function fail(why) {
  stop();
  page.failed = why;
  if (isAway(why)) robots.status(robots.chosen, false);
  if (signIn.shown) return signIn.explain(signedOut.auth);
  stage.show('error', explain(why, robots.seen(robots.chosen)), true);
  retry.failed(why);
  if (why.reason === 'unauthorized' || why.code === 'NOT_AUTHORIZED') onNotMine();
}

// A robot that is not in the list any more is not shown any more.
async function onNotMine() {
  const { failed } = page;
  const id = robots.chosen;
  if (!(await loadRobots()) || robots.chosen === id || page.failed !== failed) return;
  stage.clear();
  stage.show('error', explain({ code: 'NOT_AUTHORIZED' }), true);
}

function tryAgain() {
  retry.reset();
  if (!account.token) return start();
  if (!page.relay || page.failed?.failure === 'elsewhere') return enter(account.token);
  page.relay.hasten();
  if (page.relay.open && !robots.loaded) onUp();
  else watch();
}

// --- what the relay says -------------------------------------------------

async function onUp() {
  const { relay } = page;
  $('relay-state').textContent = '';
  page.session?.up(relay);
  const loaded = await loadRobots();
  if (relay !== page.relay || !relay.open || page.session) return;
  if (!loaded && !robots.loaded) return fail({ failure: 'relay' });
  if (!page.failed || page.failed.failure === 'relay') watch();
}

function onDown() {
  for (const session of [...page.leaving, page.session]) session?.down();
  if (page.session) $('relay-state').textContent = relayAway;
  else if (page.failed?.failure !== 'relay') fail({ failure: 'relay' });
}

function onEnded(why) {
  if (why === 'auth') return onExpired();
  stop();
  fail({ failure: 'elsewhere' });
}

function onMessage(m) {
  if (m.type === 'robot_status') return onRobotStatus(m);
  if (![...page.leaving].some((session) => session.receiveLate(m))) page.session?.receive(m);
}

function onRobotStatus({ device_id: id, online }) {
  if (!robots.status(id, online) || id !== robots.chosen || !page.failed) return;
  if (!online && !isAway(page.failed)) fail({ code: 'DEVICE_OFFLINE' }); // that is why
  else onPresence();
}

// --- what the computer says ----------------------------------------------

// onNetwork is called when there may be another network.
function onNetwork() {
  if (page.relay?.open) $('relay-state').textContent = '';
  page.relay?.hasten();
  page.session?.hasten();
}

let ticked = Date.now();
setInterval(() => {
  if (Date.now() - ticked > asleep) onNetwork();
  ticked = Date.now();
}, 1000);
setInterval(poll, pollEvery);

$('sign-out').addEventListener('click', signOut);
$('again').addEventListener('click', tryAgain);
addEventListener('online', onNetwork);
addEventListener('offline', () => { $('relay-state').textContent = noNetwork; });
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  page.session?.shown();
  page.relay?.hasten();
  poll();
});
addEventListener('pagehide', () => { stop(); page.relay?.close(); });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

start();
