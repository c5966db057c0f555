// One viewing of one robot, from the request to its end, in these states:
//
//   asking → offer → connecting (→ relayed) → picture → live ⇄ shaky
//
// Each step has a deadline; a session ends by close, or in one call of on.ended.

import { Peer } from './peer.js';
import { hasTURN, usable } from './servers.js';
import { clean } from './words.js';

const deadlines = { // of what ends the state: {ms, the failure if it does not come}
  asking: { ms: 10_000, failure: 'request' },
  offer: { ms: 12_000, failure: 'offer' },
  connecting: { ms: 15_000, failure: 'connect' },
  picture: { ms: 10_000, failure: 'picture' },
  shaky: { ms: 15_000, failure: 'lost' },
};
const detourAfter = 2_500; // ms without a direct path
const patience = 1_500; // ms for which a lost path may come back by itself
const restartEvery = 4_000; // ms
const maxTicket = 512; // characters

export class Session {
  device;
  id = null;
  state = 'new';
  marks = {}; // performance.now() of asked, credentials, offer, answered, connected, picture
  #relay;
  #requests;
  #on;
  #peer = null;
  #ticket; // the newest, with which a restarted relay takes the session back
  #turn = false; // the relay gave a detour
  #wanted = false; // an ICE restart, of which no offer has come yet
  #unknown = false; // to the relay, though video may flow
  #timers = {}; // of the state

  // on: {state(name), stream(mediaStream), channel(dataChannel), ended(why)};
  // nothing is called after ended or close.
  constructor(relay, requests, device, on) {
    this.#relay = relay;
    this.#requests = requests;
    this.device = device;
    this.#on = on;
  }

  begin() {
    this.#enter('asking');
    this.#requests.ask(this);
  }

  // close ends the session on this side, and says so.
  close() {
    if (this.state === 'over') return;
    if (this.id) this.#send('webrtc_close', { reason: 'app_left' });
    else this.#requests.leave(this);
    this.#free();
  }

  getStats() {
    return this.#peer.getStats();
  }

  // --- what the relay says, in this order --------------------------------

  asked() {
    this.#mark('asked');
  }

  refused(m) {
    this.#end({ code: clean(m.code, 64), text: clean(m.message), retryAfter: m.retry_after });
  }

  // down is called when the socket is lost before the answer.
  down() {
    this.#end({ failure: 'relay' });
  }

