// Watches whether pictures keep coming, because a frozen picture looks alive.

const staleAfter = 1000; // ms

export class Watchdog {
  #video;
  #on;
  #timer = 0;
  #last = 0;
  #stale = false;
  #shown = 0; // generation: callbacks of an old stream are ignored

  // on: {first(), stale(age)}; age in ms, again and again, and 0 once it moves.
  constructor(video, on) {
    this.#video = video;
    this.#on = on;
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  // start expects the first picture of a new stream.
  start() {
    this.stop();
    this.#timer = setInterval(() => this.#check(), 250);
    this.#next(this.#shown);
  }

  stop() {
    clearInterval(this.#timer);
    this.#shown++;
    this.#last = 0;
    this.#say(0);
  }

  #next(generation) {
    if (this.#video.requestVideoFrameCallback) {
      this.#video.requestVideoFrameCallback(() => this.#frame(generation));
      return;
    }
    this.#video.addEventListener('timeupdate', () => this.#frame(generation), { once: true });
  }

  #frame(generation) {
    if (generation !== this.#shown) return;
    const first = this.#last === 0;
    this.#last = performance.now();
    if (first) this.#on.first();
    this.#say(0);
    this.#next(generation);
  }

  // A hidden page is shown no pictures, and misses none.
  #wake() {
    if (this.#last > 0) this.#last = performance.now();
  }

  #check() {
    if (this.#last === 0 || document.hidden) return;
    const age = performance.now() - this.#last;
    if (age > staleAfter) this.#say(age);
  }

  #say(age) {
    if (age === 0 && !this.#stale) return;
    this.#stale = age > 0;
    this.#on.stale(age);
  }
}
