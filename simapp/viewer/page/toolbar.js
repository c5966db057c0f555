// The tools below the picture. Those that ask the robot need its control channel,
// the others need a picture.

import { $ } from './dom.js';
import { download, fileName } from './files.js';
import { Recording } from './recording.js';
import { bars, barsUnknown, noFullScreen, noSmallWindow, notSaved, saved } from './words.js';

const settling = 5_000; // ms in which the robot's report may be older than a choice

export class Toolbar {
  #video = $('video');
  #on;
  #control = null;
  #robot = '';
  #chosenAt = -settling;
  #recording;

  // on: {say(words)}
  constructor(on) {
    this.#on = on;
    this.#recording = new Recording({ time: (s) => this.#showTime(s), ended: on.say });
    $('quality').addEventListener('change', () => this.#chooseQuality());
    $('overlay').addEventListener('click', () => this.#toggleOverlay());
    $('snapshot').addEventListener('click', () => this.#snapshot());
    $('record').addEventListener('click', () => this.#record());
    $('fullscreen').addEventListener('click', () => this.#fullscreen());
    $('pip').addEventListener('click', () => this.#pip());
    $('pip').hidden = !document.pictureInPictureEnabled;
    $('fullscreen').hidden = !($('theatre').requestFullscreen || this.#video.webkitEnterFullscreen);
    $('record').hidden = !Recording.possible;
    document.addEventListener('fullscreenchange', () => press('fullscreen', document.fullscreenElement !== null));
    this.#video.addEventListener('enterpictureinpicture', () => press('pip', true));
    this.#video.addEventListener('leavepictureinpicture', () => press('pip', false));
    addEventListener('beforeunload', (event) => this.#recording.running && event.preventDefault());
    this.detach();
    this.picture(false);
  }

  // picture says whether there is one, and of which robot.
  picture(is, robot = '') {
    this.#robot = robot;
    for (const id of ['snapshot', 'record', 'pip']) $(id).disabled = !is;
    if (!is) this.#recording.stop('video');
  }

  // attach is called when a robot listens, detach when it does not any more. The
  // robot starts each session anew, so it is told again what was chosen.
  attach(control) {
    this.#control = control;
    $('quality').disabled = $('overlay').disabled = false;
    if ($('quality').value !== 'auto') this.#chooseQuality();
    if ($('overlay').getAttribute('aria-pressed') === 'false') control.setOverlay(false);
  }

  detach() {
    this.#control = null;
    $('quality').disabled = $('overlay').disabled = true;
    this.#showBars(0, barsUnknown);
  }

  // quality takes the robot's report.
  quality(m) {
    this.#showBars(m.bars, bars(m.bars, m));
    if (performance.now() - this.#chosenAt > settling) $('quality').value = m.mode;
  }

  #showBars(n, words) {
    $('bars').dataset.bars = n;
    $('bars').title = words;
    $('bars').setAttribute('aria-label', words);
  }

  #chooseQuality() {
    this.#chosenAt = performance.now();
    this.#control?.setQuality($('quality').value);
  }

  #toggleOverlay() {
    const enabled = $('overlay').getAttribute('aria-pressed') !== 'true';
    if (this.#control?.setOverlay(enabled)) press('overlay', enabled);
  }

  #snapshot() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d').drawImage(this.#video, 0, 0);
    const name = fileName(this.#robot, 'png');
    canvas.toBlob((blob) => {
      if (!blob) return this.#on.say(notSaved);
      download(blob, name);
      this.#on.say(saved(name));
    });
  }

  #record() {
    if (this.#recording.running) this.#recording.stop('asked');
    else this.#recording.start(this.#video.srcObject, this.#robot);
  }

  #showTime(seconds) {
    const running = seconds !== null;
    press('record', running);
    $('record-label').textContent = running ? 'Stop' : 'Record';
    $('recording').hidden = !running;
    if (running) $('record-time').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }

  #fullscreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if ($('theatre').requestFullscreen) $('theatre').requestFullscreen().catch(() => this.#on.say(noFullScreen));
    else this.#video.webkitEnterFullscreen(); // phones that show nothing but video so
  }

  async #pip() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.#video.requestPictureInPicture();
    } catch {
      this.#on.say(noSmallWindow);
    }
  }
}

const press = (id, is) => $(id).setAttribute('aria-pressed', is);
