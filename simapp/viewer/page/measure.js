// What the browser knows of a running video: getStats read into a few figures
// (W3C webrtc-stats). Addresses, SDP and ICE passwords are not among them.

// Reading is one look at a peer connection's statistics.
export class Reading {
  #report;

  constructor(report) {
    this.#report = report;
    const list = [...report.values()];
    this.video = list.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
    const transport = list.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    this.pair = report.get(transport?.selectedCandidatePairId)
      ?? list.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    this.local = report.get(this.pair?.localCandidateId);
    this.remote = report.get(this.pair?.remoteCandidateId);
  }

  get codec() {
    return this.#report.get(this.video?.codecId)?.mimeType ?? null;
  }
}

const milli = (seconds) => (Number.isFinite(seconds) ? seconds * 1000 : null);

// sample returns the figures of the time between two readings; null is what the
// browser does not say, or cannot yet.
export function sample(before, now) {
  const a = before?.video ?? {}, b = now.video;
  const grown = (name) => (Number.isFinite(b[name]) && Number.isFinite(a[name]) ? Math.max(0, b[name] - a[name]) : null);
  const time = b.timestamp - a.timestamp; // ms
  const received = grown('packetsReceived'), lost = grown('packetsLost');
  const waited = grown('jitterBufferDelay'), emitted = grown('jitterBufferEmittedCount');
  const bytes = grown('bytesReceived');
  return {
    fps: b.framesPerSecond ?? (time > 0 && grown('framesDecoded') !== null ? grown('framesDecoded') * 1000 / time : null),
    kbps: time > 0 && bytes !== null ? bytes * 8 / time : null,
    rtt: milli(now.pair?.currentRoundTripTime),
    loss: received + lost > 0 ? 100 * lost / (received + lost) : null,
    delay: emitted > 0 ? milli(waited / emitted) : null,
    freezes: grown('freezeCount'),
  };
}

const phaseSteps = ['asked', 'credentials', 'offer', 'answered', 'connected', 'picture'];

// phases returns how long each step to the first picture took, in their order:
// [{phase, ms}], of those that have been.
export function phases(marks = {}) {
  const been = phaseSteps.filter((step) => Number.isFinite(marks[step]));
  return been.slice(1).map((step, i) => ({ phase: step, ms: Math.max(0, marks[step] - marks[been[i]]) }));
}
