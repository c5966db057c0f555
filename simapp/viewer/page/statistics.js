// Statistics of the running video, read once a second: the line of figures below
// the picture, and, while it is open, the drawer with charts.

import { Line, round, route, says, stack } from './charts.js';
import { $ } from './dom.js';
import { Reading, phases, sample } from './measure.js';
import { copied, copyByHand, lines, missing, phaseTitles, stations } from './statisticswords.js';
import { path } from './words.js';

const every = 1000; // ms
const kept = 60; // samples
const patience = 5; // seconds until what the browser has not said counts as missing

export class Statistics {
  #root;
  #charts = {};
  #session = null;
  #timer = 0;
  #reading = null;
  #samples = []; // the newest last
  #sent = null; // kbit/s, as the robot says

  constructor(root) {
    this.#root = root;
    for (const [name, spec] of Object.entries(lines)) this.#charts[name] = new Line(spec, kept);
    $('statistics-charts').replaceChildren(...Object.values(this.#charts).map((chart) => chart.element));
    $('statistics-toggle').addEventListener('click', () => this.#open(root.hidden));
    $('statistics-table').addEventListener('toggle', () => this.#draw());
    $('statistics-copy').addEventListener('click', () => this.#copy());
  }

  // start reads a session's statistics until stop; what was read stays to be seen
  // until clear. The session offers getStats, id and marks: when its steps were done,
  // by performance.now().
  start(session) {
    if (session === this.#session && this.#timer) return;
    this.stop();
    this.#forget(session);
    this.#timer = setInterval(() => this.#read(session), every);
    this.#read(session);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = 0;
    $('figures').hidden = true;
  }

  // clear leaves nothing of what was read.
  clear() {
    this.stop();
    this.#forget(null);
    this.#draw();
    $('statistics-copied').textContent = $('statistics-text').value = '';
    $('statistics-text').hidden = true;
  }

  #forget(session) {
    this.#session = session;
    this.#samples = [];
    this.#reading = this.#sent = null;
  }

  // quality takes in the robot's report of this viewer's picture.
  quality({ kbps }) {
    this.#sent = kbps;
  }

  async #read(session) {
    const report = await session.getStats().catch(() => null);
    if (!report || session !== this.#session || !this.#timer) return;
    const reading = new Reading(report);
    if (!reading.video) return;
    this.#samples.push({ ...sample(this.#reading, reading), sent: this.#sent });
    if (this.#samples.length > kept) this.#samples.shift();
    this.#reading = reading;
    this.#showFigures();
    if (!document.hidden) this.#draw();
  }

  #showFigures() {
    const { video, local, remote } = this.#reading;
    const { fps, kbps, rtt } = this.#samples.at(-1);
    const figures = {
      picture: video.frameWidth ? `${video.frameWidth} × ${video.frameHeight}` : '–',
      fps: fps === null ? '–' : `${Math.round(fps)} per second`,
      bitrate: kbps === null ? '–' : says(Math.round(kbps), 'kbit/s'),
      rtt: rtt === null ? '–' : `${Math.max(1, Math.round(rtt))} ms`,
      path: path(local, remote),
    };
    for (const [name, text] of Object.entries(figures)) $(`figure-${name}`).textContent = text;
    $('figures').hidden = false;
    $('statistics-toggle').hidden = false;
  }

  #open(open) {
    this.#root.hidden = !open;
    $('statistics-toggle').setAttribute('aria-expanded', String(open));
    this.#draw();
    if (!open) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    this.#root.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' });
  }

  #column(name) {
    return this.#samples.map((s) => s[name]);
  }

  #draw() {
    if (this.#root.hidden) return;
    const absent = [];
    for (const [name, chart] of Object.entries(this.#charts)) {
      const values = this.#column(name);
      const silent = this.#samples.length > patience && values.every((v) => v === null);
      chart.element.hidden = silent;
      if (silent) absent.push(lines[name].title);
      else chart.draw(values, name === 'kbps' && this.#sent !== null ? this.#column('sent') : []);
    }
    $('statistics-missing').textContent = missing(absent);
    this.#drawStart();
    this.#drawPath();
    if ($('statistics-table').open) this.#drawTable();
  }

  #drawStart() {
    const steps = phases(this.#session?.marks);
    const total = steps.reduce((sum, { ms }) => sum + ms, 0);
    $('statistics-start').hidden = steps.length === 0;
    $('statistics-start-total').textContent = `${Math.round(total)} ms`;
    $('statistics-start-bar').replaceChildren(...stack(steps.map(({ phase, ms }) => ({ title: phaseTitles[phase], ms }))));
  }

  #drawPath() {
    const { local, remote } = this.#reading ?? {};
    $('statistics-path').hidden = !local;
    if (!local) return;
    const words = path(local, remote);
    const way = stations(local, remote);
    $('statistics-path-words').textContent = words;
    $('statistics-path-drawn').replaceChildren(route(way.stations, way.hops,
      `${words}: ${way.stations.map(({ title }) => title).join(', ')}`));
  }

  #drawTable() {
    const row = (name) => {
      const heading = [lines[name].title, lines[name].unit].filter(Boolean).join(', ');
      const known = this.#column(name).filter((v) => v !== null);
      const mean = known.reduce((sum, v) => sum + v, 0) / known.length;
      const cells = known.length > 0 ? [this.#samples.at(-1)[name], Math.min(...known), mean, Math.max(...known)] : [null, null, null, null];
      const line = document.createElement('tr');
      line.append(Object.assign(document.createElement('th'), { scope: 'row', textContent: heading }),
        ...cells.map((v) => Object.assign(document.createElement('td'), { textContent: says(v, '') })));
      return line;
    };
    $('statistics-table').querySelector('tbody').replaceChildren(...Object.keys(lines).map(row));
  }

  // #summary is what is copied. Addresses are left out, and so is all of the SDP.
  #summary() {
    const { video, local, remote, codec } = this.#reading;
    const steps = phases(this.#session?.marks);
    const count = (name) => video[name] ?? null;
    const column = (name) => this.#column(name).map((v) => (v === null ? null : round(v)));
    return {
      taken: new Date().toISOString(),
      session_id: this.#session?.id ?? null,
      browser: navigator.userAgent,
      time_to_first_frame_ms: Math.round(steps.reduce((sum, { ms }) => sum + ms, 0)),
      phases: steps.map(({ phase, ms }) => ({ phase, ms: Math.round(ms) })),
      path: {
        words: path(local, remote), local: local?.candidateType ?? null, remote: remote?.candidateType ?? null,
        protocol: local?.protocol ?? null, relay_protocol: local?.relayProtocol ?? null, addresses: 'left out',
      },
      video: {
        codec, width: count('frameWidth'), height: count('frameHeight'), frames_decoded: count('framesDecoded'),
        frames_dropped: count('framesDropped'), key_frames: count('keyFramesDecoded'), packets_lost: count('packetsLost'),
        nacks: count('nackCount'), plis: count('pliCount'), freezes: count('freezeCount'), frozen_s: count('totalFreezesDuration'),
      },
      seconds: {
        fps: column('fps'), kbps: column('kbps'), robot_sends_kbps: column('sent'), rtt_ms: column('rtt'),
        loss_pct: column('loss'), jitter_buffer_ms: column('delay'), freezes: column('freezes'),
      },
    };
  }

  async #copy() {
    if (!this.#reading) return;
    const members = Object.entries(this.#summary()).map(([name, value]) => ` "${name}": ${JSON.stringify(value)}`);
    const text = `{\n${members.join(',\n')}\n}\n`;
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    const hand = $('statistics-text');
    hand.hidden = Boolean(done);
    $('statistics-copied').textContent = done ? copied : copyByHand;
    if (done) return;
    hand.value = text;
    hand.select();
  }
}
