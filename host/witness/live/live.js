// SPDX-License-Identifier: Apache-2.0
// live.js - the witness's page: one stream of events, and what they say, in words and pictures.
//
// Nothing is asked of anybody but the witness that served this page. All names come from the site under audit and are
// put in as text, never as markup. docs/live-page.md describes the events.
import { drawRate, curve } from './live_chart.js';
import { CONDITIONS, DeviceMap, sample } from './live_map.js';

const $ = (id) => document.getElementById(id);
const PAGE = 50, SILENCE_MS = 20000, SAY_MS = 15000;
const UNITS = [{ name: 'EFLOPS', per_pflops: 1e-3 }, { name: 'PFLOPS', per_pflops: 1 }, { name: 'TFLOPS', per_pflops: 1e3 }, { name: 'GFLOPS', per_pflops: 1e6 }, { name: 'MFLOPS', per_pflops: 1e9 }];
const STATES = { running: 'running', closed: 'closed, to be opened', checked: 'checked', aborted: 'aborted: time without work' };
const OUTCOMES = { received: ['received', 'soft'], good: ['good', 'ok'], failed: ['failed', 'bad'], unclear: ['its epoch failed', 'warn'] };
const ROLES = { it: 'Machines', facility: 'Whole site', pv: 'Solar', wind: 'Wind' };
const VERDICTS = { PASS: 'ok', FAIL: 'bad', INVALID: 'bad', INCONCLUSIVE: 'warn' };

const nothing = () => ({ session: null, phase: null, rate: null, epochs: new Map(), devices: [], counts: {}, openings: null, findings: [], left_out: 0, meters: new Map(), device_watts: null, watermark: null, verdict: null, trouble: null });
let state = nothing(), source = null, offset_ms = 0, heard_ms = 0, wanted = '', token = '', page = 0, said = '', said_ms = 0, isDirty = false;

function element(name, text, className) {
  const out = document.createElement(name);
  if (text !== undefined) out.textContent = text;
  if (className) out.className = className;
  return out;
}
const name_of = (text) => element('bdi', text);
const plain = (value, digits = 4) => (value === null || value === undefined ? '–' : Number(value.toPrecision(digits)).toLocaleString('en', { maximumSignificantDigits: digits, useGrouping: false }));
const percent = (value) => `${plain(value * 100, 3)} %`;
const clock = (ms) => new Date(ms).toISOString().slice(11, 19);
const watts = (w) => (w === null ? '–' : Math.abs(w) >= 1e6 ? `${plain(w / 1e6)} MW` : Math.abs(w) >= 1e3 ? `${plain(w / 1e3)} kW` : `${plain(w)} W`);
const now = () => Date.now() + offset_ms;

function span(ms) {
  if (ms > 0 && ms < 100) return `${ms} ms`;
  if (ms > 0 && ms < 3000 && ms % 1000 !== 0) return `${(ms / 1000).toFixed(1)} s`;
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 100) return `${s} s`;
  return s < 6000 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

// One unit for the claim and what was measured, so that they can be compared.
function unit() {
  const largest = Math.max(state.session?.claim_pflops ?? 0, state.rate?.pflops ?? 0);
  return UNITS.find((u) => largest * u.per_pflops >= 1) ?? UNITS[UNITS.length - 1];
}
const inUnit = (pflops) => (pflops === null || pflops === undefined ? '–' : plain(pflops * unit().per_pflops));

// --- what comes in

function take(message) {
  if (message.is_whole) {
    state = nothing();
    page = 0;
  }
  for (const key of ['session', 'phase', 'rate', 'counts', 'openings', 'device_watts', 'watermark', 'verdict']) if (message[key] !== undefined) state[key] = message[key];
  state.trouble = message.trouble ?? null;
  state.left_out = message.findings_left_out ?? state.left_out;
  for (const epoch of message.epochs ?? []) state.epochs.set(epoch.number, epoch);
  for (const [index, name, model, host, format] of message.devices ?? []) state.devices[index] = { condition: 'waiting', steps: 0, ...state.devices[index], name, model, host, format };
  for (const [index, condition, steps, last_steps, tflops, celsius, w] of message.work ?? []) state.devices[index] = { ...state.devices[index], condition, steps, last_steps, tflops, celsius, watts: w };
  state.findings.push(...(message.findings ?? []));
  for (const meter of message.meters ?? []) state.meters.set(meter.meter, meter);
  hear(message);
  map.devices = state.devices;
  redraw();
}

