// The form to sign in, or to make an account.

import * as api from './api.js';
import { $ } from './dom.js';
import { loginError, registerError, welcome } from './words.js';

const modes = {
  login: {
    title: 'Sign in', button: 'Sign in', other: 'No account yet? Create one', autocomplete: 'current-password',
    send: api.login, explain: loginError,
  },
  register: {
    title: 'Create an account', button: 'Create account', other: 'I have an account: sign in', autocomplete: 'new-password',
    send: api.register, explain: registerError,
  },
};

export class SignIn {
  #on;
  #mode = modes.login;

  // on: {done(answer, email)}, with the relay's answer: {token, expires_in}.
  constructor(on) {
    this.#on = on;
    $('login').addEventListener('submit', (event) => this.#submit(event));
    $('login-other').addEventListener('click', () => {
      this.#enter(this.#mode === modes.login ? modes.register : modes.login);
      this.#focus();
    });
  }

  get shown() {
    return !$('login').hidden;
  }

  // open shows the form over whatever picture there is, and says why.
  open(why = welcome) {
    document.body.dataset.state = 'login';
    $('status').hidden = true;
    $('login').hidden = false;
    this.#enter(modes.login);
    this.explain(why);
    this.#focus();
  }

  explain(why) {
    $('login-why').textContent = why;
  }

  #focus() {
    $(($('email').value ? 'password' : 'email')).focus();
  }

  #enter(mode) {
    this.#mode = mode;
    $('login-title').textContent = mode.title;
    $('login-submit').textContent = mode.button;
    $('login-other').textContent = mode.other;
    $('login-error').textContent = '';
    $('password').autocomplete = mode.autocomplete;
    $('password-hint').hidden = mode !== modes.register;
  }

  async #submit(event) {
    event.preventDefault();
    const { send, explain } = this.#mode;
    const email = $('email').value;
    $('login-submit').disabled = true;
    $('login-error').textContent = '';
    try {
      const answer = await send(email, $('password').value);
      if (typeof answer.token !== 'string') throw new api.APIError(200, 'there is no token in its answer');
      $('password').value = '';
      this.#on.done(answer, email);
    } catch (error) {
      $('login-error').textContent = explain(error);
    } finally {
      $('login-submit').disabled = false;
    }
  }
}
