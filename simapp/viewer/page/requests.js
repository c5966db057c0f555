// Asks the relay for sessions, one at a time: an answer to a request does not say
// which one it answers, so that two at once could show one robot's picture as the
// other's.

const patience = 10_000; // ms for an answer that nobody waits for any more
const maxPast = 16;

export class Requests {
  #relay;
  #out = null; // {device, session} that was asked and not answered; no session: it was left
  #next = null; // the session whose turn is next
  #timer = 0;
  #past = []; // the last sessions: fresh credentials for one are no answer

  constructor(relay) {
    this.#relay = relay;
  }

  // ask asks for a session: now, or once the one before is answered. Then it is
  // told: granted(m) with the credentials, refused(m), or down.
  ask(session) {
    if (this.#out) {
      this.#next = session;
      return;
    }
    this.#out = { device: session.device, session };
    session.asked();
    if (!this.#relay.send({ type: 'webrtc_request', device_id: session.device })) this.down();
  }

  // leave is called when a session does not wait any more.
  leave(session) {
    if (this.#next === session) this.#next = null;
    if (this.#out?.session !== session) return;
    this.#out.session = null;
    this.#timer = setTimeout(() => this.#goOn(), patience);
  }

  // receive takes the answer to a request, and reports whether m is one.
  receive(m) {
    if (!this.#out) return false;
    const { device, session } = this.#out;
    const granted = m.type === 'webrtc_credentials' && typeof m.session_id === 'string' && !this.#past.includes(m.session_id);
    if (!granted && !isRefusal(m, device)) return false;
    if (granted) this.#past = [...this.#past, m.session_id].slice(-maxPast);
    if (granted && !session) this.#relay.send({ type: 'webrtc_close', session_id: m.session_id, reason: 'app_left' });
    this.#goOn();
    if (granted) session?.granted(m);
    else session?.refused(m);
    return true;
  }

  // down is called when the socket is lost: a request is answered on its own, or not
  // at all.
  down() {
    const waiting = [this.#out?.session, this.#next];
    this.#next = null;
    this.#goOn();
    for (const session of waiting) session?.down();
  }

  #goOn() {
    clearTimeout(this.#timer);
    this.#out = null;
    const next = this.#next;
    this.#next = null;
    if (next) this.ask(next);
  }
}

// Other errors are about a session, or a command, or a resume of long ago.
function isRefusal(m, device) {
  return m.type === 'error' && !m.session_id && !m.command && m.code !== 'SESSION_UNKNOWN'
    && (!m.device_id || m.device_id === device);
}
