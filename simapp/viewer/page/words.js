// Every text the visitor reads about a viewing. A status is {title, text}: what
// is, and what can be done about it.

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
  shaky: { title: 'The connection is unsteady', text: 'Trying to get it back…' },
};

export const choose = { title: 'Which robot?', text: 'Choose one above.' };
export const noRobots = {
  title: 'No robot yet',
  text: 'Pair a robot with this account, then come back here.',
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
    text: 'Close the video on another phone or browser, then try again.',
  },
  OFFER_TIMEOUT: {
    title: 'The robot does not answer',
    text: 'It is online but busy. Try again; if this goes on, restart the robot.',
  },
  ANSWER_TIMEOUT: { title: 'That took too long', text: 'Your answer did not reach the robot in time. Try again.' },
  SESSION_UNKNOWN: { title: 'The session has ended', text: 'The relay was restarted. Try again.' },
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
  unauthorized: byCode.NOT_AUTHORIZED,
  too_slow: { title: 'The connection is too slow', text: 'This device could not keep up. Try again.' },
};

// Failures this page sees by itself.
const byFailure = {
  relay: { title: 'The relay cannot be reached', text: 'Check your network. This page keeps trying.' },
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

export const signedOut = {
  auth: 'Signed out: your login has ended. Please sign in again.',
  superseded: 'Signed out: this account was opened somewhere else.',
  demo: 'The demo login is not there. Sign in with your account.',
};

// explain turns {code, text}, {reason} or {failure} into a status.
export function explain({ code, reason, failure, text, retryAfter }) {
  const known = byCode[code] ?? byFailure[failure] ?? byReason[reason];
  if (code === 'RATE_LIMITED' && retryAfter > 0) {
    return { ...known, text: `Please wait ${seconds(retryAfter)}, then try again.` };
  }
  if (known) return known;
  if (text) return { title: 'The robot cannot show video', text: `It says: ${text}` };
  return { title: 'The video has ended', text: 'Try again to go on watching.' };
}

function seconds(n) {
  return n === 1 ? 'a second' : `${n} seconds`;
}

// loginError says why a login did not work.
export function loginError(status) {
  if (status === 401) return 'Email or password is wrong.';
  if (status === 422) return 'Please check the email address and password.';
  if (status === 429) return 'Too many attempts. Please wait a minute.';
  return 'The relay cannot be reached. Please try again.';
}

// path says in words which way the media takes.
export function path(local, remote) {
  if (!local) return '–';
  if (local.candidateType === 'relay') {
    return `Through the TURN relay (${local.relayProtocol ?? local.protocol})`;
  }
  if (remote?.candidateType === 'relay') return "Through the robot's TURN relay";
  return `Direct (${local.protocol})`;
}
