// SPDX-License-Identifier: Apache-2.0
// live_map.js - the map of devices: a cell each, on a canvas, as there may be ten thousand of them.
export const CONDITIONS = {
  waiting: { words: 'waiting', colour: '--empty', mark: 'none' },
  working: { words: 'working', colour: '--proven', mark: 'none' },
  slow: { words: 'slow, below 85 % of the median of its model', colour: '--warn', mark: 'slash' },
  throttled: { words: 'throttled, by its own word', colour: '--warn', mark: 'dot' },
  idle: { words: 'no work in the last epoch', colour: '--empty', mark: 'hollow' },
  lost: { words: 'lost', colour: '--bad', mark: 'cross' },
};

const colourOf = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Marks tell apart what colours may not; below 6 pixels only colours and hollowness are left.
function cell(context, condition, x, y, size, colours) {
  const { mark, colour } = CONDITIONS[condition] ?? CONDITIONS.waiting;
  context.fillStyle = colours[colour];
  context.fillRect(x, y, size, size);
  context.strokeStyle = context.fillStyle = colours['--card'];
  context.lineWidth = Math.max(1, size / 8);
  if (mark === 'hollow') {
    const edge = Math.max(1, Math.floor(size / 6));
    context.fillRect(x + edge, y + edge, size - 2 * edge, size - 2 * edge);
  }
  if (size < 6) return;
  context.beginPath();
  if (mark === 'slash' || mark === 'cross') {
    context.moveTo(x + size * 0.2, y + size * 0.8);
    context.lineTo(x + size * 0.8, y + size * 0.2);
  }
  if (mark === 'cross') {
    context.moveTo(x + size * 0.2, y + size * 0.2);
    context.lineTo(x + size * 0.8, y + size * 0.8);
  }
  context.stroke();
  if (mark === 'dot') context.fillRect(x + size * 0.35, y + size * 0.35, size * 0.3, size * 0.3);
}

function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const colours = {};
  for (const name of ['--empty', '--proven', '--warn', '--bad', '--card', '--ink']) colours[name] = colourOf(name);
  return [context, colours];
}

// The same cell beside its words in the legend.
export function sample(condition) {
  const canvas = document.createElement('canvas');
  canvas.setAttribute('aria-hidden', 'true');
  const [context, colours] = prepare(canvas, 12, 12);
  cell(context, condition, 0, 0, 12, colours);
  return canvas;
}

// devices: [{condition, host}, ..]; onSelect(index) is called when another one is pointed at.
export class DeviceMap {
  constructor(canvas, onSelect) {
    this.canvas = canvas;
    this.devices = [];
    this.selected = -1;
    this.columns = 1;
    this.pitch = 1;
    this.onSelect = onSelect;
    this.isDue = false;
    canvas.addEventListener('pointermove', (event) => this.point(event));
    canvas.addEventListener('pointerdown', (event) => this.point(event));
    canvas.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
  }

  // Rows hold whole hosts, or halves of them, where the devices of a host are as many on each.
  layOut(width) {
    const count = this.devices.length, room = Math.min(340, Math.max(160, window.innerHeight * 0.45));
    let pitch = Math.max(3, Math.min(22, Math.floor(Math.sqrt((width * room) / Math.max(1, count)))));
    while (pitch > 3 && Math.ceil(count / Math.floor(width / pitch)) * pitch > room) pitch--;
    let columns = Math.max(1, Math.floor(width / pitch));
    const host = this.devices[0]?.host, together = this.devices.findIndex((d) => d.host !== host);
    if (host && together > 1 && together <= columns) {
      const isWasteful = columns % together > columns / 5 && together % 2 === 0;
      columns -= columns % (isWasteful ? together / 2 : together);
    }
    this.columns = Math.min(columns, Math.max(1, count));
    this.pitch = pitch;
  }

  draw() {
    if (this.isDue) return;
    this.isDue = true;
    requestAnimationFrame(() => {
      this.isDue = false;
      this.paint();
    });
  }

  paint() {
    const width = this.canvas.clientWidth;
    if (width === 0) return;
    this.layOut(width);
    const height = Math.max(this.pitch, Math.ceil(this.devices.length / this.columns) * this.pitch);
    if (this.canvas.style.height !== `${height}px`) this.canvas.style.height = `${height}px`;
    const [context, colours] = prepare(this.canvas, width, height);
    const size = this.pitch - (this.pitch > 8 ? 2 : 1);
    this.devices.forEach((device, i) => {
      cell(context, device.condition, (i % this.columns) * this.pitch, Math.floor(i / this.columns) * this.pitch, size, colours);
    });
    if (this.selected < 0 || this.selected >= this.devices.length) return;
    context.strokeStyle = colours['--ink'];
    context.lineWidth = 2;
    context.strokeRect((this.selected % this.columns) * this.pitch, Math.floor(this.selected / this.columns) * this.pitch, size, size);
  }

  select(index) {
    if (index < 0 || index >= this.devices.length || index === this.selected) return;
    this.selected = index;
    this.draw();
    this.onSelect(index);
  }

  point(event) {
    const column = Math.floor(event.offsetX / this.pitch);
    if (column < this.columns) this.select(Math.floor(event.offsetY / this.pitch) * this.columns + column);
  }

  key(event) {
    const rest = this.devices.length - 1, at = this.selected;
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, ArrowDown: at < 0 ? 0 : at + this.columns, ArrowUp: at - this.columns, Home: 0, End: rest }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.select(Math.max(0, Math.min(rest, to)));
  }
}
