// SPDX-License-Identifier: Apache-2.0
// live_chart.js - the rate by epoch and the meters' curves, as SVG. Every text goes in as text.
const SVG = 'http://www.w3.org/2000/svg';

function add(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function path(points) {
  return points.map(([x, y], i) => `${i ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');
}

// The least of 1, 2, 2.5, 5 x 10^n that is not below `value`.
function roundUp(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 2.5, 5, 10].find((step) => step * power >= value * 0.999999) * power;
}

// At most `most` of them: neighbours are averaged, and one that is told apart is never dropped.
function thin(epochs, most) {
  const group = Math.ceil(epochs.length / most);
  if (group <= 1) return epochs;
  const out = [];
  for (let i = 0; i < epochs.length; i += group) {
    const part = epochs.slice(i, i + group), last = part[part.length - 1];
    const pflops = part.reduce((sum, e) => sum + e.pflops, 0) / part.length;
    out.push({ ...last, pflops, failed: Math.max(...part.map((e) => e.failed)) });
  }
  return out;
}

// epochs: those that were closed or aborted, in order; claim: PFLOPS or null; end_ms: of the plan; unit: {name, per_pflops}.
export function drawRate(box, { epochs, claim, start_ms, end_ms, unit }) {
  const width = Math.max(280, box.clientWidth), height = width < 500 ? 200 : 230;
  const left = 46, right = 12, top = 14, bottom = 26;
  const closed = thin(epochs.filter((e) => e.pflops !== null), 400);
  const most = Math.max(claim ?? 0, ...closed.map((e) => e.pflops)) * unit.per_pflops;
  const step = roundUp(most / 4), ceiling = Math.max(step * Math.ceil((most * 1.02) / step), step);
  const last_ms = Math.max(end_ms, start_ms + 1, ...epochs.map((e) => e.t1_ms ?? e.t0_ms));
  const x = (at) => left + ((at - start_ms) / (last_ms - start_ms)) * (width - left - right);
  const y = (pflops) => height - bottom - ((pflops * unit.per_pflops) / ceiling) * (height - top - bottom);
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-labelledby', 'chart_h chart_legend');
  for (let value = 0; value <= ceiling * 1.0001; value += step) {
    const at = y(value / unit.per_pflops);
    add(svg, 'path', { class: 'grid', d: `M${left} ${at}H${width - right}` });
    add(svg, 'text', { x: left - 6, y: at + 4, 'text-anchor': 'end' }, String(Number(value.toPrecision(4))));
  }
  if (claim) {
    add(svg, 'path', { class: 'claim', d: `M${left} ${y(claim)}H${width - right}` });
    add(svg, 'text', { class: 'claim_text', x: width - right, y: y(claim) + (y(claim) < 30 ? 15 : -5), 'text-anchor': 'end' }, 'claimed');
  }
  const middle = (e) => (e.t0_ms + e.t1_ms) / 2;
  const bounded = closed.filter((e) => e.lower_pflops !== null);
  if (bounded.length > 1) {
    const over = bounded.map((e) => [x(e.t1_ms), y(e.mean_pflops)]);
    const under = bounded.map((e) => [x(e.t1_ms), y(e.lower_pflops)]);
    add(svg, 'path', { class: 'band', d: `${path(over.concat(under.slice().reverse()))}Z` });
    add(svg, 'path', { class: 'line', d: path(under) });
  }
  if (closed.length > 60) add(svg, 'path', { class: 'thin', d: path(closed.map((e) => [x(middle(e)), y(e.pflops)])) });
  for (const e of closed) {
    if (closed.length <= 60) add(svg, 'circle', { class: e.probe_ms === null ? 'dot' : 'ring', cx: x(middle(e)), cy: y(e.pflops), r: 3 });
    if (e.failed > 0) cross(svg, x(middle(e)), y(e.pflops));
  }
  for (const e of epochs) if (e.state === 'aborted') cross(svg, x(e.t0_ms), y(0));
  const latest = bounded[bounded.length - 1];
  if (latest) {
    const at = x(latest.t1_ms), isAtEdge = at > width - 70;
    add(svg, 'text', { class: 'strong', x: isAtEdge ? width - right : at + 8, y: y(latest.lower_pflops) + (isAtEdge ? 16 : 4), 'text-anchor': isAtEdge ? 'end' : 'start' },
      String(Number((latest.lower_pflops * unit.per_pflops).toPrecision(4))));
  }
  const seconds = (last_ms - start_ms) / 1000;
  const time = (s) => (seconds >= 600 ? `${Number((s / 60).toPrecision(3))} min` : `${Number(s.toPrecision(3))} s`);
  add(svg, 'text', { x: left, y: height - 8 }, '0');
  add(svg, 'text', { x: (left + width - right) / 2, y: height - 8, 'text-anchor': 'middle' }, time(seconds / 2));
  add(svg, 'text', { x: width - right, y: height - 8, 'text-anchor': 'end' }, time(seconds));
  box.replaceChildren(svg);
}

function cross(svg, x, y) {
  add(svg, 'path', { class: 'cross', d: `M${x - 6} ${y - 6}l12 12m0 -12l-12 12` });
}

// points: [[ms, watts], ..]
export function curve(points, label) {
  const svg = document.createElementNS(SVG, 'svg');
  const width = 400, height = 44;
  svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  const known = points.filter(([, watts]) => watts !== null);
  if (known.length < 2) return svg;
  const from = known[0][0], span = Math.max(1, known[known.length - 1][0] - from);
  const least = Math.min(0, ...known.map((p) => p[1])), most = Math.max(least + 1e-9, ...known.map((p) => p[1]));
  const y = (watts) => height - 3 - ((watts - least) / (most - least)) * (height - 6);
  add(svg, 'path', { class: 'grid', d: `M0 ${y(0)}H${width}` });
  add(svg, 'path', { class: 'line', d: path(known.map(([ms, watts]) => [((ms - from) / span) * width, y(watts)])) });
  return svg;
}
