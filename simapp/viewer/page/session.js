// One viewing of one robot: request, credentials, offer, answer, pictures. Each
// step has a deadline; a session ends in exactly one call of on.ended.

const limits = { request: 12_000, offer: 12_000, connect: 15_000, picture: 10_000, lost: 15_000 }; // ms
const detourAfter = 2_500; // ms without a direct path
const maxCandidates = 64;

const ufragOf = (sdp) => /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];

// Browsers refuse port 53, and some refuse the whole list because of it.
function usable(servers) {
  const list = Array.isArray(servers) ? servers : [servers?.iceServers ?? []].flat();
  return list
    .map((s) => ({ ...s, urls: [s.urls].flat().filter((u) => !/:53(\?|$)/.test(u)) }))
    .filter((s) => s.urls.length > 0);
}

const hasTURN = (servers) => servers.some((s) => s.urls.some((u) => /^turns?:/.test(u)));

export class Session {
  id = null;
  pc = null;
  #relay;
  #on;
  #candidates = [];
  #ufrag = null;
  #work = Promise.resolve(); // offers and candidates, one after the other
  #deadline = 0;
  #detour = 0;
  #connected = false;
  #pictured = false;
  #over = false;

  // on: {state(name), stream(mediaStream), ended(why)}
  constructor(relay, device, on) {
    this.#relay = relay;
    this.#on = on;
    this.#enter('asking', 'request');
    if (!relay.send({ type: 'webrtc_request', device_id: device })) this.#end({ failure: 'relay' });
  }

  get over() {
    return this.#over;
  }

  // close ends the session on this side and says so.
  close() {
    if (this.#over) return;
    if (this.id) this.#relay.send({ type: 'webrtc_close', session_id: this.id, reason: 'app_left' });
    this.#free();
  }

  // pictured is called with the first picture that is shown.
  pictured() {
    if (this.#over || this.#pictured) return;
    this.#pictured = true;
    this.#enter('live');
  }

  // up is called when the socket is back, down when it is lost.
  up() {
    if (!this.id) return;
    const restart = this.#connected && this.pc.connectionState !== 'connected'; // its path is lost, too
    this.#relay.send({ type: 'webrtc_resume', session_id: this.id, ...(restart && { restart }) });
  }

  down() {
    if (!this.id) this.#end({ failure: 'relay' }); // the answer went to the lost socket
  }

  receive(m) {
    if (this.#over) return;
    if (m.session_id && this.id && m.session_id !== this.id) return;
    switch (m.type) {
      case 'webrtc_credentials': return this.#onCredentials(m);
      case 'webrtc_offer': return this.#queue(() => this.#onOffer(m.sdp));
      case 'webrtc_ice': return this.#queue(() => this.#onCandidate(m.candidate));
      case 'webrtc_close': return m.session_id === this.id && this.#end({ reason: m.reason });
      case 'webrtc_error': return m.session_id === this.id && this.#end({ code: m.code, text: m.error });
      case 'webrtc_resumed': return this.#onResumed();
      case 'error': return this.#onError(m);
    }
  }

  #onCredentials(m) {
    const configuration = { iceServers: usable(m.ice_servers) };
    if (this.pc) { // fresh ones; the robot restarts ICE with them
      this.pc.setConfiguration(configuration);
      return;
    }
    this.id = m.session_id;
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
      event.receiver.jitterBufferTarget = 0;
      this.#on.stream(event.streams[0] ?? new MediaStream([event.track]));
    };
    pc.onconnectionstatechange = () => this.#onState(pc.connectionState);
  }

  #onState(state) {
    if (this.#over) return;
    if (state === 'connected') {
      this.#connected = true;
      if (this.#pictured) this.#enter('live');
      else this.#enter('picture', 'picture');
    } else if (state === 'disconnected') {
      this.#enter('shaky', 'lost');
    } else if (state === 'failed' || state === 'closed') {
      this.#end({ failure: this.#connected ? 'lost' : 'connect' });
    }
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
    await this.pc.setRemoteDescription(offer);
    await this.pc.setLocalDescription();
    if (this.#over) return;
    if (/^m=video 0 /m.test(this.pc.localDescription.sdp)) {
      this.#end({ failure: 'codec' });
      return;
    }
    const first = this.#ufrag === null;
    this.#ufrag = ufrag;
    this.#sendAnswer();
    if (first) {
      this.#enter('connecting', 'connect');
      if (this.turn) this.#detour = setTimeout(() => this.#on.state('relayed'), detourAfter);
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

  // A relay that was restarted knows no session any more, but video that flows
  // does not need it.
  #onError(m) {
    if (this.id && !m.session_id) return;
    if (m.code === 'SESSION_UNKNOWN' && (!this.id || this.pc?.connectionState === 'connected')) return;
    this.#end({ code: m.code, text: m.message, retryAfter: m.retry_after });
  }

  #send(type, fields) {
    this.#relay.send({ type, session_id: this.id, ...fields });
  }

  #queue(work) {
    this.#work = this.#work.then(() => this.#over || work()).catch(() => {
      if (!this.#over && !this.#connected) this.#giveUp('connect');
    });
  }

  // enter shows a step and sets the deadline of what must come next.
  #enter(state, waitsFor) {
    clearTimeout(this.#deadline);
    clearTimeout(this.#detour);
    if (waitsFor) this.#deadline = setTimeout(() => this.#giveUp(waitsFor), limits[waitsFor]);
    this.#on.state(state);
  }

  #giveUp(failure) {
    this.close();
    this.#on.ended({ failure });
  }

  #end(why) {
    if (this.#over) return;
    this.#free();
    this.#on.ended(why);
  }

  #free() {
    this.#over = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#detour);
    if (!this.pc) return;
    this.pc.onicecandidate = this.pc.ontrack = this.pc.onconnectionstatechange = null;
    this.pc.close();
  }
}
