// Every text the visitor reads about a viewing. A status is {title, text}: what
// is, and what can be done about it.

// clean returns a text from outside as one line that is safe to show: no control
// characters and no marks that turn the direction of what follows.
export function clean(text, length = 200) {
  if (typeof text !== 'string') return '';
  const line = text.slice(0, 4 * length).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}

export const progress = {
  starting: { title: 'One moment…' },
  socket: { title: 'Reaching the relay…' },
  asking: { title: 'Asking the robot…' },
  offer: { title: "Waiting for the robot's offer…" },
  connecting: { title: 'Connecting…', text: 'Looking for the best way to the robot.' },
  relayed: {
    title: 'Connecting through the TURN relay…',
    text: 'There is no direct way to the robot, so the video takes a detour.',
  },
  picture: { title: 'Connected', text: 'Waiting for the first picture…' },
  live: { title: 'Live' },
  shaky: { title: 'Reconnecting…', text: 'Looking for another way to the robot.' },
};

export const noNetwork = 'This device has no network: check its Wi-Fi.';
export const choose = { title: 'Which robot?', text: 'Choose one above.' };
export const noRobots = {
  title: 'No robot yet',
  text: 'Press “Add a robot” above: it says how.',
};

// old says how old the picture is that is shown.
export const old = (ms) => `video is ${Math.floor(ms / 1000)} s old`;
export const reconnecting = (ms) => (ms >= 1000 ? `Reconnecting, ${old(ms)}` : progress.shaky.title);
export const standing = (ms) => `The picture stands still: ${old(ms)}`;

// ago says when something was, in the words of people; at is in ms since 1970.
export function ago(at, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 45) return 'just now';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.round(minutes / 60);
  return hours < 24 ? `${hours} h ago` : `${Math.round(hours / 24)} d ago`;
}

export const presence = ({ online, seen }) => {
  if (online) return 'Online';
  return seen ? `Offline, last seen ${ago(seen)}` : 'Offline';
};

// Errors by the relay's code (CONTRACT §4).
const byCode = {
  NO_DEVICE: { title: 'No robot chosen', text: 'Pair a robot with this account, or choose one above.' },
  NOT_AUTHORIZED: {
    title: 'This robot is not yours',
    text: 'It is no longer paired with this account. Pair it again, or choose another one.',
  },
  DEVICE_OFFLINE: {
    title: 'Robot is offline',
    text: 'Switch it on and check its network. The video starts by itself when it is back.',
  },
  TURN_ERROR: {
    title: 'No way through the network',
    text: "The relay's TURN service does not answer. Please try again in a minute.",
  },
  VIEWER_LIMIT: {
    title: 'The robot already has two viewers',
    text: 'Close the video on another phone or browser, or wait for a place.',
  },
  OFFER_TIMEOUT: {
    title: 'The robot does not answer',
    text: 'It is online but busy. Try again; if this goes on, restart the robot.',
  },
  ANSWER_TIMEOUT: { title: 'That took too long', text: 'Your answer did not reach the robot in time. Try again.' },
  SESSION_UNKNOWN: { title: 'The session has ended', text: 'The relay does not know it any more. Try again.' },
  RATE_LIMITED: { title: 'A little too fast', text: 'Please wait a few seconds, then try again.' },
  MESSAGE_TOO_LARGE: { title: 'Something went wrong', text: 'This browser sent too large a message. Reload the page.' },
  BAD_MESSAGE: { title: 'Something went wrong', text: 'The relay did not understand this page. Reload it.' },
  INTERNAL: { title: 'The relay has a problem', text: 'Please try again in a minute.' },
};

const byReason = {
  robot_left: { title: 'The robot ended the video', text: 'Try again to go on watching.' },
  robot_gone: byCode.DEVICE_OFFLINE,
  robot_error: { title: 'The robot gave up', text: 'Something failed on the robot. Try again.' },
  offer_timeout: byCode.OFFER_TIMEOUT,
  answer_timeout: byCode.ANSWER_TIMEOUT,
  superseded: { title: 'Continued elsewhere', text: 'The video was opened again. Try again to watch it here.' },
  app_gone: { title: 'Away for too long', text: 'The relay ended the session meanwhile. Try again.' },
  unauthorized: {
    title: 'The video has ended',
    text: 'Your login has ended, or the robot is no longer paired with this account.',
  },
  too_slow: { title: 'The connection is too slow', text: 'This device could not keep up. Try again.' },
};

// Failures this page sees by itself.
const byFailure = {
  relay: { title: 'The relay cannot be reached', text: 'Check your network. This page keeps trying.' },
  elsewhere: { title: 'Opened somewhere else', text: 'The relay ended this page for a newer one. Try again to watch here.' },
  request: { title: 'No answer', text: 'The relay did not answer. Please try again.' },
  offer: byCode.OFFER_TIMEOUT,
  connect: {
    title: 'No connection to the robot',
    text: 'A firewall may be in the way. Try again, or try another network.',
  },
  picture: { title: 'No picture', text: 'The robot is connected but sends no video. Check its camera, then try again.' },
  lost: { title: 'Connection lost', text: 'The way to the robot broke. Try again.' },
  codec: { title: 'This browser cannot play the video', text: 'It knows neither H.264 nor VP8. Try another browser.' },
};

