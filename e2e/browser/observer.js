// Watches a page from outside: it runs before the page's own scripts, and keeps
// what specs ask for in window.observer.

'use strict';

window.observer = (() => {
  const width = 160;
  const height = 90;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const o = {
    frames: [], // pictures that were shown and not taken yet, once somebody takes them
    count: 0, // of pictures shown, and the longest pause between two, in ms
    gap: 0,
    last: 0,
    reads: false, // whether they are read when they are shown
    switched: Infinity, // when another robot was chosen
    peers: [],
    force: {}, // what the page's peer connections are told besides
    codec: null, // the MIME type of the only codec they take
    shifts: [], // what has moved on the page besides the status
    unsaid: 0, // for how long, in ms, an old picture has passed for a live one
    spun: 0, // for how long the wheel turns under the same words, and the longest so far
    longestSpin: 0,
  };

  // read returns a picture as it is now: its luma (BT.709), a byte a pixel.
  function read(picture) {
    context.clearRect(0, 0, width, height);
    context.drawImage(picture, 0, 0, width, height);
    const rgba = context.getImageData(0, 0, width, height).data;
    const luma = new Uint8Array(width * height);
    for (let i = 0; i < luma.length; i++) {
      luma[i] = 0.2126 * rgba[4 * i] + 0.7152 * rgba[4 * i + 1] + 0.0722 * rgba[4 * i + 2];
    }
    return btoa(String.fromCharCode(...luma));
  }

  function note(video, at, metadata) {
    o.count++;
    if (o.last) o.gap = Math.max(o.gap, at - o.last);
    o.last = at;
    if (!o.reads) return;
    o.frames.push({
      rtp: metadata.rtpTimestamp, now: performance.timeOrigin + at, after: at > o.switched, luma: read(video),
    });
  }

  function follow(video) {
    const next = (_, metadata) => {
      note(video, performance.now(), metadata);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }

  // said is whether the page says how old a picture is.
  function said(age) {
    const words = /video is (\d+) s old/.exec(document.querySelector('#stage').innerText);
    return words !== null && Math.abs(words[1] * 1000 + 500 - age) < 1500;
  }

  // judge adds up what a visitor must not see. A page that sleeps shows nobody anything.
  let judged = 0;
  let words = '';
  function judge() {
    const now = performance.now();
    const passed = Math.min(now - judged, 500);
    judged = now;
    const { state, picture } = document.body.dataset;
    if (!state) return;
    const age = o.last ? now - o.last : 0;
    const old = picture === 'playing' && !document.hidden && age > 1500;
    if (old && ['live', 'shaky'].includes(state) && !said(age)) o.unsaid += passed;
    const title = document.querySelector('#status').innerText.replace(/\d+/g, '');
    const turning = document.querySelector('#pulse').checkVisibility({ opacityProperty: true }) && state !== 'live';
    o.spun = turning && title === words ? o.spun + passed : 0;
    o.longestSpin = Math.max(o.longestSpin, o.spun);
    words = title;
  }

  // sample reads, from now on, whatever is on the screen whenever the screen is drawn.
  o.sample = () => {
    const visible = { opacityProperty: true, visibilityProperty: true };
    const each = () => {
      for (const picture of document.querySelectorAll('video, canvas')) {
        if (!(picture.videoWidth ?? picture.width) || !picture.checkVisibility(visible)) continue;
        o.frames.push({ after: performance.now() > o.switched, luma: read(picture) });
      }
      requestAnimationFrame(each);
    };
    each();
  };
  o.take = () => o.frames.splice(0);
  o.longest = () => Math.max(o.gap, o.last ? performance.now() - o.last : 0);
  o.reset = () => { o.gap = 0; o.last = performance.now(); };

  const Plain = RTCPeerConnection;
  window.RTCPeerConnection = class extends Plain {
    constructor(configuration) {
      super({ ...configuration, ...o.force });
      o.peers.push(this);
      this.addEventListener('track', ({ transceiver }) => { // before the answer
        if (!o.codec) return;
        const { codecs } = RTCRtpReceiver.getCapabilities('video');
        transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => mimeType === o.codec));
      });
    }

    setConfiguration(configuration) {
      super.setConfiguration({ ...configuration, ...o.force });
    }
  };

  addEventListener('DOMContentLoaded', () => {
    document.querySelectorAll('video').forEach(follow);
    setInterval(judge, 100);
  });
  addEventListener('click', (event) => { // before the page knows
    if (event.target.closest?.('#robots')) o.switched = performance.now();
  }, true);
  new PerformanceObserver((list) => {
    const { state } = document.body.dataset;
    for (const { sources } of list.getEntries()) {
      for (const { node, previousRect: from, currentRect: to } of sources) {
        const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
        if (element?.closest('#status')) continue; // words come and go
        const name = element?.id || element?.className || element?.nodeName;
        o.shifts.push(`${name} in state ${state}: from ${from.x},${from.y} ${from.width}x${from.height} to ${to.x},${to.y} ${to.width}x${to.height}`);
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
  return o;
})();
