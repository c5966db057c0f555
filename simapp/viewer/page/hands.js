// What a driver's hands are on: the pad on the screen, keys, gamepads. Each reads
// as a way {x, y}, x to the right and y ahead, both from -1 to 1, or as null while
// nothing is held. What is held when release is called counts no more, until it
// has been let go and is held again.

const resting = 0.12; // of the way a stick or a thumb can go: no hand is quite still

// steady takes the rest out of a way and bounds it by the circle.
export function steady(x, y) {
  const far = Math.hypot(x, y);
  if (!(far > resting)) return { x: 0, y: 0 }; // nor is what is no number
  const kept = Math.min(1, (far - resting) / (1 - resting)) / far;
  return { x: x * kept, y: y * kept };
}

// Pad is one finger, or the mouse, on an element.
export class Pad {
  #element;
  #changed;
  #finger = null;
  #way = null;

  constructor(element, changed) {
    this.#element = element;
    this.#changed = changed;
  }

  listen(signal) {
    const on = (name, work) => this.#element.addEventListener(name, work, { signal });
    on('pointerdown', (event) => this.#down(event));
    on('pointermove', (event) => event.pointerId === this.#finger && this.#aim(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      on(end, (event) => event.pointerId === this.#finger && this.#letGo());
    }
    on('contextmenu', (event) => event.preventDefault()); // a thumb that rests is no question
  }

  read() {
    return this.#way;
  }

  release() {
    this.#finger = this.#way = null;
  }

  #down(event) {
    if (this.#finger !== null || event.button !== 0) return;
    event.preventDefault();
    this.#element.focus({ preventScroll: true });
    this.#element.setPointerCapture(event.pointerId);
    this.#finger = event.pointerId;
    this.#aim(event);
  }

  #aim({ clientX, clientY }) {
    const { left, top, width, height } = this.#element.getBoundingClientRect();
    const radius = Math.min(width, height) / 2;
    this.#way = steady((clientX - left - width / 2) / radius, (top + height / 2 - clientY) / radius);
    this.#changed();
  }

  #letGo() {
    this.release();
    this.#changed();
  }
}

const ahead = { x: 0, y: 1 }, back = { x: 0, y: -1 }, left = { x: -1, y: 0 }, right = { x: 1, y: 0 };
const ways = { // by the place of the key, whatever letter is on it
  KeyW: ahead, KeyS: back, KeyA: left, KeyD: right,
  ArrowUp: ahead, ArrowDown: back, ArrowLeft: left, ArrowRight: right,
};

const typing = (target) => target.closest?.('input, textarea, select, [contenteditable], dialog');

// Keys are W A S D and the arrows. Space stops, and Esc lets go of the wheel.
export class Keys {
  #on;
  #held = new Set();

  // on: {changed(), stop(), letGo()}
  constructor(on) {
    this.#on = on;
  }

  listen(signal) {
    addEventListener('keydown', (event) => this.#down(event), { signal, capture: true });
    addEventListener('keyup', ({ code }) => this.#held.delete(code) && this.#on.changed(), { signal, capture: true });
    // Under an open menu the keys' end is not heard.
    addEventListener('contextmenu', () => this.#drop(), { signal });
  }

  read() {
    if (this.#held.size === 0) return null;
    let x = 0, y = 0;
    for (const code of this.#held) {
      x += ways[code].x;
      y += ways[code].y;
    }
    return { x: Math.sign(x), y: Math.sign(y) };
  }

  release() {
    this.#held.clear();
  }

  #drop() {
    this.release();
    this.#on.changed();
  }

  #down(event) {
    const { code, target } = event;
    if (code === 'Escape') return this.#on.letGo();
    if (event.ctrlKey || event.altKey || event.metaKey) return this.#drop(); // it is the browser's
    if (event.isComposing || typing(target)) return;
    if (code === 'Space') {
      if (!target.closest?.('button, summary, a')) event.preventDefault(); // those are pressed as well
      if (!event.repeat) this.#on.stop();
    } else if (ways[code]) {
      event.preventDefault(); // nothing scrolls
      event.stopPropagation();
      if (event.repeat) return;
      this.#held.add(code);
      this.#on.changed();
    }
  }
}

// Gamepads are read by their first stick. One that was not seen at rest is held by
// nobody who knows of it: it may be bent, or lie on its side.
export class Gamepads {
  #rested = new Set();

  listen() {}

  read() {
    for (const pad of navigator.getGamepads?.() ?? []) {
      if (!pad?.connected || pad.axes.length < 2) continue;
      const way = steady(pad.axes[0], -pad.axes[1]);
      if (way.x === 0 && way.y === 0) this.#rested.add(pad.index);
      else if (this.#rested.has(pad.index)) return way;
    }
    return null;
  }

  release() {
    this.#rested.clear();
  }
}
