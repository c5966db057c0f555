// Who is signed in. The token lives in this tab only, and is renewed while it is
// good, so that watching goes on for longer than a token does.

import * as api from './api.js';

const retryAfter = 20_000; // ms, after a renewal that got no answer
const longest = 2 ** 31 - 1; // ms, of a browser's timer

export class Account {
  #on;
  #timer = 0;
  #dueAt = 0; // when the token is renewed, in ms since 1970
  token = null;

  // on: {renewed(token), expired()}
  constructor(on) {
    this.#on = on;
    document.addEventListener('visibilitychange', () => document.hidden || this.#check());
  }

  // kept returns the token of this tab before it was loaded again.
  get kept() {
    return sessionStorage.getItem('token');
  }

  // owner tells accounts apart; null if the token does not say.
  get owner() {
    return claims(this.token).sub ?? null;
  }

  // keep remembers a token that is good for so many seconds, if the relay said so.
  keep(token, seconds) {
    this.token = token;
    sessionStorage.setItem('token', token);
    const life = Number.isFinite(seconds) ? seconds * 1000 : (claims(token).exp ?? 0) * 1000 - Date.now();
    if (life > 5_000) this.#plan(life * 0.8);
    else clearTimeout(this.#timer); // the relay says when it is over
  }

  forget() {
    clearTimeout(this.#timer);
    this.#dueAt = 0;
    this.token = null;
    sessionStorage.removeItem('token');
  }

  #plan(pause) {
    clearTimeout(this.#timer);
    this.#dueAt = Date.now() + pause;
    this.#timer = setTimeout(() => this.#check(), Math.min(pause, longest));
  }

  // check looks at the clock, because a timer sleeps when the computer does.
  #check() {
    if (!this.token || this.#dueAt === 0) return;
    const rest = this.#dueAt - Date.now();
    if (rest > 0) this.#plan(rest);
    else this.#renew();
  }

  async #renew() {
    const old = this.token;
    this.#plan(retryAfter);
    try {
      const { token, expires_in: seconds } = await api.refresh(old);
      if (this.token !== old || typeof token !== 'string') return;
      this.keep(token, seconds);
      this.#on.renewed(token);
    } catch (error) {
      if (this.token === old && error.status === 401) this.#on.expired();
    }
  }
}

// claims reads a token without trusting it; {} if it cannot be read.
function claims(token) {
  try {
    return JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/'))) ?? {};
  } catch {
    return {};
  }
}