export const welcome = 'Live video from your WIM-Z robot.';
export const signedOut = {
  auth: 'Your login has ended. Sign in again to go on.',
  playing: 'Your login has ended. The picture stays for a moment: sign in again to keep it.',
  demo: 'The demo login is not there. Sign in with your account.',
};

export const tryingIn = (n) => `Trying again in ${n} s`;

// explain turns {code, text}, {reason} or {failure} into a status.
export function explain({ code, reason, failure, text, retryAfter }, seen) {
  if (code === 'DEVICE_OFFLINE' || reason === 'robot_gone') return offline(seen);
  if (code === 'RATE_LIMITED' && retryAfter > 0) {
    return { ...byCode.RATE_LIMITED, text: `Please wait ${seconds(Math.min(Math.ceil(retryAfter), 120))}.` };
  }
  const known = own(byCode, code) ?? own(byFailure, failure) ?? own(byReason, reason);
  if (known) return known;
  if (text) return { title: 'The robot cannot show video', text: `It says: ${text}` };
  return { title: 'The video has ended', text: 'Try again to go on watching.' };
}

const own = (table, key) => (Object.hasOwn(table, key) ? table[key] : undefined);

function offline(seen) {
  const status = byCode.DEVICE_OFFLINE;
  return seen ? { ...status, title: `${status.title}: last seen ${ago(seen)}` } : status;
}

function seconds(n) {
  return n === 1 ? 'a second' : `${n} seconds`;
}

const unanswered = 'The relay cannot be reached. Check your network and try again.';

// wait says how long to wait after too many attempts.
const wait = (retryAfter) => (retryAfter > 0 ? seconds(Math.min(Math.ceil(retryAfter), 600)) : 'a minute');

function byStatus(words, { status, message, retryAfter }) {
  if (status === 429) return `Too many attempts. Wait ${wait(retryAfter)}, then try again.`;
  if (words[status]) return words[status];
  if (status === 0 || status === 502) return unanswered;
  const detail = clean(message);
  return `The relay refused this (${status})${detail ? `: ${detail}` : ''}. Try again in a minute.`;
}

// loginError says why a login did not work, registerError why an account was not
// made, pairError why a robot was not paired: each with what to do next.
export const loginError = (error) => byStatus({
  401: 'Email or password is wrong. Check both and try again.',
  403: 'This relay does not let you sign in here. Ask its operator.',
  422: 'Check the email address, and the password: at least 8 characters.',
}, error);

export const registerError = (error) => byStatus({
  403: 'Registration is closed on this relay. Ask its operator for an account, then sign in with it.',
  404: 'This relay makes no accounts. Ask its operator for one, then sign in with it.',
  409: 'There is an account with this email address already. Sign in with it instead.',
  422: 'Check the email address, and take a password with at least 8 characters.',
}, error);

export const pairError = (error) => byStatus({
  401: 'Your login has ended. Sign in again, then type the code once more.',
  404: 'This code is wrong, used or too old. Let the robot show a new one and type that.',
  409: 'This robot is paired with another account. It has to be unpaired there first.',
  422: 'A code has eight letters and digits, like ABCD-1234. Check it and try again.',
}, error);

export const paired = (id) => `Paired with ${clean(id, 64)}.`;

// What the tools say.
export const bars = (n, { resolution, kbps }) => {
  const name = ['no signal', 'weak', 'fair', 'good', 'excellent'][n];
  return ['Connection: ' + name, resolution.replace('x', ' × '), kbps ? rate(kbps) : ''].filter(Boolean).join(', ');
};
export const barsUnknown = 'Connection: the robot has not said yet';
const rate = (kbps) => (kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`);

export const saved = (name) => `Saved as ${name}`;
export const notSaved = 'The picture could not be saved. Try again.';
export const noSmallWindow = 'This browser does not show the picture in a window of its own now.';
export const noFullScreen = 'This browser does not give the page the whole screen now.';
export const recordingEnded = {
  time: (name) => `The recording has reached its limit of 10 minutes. Saved as ${name}`,
  size: (name) => `The recording has reached its limit of 200 MB. Saved as ${name}`,
  video: (name) => `The video ended, and the recording with it. Saved as ${name}`,
  asked: saved,
};
export const notRecorded = 'The recording failed in this browser. Nothing was saved.';
export const refused = ({ command, text, code }) => `The robot did not carry out ${command || 'this'}: ${text || code || 'no reason given'}`;
export const relayAway = 'Relay: reconnecting, the picture goes on without it';

// path says in words which way the media takes.
export function path(local, remote) {
  if (!local) return '–';
  if (local.candidateType === 'relay') {
    return `Through the TURN relay (${local.relayProtocol ?? local.protocol})`;
  }
  if (remote?.candidateType === 'relay') return "Through the robot's TURN relay";
  return `Direct (${local.protocol})`;
}
