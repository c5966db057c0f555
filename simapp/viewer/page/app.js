// The page: which robot is watched, what is shown when there is no picture, and when
// it is tried again.

import * as api from './api.js';
import { $ } from './dom.js';
import { Login } from './login.js';
import { Pairing } from './pairing.js';
import { Relay } from './relay.js';
import { Requests } from './requests.js';
import { Retry } from './retry.js';
import { Robots } from './robots.js';
import { Stage } from './stage.js';
import { Viewing } from './viewing.js';
import { choose, clean, explain, noNetwork, noRobots, paired, progress, relayAway } from './words.js';

const pollEvery = 15_000; // ms, while there is no video: not every relay says who comes and goes
const asleep = 5_000; // ms that a second took if the computer slept

const page = {
  relay: null,
  requests: null, // on the relay's socket
  failed: null, // why there is no video; null while there is, or may be soon
  invited: false, // to pair a robot
  listing: Promise.resolve(), // the list of robots, one after the other
};

const stage = new Stage();
const viewing = new Viewing(stage, { state: onState, over: fail });
const login = new Login({ entered: onEntered, renewed: (token) => page.relay?.renew(token), expired: onExpired, left: onLeft });
const pairing = new Pairing({ token: () => login.token, paired: onPaired, expired: () => login.expire() });
const robots = new Robots($('robots'), { chosen: onChosen });
const retry = new Retry($('notice'), watch);

// --- who is signed in ----------------------------------------------------

async function start() {
  stage.show('starting', progress.starting);
  const { demo, relay } = await api.config().catch(() => ({}));
  if (relay) $('relay-name').textContent = `Relay: ${clean(relay)}`;
  login.start(demo === true);
}

// Video that is still playing goes on: it is the same account's.
function onEntered(token) {
  page.failed = null;
  const { session } = viewing;
  if (session) stage.show(session.state, progress[session.state]);
  else stage.show('starting', progress.socket);
  connect(token);
}

function onExpired() {
  if (!viewing.playing) stop();
  disconnect();
  pairing.close();
  return viewing.playing;
}

function onLeft() {
  stop();
  viewing.clear();
  disconnect();
  pairing.close();
  robots.forget();
  page.invited = false;
}

function connect(token) {
  disconnect();
  page.relay = new Relay(token, {
    up: onUp, down: onDown, ended: onEnded, message: onMessage, check: loadRobots,
  });
  page.requests = new Requests(page.relay);
}

function disconnect() {
  page.requests?.down();
  page.relay?.close();
  page.relay = page.requests = null;
}

// --- which robots there are ----------------------------------------------

// loadRobots reports whether the relay has answered. An older list never comes after
// a newer one.
function loadRobots() {
  page.listing = page.listing.then(list, list);
  return page.listing;
}

async function list() {
  const { token } = login;
  if (!token) return false;
  try {
    const known = await api.devices(token);
    if (token !== login.token) return false;
    robots.set(known);
  } catch (error) {
    if (token === login.token && error.status === 401) login.expire();
    return false;
  }
  if (viewing.device && !robots.has(viewing.device)) onGone();
  return true;
}

// A robot that is not in the list any more is not shown any more.
function onGone() {
  viewing.clear();
  fail({ code: 'NOT_AUTHORIZED' });
}

// poll looks who is there, and watches a robot that came.
async function poll() {
  if (viewing.session || document.hidden || !page.relay?.open || !(await loadRobots())) return;
  if (page.failed?.failure === 'relay') watch();
  else if (page.failed) onPresence();
  else if (robots.chosen && !viewing.session) watch();
}

async function onPaired(id) {
  await loadRobots();
  if (!login.token) return;
  stage.say(paired(id ?? 'the robot'));
  if (id) robots.choose(id);
  else if (!viewing.session) watch();
}

function onChosen() {
  stop();
  viewing.clear();
  retry.reset();
  watch();
}

const isAway = (why) => why?.code === 'DEVICE_OFFLINE' || why?.reason === 'robot_gone';

