// Small charts as plain SVG. Colours come from the style sheet by class; every
// chart carries its newest value as its text alternative.

const namespace = 'http://www.w3.org/2000/svg';

function shape(name, attributes = {}, ...children) {
  const element = document.createElementNS(namespace, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function part(name, className, ...children) {
  const element = document.createElement(name);
  element.className = className;
  element.append(...children);
  return element;
}

const width = 240, height = 56; // units of a line chart's view box

// Line is one figure over time, drawn from the newest at the right.
export class Line {
  element;
  #spec;
  #length;
  #now = part('span', 'chart-now', '–');
  #also = part('span', 'chart-also');
  #image = shape('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' });

  // spec: {title, unit, floor, beside}; floor is the least that the full height
  // stands for, beside the title of a second line. length is how many values fit.
  constructor(spec, length) {
    this.#spec = spec;
    this.#length = length;
    const words = part('figcaption', '', part('span', 'chart-title', spec.title), this.#now, this.#also);
    this.element = part('figure', 'chart', words, this.#image);
  }

  // draw shows the values, oldest first; null is a gap.
  draw(values, beside = []) {
    const known = [...values, ...beside].filter((v) => v !== null);
    const { title, unit, floor } = this.#spec;
    const top = Math.max(floor, ...known) * 1.08;
    const now = says(values.at(-1), unit);
    this.#now.textContent = now;
    const also = beside.length > 0 ? `, ${this.#spec.beside} ${says(beside.at(-1), unit)}` : '';
    this.#also.textContent = also.slice(2);
    const range = known.length > 0 ? `, ${says(Math.min(...known), unit)} to ${says(Math.max(...known), unit)} in the last minute` : '';
    this.#image.setAttribute('aria-label', `${title}: ${now}${also}${range}`);
    this.#image.replaceChildren(
      shape('path', { class: 'chart-area', d: this.#path(values, top, true) }),
      shape('path', { class: 'chart-beside', d: this.#path(beside, top) }),
      shape('path', { class: 'chart-line', d: this.#path(values, top) }),
    );
  }

  #path(values, top, area = false) {
    const x = (i) => round(width * (1 - (values.length - 1 - i) / (this.#length - 1)));
    const y = (v) => round(height - 1 - (height - 3) * v / top);
    let d = '';
    let begun = -1;
    values.forEach((v, i) => {
      if (v === null) return;
      if (begun < 0) begun = i;
      d += `${begun === i ? 'M' : 'L'}${x(i)} ${y(v)}`;
      if (values[i + 1] != null) return;
      if (area) d += `L${x(i)} ${height}L${x(begun)} ${height}Z`;
      begun = -1;
    });
    return d;
  }
}

export const round = (value) => Math.round(value * 10) / 10;

// says is a value for people.
export function says(value, unit) {
  if (value === null || value === undefined) return '–';
  if (unit === 'kbit/s' && value >= 1000) return `${(value / 1000).toFixed(1)} Mbit/s`;
  return `${value >= 20 ? Math.round(value) : round(value)} ${unit}`.trim();
}

// stack draws phases [{title, ms}] as one bar, with a legend that is its text.
export function stack(phases) {
  const total = Math.max(1, phases.reduce((sum, { ms }) => sum + ms, 0));
  const bar = shape('svg', { viewBox: `0 0 ${total} 10`, preserveAspectRatio: 'none', class: 'stack', 'aria-hidden': 'true' });
  const legend = part('dl', 'stack-legend');
  let from = 0;
  phases.forEach(({ title, ms }, i) => {
    bar.append(shape('rect', { x: from, y: 0, width: ms, height: 10, class: `hue-${i}` }));
    from += ms;
    legend.append(part('div', `hue-${i}`, part('dt', '', title), part('dd', '', `${Math.round(ms)} ms`)));
  });
  return [bar, legend];
}

const step = 108, margin = 50, lane = 30; // pixels between two stations, beside them, and down to their line

// route draws stations [{kind, title, note}] from left to right, and what is
// spoken between them: hops has one text fewer.
export function route(stations, hops, words) {
  const wide = step * (stations.length - 1) + 2 * margin;
  const x = (i) => margin + i * step;
  const text = (at, y, className, content) => shape('text', { x: at, y, class: className, 'text-anchor': 'middle' }, content);
  const drawn = shape('svg', { viewBox: `0 0 ${wide} 84`, class: 'route', role: 'img', 'aria-label': words },
    ...hops.flatMap((hop, i) => [
      shape('line', { x1: x(i) + 13, x2: x(i + 1) - 13, y1: lane, y2: lane, class: 'route-hop' }),
      text(x(i) + step / 2, lane - 9, 'route-note', hop),
    ]),
    ...stations.flatMap(({ kind, title, note }, i) => [
      shape('circle', { cx: x(i), cy: lane, r: 9, class: `route-${kind}` }),
      text(x(i), lane + 29, 'route-title', title),
      text(x(i), lane + 45, 'route-note', note),
    ]));
  drawn.style.width = `${wide / 16}rem`; // as large as its letters
  return drawn;
}
