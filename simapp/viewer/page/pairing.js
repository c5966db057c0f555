// The form that pairs a robot with the account, by the code that it shows.

import * as api from './api.js';
import { $ } from './dom.js';
import { pairError } from './words.js';

const letters = 8; // of a code, shown as XXXX-XXXX

const bare = (text) => text.toUpperCase().replace(/[^0-9A-Z]/g, '').slice(0, letters);

export class Pairing {
  #on;
  #sent = null; // the attempt whose answer counts

  // on: {token(), paired(id), expired()}
  constructor(on) {
    this.#on = on;
    $('pair-open').addEventListener('click', () => this.open());
    $('pair-cancel').addEventListener('click', () => $('pair').close());
    $('pair').addEventListener('close', () => this.#clear());
    $('pair-form').addEventListener('submit', (event) => this.#submit(event));
    $('pair-code').addEventListener('input', () => this.#tidy());
  }

  open() {
    if ($('pair').open) return;
    $('pair').showModal();
    $('pair-code').focus();
  }

  // close also makes the answer to what was sent count no more.
  close() {
    this.#sent = null;
    $('pair').close();
  }

  #clear() {
    $('pair-form').reset();
    $('pair-error').textContent = '';
  }

  // tidy writes the code as robots show it, unless somebody corrects its middle.
  #tidy() {
    const input = $('pair-code');
    $('pair-error').textContent = '';
    if (input.selectionStart !== input.value.length) return;
    const code = bare(input.value);
    input.value = code.length > letters / 2 ? `${code.slice(0, letters / 2)}-${code.slice(letters / 2)}` : code;
  }

  async #submit(event) {
    event.preventDefault();
    const code = bare($('pair-code').value);
    if (code.length < letters) return this.#fail({ status: 422 });
    $('pair-submit').disabled = true;
    const sent = this.#sent = {};
    try {
      const { device_id: id } = await api.pair(this.#on.token(), `${code.slice(0, 4)}-${code.slice(4)}`);
      if (sent !== this.#sent) return;
      this.close();
      this.#on.paired(api.isID(id) ? id : null);
    } catch (error) {
      if (sent !== this.#sent) return;
      this.#fail(error);
      if (error.status === 401) this.#on.expired();
    } finally {
      $('pair-submit').disabled = false;
    }
  }

  #fail(error) {
    $('pair-error').textContent = pairError(error);
    $('pair-code').focus();
  }
}
