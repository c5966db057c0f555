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
  #recorder = null;
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
    return this.#recorder !== null;
  }

  start(stream, robot) {
    this.stop('asked');
    const mimeType = types.find((t) => MediaRecorder.isTypeSupported(t));
    const name = fileName(robot, mimeType?.startsWith('video/mp4') ? 'mp4' : 'webm');
    const tape = { chunks: [], size: 0, seconds: 0, why: 'video', name };
    try {
      const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: bitsPerSecond });
      recorder.ondataavailable = ({ data }) => this.#keep(tape, data);
      recorder.onstop = () => this.#save(recorder, tape);
      recorder.onerror = () => this.stop('video');
      recorder.start(1000);
      this.#recorder = recorder;
      this.#tape = tape;
    } catch {
      this.#on.ended(notRecorded);
      return;
    }
    this.#on.time(0);
    this.#timer = setInterval(() => this.#tick(tape), 1000);
  }

  #tape = null;

  // stop ends the recording and saves it; why is one of recordingEnded.
  stop(why) {
    if (!this.#recorder) return;
    this.#tape.why = why;
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
    this.#forget();
  }

  #tick(tape) {
    this.#on.time(++tape.seconds);
    if (tape.seconds >= maxTime) this.stop('time');
  }

  #keep(tape, data) {
    if (data.size === 0) return;
    tape.chunks.push(data);
    tape.size += data.size;
    if (tape.size >= maxSize && this.#tape === tape) this.stop('size');
  }

  // save comes after the last chunk, also when the stream has ended by itself.
  #save(recorder, { chunks, size, why, name }) {
    if (recorder === this.#recorder) this.#forget();
    if (size === 0) return this.#on.ended(notRecorded);
    download(new Blob(chunks, { type: recorder.mimeType }), name);
    this.#on.ended(recordingEnded[why](name));
  }

  #forget() {
    clearInterval(this.#timer);
    this.#recorder = this.#tape = null;
    this.#on.time(null);
  }
}
