// Watches whether pictures keep coming, because a frozen picture looks alive.

const staleAfter = 1000; // ms

export class Watchdog {
  #video;
  #on;
  #last = 0;
  #shown = 0; // generation: callbacks of an old stream are ignored

  // on: {first(), stale(bool)}
  constructor(video, on) {
    this.#video = video;
    this.#on = on;
    setInterval(() => this.#check(), 250);
    document.addEventListener('visibilitychange', () => this.#wake());
  }

  // start expects the first picture of a new stream.
  start() {
    this.#last = 0;
    this.#on.stale(false);
    this.#next(++this.#shown);
  }

  stop() {
    this.#shown++;
    this.#last = 0;
    this.#on.stale(false);
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
    if (this.#last === 0) this.#on.first();
    this.#last = performance.now();
    this.#on.stale(false);
    this.#next(generation);
  }

  // A hidden page is shown no pictures, and misses none.
  #wake() {
    if (this.#last > 0) this.#last = performance.now();
  }

  #check() {
    if (this.#last === 0 || document.hidden) return;
    if (performance.now() - this.#last > staleAfter) this.#on.stale(true);
  }
}
