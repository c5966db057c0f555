// The stage: the picture, and the words that are shown over it. What is a picture
// now (data-picture of the body) is "playing", "still" (the last one, dimmed) or "none".

import { $, put } from './dom.js';
import { noNetwork, reconnecting, standing } from './words.js';

const quiet = 6_000; // ms for which a remark stays
const pause = 500; // ms

export class Stage {
  #video = $('video');
  #remark = 0;
  #announcement = 0;

  // show puts a status on the stage. state names it for the style sheet; again
  // offers to try again.
  show(state, { title, text = '' }, again = false) {
    const had = $('status').contains(document.activeElement) || $('login').contains(document.activeElement);
    document.body.dataset.state = state;
    $('status').hidden = false;
    $('login').hidden = true;
    this.word(title, text);
    $('pulse').hidden = again || ['idle', 'live'].includes(state);
    $('again').hidden = !again;
    if (had) (again ? $('again') : $('stage')).focus({ preventScroll: true });
    this.announce([title, text].filter(Boolean).join(' '));
  }

  // word changes the words of a status that stays the same, and announces nothing.
  word(title, text) {
    put($('status-title'), title);
    if (text !== undefined) put($('status-text'), text);
  }

  // announce tells who listens, after a pause: of steps in a row only the last.
  announce(text) {
    clearTimeout(this.#announcement);
    this.#announcement = setTimeout(() => put($('announcer'), text), pause);
  }

  // say makes a remark that goes away by itself.
  say(text) {
    put($('said'), text);
    clearTimeout(this.#remark);
    this.#remark = setTimeout(() => put($('said'), ''), quiet);
  }

  // play shows what the stream brings, from its first picture on.
  play(stream) {
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {}); // muted video may always play
  }

  // playing is called with the first picture of a stream.
  playing() {
    document.body.dataset.picture = 'playing';
    $('still').width = 0;
  }

  // freeze keeps the last picture, if there is one, and lets go of the stream.
  freeze() {
    if (document.body.dataset.picture === 'playing') {
      const still = $('still');
      still.width = this.#video.videoWidth;
      still.height = this.#video.videoHeight;
      still.getContext('2d').drawImage(this.#video, 0, 0);
      document.body.dataset.picture = 'still';
    }
    this.#video.srcObject = null;
    this.stale(0);
  }

  // clear leaves no picture behind.
  clear() {
    this.#video.srcObject = null;
    $('still').width = 0;
    document.body.dataset.picture = 'none';
    this.stale(0);
  }

  // stale says how old the picture is that is shown; 0: it moves.
  stale(age) {
    const { state } = document.body.dataset;
    const fresh = $('veil').hidden;
    $('veil').hidden = age === 0;
    if (state === 'shaky') {
      this.word(reconnecting(age), navigator.onLine ? undefined : noNetwork);
    } else if (age > 0) {
      put($('veil-text'), standing(age));
      if (fresh && state === 'live') this.announce('The picture stands still.');
    } else if (!fresh && state === 'live') {
      this.announce('The picture moves again.');
    }
  }
}
