// The list of robots, and whether each is online as far as this page knows.

import { isID } from './api.js';
import { put } from './dom.js';
import * as storage from './storage.js';
import { clean, presence } from './words.js';

const keys = { chosen: 'robot', seen: 'seen' };

export class Robots {
  #list;
  #on;
  #known = new Map(); // id → {id, online, seen (ms since 1970), node}
  #seen = remembered();
  loaded = false;
  chosen = storage.recall(keys.chosen);

  // list is the element that shows them. on: {chosen(id)}
  constructor(list, on) {
    this.#list = list;
    this.#on = on;
    list.addEventListener('click', ({ target }) => {
      const id = target.closest('button')?.dataset.device;
      if (id && id !== this.chosen) this.choose(id);
    });
    setInterval(() => this.#render(), 10_000);
  }

  get empty() {
    return this.#known.size === 0;
  }

  has(id) {
    return this.#known.has(id);
  }

  // seen is when the robot was last online, in ms since 1970, if the relay or this tab
  // knows.
  seen(id) {
    return this.#known.get(id)?.seen;
  }

  online(id) {
    return this.#known.get(id)?.online === true;
  }

  // set takes the relay's list. A robot that is alone needs no choosing, and one
  // that is gone is not chosen any more.
  set(list) {
    this.loaded = true;
    const ids = new Set(list.map(({ id }) => id));
    for (const [id, robot] of this.#known) {
      if (ids.has(id)) continue;
      robot.node.remove();
      this.#known.delete(id);
    }
    for (const { id, online, seen } of list) this.#update(id, online, seen);
    if (!this.#known.has(this.chosen)) this.#keep(this.#known.size === 1 ? list[0].id : null);
    this.#render();
  }

  // status takes what the relay says of one robot, and reports whether it is known.
  status(id, online) {
    if (!isID(id) || !this.#known.has(id)) return false;
    this.#update(id, online === true);
    this.#render();
    return true;
  }

  choose(id) {
    this.#keep(id);
    this.#render();
    this.#known.get(id)?.node.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    this.#on.chosen(id);
  }

  // forget is for the next account.
  forget() {
    this.#known.clear();
    this.#seen = {};
    this.loaded = false;
    this.chosen = null;
    this.#list.replaceChildren();
    for (const key of Object.values(keys)) storage.forget(key);
  }

  #keep(id) {
    this.chosen = id;
    if (id) storage.keep(keys.chosen, id);
    else storage.forget(keys.chosen);
  }

  #update(id, online, told = NaN) {
    let robot = this.#known.get(id);
    if (!robot) {
      const seen = Object.hasOwn(this.#seen, id) ? this.#seen[id] : undefined;
      robot = { id, online, seen, node: entry(id) };
      this.#known.set(id, robot);
      this.#list.append(robot.node);
    }
    if (online || robot.online) robot.seen = Date.now();
    else if (told > 0) robot.seen = Math.min(told, Date.now());
    robot.online = online;
  }

  #render() {
    for (const robot of this.#known.values()) {
      if (robot.online) robot.seen = Date.now();
      const button = robot.node.firstChild;
      button.dataset.online = robot.online;
      put(button.lastChild, presence(robot));
      if (robot.id === this.chosen) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
    const seen = [...this.#known.values()].filter((r) => r.seen).map((r) => [r.id, r.seen]);
    if (seen.length > 0) storage.keep(keys.seen, JSON.stringify(Object.fromEntries(seen)));
  }
}

function entry(id) {
  const node = document.createElement('li');
  const button = node.appendChild(document.createElement('button'));
  button.type = 'button';
  button.dataset.device = id;
  for (const name of ['dot', 'name', 'presence']) {
    button.appendChild(document.createElement('span')).className = name;
  }
  button.children[1].textContent = clean(id, 64);
  return node;
}

function remembered() {
  try {
    const seen = JSON.parse(storage.recall(keys.seen)) ?? {};
    return Object.fromEntries(Object.entries(seen).filter(([, at]) => Number.isFinite(at)));
  } catch {
    return {};
  }
}
