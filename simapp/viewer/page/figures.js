// A few figures of the running video, in words, once a second.

import { path } from './words.js';

const at = (id) => document.getElementById(`figure-${id}`);

export class Figures {
  #panel = document.getElementById('figures');
  #timer = 0;
  #before = null;

  start(pc) {
    this.stop();
    this.#timer = setInterval(() => this.#show(pc), 1000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#before = null;
    this.#panel.hidden = true;
  }

  async #show(pc) {
    const timer = this.#timer;
    const report = await pc.getStats().catch(() => null);
    if (!report || timer !== this.#timer) return;
    const list = [...report.values()];
    const video = list.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
    const transport = list.find((s) => s.type === 'transport' && s.selectedCandidatePairId);
    const pair = report.get(transport?.selectedCandidatePairId)
      ?? list.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    if (!video) return;
    at('picture').textContent = video.frameWidth ? `${video.frameWidth} × ${video.frameHeight}` : '–';
    at('fps').textContent = video.framesPerSecond ? `${Math.round(video.framesPerSecond)} per second` : '–';
    at('bitrate').textContent = this.#bitrate(video);
    at('rtt').textContent = pair?.currentRoundTripTime === undefined
      ? '–' : `${Math.max(1, Math.round(pair.currentRoundTripTime * 1000))} ms`;
    at('path').textContent = path(report.get(pair?.localCandidateId), report.get(pair?.remoteCandidateId));
    this.#panel.hidden = false;
  }

  #bitrate(video) {
    const before = this.#before;
    this.#before = video;
    if (!before) return '–';
    const kbps = (video.bytesReceived - before.bytesReceived) * 8 / (video.timestamp - before.timestamp);
    return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbit/s` : `${Math.round(kbps)} kbit/s`;
  }
}
