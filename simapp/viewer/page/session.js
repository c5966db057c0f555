// One viewing of one robot: request, credentials, offer, answer, pictures. Each
// step has a deadline; a session ends in exactly one call of on.ended.

import { usable, hasTURN } from './servers.js';
import { clean } from './words.js';

const limits = { request: 10_000, offer: 12_000, connect: 15_000, picture: 10_000, lost: 15_000 }; // ms
const detourAfter = 2_500; // ms without a direct path
const patience = 1_500; // ms for which a lost path may come back by itself
const restartEvery = 4_000; // ms
const maxCandidates = 64;
const maxTicket = 512; // characters

const ufragOf = (sdp) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];

export class Session {
  id = null;
  pc = null;
  marks = {}; // performance.now() of asked, credentials, offer, answered, connected, picture
  answered; // a promise: the relay has answered the request, or never will
  #device;
  #relay;
  #on;
  #ticket; // the newest, with which a restarted relay takes the session back
  #candidates = [];
  #ufrag = null;
  #work = Promise.resolve(); // offers and candidates, one after the other
  #timers = {};
  #settle; // resolves answered
  #asked = false;
  #connected = false;
  #pictured = false;
  #lost = false; // the path
  #left = false; // closed before the relay had answered
  #over = false;

  // on: {state(name), stream(mediaStream), channel(dataChannel), ended(why)}
  // The request waits for before: an answer to a request does not say which one it
  // answers, so that two at once could show one robot's picture as the other's.
  constructor(relay, device, on, before) {
    this.#relay = relay;
    this.#device = device;
    this.#on = on;
    this.answered = new Promise((resolve) => { this.#settle = resolve; });
    this.#begin(before);
  }

  async #begin(before) {
    await null; // whoever made this session knows it by now
    if (!this.#over) this.#enter('asking', 'request');
    await before;
    if (this.#over) return this.#settle();
    this.#mark('asked');
    this.#asked = true;
    if (!this.#relay.send({ type: 'webrtc_request', device_id: this.#device })) this.#end({ failure: 'relay' });
  }

  get over() {
    return this.#over;
  }

  // close ends the session on this side and says so, if need be when the relay has
  // answered.
  close() {
    if (this.#over) return;
    if (this.id) this.#leave(this.id);
    this.#left = this.#asked && !this.id;
    this.#free();
    if (this.#left) this.#timers.leave = setTimeout(() => this.#settle(), limits.request);
    else if (this.#asked) this.#settle(); // else it still waits for the one before
  }

  // pictured is called with the first picture that is shown.
  pictured() {
    if (this.#over || this.#pictured) return;
    this.#pictured = true;
    this.#mark('picture');
    this.#enter('live');
  }

  // shown is called when a page that was hidden is not any more.
  shown() {
    if (this.#connected && !this.#pictured && !this.#over) this.#enter('picture', 'picture');
  }

  // up is called when the socket is back, or another one in its place; down when it
  // is lost.
  up(relay = this.#relay) {
    this.#relay = relay;
    if (this.id && !this.#over) this.#resume(this.#connected && this.pc.connectionState !== 'connected');
  }

  // A request is answered on its own socket, or not at all.
  down() {
    if (!this.id) this.#end({ failure: 'relay' });
    if (this.#left) this.#settle();
    this.#left = false;
  }

  // hasten is called when the network has changed and a path that seems good may
  // not be.
  hasten() {
    if (this.#connected && !this.#over) this.#resume(true);
  }

  // receive takes a message that is about this session, or may be.
  receive(m) {
    if (this.#over || !this.#asked) return;
    if (m.session_id && this.id && m.session_id !== this.id) return;
    switch (m.type) {
      case 'webrtc_credentials': return this.#onCredentials(m);
      case 'webrtc_offer': return this.#queue(() => this.#onOffer(m.sdp));
      case 'webrtc_ice': return this.#queue(() => this.#onCandidate(m.candidate));
      case 'webrtc_close': return this.#isMine(m) && this.#end({ reason: clean(m.reason, 64) });
      case 'webrtc_error': return this.#isMine(m) && this.#end({ code: clean(m.code, 64), text: clean(m.error) });
      case 'webrtc_resumed': return this.#onResumed();
      case 'error': return this.#onError(m);
    }
  }

  #isMine(m) {
    return this.id !== null && m.session_id === this.id;
  }

  // receiveLate takes the answer to a request that nobody waits for any more, and
  // reports whether m is that.
  receiveLate(m) {
    const refused = m.type === 'error' && !m.session_id && !m.command && this.#isMyDevice(m);
    if (!this.#left || !(refused || m.type === 'webrtc_credentials')) return false;
    if (!refused) this.#leave(m.session_id);
    this.#left = false;
    clearTimeout(this.#timers.leave);
    this.#settle();
    return true;
  }

  #leave(id) {
    this.#relay.send({ type: 'webrtc_close', session_id: id, reason: 'app_left' });
  }

  #isMyDevice(m) {
    return !m.device_id || m.device_id === this.#device;
  }

  #onCredentials(m) {
    if (typeof m.session_id !== 'string') return;
    if (typeof m.ticket === 'string' && m.ticket.length <= maxTicket) this.#ticket = m.ticket;
    const configuration = { iceServers: usable(m.ice_servers) };
    if (this.pc) { // fresh ones; the robot restarts ICE with them
      this.pc.setConfiguration(configuration);
      return;
    }
    this.id = m.session_id;
    this.#settle();
    this.#mark('credentials');
    this.turn = hasTURN(configuration.iceServers);
    this.#enter('offer', 'offer');
    this.#open(configuration);
  }

  #open(configuration) {
    const pc = new RTCPeerConnection(configuration);
    this.pc = pc;
    pc.onicecandidate = ({ candidate }) => {
      const { candidate: line = '', sdpMid, sdpMLineIndex } = candidate ?? {};
      this.#send('webrtc_ice', { candidate: { candidate: line, sdpMid, sdpMLineIndex } });
    };
    pc.ontrack = (event) => {
      if (event.track.kind !== 'video') return;
      event.receiver.jitterBufferTarget = 0;
      this.#on.stream(event.streams[0] ?? new MediaStream([event.track]));
    };
    pc.ondatachannel = ({ channel }) => channel.label === 'control' && this.#on.channel(channel);
    pc.onconnectionstatechange = () => this.#onState(pc.connectionState);
  }

  #onState(state) {
    if (this.#over) return;
    if (state === 'connected') {
      this.#connected = true;
      this.#mark('connected');
      clearInterval(this.#timers.restart);
      if (this.#pictured) this.#enter('live');
      else this.#enter('picture', 'picture');
    } else if (this.#connected && (state === 'disconnected' || state === 'failed')) {
      this.#onLost();
    } else if (state === 'failed' || state === 'closed') {
      this.#end({ failure: this.#connected ? 'lost' : 'connect' });
    }
  }

  // A path that does not come back by itself is looked for anew, within the limit.
  #onLost() {
    if (this.#lost) return;
    this.#enter('shaky', 'lost');
    this.#lost = true;
    clearInterval(this.#timers.restart);
    const again = () => this.#resume(true);
    this.#timers.restart = setTimeout(() => {
      again();
      this.#timers.restart = setInterval(again, restartEvery);
    }, patience);
  }

  #resume(restart) {
    const { id, pc } = this;
    if (!id || !pc) return;
    this.#send('webrtc_resume', { ...(restart && { restart: true }), ...(this.#ticket && { ticket: this.#ticket }) });
  }

  // An offer with the ICE credentials of the last one is the same offer sent
  // again; other credentials are an ICE restart.
  async #onOffer(offer) {
    const ufrag = ufragOf(offer?.sdp ?? '');
    if (!this.pc || !ufrag) return;
    if (ufrag === this.#ufrag) {
      this.#sendAnswer(); // the first was lost on its way
      return;
    }
    this.#mark('offer');
    await this.pc.setRemoteDescription(offer);
    await this.pc.setLocalDescription();
    if (this.#over) return;
    if (/^m=video 0 /m.test(this.pc.localDescription.sdp)) {
      this.close();
      this.#on.ended({ failure: 'codec' });
      return;
    }
    const first = this.#ufrag === null;
    this.#ufrag = ufrag;
    this.#sendAnswer();
    this.#mark('answered');
    if (first) {
      this.#enter('connecting', 'connect');
      if (this.turn) this.#timers.detour = setTimeout(() => this.#on.state('relayed'), detourAfter);
    }
    for (const c of this.#candidates.splice(0)) await this.#add(c);
  }

  #sendAnswer() {
    const { type, sdp } = this.pc.localDescription;
    this.#send('webrtc_answer', { sdp: { type, sdp } });
  }

  async #onCandidate(candidate) {
    if (!candidate) return;
    if (this.#ufrag) await this.#add(candidate);
    else if (this.#candidates.length < maxCandidates) this.#candidates.push(candidate);
  }

  // A candidate that cannot be used is no reason to give up.
  #add(candidate) {
    return this.pc.addIceCandidate(candidate).catch(() => {});
  }

  #onResumed() {
    if (this.#ufrag && !this.#connected) this.#sendAnswer();
  }

  // A relay that was restarted may know no session any more, but video that flows
  // does not need it. Refused commands are not about the session.
  #onError(m) {
    if (m.command || (this.id && !m.session_id)) return;
    if (!this.#isMyDevice(m)) return;
    if (m.code === 'SESSION_UNKNOWN' && (!this.id || this.pc?.connectionState === 'connected')) return;
    this.#end({ code: clean(m.code, 64), text: clean(m.message), retryAfter: m.retry_after });
  }

  #send(type, fields) {
    this.#relay.send({ type, session_id: this.id, ...fields });
  }

  #queue(work) {
    this.#work = this.#work.then(() => this.#over || work()).catch(() => {
      if (!this.#over && !this.#connected) this.#giveUp('connect');
    });
  }

  #mark(step) {
    this.marks[step] ??= performance.now();
  }

  // enter shows a step and sets the deadline of what must come next.
  #enter(state, waitsFor) {
    clearTimeout(this.#timers.deadline);
    clearTimeout(this.#timers.detour);
    this.#lost = false;
    if (waitsFor) this.#await(waitsFor);
    this.#on.state(state);
  }

  // A hidden page is shown no picture, so it waits on.
  #await(step) {
    this.#timers.deadline = setTimeout(() => {
      if (step === 'picture' && document.hidden) this.#await(step);
      else this.#giveUp(step);
    }, limits[step]);
  }

  #giveUp(failure) {
    this.close();
    this.#on.ended({ failure });
  }

  #end(why) {
    if (this.#over) return;
    this.#free();
    if (this.#asked) this.#settle();
    this.#on.ended(why);
  }

  #free() {
    this.#over = true;
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    if (!this.pc) return;
    this.pc.onicecandidate = this.pc.ontrack = this.pc.ondatachannel = this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
