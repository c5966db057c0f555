// Who is signed in: by the token that this tab has kept, by the demo, or by the form.

import { Account } from './account.js';
import * as api from './api.js';
import { $ } from './dom.js';
import { SignIn } from './signin.js';
import { signedOut } from './words.js';

export class Login {
  #on;
  #account;
  #form;
  #demo = false;
  #owner; // of the last token, null if it did not say; undefined after signing out

  // on: {entered(token), renewed(token), expired(), left()}
  //   entered  the account may be used, and after left it is another one
  //   expired  a login is asked for; returns whether the video plays on meanwhile
  //   left     nothing of the account may stay
  constructor(on) {
    this.#on = on;
    this.#account = new Account({ renewed: on.renewed, expired: () => this.expire() });
    this.#form = new SignIn({ done: ({ token, expires_in: seconds }) => this.#enter(token, seconds) });
    $('sign-out').addEventListener('click', () => this.#leave());
  }

  get token() {
    return this.#account.token;
  }

  // asking is whether the form is shown.
  get asking() {
    return this.#form.shown;
  }

  // explain says in the form why the video has ended.
  explain() {
    this.#form.explain(signedOut.auth);
  }

  start(demo) {
    this.#demo = demo;
    $('sign-out').hidden = demo;
    const { kept } = this.#account;
    if (demo) this.#enterDemo();
    else if (kept) this.#enter(kept);
    else this.#ask();
  }

  // expire is called when the relay does not take the token any more. The picture
  // plays on for as long as the relay and the robot let it.
  expire() {
    const { token } = this.#account;
    if (!token) return;
    this.#account.forget();
    const playing = this.#on.expired();
    if (this.#demo) this.#enterDemo(token); // it is renewed elsewhere
    else this.#ask(playing ? signedOut.playing : signedOut.auth);
  }

  async #enterDemo(old) {
    try {
      const { token } = await api.demoSession();
      if (typeof token !== 'string' || token === old) throw new Error('no other token');
      this.#enter(token);
    } catch {
      this.#ask(signedOut.demo);
    }
  }

  #enter(token, seconds) {
    this.#account.keep(token, seconds);
    const { owner } = this.#account;
    if (this.#owner !== undefined && (owner === null || owner !== this.#owner)) this.#on.left();
    this.#owner = owner;
    $('tools').hidden = false;
    this.#on.entered(token);
  }

  #leave() {
    const { token } = this.#account;
    this.#on.left(); // the robot is told before the relay forgets who says so
    this.#account.forget();
    this.#owner = undefined;
    api.logout(token);
    this.#ask();
  }

  #ask(why) {
    $('tools').hidden = true;
    this.#form.open(why);
  }
}
