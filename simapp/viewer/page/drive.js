// Driving. The viewer takes the wheel, and nothing is sent before; then motor
// frames go out while something is held. What is let go stops the robot at once,
// and a page that nobody looks at gives the wheel back.

import { Gamepads, Keys, Pad } from './hands.js';

const frameEvery = 66; // ms; the robot stops after 500 ms without one (CONTRACT §6)
const zerosAfterStop = 2; // frames, for the stop may be lost on its way
const settling = 700; // ms in which the end of that press takes no wheel
const emergencyAgain = [100, 200]; // ms later; so may this one

// arcade mixes a way into the speeds of the two sides, each at most limit.
export function arcade({ x, y }, limit) {
  const side = (speed) => (Number.isFinite(speed) ? Math.max(-1, Math.min(1, speed)) * limit : 0);
  return { left: side(y + x), right: side(y - x) };
}

export class Drive {
  #root;
  #words;
  #hands;
  #control = null;
  #grip = null; // an AbortController while the wheel is taken
  #timer = 0;
  #moving = false;
  #zeros = 0;
  #alarmed = -settling; // when the emergency stop was pressed

  constructor(root, words) {
    this.#root = root;
    this.#words = words;
    const changed = () => this.#changed();
    this.#hands = [
      new Pad(this.#part('drive-pad'), changed),
      new Keys({ changed, stop: () => this.#stop(), letGo: () => this.giveBack('letGo') }),
      new Gamepads(),
    ];
    this.#part('take-wheel').addEventListener('click', () => (this.#grip ? this.giveBack('letGo') : this.#take()));
    const alarm = this.#part('emergency-stop');
    alarm.addEventListener('click', () => this.#emergency());
    alarm.addEventListener('pointerdown', () => this.#grip && this.#emergency()); // beside a thumb on the pad no click follows
    const limit = this.#part('drive-limit');
    limit.addEventListener('input', () => this.#showLimit());
    limit.addEventListener('pointerup', () => this.#grip && this.#part('drive-pad').focus());
    this.#showLimit();
  }

  // attach offers the wheel of the robot behind an open control channel.
  attach(control) {
    this.detach();
    this.#control = control;
    this.#tell('free');
    this.#root.hidden = false;
  }

  // detach stops, as far as the channel still goes, and takes the offer back.
  detach() {
    this.giveBack('free');
    this.#control = null;
    this.#root.hidden = true;
  }

  // refused is called with what the robot does not carry out, and reports whether
  // that is about driving.
  refused({ command, code, text }) {
    if (!['motor', 'stop', 'emergency_stop'].includes(command)) return false;
    const known = Object.hasOwn(this.#words.refused, code);
    const held = Boolean(this.#grip);
    this.giveBack(code);
    // Of frames that were still on their way when the wheel was given back nothing is said.
    if (held || command === 'emergency_stop' || code === 'NO_SOFTWARE') {
      this.#say(known ? this.#words.refused[code] : this.#words.unknown(text));
    }
    return true;
  }

  // giveBack lets go of the wheel, if it is taken; why names the words.
  giveBack(why) {
    if (!this.#grip) return;
    this.#grip.abort();
    this.#grip = null;
    clearInterval(this.#timer);
    if (['TAKEN_OVER', 'STOPPED'].includes(why)) this.#moving = false; // a stop now would be the next driver's
    this.#release();
    const hands = this.#part('drive-hands');
    if (hands.contains(document.activeElement)) this.#part('drive-state').focus({ preventScroll: true });
    hands.hidden = true;
    delete this.#root.dataset.held;
    this.#part('take-wheel').textContent = this.#words.take;
    this.#tell(why);
  }

  #take() {
    if (!this.#control?.open || performance.now() - this.#alarmed < settling) return;
    this.#grip = new AbortController();
    const { signal } = this.#grip;
    for (const hand of this.#hands) hand.listen(signal);
    addEventListener('blur', () => this.giveBack('blurred'), { signal });
    addEventListener('pagehide', () => this.giveBack('hidden'), { signal });
    document.addEventListener('visibilitychange', () => document.hidden && this.giveBack('hidden'), { signal });
    this.#timer = setInterval(() => this.#frame(), frameEvery);
    this.#part('drive-hands').hidden = false;
    this.#root.dataset.held = '';
    this.#part('take-wheel').textContent = this.#words.letGo;
    this.#tell('taken');
    this.#part('drive-pad').focus({ preventScroll: true });
  }

  #read() {
    for (const hand of this.#hands) {
      const way = hand.read();
      if (way) return way;
    }
    return null;
  }

  // What begins or ends does so at once; what only changes waits for its frame.
  #changed() {
    if (Boolean(this.#read()) !== this.#moving) this.#frame();
  }

  #frame() {
    const way = this.#read();
    if (!way) return this.#rest();
    const { left, right } = arcade(way, this.#part('drive-limit').value / 100);
    this.#moving = true;
    this.#draw(way);
    if (!this.#control.motor(left, right)) this.giveBack('unreachable');
  }

  #rest() {
    if (this.#moving) {
      this.#moving = false;
      this.#zeros = zerosAfterStop;
      this.#control.stop();
      this.#draw({ x: 0, y: 0 });
    } else if (this.#zeros > 0) {
      this.#zeros--;
      this.#control.motor(0, 0);
    }
  }

  // release is letting go of everything that is held.
  #release() {
    for (const hand of this.#hands) hand.release();
    this.#zeros = 0;
    this.#rest();
    this.#draw({ x: 0, y: 0 });
  }

  #stop() {
    this.#moving = true; // whether it is or not: who asks for a stop gets one
    this.#release();
  }

  #emergency() {
    this.#alarmed = performance.now();
    this.#moving = false; // it is more than a stop
    const control = this.#control;
    const sent = control?.emergencyStop();
    for (const later of emergencyAgain) setTimeout(() => control?.emergencyStop(), later);
    this.giveBack('emergency');
    this.#tell(sent ? 'emergency' : 'emergencyLost');
  }

  #tell(state) {
    if (Object.hasOwn(this.#words.states, state)) this.#say(this.#words.states[state]);
  }

  #say(text) {
    this.#part('drive-state').textContent = text;
  }

  // The knob stays within the pad, whose radius is a quarter more than its own way.
  #draw({ x, y }) {
    const far = 75 / Math.max(1, Math.hypot(x, y)); // % of the knob
    this.#part('drive-knob').style.transform = `translate(${x * far}%, ${-y * far}%)`;
  }

  #showLimit() {
    const limit = this.#part('drive-limit');
    const shown = `${limit.value} %`;
    limit.setAttribute('aria-valuetext', shown);
    this.#part('drive-limit-shown').textContent = shown;
  }

  #part(id) {
    return this.#root.querySelector(`#${id}`);
  }
}
