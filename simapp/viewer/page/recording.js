// Records what is seen into a file of this computer. The recording is kept in
// memory until it ends, so it has limits, which are said.

import { download, fileName } from './files.js';
import { recordingEnded, notRecorded } from './words.js';

const maxTime = 10 * 60; // s
const maxSize = 200e6; // bytes
const bitsPerSecond = 2_500_000;
const types = ['video/mp4;codecs=avc3.42E01F', 'video/mp4', 'video/webm;codecs=vp8', 'video/webm'];

export class Recording {
  #on;
  #tape = null; // what runs: {recorder, name, chunks, size, seconds, why it ended}
  #timer = 0;

  // on: {time(seconds), ended(words)}; time is called each second, and with null
  // when nothing is recorded any more.
  constructor(on) {
    this.#on = on;
  }

  static get possible() {
    return typeof MediaRecorder === 'function';
  }

  get running() {
    return this.#tape !== null;
  }

  start(stream, robot) {
    this.stop('asked');
    const mimeType = types.find((t) => MediaRecorder.isTypeSupported(t));
    const name = fileName(robot, mimeType?.startsWith('video/mp4') ? 'mp4' : 'webm');
    try {
      const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: bitsPerSecond });
      const tape = { recorder, name, chunks: [], size: 0, seconds: 0, why: 'video' };
      recorder.ondataavailable = ({ data }) => this.#keep(tape, data);
      recorder.onstop = () => this.#save(tape);
      recorder.start(1000);
      this.#tape = tape;
    } catch {
      this.#on.ended(notRecorded);
      return;
    }
    this.#on.time(0);
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  // stop ends the recording and saves it; why is one of recordingEnded.
  stop(why) {
    if (!this.#tape) return;
    const { recorder } = this.#tape;
    this.#tape.why = why;
    this.#forget();
    if (recorder.state !== 'inactive') recorder.stop();
  }

  #tick() {
    this.#on.time(++this.#tape.seconds);
    if (this.#tape.seconds >= maxTime) this.stop('time');
  }

  #keep(tape, data) {
    if (data.size === 0) return;
    tape.chunks.push(data);
    tape.size += data.size;
    if (tape.size >= maxSize && tape === this.#tape) this.stop('size');
  }

  // save comes after the last chunk, also when the stream has ended by itself.
  #save(tape) {
    if (tape === this.#tape) this.#forget();
    if (tape.size === 0) return this.#on.ended(notRecorded);
    download(new Blob(tape.chunks, { type: tape.recorder.mimeType }), tape.name);
    this.#on.ended(recordingEnded[tape.why](tape.name));
  }

  #forget() {
    clearInterval(this.#timer);
    this.#tape = null;
    this.#on.time(null);
  }
}