function hear(message) {
  heard_ms = Date.now();
  offset_ms = message.now_ms - heard_ms;
  $('link').textContent = 'live';
  $('link').className = 'ok';
}

function listSessions(message) {
  const { sessions, follows_latest } = message, list = $('sessions'), chosen = wanted;
  hear(message);
  list.replaceChildren(new Option('the latest', ''), ...sessions.map((s) => new Option(`${s.session}, declared ${new Date(s.declared_ms).toISOString().slice(0, 19).replace('T', ' ')}`, s.session)));
  list.value = chosen;
  if (sessions.length === 0 && follows_latest) $('phase').textContent = 'Waiting for a session';
  if (sessions.length === 0) $('what').textContent = 'No site has declared a session to this witness yet.';
}

// --- connection: EventSource comes back by itself after a restart, unless it was refused

async function refused() {
  lost('refused; trying again');
  let status = 0, reason = '';
  try {
    const stop = new AbortController();
    const answer = await fetch(address(), { signal: stop.signal, cache: 'no-store' });
    status = answer.status;
    if (status !== 200) reason = await answer.text();
    stop.abort();
  } catch { /* unreachable: the next try may do better */ }
  if (status === 401) return ask('The witness does not know this token.');
  if (status === 404 && wanted !== '') return watch('');
  if (status !== 0 && status !== 200) lost(reason.slice(0, 200));
  return setTimeout(connect, 3000);
}

function lost(words) {
  $('link').textContent = words;
  $('link').className = 'warn';
}

const address = () => `v1/live?token=${encodeURIComponent(token)}${wanted ? `&session=${encodeURIComponent(wanted)}` : ''}`;

function connect() {
  source?.close();
  heard_ms = Date.now();
  source = new EventSource(address());
  source.addEventListener('state', (event) => take(JSON.parse(event.data)));
  source.addEventListener('sessions', (event) => listSessions(JSON.parse(event.data)));
  source.addEventListener('beat', (event) => hear(JSON.parse(event.data)));
  source.addEventListener('error', () => {
    if (source.readyState === EventSource.CLOSED) refused();
    else lost('connection lost; coming back by itself');
  });
}

function ask(reason) {
  source?.close();
  source = null;
  lost('not connected');
  $('phase').textContent = 'Not watching';
  $('gate_reason').textContent = reason;
  $('gate').hidden = false;
  $('token').focus();
}

function watch(session) {
  wanted = session;
  history.replaceState(null, '', `#${token}${session ? `/${session}` : ''}`);
  state = nothing();
  connect();
}

function enter() {
  const given = $('token').value.trim();
  if (!/^[0-9a-f]{64}$/.test(given)) {
    $('gate_reason').textContent = 'A token has 64 digits from 0 to 9 and a to f.';
    return;
  }
  token = given;
  $('token').value = '';
  $('gate').hidden = true;
  watch(wanted);
}

// --- what is shown

function redraw() {
  if (isDirty) return;
  isDirty = true;
  requestAnimationFrame(() => {
    isDirty = false;
    show();
  });
}

function show() {
  const { session } = state;
  $('trouble').hidden = state.trouble === null;
  $('trouble').textContent = state.trouble ?? '';
  showVerdict();
  if (!session) return;
  $('center').textContent = session.center ?? session.site ?? 'Unnamed centre';
  $('what').replaceChildren(`session ${session.id.slice(0, 16)}${session.site ? ' · ' : ''}`, name_of(session.site ?? ''),
    session.claim_pflops === null ? '' : ` · claims ${inUnit(session.claim_pflops)} ${unit().name} ${session.claim_precision ?? ''}`,
    ` · ${session.proven ?? session.class ?? ''}`, session.serial > 1 ? ` · session ${session.serial} of this claim and site` : '',
    session.is_test ? ' · TEST: shapes that no certificate allows' : '');
  document.title = `${session.center ?? session.site ?? 'petaudit'} · petaudit witness`;
  showRate();
  showChart();
  showDevices();
  showFindings();
  showOpenings();
  showPower();
  tick();
  say();
}

function basis() {
  const { rate, openings } = state;
  switch (rate?.basis) {
    case 'opened': return ['Proven: every opening held.', 'ok'];
    case 'committed': return ['Committed to, not all opened yet: it counts once the openings hold.', ''];
    case 'failed': return [`Not proven: ${openings?.failed ?? 'some'} of ${openings?.drawn ?? 'the'} openings failed.`, 'bad'];
    default: return ['No epoch is closed yet.', 'soft'];
  }
}

