// The socket to the relay. It heals: a lost connection is dialled again after a
// random pause that grows, so that many viewers do not come back as one.

const pingEvery = 20_000; // ms
const pongWithin = 15_000;
const proofWithin = 2_000; // when there is reason to doubt
const openWithin = 8_000;
const shortest = 500;
const longest = 10_000;
const maxFrame = 128 * 1024; // characters; the contract allows half of it

// Close codes after which the same login is of no use (CONTRACT §3.3).
const endings = { 4001: 'auth', 4003: 'superseded' };

export class Relay {
  #token;
  #on;
  #socket = null;
  #timers = {};
  #failures = 0;
  #pause = 0; // ms, from going_away
  #closed = false;

  // on: {up(), down(), ended(why), message(m), check()}; check asks whether the
  // login is still good, because a browser does not say why a socket was refused.
  constructor(token, on) {
    this.#token = token;
    this.#on = on;
    this.#dial();
  }

  get open() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  // dialling ends soon: up or down is called.
  get dialling() {
    return this.#socket?.readyState === WebSocket.CONNECTING;
  }

  // send reports whether the message went out; nothing is kept for later.
  send(message) {
    if (!this.open) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  renew(token) {
    this.#token = token;
    this.send({ type: 'auth', token });
  }

  // hasten is called when the network may have changed: a lost socket is dialled
  // now, and one that seems open must prove it.
  hasten() {
    if (this.#closed) return;
    if (!this.#socket) this.#dial();
    else if (this.open) this.#ping(proofWithin);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timers.redial);
    this.#drop();
  }

  #dial() {
    clearTimeout(this.#timers.redial);
    const url = new URL('ws/app', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    const token = this.#token;
    url.searchParams.set('token', token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    let opened = false;
    this.#timers.open = setTimeout(() => this.#lost(socket, opened), openWithin);
    socket.onopen = () => {
      opened = true;
      clearTimeout(this.#timers.open);
      this.#failures = 0;
      this.#timers.ping = setInterval(() => this.#ping(pongWithin), pingEvery);
      if (token !== this.#token) this.renew(this.#token); // it came meanwhile
      this.#on.up();
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.#lost(socket, opened, code);
  }

  // ping asks for a sign of life. No clock is asked how long ago the last one was:
  // clocks are set, and the timers of a hidden page are late.
  #ping(within) {
    const socket = this.#socket;
    this.send({ type: 'ping' });
    clearTimeout(this.#timers.pong);
    this.#timers.pong = setTimeout(() => this.#lost(socket, true), within);
  }

  #receive(data) {
    clearTimeout(this.#timers.pong);
    if (typeof data !== 'string' || data.length > maxFrame) return;
    let message;
    try {
      message = JSON.parse(data);
    } catch {
      return;
    }
    if (message?.type === 'ping') this.send({ type: 'pong' });
    else if (message?.type === 'going_away') this.#pause = bounded(message.retry_after_ms);
    else if (typeof message?.type === 'string' && message.type !== 'pong') this.#on.message(message);
  }

  #lost(socket, opened, code) {
    if (socket !== this.#socket || this.#closed) return;
    this.#drop();
    const why = endings[code];
    if (why) {
      this.#closed = true;
      this.#on.ended(why);
      return;
    }
    const limit = Math.min(longest, shortest * 2 ** this.#failures++);
    const pause = this.#pause + Math.random() * limit;
    this.#pause = 0;
    this.#timers.redial = setTimeout(() => this.#dial(), pause);
    this.#on.down();
    if (!opened) this.#on.check();
  }

  // drop lets go of the socket without waiting for it.
  #drop() {
    clearTimeout(this.#timers.open);
    clearTimeout(this.#timers.pong);
    clearInterval(this.#timers.ping);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

const bounded = (ms) => (ms > 0 ? Math.min(ms, 30_000) : 0);