  granted(m) {
    this.id = m.session_id;
    this.#mark('credentials');
    this.#enter('offer');
    const servers = this.#credentials(m);
    this.#turn = hasTURN(servers);
    this.#peer = new Peer(servers, {
      answer: (description) => this.#onAnswer(description),
      candidate: (candidate) => this.#send('webrtc_ice', { candidate }),
      stream: this.#on.stream,
      channel: this.#on.channel,
      state: (state) => this.#onPath(state),
      failed: (why) => this.#onFailed(why),
    });
  }

  // receive takes a message that is about this session, or another.
  receive(m) {
    if (this.state === 'over' || !this.id || m.session_id !== this.id) return;
    switch (m.type) {
      case 'webrtc_offer': return this.#onOffer(m.sdp);
      case 'webrtc_ice': return this.#peer.candidate(m.candidate);
      case 'webrtc_credentials': return this.#peer.configure(this.#credentials(m)); // the robot restarts ICE with them
      case 'webrtc_resumed': return this.#onResumed();
      case 'webrtc_close': return this.#end({ reason: clean(m.reason, 64) });
      case 'webrtc_error': return this.#end({ code: clean(m.code, 64), text: clean(m.error) });
      case 'error': return this.#onError(m);
    }
  }

  #onResumed() {
    this.#unknown = false;
    if (!this.#connected) this.#peer.again(); // it may have been lost with the socket
  }

  // Video that flows does not need the relay, which may have forgotten the session.
  #onError(m) {
    if (m.command) return;
    if (!this.#peer.connected) this.refused(m);
    else if (m.code === 'SESSION_UNKNOWN') this.#unknown = true;
  }

  // up is called when the socket is back, or another one in its place.
  up(relay) {
    this.#relay = relay;
    if (this.id) this.#resume(this.#wanted || (this.#connected && !this.#peer.connected));
  }

  #credentials(m) {
    if (typeof m.ticket === 'string' && m.ticket.length <= maxTicket) this.#ticket = m.ticket;
    return usable(m.ice_servers);
  }

  // --- what the browser says ---------------------------------------------

  #onOffer(description) {
    this.#mark('offer');
    this.#peer.offer(description);
  }

  #onAnswer(sdp) {
    this.#wanted = false;
    this.#send('webrtc_answer', { sdp });
    if (this.state !== 'offer') return;
    this.#mark('answered');
    this.#enter('connecting');
  }

  // Once there was a path, an offer that cannot be answered is not the end of it.
  #onFailed(why) {
    if (!this.#connected) this.#giveUp(why);
  }

  #onPath(state) {
    if (state === 'connected') {
      this.#wanted = false;
      this.#mark('connected');
      this.#enter(this.#pictured ? 'live' : 'picture');
    } else if (this.#connected && (state === 'disconnected' || state === 'failed')) {
      if (this.state !== 'shaky') this.#enter('shaky');
    } else if (state === 'failed') {
      this.#giveUp('connect');
    }
  }

  // pictured is called with the first picture that is shown.
  pictured() {
    this.#mark('picture');
    if (this.state === 'picture') this.#enter('live');
  }

  // shown is called when a page that was hidden is not any more: only now pictures
  // are shown.
  shown() {
    if (this.state === 'picture') this.#enter('picture');
  }

  // hasten is called when the network has changed and a path that seems good may
  // not be.
  hasten() {
    if (this.#connected) this.#resume(true);
  }

  // blind is called when the picture has stood still for a while. Of a session that the
  // relay has ended nothing more will come.
  blind() {
    if (this.#unknown) this.#end({ code: 'SESSION_UNKNOWN' });
  }

  // --- how it goes on ----------------------------------------------------

  get #connected() {
    return 'connected' in this.marks;
  }

  get #pictured() {
    return 'picture' in this.marks;
  }

  #mark(step) {
    this.marks[step] ??= performance.now();
  }

  // enter shows a state, and sets the timers that live as long as it does.
  #enter(state) {
    this.#stopTimers();
    this.state = state;
    if (state in deadlines) this.#await(deadlines[state]);
    if (state === 'connecting' && this.#turn) this.#timers.detour = setTimeout(() => this.#detour(), detourAfter);
    if (state === 'shaky') this.#timers.restart = setTimeout(() => this.#restart(), patience);
    this.#on.state(state);
  }

  // A hidden page is shown no picture, so it waits on.
  #await({ ms, failure }) {
    this.#timers.deadline = setTimeout(() => {
      if (failure === 'picture' && document.hidden) this.#await({ ms, failure });
      else this.#giveUp(failure);
    }, ms);
  }

  #detour() {
    this.state = 'relayed';
    this.#on.state(this.state);
  }

  // restart looks for another path, again and again.
  #restart() {
    this.#resume(true);
    this.#timers.restart = setTimeout(() => this.#restart(), restartEvery);
  }

  #resume(restart) {
    this.#wanted ||= restart;
    this.#send('webrtc_resume', { ...(restart && { restart }), ...(this.#ticket && { ticket: this.#ticket }) });
  }

  #send(type, fields) {
    this.#relay.send({ type, session_id: this.id, ...fields });
  }

  #giveUp(failure) {
    this.close();
    this.#on.ended({ failure });
  }

  #end(why) {
    if (this.state === 'over') return;
    this.#free();
    this.#on.ended(why);
  }

  #free() {
    this.state = 'over';
    this.#stopTimers();
    this.#peer?.close();
  }

  #stopTimers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
  }
}