function showRate() {
  const { rate, session, openings } = state, claim = session.claim_pflops, lower = rate?.lower_pflops ?? null;
  const [words, colour] = basis(), isFailed = rate?.basis === 'failed';
  $('lower').textContent = isFailed ? '0' : inUnit(lower);
  $('unit').textContent = lower === null && !isFailed ? '' : unit().name;
  $('basis').textContent = words;
  $('basis').className = `basis ${colour}`;
  $('share').hidden = claim === null;
  $('share').value = claim && lower !== null && !isFailed ? Math.min(1, lower / claim) : 0;
  const rows = [];
  if (lower !== null) {
    rows.push(['work over time', `${inUnit(rate.pflops)} ${unit().name}`]);
    rows.push(['of it at least', `${percent(rate.honest_fraction)}, ${plain(rate.confidence * 100, 5)} % sure`]);
    if (claim && !isFailed) rows.push(['of the claim', percent(lower / claim)]);
  }
  if (session.raw_pflops !== null) rows.push(['library alone', `${inUnit(session.raw_pflops)} ${unit().name}`]);
  rows.push(['epochs closed', `${state.phase?.closed ?? 0} of ${session.epochs}, ${span(session.epoch_ms)} each${session.planned_ms < session.epochs * session.epoch_ms ? ' but for probes' : ''}`]);
  if (openings) rows.push(['openings', `${openings.checked - openings.failed} good, ${openings.failed} failed`]);
  const power = totalWatts();
  if (power) rows.push(power);
  if (rate?.trouble) rows.push(['note', rate.trouble]);
  $('facts').replaceChildren(...rows.flatMap(([what, value]) => [element('dt', what), element('dd', value)]));
}

function totalWatts() {
  for (const role of ['it', 'facility']) {
    const meters = [...state.meters.values()].filter((m) => m.role === role && m.watts !== null);
    if (meters.length > 0) return [role === 'it' ? 'power of the machines' : 'power of the site', watts(meters.reduce((sum, m) => sum + m.watts, 0))];
  }
  return state.device_watts === null ? null : ['power, as devices say', watts(state.device_watts)];
}

function showChart() {
  const { session } = state, epochs = [...state.epochs.values()].sort((a, b) => a.number - b.number);
  const ended = epochs.filter((e) => e.state !== 'running');
  const start_ms = epochs[0]?.t0_ms ?? session.begun_ms;
  $('chart_h').textContent = `Rate by epoch, ${unit().name}`;
  $('chart_legend').textContent = ended.length === 0 ? 'No epoch is closed yet.'
    : 'Points: work of each epoch over its time. Band: from all work over all time so far down to the bound that its openings give, the line. Cross: openings failed, or aborted.' + (ended.some((e) => e.probe_ms !== null) ? ' Ring: a probe, short so that nothing far away can have done its work.' : '');
  drawRate($('chart'), { epochs: ended, claim: session.claim_pflops, start_ms, end_ms: start_ms + session.planned_ms, unit: unit() });
  $('epochs').replaceChildren(...epochs.slice(-200).reverse().map((e) => {
    const row = element('tr');
    row.append(element('td', e.number), element('td', STATES[e.state] ?? e.state), element('td', inUnit(e.pflops), 'n'), element('td', inUnit(e.lower_pflops), 'n'),
      element('td', e.state === 'checked' ? `${e.drawn - e.failed} of ${e.drawn} good` : `${e.opened} of ${e.drawn}`, e.failed > 0 ? 'n bad' : 'n'),
      element('td', [e.probe_ms === null ? '' : `a probe of ${span(e.probe_ms)}`, e.gap_ms === null ? '' : `after a gap of ${span(e.gap_ms)}`, e.reason ?? ''].filter(Boolean).join('; ')));
    return row;
  }));
}

const deviceWords = (d, i) => {
  const parts = [`Device ${i}: `, name_of(d.name ?? 'unnamed')];
  if (d.model) parts.push(', ', name_of(d.model));
  if (d.host) parts.push(' on ', name_of(d.host));
  parts.push(`, ${CONDITIONS[d.condition]?.words ?? d.condition}; ${d.steps} steps`);
  if (d.tflops > 0) parts.push(`, ${plain(d.tflops)} TFLOPS in the last epoch`);
  if (d.celsius !== null && d.celsius !== undefined) parts.push(`, ${d.celsius} °C`);
  if (d.watts) parts.push(`, ${watts(d.watts)}`);
  return parts;
};

