// The WebRTC end of a session: it answers the robot's offers and takes its
// candidates, one after the other, in the order they came.

const maxEarly = 64; // candidates that are kept until there is an offer

const ufragOf = (description) => /^a=ice-ufrag:(\S+)/m.exec(description?.sdp ?? '')?.[1];

export class Peer {
  #pc;
  #on;
  #ufrag = null; // of the offer that was answered last
  #early = [];
  #work = Promise.resolve();
  #closed = false;

  // on: {answer(description), candidate(candidate), stream(mediaStream),
  // channel(dataChannel), state(connectionState), failed(why)}; nothing is called
  // after close.
  constructor(iceServers, on) {
    const pc = new RTCPeerConnection();
    this.#pc = pc;
    this.#on = on;
    this.configure(iceServers);
    pc.onicecandidate = ({ candidate }) => {
      const { candidate: line = '', sdpMid, sdpMLineIndex } = candidate ?? {};
      on.candidate({ candidate: line, sdpMid, sdpMLineIndex });
    };
    pc.ontrack = ({ track, receiver, streams }) => {
      if (track.kind !== 'video') return;
      receiver.jitterBufferTarget = 0;
      on.stream(streams[0] ?? new MediaStream([track]));
    };
    pc.ondatachannel = ({ channel }) => channel.label === 'control' && on.channel(channel);
    pc.onconnectionstatechange = () => on.state(pc.connectionState);
  }

  get connected() {
    return this.#pc.connectionState === 'connected';
  }

  getStats() {
    return this.#pc.getStats();
  }

  // configure takes servers for what is gathered from now on. Without those that a
  // browser refuses there may be a way as well.
  configure(iceServers) {
    try {
      this.#pc.setConfiguration({ iceServers });
    } catch { /* it keeps those it has */ }
  }

  // offer takes an offer. One with the ICE credentials of the last one is the same
  // sent again, because its answer was lost; other credentials are an ICE restart.
  offer(description) {
    this.#queue(() => this.#answer(description));
  }

  candidate(candidate) {
    if (!candidate) return;
    this.#queue(() => {
      if (this.#ufrag) return this.#add(candidate);
      if (this.#early.length < maxEarly) this.#early.push(candidate);
    });
  }

  // again repeats the answer, if there is one.
  again() {
    this.#queue(() => this.#ufrag && this.#on.answer(this.#pc.localDescription.toJSON()));
  }

  close() {
    this.#closed = true;
    const pc = this.#pc;
    pc.onicecandidate = pc.ontrack = pc.ondatachannel = pc.onconnectionstatechange = null;
    pc.close();
  }

  async #answer(offer) {
    const ufrag = ufragOf(offer);
    if (!ufrag) return;
    if (ufrag !== this.#ufrag) {
      await this.#pc.setRemoteDescription(offer);
      await this.#pc.setLocalDescription();
    }
    if (this.#closed) return;
    const answer = this.#pc.localDescription.toJSON();
    if (/^m=video 0 /m.test(answer.sdp)) return this.#on.failed('codec');
    this.#ufrag = ufrag;
    this.#on.answer(answer);
    for (const candidate of this.#early.splice(0)) await this.#add(candidate);
  }

  // A candidate that cannot be used is no reason to give up.
  #add(candidate) {
    return this.#pc.addIceCandidate(candidate).catch(() => {});
  }

  #queue(work) {
    this.#work = this.#work.then(() => this.#closed || work()).catch(() => this.#closed || this.#on.failed('connect'));
  }
}