function onRobotStatus({ device_id: id, online }) {
  if (!robots.status(id, online) || id !== robots.chosen || !page.failed) return;
  if (!online && !isAway(page.failed)) fail({ code: 'DEVICE_OFFLINE' }); // that is why
  else onPresence();
}

// A robot that came back is watched again without being asked for.
function onPresence() {
  if (!isAway(page.failed)) return;
  if (robots.online(robots.chosen)) watch();
  else stage.word(explain(page.failed, robots.seen(robots.chosen)).title);
}

// --- which one is watched ------------------------------------------------

function watch() {
  if (login.asking) return;
  stop();
  page.failed = null;
  const { relay } = page;
  if (relay?.dialling) return stage.show('starting', progress.socket);
  if (!relay?.open || !robots.loaded) return fail({ failure: 'relay' });
  if (robots.empty) return invite();
  if (!robots.chosen) return stage.show('idle', choose);
  stage.show('asking', progress.asking);
  viewing.begin(relay, page.requests, robots.chosen);
}

function invite() {
  stage.show('idle', noRobots);
  if (!page.invited) pairing.open();
  page.invited = true;
}

// stop ends the video, and what was to try it again.
function stop() {
  retry.stop();
  viewing.stop();
  showRelay();
}

function onState(name) {
  if (login.asking) return;
  stage.show(name, progress[name]);
  if (name === 'live') retry.succeeded();
}

function fail(why) {
  stop();
  page.failed = why;
  if (isAway(why)) robots.status(robots.chosen, false);
  if (login.asking) return login.explain();
  stage.show('error', explain(why, robots.seen(robots.chosen)), true);
  retry.failed(why);
  if (why.reason === 'unauthorized' || why.code === 'NOT_AUTHORIZED') loadRobots(); // it may be gone
}

function tryAgain() {
  retry.reset();
  if (!login.token) return start();
  if (!page.relay || page.failed?.failure === 'elsewhere') return onEntered(login.token);
  page.relay.hasten();
  if (page.relay.open && !robots.loaded) onUp();
  else watch();
}

// --- what the relay says -------------------------------------------------

async function onUp() {
  const { relay } = page;
  showRelay();
  viewing.session?.up(relay);
  const loaded = await loadRobots();
  if (relay !== page.relay || !relay.open || viewing.session) return;
  if (!loaded && !robots.loaded) return fail({ failure: 'relay' });
  if (!page.failed || page.failed.failure === 'relay') watch();
}

function onDown() {
  page.requests.down();
  showRelay();
  if (!viewing.session && page.failed?.failure !== 'relay') fail({ failure: 'relay' });
}

function onEnded(why) {
  if (why === 'auth') login.expire();
  else fail({ failure: 'elsewhere' });
}

function onMessage(m) {
  if (m.type === 'robot_status') onRobotStatus(m);
  else if (!page.requests.receive(m)) viewing.session?.receive(m);
}

// showRelay says that there is no network, or that the relay is away while the video
// goes on without it.
function showRelay() {
  const away = viewing.session && !page.relay?.open ? relayAway : '';
  $('relay-state').textContent = navigator.onLine ? away : noNetwork;
}

// --- what the computer says ----------------------------------------------

// onNetwork is called when there may be another network.
function onNetwork() {
  showRelay();
  page.relay?.hasten();
  viewing.session?.hasten();
}

let ticked = Date.now();
setInterval(() => {
  if (Date.now() - ticked > asleep) onNetwork();
  ticked = Date.now();
}, 1000);
setInterval(poll, pollEvery);

$('again').addEventListener('click', tryAgain);
addEventListener('online', onNetwork);
addEventListener('offline', showRelay);
document.addEventListener('visibilitychange', () => {
  if (document.hidden) return;
  viewing.session?.shown();
  page.relay?.hasten();
  poll();
});
addEventListener('pagehide', () => { stop(); page.relay?.close(); });
addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });

start();