function showDevices() {
  const { session, counts } = state;
  const rest = session.devices - session.devices_told;
  $('map_h').textContent = `${session.devices} declared ${session.devices === 1 ? 'device' : 'devices'}${rest > 0 ? `, the first ${session.devices_told} of them drawn` : ''}`;
  const present = Object.keys(CONDITIONS).filter((c) => counts[c] > 0);
  $('legend').replaceChildren(...present.map((c) => {
    const item = element('li');
    item.append(sample(c), `${counts[c]} ${CONDITIONS[c].words}`);
    return item;
  }));
  map.draw();
  if (map.selected >= 0 && state.devices[map.selected]) {
    const words = deviceWords(state.devices[map.selected], map.selected), box = element('p');
    box.append(...words);
    if (box.textContent !== $('device').textContent && document.activeElement !== $('map')) $('device').replaceChildren(...box.childNodes);
  }
  if ($('devices_box').open) showTable();
}

function showTable() {
  const isAll = $('filter').value === 'all';
  const rows = state.devices.map((d, i) => [d, i]).filter(([d]) => isAll || !['working', 'waiting'].includes(d.condition));
  page = Math.max(0, Math.min(page, Math.ceil(rows.length / PAGE) - 1));
  const part = rows.slice(page * PAGE, (page + 1) * PAGE);
  $('range').textContent = rows.length === 0 ? 'none' : `${page * PAGE + 1} to ${page * PAGE + part.length} of ${rows.length}`;
  $('earlier').disabled = page === 0;
  $('later').disabled = (page + 1) * PAGE >= rows.length;
  $('devices').replaceChildren(...part.map(([d, i]) => {
    const row = element('tr'), cell = element('td'), host = element('td');
    cell.append(name_of(d.name ?? ''));
    host.append(name_of(d.host ?? ''));
    row.append(element('td', i, 'n'), cell, host, element('td', CONDITIONS[d.condition]?.words ?? d.condition), element('td', d.steps, 'n'),
      element('td', d.last_steps ?? '–', 'n'), element('td', d.celsius ?? '–', 'n'), element('td', plain(d.watts ?? null), 'n'));
    return row;
  }));
}

const SEVERITY = { critical: ['Critical: ', 'bad'], warning: ['Warning: ', 'warn'], info: ['', 'soft'] };

function showFindings() {
  const items = state.findings.map((f) => {
    const [word, colour] = SEVERITY[f.severity] ?? SEVERITY.info, item = element('li');
    item.append(element('b', `${word}${f.code}`, colour), ' ', name_of(f.text ?? ''), element('span', ` ${clock(f.at_ms)}`, 'soft'));
    return item;
  }).reverse();
  for (const [condition, words] of [['lost', 'lost'], ['idle', 'did no work in the last epoch'], ['throttled', 'throttled'], ['slow', 'slow']]) {
    const count = state.counts[condition] ?? 0;
    if (count > 0) items.unshift(element('li', `${count} ${count === 1 ? 'device' : 'devices'} ${words}`, condition === 'lost' ? 'bad' : 'warn'));
  }
  if (state.left_out > 0) items.push(element('li', `and ${state.left_out} more, which the evidence holds`, 'soft'));
  $('findings').replaceChildren(...(items.length > 0 ? items : [element('li', 'None so far.', 'soft')]));
}

function showOpenings() {
  const { openings } = state;
  if (!openings || openings.drawn === 0) {
    $('openings_sum').textContent = 'None drawn yet.';
    $('openings').replaceChildren();
    return;
  }
  const checked = openings.checked === 0 ? 'none checked yet' : `${openings.checked} checked: ${openings.failed === 0 ? 'none failed' : `${openings.failed} FAILED`}`;
  $('openings_sum').textContent = `${openings.drawn} drawn, ${openings.received} received, ${checked}`;
  $('openings_sum').className = openings.failed > 0 ? 'bad' : '';
  $('openings').replaceChildren(...openings.recent.map((o) => {
    const [words, colour] = OUTCOMES[o.outcome] ?? [o.outcome, ''], item = element('li');
    item.append(`epoch ${o.epoch}, device ${o.device}, step ${o.step}, tile (${o.row}, ${o.column}): `, element('b', words, colour));
    return item;
  }));
}

