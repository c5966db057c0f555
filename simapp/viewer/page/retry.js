// What is tried again by itself, when, and how the visitor sees it coming.

import { tryingIn } from './words.js';

// After how many seconds: the times in turn, the last one for ever.
const soon = [1, 2, 4, 8, 15];
const later = [5, 10, 20, 30];
const retries = {
  VIEWER_LIMIT: [10],
  TURN_ERROR: later, OFFER_TIMEOUT: later, ANSWER_TIMEOUT: soon, SESSION_UNKNOWN: soon, INTERNAL: later,
  robot_left: later, robot_error: later, app_gone: soon, too_slow: later,
  offer_timeout: later, answer_timeout: soon,
  request: soon, offer: later, connect: later, picture: later, lost: soon,
};
// These need somebody to do something, or come back with the relay or the robot.
const needsSomebody = [
  'NO_DEVICE', 'NOT_AUTHORIZED', 'DEVICE_OFFLINE', 'MESSAGE_TOO_LARGE', 'BAD_MESSAGE',
  'superseded', 'robot_gone', 'unauthorized', 'relay', 'elsewhere', 'codec',
];

// retryIn returns after how many seconds the nth failed attempt is repeated, or
// null. An error this page does not know is repeated, late.
export function retryIn({ code, reason, failure, retryAfter }, n) {
  const cause = code || failure || reason;
  if (code === 'RATE_LIMITED') return retryAfter > 0 ? Math.min(Math.ceil(retryAfter), 120) : 5;
  if (needsSomebody.includes(cause)) return null;
  const times = Object.hasOwn(retries, cause) ? retries[cause] : later;
  return times[Math.min(n, times.length - 1)];
}

const calm = 10_000; // ms of video after which the next failure is the first one again

export class Retry {
  #line;
  #again;
  #timer = 0;
  #calm = 0;
  #failures = 0;

  // line is the element that counts down; again is called at zero.
  constructor(line, again) {
    this.#line = line;
    this.#again = again;
  }

  // failed plans the next attempt, if there is one.
  failed(why) {
    this.stop();
    const pause = retryIn(why, this.#failures);
    if (pause === null) return;
    this.#failures++;
    this.#countDown(pause);
  }

  succeeded() {
    this.stop();
    this.#calm = setTimeout(() => this.reset(), calm);
  }

  // reset is for what the visitor asked for.
  reset() {
    this.#failures = 0;
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#calm);
    this.#line.hidden = true;
  }

  #countDown(rest) {
    if (rest <= 0) {
      this.stop();
      this.#again();
      return;
    }
    this.#line.textContent = tryingIn(rest);
    this.#line.hidden = false;
    this.#timer = setTimeout(() => this.#countDown(rest - 1), 1000);
  }
}
