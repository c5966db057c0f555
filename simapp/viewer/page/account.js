// Who is signed in. The token lives in this tab only, and is renewed while it is
// good, so that watching goes on for longer than a token does.

import * as api from './api.js';
import * as storage from './storage.js';

const retryAfter = 20_000; // ms, after a renewal that got no answer
const longest = 24 * 60 * 60_000; // ms without a renewal

export class Account {
  #on;
  #timer = 0;
  #dueAt = Infinity; // when the token is renewed, in ms since 1970
  token = null;

  // on: {renewed(token), expired()}
  constructor(on) {
    this.#on = on;
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  // kept returns the token of this tab before it was loaded again.
  get kept() {
    return storage.recall('token');
  }

  // owner tells accounts apart; null if the token does not say.
  get owner() {
    return claims(this.token).sub ?? null;
  }

  // keep remembers a token that is good for so many seconds, if the relay said so.
  keep(token, seconds) {
    this.forget();
    this.token = token;
    storage.keep('token', token);
    const life = Number.isFinite(seconds) ? seconds * 1000 : (claims(token).exp ?? 0) * 1000 - Date.now();
    if (life > 5_000) this.#plan(Math.min(life * 0.8, longest)); // else the relay says when it is over
  }

  forget() {
    clearTimeout(this.#timer);
    this.#dueAt = Infinity;
    this.token = null;
    storage.forget('token');
  }

  #plan(pause) {
    clearTimeout(this.#timer);
    this.#dueAt = Date.now() + pause;
    this.#timer = setTimeout(() => this.#renew(), pause);
  }

  // wake looks at the clock, because a timer sleeps when the computer does.
  #wake() {
    if (!document.hidden && Date.now() >= this.#dueAt) this.#renew();
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
