// What is seen of a robot: the session, and everything on the page that shows or uses
// it. There is one session at a time; its last picture stays until clear.

import { Control } from './control.js';
import { $ } from './dom.js';
import { Drive } from './drive.js';
import { driveWords } from './drivewords.js';
import { Session } from './session.js';
import { Statistics } from './statistics.js';
import { Toolbar } from './toolbar.js';
import { Watchdog } from './watchdog.js';
import { refused } from './words.js';

const blind = 2_000; // ms of a picture that stands still, by which nobody drives on

export class Viewing {
  session = null;
  device = null; // whose picture is on the stage, if there is one
  #stage;
  #on;
  #control = null;
  #toolbar;
  #drive = new Drive($('drive'), driveWords);
  #statistics = new Statistics($('statistics'));
  #watchdog = new Watchdog($('video'), { first: () => this.#onPicture(), stale: (age) => this.#onStale(age) });

  // on: {state(name), over(why)}; over is called when a session ends by itself.
  constructor(stage, on) {
    this.#stage = stage;
    this.#on = on;
    this.#toolbar = new Toolbar({ say: (words) => stage.say(words) });
  }

  get playing() {
    return this.session !== null && 'picture' in this.session.marks;
  }

  begin(relay, requests, device) {
    this.stop();
    this.device = device;
    this.session = new Session(relay, requests, device, {
      state: this.#on.state,
      stream: (stream) => this.#onStream(stream),
      channel: (channel) => this.#onChannel(channel),
      ended: (why) => this.#onEnded(why),
    });
    this.session.begin();
  }

  // stop ends the session; its last picture stays.
  stop() {
    this.#toolbar.picture(false);
    this.#stage.freeze();
    this.#watchdog.stop();
    this.#statistics.stop();
    this.#drive.detach();
    this.#control?.close();
    this.#control = null;
    this.session?.close();
    this.session = null;
  }

  // clear leaves nothing of a robot behind.
  clear() {
    this.stop();
    this.device = null;
    this.#stage.clear();
    this.#statistics.clear();
  }

  #onEnded(why) {
    this.stop();
    this.#on.over(why);
  }

  #onStream(stream) {
    this.#watchdog.start();
    this.#stage.play(stream);
  }

  #onPicture() {
    this.#stage.playing();
    this.#toolbar.picture(true, this.device);
    this.#statistics.start(this.session);
    this.session.pictured();
    this.#offerWheel();
  }

  // onStale is called with how old the picture is that is shown.
  #onStale(age) {
    this.#stage.stale(age);
    if (age <= blind) return;
    this.#drive.giveBack('blind');
    this.session?.blind();
  }

  #onChannel(channel) {
    this.#control?.close();
    const control = new Control(channel, {
      open: () => {
        this.#toolbar.attach(control);
        this.#offerWheel();
      },
      closed: () => {
        this.#toolbar.detach();
        this.#drive.detach();
      },
      quality: (m) => {
        this.#toolbar.quality(m);
        this.#statistics.quality(m);
      },
      refused: (ack) => this.#drive.refused(ack) || this.#stage.say(refused(ack)),
    });
    this.#control = control;
  }

  // offerWheel is called when the robot listens and when there is a picture: it takes both.
  #offerWheel() {
    if (this.#control?.open && this.playing) this.#drive.attach(this.#control);
  }
}