function showPower() {
  const meters = [...state.meters.values()], mark = state.watermark, rows = [];
  if (meters.length === 0) rows.push(element('p', state.device_watts === null ? 'No meter has been noted.' : `No meter. The devices themselves say ${watts(state.device_watts)}.`, 'soft'));
  if (mark) rows.push(element('p', `Watermark: ${mark.halves_told} of ${2 * mark.bits} half-bits told, load ${mark.is_on ? 'on' : 'off'}.`));
  $('power').replaceChildren(...rows, ...meters.map((m) => {
    const box = element('div', undefined, 'meter'), what = element('span');
    what.append(`${ROLES[m.role] ?? 'Meter'}, ${m.source ?? ''} `, name_of(m.name ?? ''));
    box.append(what, element('b', watts(m.watts)), curve(m.points, `${ROLES[m.role] ?? 'Meter'}: power over the session, now ${watts(m.watts)}`));
    return box;
  }));
}

function showVerdict() {
  const { verdict } = state, box = $('verdict');
  box.hidden = verdict === null;
  if (verdict === null) return;
  box.className = `notice ${VERDICTS[verdict.verdict] ?? ''}`;
  const mw = verdict.entitlement?.mw;
  box.replaceChildren(element('b', `Verdict: ${verdict.verdict}. `), name_of(verdict.reason ?? ''), typeof mw === 'number' && verdict.verdict !== 'INVALID' ? ` Entitles to ${watts(mw * 1e6)}.` : '');
}

function phaseWords() {
  const { phase, session, openings } = state;
  if (!phase || !session) return ['Connecting …', ''];
  const left = (phase.closes_ms ?? 0) - now(), of = `${phase.closed} of ${session.epochs} epochs closed`;
  switch (phase.name) {
    case 'preparing': return ['Declared; preparing', 'soft'];
    case 'epoch': return [`${of}, epoch ${phase.epoch} ${left >= 0 ? `closes in ${span(left)}` : `overdue by ${span(-left)}`}`, left < -session.epoch_ms ? 'warn' : 'ok'];
    case 'between': return [`${of}, no epoch for ${span(now() - phase.since_ms)}`, now() - phase.since_ms > 30000 ? 'warn' : 'soft'];
    case 'opening': return [`${of}, openings: ${openings?.received ?? 0} of ${openings?.drawn ?? 0} received`, 'ok'];
    default: return [state.verdict ? 'Finished and judged' : 'Finished', 'soft'];
  }
}

function tick() {
  const [words, colour] = phaseWords();
  if (state.session && $('phase').textContent !== words) $('phase').textContent = words;
  if (state.session) $('phase').className = `phase ${colour}`;
  if (source && heard_ms > 0 && Date.now() - heard_ms > SILENCE_MS) {
    lost('nothing heard; connecting again');
    connect();
  }
}

// For a screen reader: the state in a sentence, now and then, and at once when something goes wrong.
function say() {
  const { rate, phase, session, openings, verdict } = state;
  const alarm = `${rate?.basis}|${openings?.failed ?? 0}|${verdict?.verdict ?? ''}|${phase?.name === 'epoch' || phase?.name === 'between'}`;
  if (alarm === said && Date.now() - said_ms < SAY_MS) return;
  said = alarm;
  said_ms = Date.now();
  const parts = [`${phase.closed} of ${session.epochs} epochs closed.`];
  if (rate?.lower_pflops !== null && rate?.basis !== 'failed') parts.push(`At least ${inUnit(rate.lower_pflops)} ${unit().name}.`);
  parts.push(basis()[0]);
  const troubled = ['slow', 'throttled', 'idle', 'lost'].filter((c) => state.counts[c] > 0).map((c) => `${state.counts[c]} ${c}`);
  if (troubled.length > 0) parts.push(`Devices: ${troubled.join(', ')}.`);
  if (verdict) parts.push(`Verdict: ${verdict.verdict}.`);
  $('summary').textContent = parts.join(' ');
}

const map = new DeviceMap($('map'), (index) => $('device').replaceChildren(...deviceWords(state.devices[index], index)));
$('enter').addEventListener('click', enter);
$('token').addEventListener('keydown', (event) => event.key === 'Enter' && enter());
$('sessions').addEventListener('change', (event) => watch(event.target.value));
$('filter').addEventListener('change', () => { page = 0; showTable(); });
$('earlier').addEventListener('click', () => { page--; showTable(); });
$('later').addEventListener('click', () => { page++; showTable(); });
$('devices_box').addEventListener('toggle', showTable);
let width = 0;
new ResizeObserver(() => {
  if (state.session && $('chart').clientWidth !== width) {
    width = $('chart').clientWidth;
    showChart();
  }
}).observe($('chart'));
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
setInterval(tick, 500);

[token, wanted = ''] = location.hash.slice(1).split('/');
if (/^[0-9a-f]{64}$/.test(token)) connect();
else ask('');
