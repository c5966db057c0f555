// The robot's control channel (CONTRACT §6): what the viewer says to the robot,
// and what it hears of it. Each message is for the viewer's own session only.
// What comes is not trusted: it is bounded, and read field by field.

const maxMessage = 4096; // characters
const maxBacklog = 512; // bytes, ten motor frames: what waits longer is of no use
const modes = ['auto', 'low', 'medium', 'high'];

export class Control {
  #channel;
  #on;
  #greeted = false;
  #over = false;

  // on: {quality(m), refused(ack), open(), closed()}, all of them optional.
  //   quality  the robot's report of this viewer's picture, every 2.5 s:
  //            {tier, resolution, kbps, loss (%), rtt (ms), bars (0–4), mode}
  //   refused  a command that is not carried out: {command, code, text}
  //   open     once, soon if the channel is open already
  //   closed   once; nothing is called after it
  constructor(channel, on) {
    this.#channel = channel;
    this.#on = on;
    channel.addEventListener('open', () => this.#greet());
    channel.addEventListener('close', () => this.#end());
    channel.addEventListener('message', ({ data }) => this.#receive(data));
    queueMicrotask(() => this.#greet());
  }

  get open() {
    return !this.#over && this.#channel.readyState === 'open';
  }

  // Each of these reports whether the message went out; none is kept for later.

  // motor sets the speed of the two sides: 1 is full speed ahead, -1 full speed back.
  // A frame that would wait behind others is left out: the next is newer.
  motor(left, right) {
    if (!Number.isFinite(left) || !Number.isFinite(right)) return this.stop();
    if (this.#channel.bufferedAmount > maxBacklog) return false;
    return this.#send({ command: 'motor', left: clip(left), right: clip(right) });
  }

  stop() {
    return this.#send({ command: 'stop' });
  }

  emergencyStop() {
    return this.#send({ command: 'emergency_stop' });
  }

  setQuality(mode) {
    return modes.includes(mode) && this.#send({ command: 'set_video_quality', mode });
  }

  setOverlay(enabled) {
    return this.#send({ command: 'set_overlay', enabled: Boolean(enabled) });
  }

  // close forgets the channel, which the session ends.
  close() {
    this.#end();
  }

  #send(message) {
    if (!this.open) return false;
    try {
      this.#channel.send(JSON.stringify(message));
      return true;
    } catch { // it has closed in this moment, or its queue is full
      return false;
    }
  }

  #greet() {
    if (this.#greeted || !this.open) return;
    this.#greeted = true;
    this.#on.open?.();
  }

  #end() {
    if (this.#over) return;
    this.#over = true;
    this.#on.closed?.();
  }

  #receive(data) {
    if (this.#over || typeof data !== 'string' || data.length > maxMessage) return;
    let m;
    try {
      m = JSON.parse(data);
    } catch {
      return;
    }
    if (m?.type === 'video_quality') this.#on.quality?.(quality(m));
    else if (m?.type === 'command_ack' && m.success === false) this.#on.refused?.(refusal(m));
  }
}

const clip = (speed) => Math.max(-1, Math.min(1, speed));

const word = (value, length) => (typeof value === 'string' ? value.slice(0, length) : '');

// number returns a value between the bounds, or null.
const number = (value, low, high) => (Number.isFinite(value) ? Math.max(low, Math.min(high, value)) : null);

function quality(m) {
  return {
    tier: word(m.tier, 32),
    resolution: /^\d{1,5}x\d{1,5}$/.test(m.resolution) ? m.resolution : '',
    kbps: number(m.bitrate_kbps, 0, 1e6),
    loss: number(m.loss_pct, 0, 100),
    rtt: number(m.rtt_ms, 0, 1e6),
    bars: Math.round(number(m.bars, 0, 4) ?? 0),
    mode: modes.includes(m.mode) ? m.mode : 'auto',
  };
}

function refusal(m) {
  return { command: word(m.command, 64), code: word(m.code, 64), text: word(m.error, 200) };
}
