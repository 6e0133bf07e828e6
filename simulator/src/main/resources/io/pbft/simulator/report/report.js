'use strict';
(() => {
// A page may hold two runs: the smallest that fails, and the one it was made from. The address says which is shown.
const runs = [...document.querySelectorAll('script[data-run]')].map(e => e.dataset.run);
const run = runs.includes(location.hash.slice(1)) ? location.hash.slice(1) : runs[0];
for (const e of document.querySelectorAll('[data-run]')) if (e.dataset.run !== run) e.remove();
addEventListener('hashchange', () => location.reload());
const D = JSON.parse(document.querySelector('script[data-run]').textContent);
const $ = id => document.getElementById(id);
const text = (tag, string, cls) => { const e = document.createElement(tag); e.textContent = string; if (cls) e.className = cls; return e; };
const ev = D.events.map((r, i) => ({ i, t: r[0], kind: r[1], lane: r[2], m: r[3], a: r[4], b: r[5], detail: r[6] || '' }));
const msgs = D.messages.map((r, i) => ({ i, id: r[0], from: r[1], to: r[2], c: D.contents[r[3]], ci: r[3], s: r[4], e: r[5],
  cone: r[6] === 1, lie: r[7] || '', instead: r[8], fate: r[5] < 0 ? 'under way' : D.events[r[5]][1] }));
const lanes = D.lanes;
const last = ev.length - 1, tEnd = ev.length ? ev[last].t : 1;

// Colours of Okabe and Ito, which those who see few colours tell apart; the dash says the same again.
const STYLE = {
  REQUEST: ['#0072b2', []], PROPOSAL: ['#d55e00', []], PRE_PREPARE: ['#d55e00', [2, 2]], PREPARE: ['#009e73', [7, 3]], COMMIT: ['#cc79a7', [2, 3]],
  REPLY: ['#56b4e9', [10, 3, 2, 3]], CHECKPOINT: ['#a6761d', [5, 5]], VIEW_CHANGE: ['#e69f00', [8, 3]], NEW_VIEW: ['#e69f00', []],
  READ_REQUEST: ['#0072b2', [4, 3]], READ_REPLY: ['#56b4e9', [2, 2]], DECISION: ['#7570b3', []], STATUS: ['#999999', [1, 4]] };
// The same on a dark ground, where deep blue and brown cannot be read.
const DARK = { '#0072b2': '#4dabe8', '#d55e00': '#ff8a3d', '#009e73': '#35cfa0', '#cc79a7': '#e79fc6', '#56b4e9': '#8ccdf3', '#a6761d': '#d6a750', '#e69f00': '#f2b632', '#7570b3': '#a9a4e8', '#8c8c5a': '#b9b98a' };
const darkGround = matchMedia('(prefers-color-scheme: dark)'), tone = colour => darkGround.matches && DARK[colour] || colour;
const STYLES = {};
const style = type => STYLES[type + darkGround.matches] ||= (([colour, dash]) => [tone(colour), dash])(plain(type));
const plain = type => STYLE[type] || ['#8c8c5a', [4, 2, 1, 2]];
const VOTES = { PREPARE: 'P', COMMIT: 'C', CHECKPOINT: 'K', REPLY: 'R', VIEW_CHANGE: 'VC' };
const types = Object.keys(STYLE).concat([...new Set(msgs.map(m => m.c.m))].sort()).filter((t, i, all) => all.indexOf(t) === i && msgs.some(m => m.c.m === t));
const on = new Set(types.filter(t => t !== 'STATUS'));

// Copies of one message that leave together are one fan.
const fans = new Map();
for (const m of msgs) {
  const key = m.from + '|' + m.ci + '|' + ev[m.s].t;
  if (!fans.has(key)) fans.set(key, []);
  fans.get(key).push(m); m.fan = fans.get(key);
}
// Equal votes that reach a node are one badge, where the quorum is full.
const votes = new Map();
for (const e of ev) {
  const m = e.m >= 0 ? msgs[e.m] : null;
  if (!m || e.kind !== 'deliver' || !VOTES[m.c.m]) continue;
  const what = m.c.m === 'REPLY' ? m.c.items : m.c.m === 'VIEW_CHANGE' ? '' : m.c.digest;
  const key = [m.to, m.c.m, m.c.view, m.c.seq, what].join('|');
  if (!votes.has(key)) votes.set(key, { to: m.to, type: m.c.m, c: m.c, from: new Set(), full: -1, last: e.i, msgs: [] });
  const v = votes.get(key);
  v.from.add(m.from); v.msgs.push(m); m.vote = v; v.last = e.i;
  const own = m.c.m === 'REPLY' ? 0 : m.c.m === 'PREPARE' || m.c.m === 'COMMIT' || m.c.m === 'CHECKPOINT' || m.c.m === 'VIEW_CHANGE' ? 1 : 0;
  const need = m.c.m === 'REPLY' ? D.f + 1 : m.c.m === 'PREPARE' ? D.quorum - 1 : D.quorum;
  if (v.full < 0 && v.from.size + own >= need) v.full = e.i;
}

const canvas = $('canvas'), g = canvas.getContext('2d');
const TOP = 26, LEFT = 96, LANE = Math.max(44, Math.min(78, 560 / lanes.length)), HEIGHT = TOP + LANE * lanes.length + 8;
let W = 800, axis = 'time', x0 = 0, x1 = 1, cursor = -1, hover = null, picked = null, coneOnly = false, seqs = null, hitList = [], frame = 0;
const pos = i => axis === 'time' ? ev[i].t : i;
const end = () => axis === 'time' ? Math.max(1, tEnd) : Math.max(1, last);
const X = v => LEFT + (v - x0) / (x1 - x0) * (W - LEFT);
const V = x => x0 + (x - LEFT) / (W - LEFT) * (x1 - x0);
const Y = lane => TOP + LANE * (lane + .5);
const timeOf = v => axis === 'time' ? v : ev[Math.max(0, Math.min(last, Math.round(v)))].t;
const ms = t => (t / 1000).toFixed(t % 1000 ? 3 : 0) + ' ms';
const visible = m => on.has(m.c.m) && (!coneOnly || m.cone) && (!seqs || seqs(m.c.seq));
// The end of an arrow that never arrived.
const tail = m => m.e >= 0 && ev[m.e].t > ev[m.s].t ? pos(m.e) : pos(m.s) + (axis === 'time' ? 700 : 6);
const arrived = m => m.fate === 'deliver';

const maxSpan = { time: 0, event: 0 };
for (const m of msgs) { if (m.e >= 0) { maxSpan.time = Math.max(maxSpan.time, ev[m.e].t - ev[m.s].t); maxSpan.event = Math.max(maxSpan.event, m.e - m.s); } }
const firstFrom = v => { let lo = 0, hi = msgs.length; while (lo < hi) { const mid = lo + hi >> 1; if (pos(msgs[mid].s) < v) lo = mid + 1; else hi = mid; } return lo; };
function inSight() {
  const out = [];
  for (let k = firstFrom(x0 - maxSpan[axis] - 1000); k < msgs.length; k++) {
    const m = msgs[k];
    if (pos(m.s) > x1) break;
    if (visible(m) && tail(m) >= x0) out.push(m);
  }
  return out;
}
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
let shown = [];

function draw() {
  frame = 0;
  const ratio = window.devicePixelRatio || 1;
  W = Math.max(300, canvas.clientWidth);
  canvas.style.height = HEIGHT + 'px';
  if (canvas.width !== Math.round(W * ratio) || canvas.height !== Math.round(HEIGHT * ratio)) { canvas.width = Math.round(W * ratio); canvas.height = Math.round(HEIGHT * ratio); }
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  const fg = css('--fg'), dim = css('--dim'), lineColour = css('--line'), bg = css('--bg'), bad = css('--lie');
  g.fillStyle = bg; g.fillRect(0, 0, W, HEIGHT);
  g.save(); g.beginPath(); g.rect(LEFT, 0, W - LEFT, HEIGHT); g.clip();
  drawBands(dim);
  drawAxis(dim, lineColour);
  drawTimers(bad);
  for (let l = 0; l < lanes.length; l++) { g.strokeStyle = lanes[l].faulty ? bad : dim; g.lineWidth = lanes[l].faulty ? 2 : 1; g.setLineDash([]); g.beginPath(); g.moveTo(LEFT, Y(l)); g.lineTo(W, Y(l)); g.stroke(); }
  drawMessages(fg, bg, bad);
  drawMarks(fg, bg, bad);
  if (cursor >= 0) { g.strokeStyle = fg; g.lineWidth = 1; g.setLineDash([3, 3]); g.beginPath(); g.moveTo(X(pos(cursor)), TOP - 6); g.lineTo(X(pos(cursor)), HEIGHT); g.stroke(); g.setLineDash([]); }
  g.restore();
  g.font = '600 13px system-ui, "DejaVu Sans", sans-serif'; g.textBaseline = 'middle';
  for (let l = 0; l < lanes.length; l++) {
    g.fillStyle = lanes[l].faulty ? bad : fg; g.textAlign = 'left';
    g.fillText(lanes[l].replica ? lanes[l].name : lanes[l].name, 8, Y(l));
    g.font = '11px system-ui, "DejaVu Sans", sans-serif';
    g.fillText(lanes[l].faulty ? 'Byzantine' : lanes[l].replica ? 'replica' : 'client', 34, Y(l));
    if (lanes[l].faulty) { g.fillText(clip(lanes[l].why.replace(/^\[|\]$/g, ''), 15), 8, Y(l) + 14); }
    g.font = '600 13px system-ui, "DejaVu Sans", sans-serif';
  }
  document.body.dataset.arrows = shown.length;
  drawLadder(ratio, fg, dim, lineColour, bg);
}
const clip = (s, n) => s.length > n ? s.slice(0, n - 1) + '…' : s;
const later = () => { if (!frame) frame = requestAnimationFrame(draw); };
// The panel says where replicas stand at the right edge: once the edge has come to rest.
let resting = 0;
const stateLater = () => { clearTimeout(resting); if (cursor < 0) resting = setTimeout(showState, 80); };

function hatch(x, y, w, h, colour, step, on = g) {
  on.save(); on.beginPath(); on.rect(x, y, w, h); on.clip(); on.strokeStyle = colour; on.lineWidth = 1; on.beginPath();
  for (let k = Math.floor((x - h) / step) * step; k < x + w; k += step) { on.moveTo(k, y + h); on.lineTo(k + h, y); }
  on.stroke(); on.restore();
}
const VIEW_TINT = ['#0072b21c', '#e69f0026', '#009e7322', '#cc79a726', '#56b4e926', '#d55e001f'];
function drawBands(dim) {
  g.font = '10.5px system-ui, "DejaVu Sans", sans-serif'; g.textAlign = 'left'; g.textBaseline = 'top';
  for (const [lane, from, to, view, status] of D.bands) {
    const a = Math.max(LEFT, X(pos(from))), b = Math.min(W, X(to >= last ? end() : pos(to)));
    if (b < LEFT || a > W) continue;
    const y = Y(lane) - LANE * .42, h = LANE * .84, w = Math.max(1, b - a);
    if (status === 'DOWN') { hatch(a, y, w, h, dim, 5); }
    else {
      g.fillStyle = VIEW_TINT[view % VIEW_TINT.length]; g.fillRect(a, y, w, h);
      if (status === 'PAUSED') hatch(a, y, w, h, dim, 12);
      if (status === 'VIEW_CHANGE') { g.fillStyle = '#e69f00'; g.fillRect(a, y, w, 3); g.fillRect(a, y + h - 3, w, 3); }
      if (status === 'REJOINING') { g.fillStyle = '#7570b3'; g.fillRect(a, y, w, 3); }
    }
    const label = status === 'NORMAL' ? 'view ' + view : status === 'VIEW_CHANGE' ? 'to view ' + view : status.toLowerCase() + (status === 'PAUSED' ? '' : '');
    if (w > g.measureText(label).width + 8) { g.fillStyle = dim; g.fillText(label, a + 4, y + 4); }
  }
}
// A thin bar at the lower edge of the lane, from start to end; a short red one closes it where time was up.
const TIMER = { REQUEST: ['#0072b2', 'patience with the primary'], NEW_VIEW: ['#e69f00', 'wait for the NEW-VIEW'] };
const timerY = lane => Y(lane) + LANE * .42 - 4;
function drawTimers(bad) {
  for (const [lane, from, to, wait, , how] of D.timers) {
    const a = X(pos(from)), b = X(pos(to));
    if (b < LEFT || a > W) continue;
    const w = Math.max(1, b - a - (how === 'RESTARTED' && b - a > 6 ? 1.5 : 0));
    g.fillStyle = tone(TIMER[wait][0]); g.fillRect(a, timerY(lane), w, 4);
    if (how === 'EXPIRED') { g.fillStyle = bad; g.fillRect(b - 3, timerY(lane) - 3, 4, 10); }
  }
}
function timerAt(x, y) {
  const lane = Math.floor((y - TOP) / LANE);
  if (lane < 0 || lane >= lanes.length || Math.abs(y - timerY(lane) - 2) > 5) return null;
  return D.timers.find(t => t[0] === lane && X(pos(t[1])) - 2 <= x && x <= X(pos(t[2])) + 3) || null;
}
const ENDS = { STOPPED: 'stopped: nothing is waited for', RESTARTED: 'started anew: something was executed', EXPIRED: 'expired: the view is left', CUT_OFF: 'still running' };
const timerText = t => lanes[t[0]].name + ': ' + TIMER[t[3]][1] + ', ' + ms(ev[t[2]].t - ev[t[1]].t) + ' of ' + ms(t[4] * D.tick) + ', ' + ENDS[t[5]];

// Sequence numbers upwards, a strip for each replica: its window between stable checkpoint and high mark, and what it has executed.
const strips = lanes.map((lane, i) => ({ lane: i, name: lane.name, steps: ev.filter(e => e.lane === i && e.kind === 'marks') })).filter(s => lanes[s.lane].replica && s.steps.length);
const STRIP = Math.max(38, Math.min(64, 320 / Math.max(1, strips.length))), LADDER = strips.length * STRIP + 22, ladder = $('ladder'), lg = ladder.getContext('2d');
function stepsInSight(s) {
  const first = s.steps.findIndex(e => pos(e.i) > x0), from = first < 0 ? s.steps.length - 1 : Math.max(0, first - 1), out = [];
  for (let k = from; k < s.steps.length && (k === from || pos(s.steps[k].i) <= x1); k++) out.push(s.steps[k]);
  return out;
}
function drawLadder(ratio, fg, dim, lineColour, bg) {
  ladder.style.height = LADDER + 'px';
  if (ladder.width !== Math.round(W * ratio) || ladder.height !== Math.round(LADDER * ratio)) { ladder.width = Math.round(W * ratio); ladder.height = Math.round(LADDER * ratio); }
  lg.setTransform(ratio, 0, 0, ratio, 0, 0); lg.fillStyle = bg; lg.fillRect(0, 0, W, LADDER);
  lg.font = '11px system-ui, "DejaVu Sans", sans-serif'; lg.textBaseline = 'middle'; lg.textAlign = 'left'; lg.fillStyle = dim;
  lg.fillText('sequence numbers: executed (line), window (tint)', 8, 11);
  const all = strips.map(stepsInSight), seen = all.flat();
  if (!seen.length) return;
  const low = Math.min(...seen.map(e => e.a)), high = Math.max(...seen.map(e => Math.max(e.b, e.a + D.window))), span = Math.max(1, high - low);
  document.body.dataset.ladder = seen.length;
  strips.forEach((s, k) => drawStrip(s, all[k], 22 + k * STRIP, v => 22 + (k + 1) * STRIP - 4 - (v - low) / span * (STRIP - 8), low, high, { fg, dim, lineColour }));
}
function drawStrip(s, steps, top, y, low, high, c) {
  lg.strokeStyle = c.lineColour; lg.lineWidth = 1; lg.setLineDash([]); lg.beginPath(); lg.moveTo(0, top + .5); lg.lineTo(W, top + .5); lg.stroke();
  lg.textAlign = 'left'; lg.font = '600 13px system-ui, "DejaVu Sans", sans-serif'; lg.fillStyle = lanes[s.lane].faulty ? css('--lie') : c.fg; lg.fillText(s.name, 8, top + STRIP / 2);
  lg.font = '10.5px system-ui, "DejaVu Sans", sans-serif'; lg.fillStyle = c.dim; lg.textAlign = 'right'; lg.fillText(high, LEFT - 5, y(high) + 4); lg.fillText(low, LEFT - 5, y(low) - 4); lg.textAlign = 'left';
  lg.save(); lg.beginPath(); lg.rect(LEFT, top, W - LEFT, STRIP); lg.clip();
  const right = k => k + 1 < steps.length ? X(pos(steps[k + 1].i)) : Math.min(W, X(end()));
  steps.forEach((e, k) => {
    const a = Math.max(LEFT, X(pos(e.i))), w = Math.max(.5, right(k) - a), before = k > 0 ? steps[k - 1] : null;
    lg.fillStyle = '#a6761d30'; lg.fillRect(a, y(e.a + D.window), w, y(e.a) - y(e.a + D.window));
    lg.fillStyle = tone('#a6761d'); lg.fillRect(a, y(e.a) - .75, w, 1.5); lg.fillRect(a, y(e.a + D.window) - .5, w, 1);
    if (before && before.a !== e.a) { lg.fillRect(a - .75, y(e.a), 1.5, y(before.a) - y(e.a)); lg.fillRect(a - .5, y(e.a + D.window), 1, y(before.a) - y(e.a)); if (w > 26 || right(k) > a + 26) lg.fillText('✓' + e.a, a + 3, y(e.a) - 6); }
  });
  lg.strokeStyle = c.fg; lg.lineWidth = 2; lg.lineJoin = 'round'; lg.beginPath();
  steps.forEach((e, k) => { const a = Math.max(LEFT, X(pos(e.i))); if (k === 0) lg.moveTo(a, y(e.b)); else lg.lineTo(a, y(e.b)); lg.lineTo(Math.max(a, right(k)), y(e.b)); });
  lg.stroke();
  for (const [lane, from, to, , status] of D.bands) if (lane === s.lane && status === 'DOWN') { const a = Math.max(LEFT, X(pos(from))), b = Math.min(W, X(to >= last ? end() : pos(to))); if (b > a) { lg.clearRect(a, top + 1, b - a, STRIP - 1); hatch(a, top + 1, b - a, STRIP - 2, c.dim, 5, lg); } }
  if (cursor >= 0) { lg.strokeStyle = c.fg; lg.lineWidth = 1; lg.setLineDash([3, 3]); lg.beginPath(); lg.moveTo(X(pos(cursor)), top); lg.lineTo(X(pos(cursor)), top + STRIP); lg.stroke(); lg.setLineDash([]); }
  lg.restore();
}
function drawAxis(dim, lineColour) {
  const span = x1 - x0, raw = span / Math.max(2, (W - LEFT) / 110), p = Math.pow(10, Math.floor(Math.log10(raw)));
  const step = Math.max(axis === 'event' ? 1 : .1, [1, 2, 5, 10].map(k => k * p).find(k => k >= raw));
  g.font = '11px system-ui, "DejaVu Sans", sans-serif'; g.textAlign = 'center'; g.textBaseline = 'top'; g.setLineDash([]);
  for (let v = Math.ceil(x0 / step) * step; v <= x1; v += step) {
    g.strokeStyle = lineColour; g.globalAlpha = .5; g.beginPath(); g.moveTo(X(v), TOP - 6); g.lineTo(X(v), HEIGHT); g.stroke(); g.globalAlpha = 1;
    if (X(v) < LEFT + 28 || X(v) > W - 28) continue;
    g.fillStyle = dim; g.fillText(axis === 'time' ? +(v / 1000).toFixed(4) + ' ms' : '#' + Math.round(v), X(v), 4);
  }
  if (D.gst > 0 && D.gst <= tEnd) {
    const at = axis === 'time' ? D.gst : ev.findIndex(e => e.t >= D.gst), x = X(at);
    g.strokeStyle = '#009e73'; g.lineWidth = 2; g.beginPath(); g.moveTo(x, 0); g.lineTo(x, HEIGHT); g.stroke(); g.lineWidth = 1;
    g.fillStyle = '#009e73'; g.textAlign = 'left'; g.fillText('GST: the network is stable', x + 4, HEIGHT - 14);
  }
}
function arrow(m, wide, alpha, head, bad) {
  const [colour, dash] = style(m.c.m), xa = X(pos(m.s)), ya = Y(m.from), yb0 = Y(m.to), xb0 = X(tail(m));
  const part = arrived(m) ? 1 : .6, xb = xa + (xb0 - xa) * part, yb = ya + (yb0 - ya) * part;
  g.globalAlpha = alpha; g.strokeStyle = colour; g.lineWidth = wide; g.setLineDash(dash);
  if (m.lie) { g.save(); g.strokeStyle = bad; g.globalAlpha = Math.max(.35, alpha * .4); g.lineWidth = wide + 4; g.setLineDash([]); g.beginPath(); g.moveTo(xa, ya); g.lineTo(xb, yb); g.stroke(); g.restore(); }
  g.beginPath(); g.moveTo(xa, ya); g.lineTo(xb, yb); g.stroke(); g.setLineDash([]);
  if (!arrived(m) && m.fate !== 'under way') { g.strokeStyle = bad; g.lineWidth = 1.5; g.beginPath(); g.moveTo(xb - 4, yb - 4); g.lineTo(xb + 4, yb + 4); g.moveTo(xb + 4, yb - 4); g.lineTo(xb - 4, yb + 4); g.stroke(); }
  else if (head) { const d = Math.atan2(yb - ya, xb - xa); g.fillStyle = colour; g.beginPath(); g.moveTo(xb, yb); g.lineTo(xb - 8 * Math.cos(d - .35), yb - 8 * Math.sin(d - .35)); g.lineTo(xb - 8 * Math.cos(d + .35), yb - 8 * Math.sin(d + .35)); g.fill(); }
  g.globalAlpha = 1;
}
function short(m) {
  const c = m.c, d = c.digest ? ' ' + c.digest.slice(0, 4) : '';
  if (c.m === 'REQUEST') return 'request ' + c.client + '#' + c.first;
  if (c.m === 'VIEW_CHANGE' || c.m === 'NEW_VIEW') return c.m.toLowerCase().replace('_', '-') + ' ' + c.view;
  return c.m.toLowerCase() + (c.seq !== undefined ? ' ' + c.seq : '') + d;
}
function drawMessages(fg, bg, bad) {
  let list = inSight();
  const mode = $('fold').value, folded = mode === 'always' || mode === 'auto' && list.length > 220;
  document.body.dataset.folded = folded;
  const badges = new Set();
  if (folded) list = list.filter(m => { if (m.vote && m.vote.full >= 0 && arrived(m) && !m.lie && m !== picked && m !== hover) { badges.add(m.vote); return false; } return true; });
  shown = list;
  const fansDrawn = new Set(), crowded = list.length > 350;
  if (folded) for (const m of list) {
    if (m.fan.length < 3 || fansDrawn.has(m.fan)) continue;
    fansDrawn.add(m.fan);
    const ends = m.fan.filter(k => visible(k) && arrived(k)).sort((a, b) => a.to - b.to);
    if (ends.length < 2) continue;
    g.fillStyle = style(m.c.m)[0]; g.globalAlpha = .14; g.beginPath(); g.moveTo(X(pos(m.s)), Y(m.from));
    for (const k of ends) g.lineTo(X(tail(k)), Y(k.to));
    g.closePath(); g.fill(); g.globalAlpha = 1;
  }
  for (const m of list) arrow(m, crowded ? .8 : 1.4, crowded ? .55 : .9, !crowded, bad);
  for (const m of [hover, picked]) if (m) for (const k of m.fan) arrow(k, k === m ? 3 : 1.8, 1, true, bad);
  if (list.length < 140) labels(list, bg);
  if (folded) drawBadges([...badges].sort((a, b) => a.full - b.full), fg, bg);
}
function labels(list, bg) {
  const labelled = new Set(), boxes = [];
  g.font = '11px system-ui, "DejaVu Sans", sans-serif'; g.textBaseline = 'middle'; g.textAlign = 'left';
  for (const m of list) {
    if (labelled.has(m.fan)) continue;
    const k = m.fan.filter(visible).sort((a, b) => Math.abs(a.to - a.from) - Math.abs(b.to - b.from))[0] || m;
    const string = short(m) + (m.lie ? ' ⚠' : ''), w = g.measureText(string).width, x = X(pos(k.s)) + (X(tail(k)) - X(pos(k.s))) * .3 + 4, y = Y(k.from) + (Y(k.to) - Y(k.from)) * .3;
    if (x < LEFT || boxes.some(b => x < b[2] && x + w > b[0] && Math.abs(y - b[1]) < 13)) continue;
    labelled.add(m.fan); boxes.push([x, y, x + w]);
    g.fillStyle = bg; g.globalAlpha = .8; g.fillRect(x - 2, y - 7, w + 4, 14); g.globalAlpha = 1; g.fillStyle = style(m.c.m)[0]; g.fillText(string, x, y);
  }
}
function drawBadges(list, fg, bg) {
  // Where there are too many for their lanes, one row of them below leaves the marks to be seen.
  const rows = list.length > 25 * lanes.length ? [21] : [-9, 9, 21], right = lanes.map(() => rows.map(() => -99));
  g.font = '600 10px system-ui, "DejaVu Sans", sans-serif'; g.textAlign = 'left'; g.textBaseline = 'middle';
  for (const v of list) {
    const string = VOTES[v.type] + (v.c.seq !== undefined ? v.c.seq : v.type === 'VIEW_CHANGE' ? v.c.view : '') + ' ' + (v.type === 'REPLY' ? 'f+1' : '2f+1'), w = g.measureText(string).width + 8, x = X(pos(v.full)), row = right[v.to].findIndex(r => r < x);
    if (row < 0 || x < LEFT || x > W) { if (x >= LEFT && x <= W) { g.fillStyle = style(v.type)[0]; g.fillRect(x, Y(v.to) - 3, 1.5, 6); } continue; }
    right[v.to][row] = x + w + 2;
    const y = Y(v.to) + rows[row];
    g.fillStyle = bg; g.fillRect(x, y - 6, w, 12); g.strokeStyle = style(v.type)[0]; g.lineWidth = 1.5; g.setLineDash(style(v.type)[1].length ? [3, 1.5] : []); g.strokeRect(x, y - 6, w, 12); g.setLineDash([]);
    g.fillStyle = fg; g.fillText(string, x + 4, y);
  }
}
const MARKS = ev.filter(e => e.kind === 'execute' || e.kind === 'violation' || e.kind === 'crash' || e.kind === 'start' && e.a > 1 || e.kind === 'withhold' || e.kind === 'halt' ||
  e.kind === 'answer' || e.kind === 'ask' || e.kind === 'note' && /^(CHECKPOINT_STABLE|REQUEST_TIMED_OUT|VIEW_CHANGE_TIMED_OUT|VIEW_ENTERED|EQUIVOCATION|PRIMARY_SUSPECTED|CHECKPOINT_DIVERGED)/.test(e.detail));
function drawMarks(fg, bg, bad) {
  const lastX = {};
  g.textAlign = 'center'; g.textBaseline = 'bottom'; g.font = '10.5px system-ui, "DejaVu Sans", sans-serif'; g.setLineDash([]);
  for (const e of MARKS) {
    const x = X(pos(e.i));
    if (x < LEFT || x > W) continue;
    // First of all: what is filtered out must not crowd out what is shown.
    if (e.kind === 'execute' && (seqs && !seqs(e.a) || coneOnly && D.slot >= 0 && e.a !== D.slot)) continue;
    const name = e.detail.split(':')[0], lane = e.kind === 'violation' ? (D.anchor >= 0 ? ev[D.anchor].lane : 0) : e.lane, y = Y(lane);
    const key = lane + e.kind + name, close = lastX[key] !== undefined && x - lastX[key] < 12;
    if (lastX[key] !== undefined && x - lastX[key] < 3 && e.kind !== 'violation') continue;
    const roomy = lastX[key] === undefined || x - lastX[key] > (name.length > 9 && e.kind === 'note' ? 110 : 44);
    lastX[key] = x;
    if (e.kind === 'execute') { g.fillStyle = fg; g.beginPath(); g.moveTo(x, y - 6); g.lineTo(x + 5, y); g.lineTo(x, y + 6); g.lineTo(x - 5, y); g.fill(); if (roomy) { g.fillText(e.a, x, y - 6); } }
    else if (name === 'CHECKPOINT_STABLE') { g.fillStyle = tone('#a6761d'); g.fillRect(x - (close ? 1 : 4), y - 11, close ? 2 : 8, 22); if (roomy) g.fillText('✓' + e.b, x, y - 12); }
    else if (name.endsWith('TIMED_OUT')) { g.strokeStyle = bad; g.fillStyle = bg; g.lineWidth = 2; g.beginPath(); g.arc(x, y, 6, 0, 7); g.fill(); g.stroke(); g.beginPath(); g.moveTo(x, y - 4); g.lineTo(x, y); g.lineTo(x + 3, y); g.stroke(); if (roomy) { g.fillStyle = bad; g.fillText('timeout', x, y - 8); } }
    else if (name === 'VIEW_ENTERED') { g.fillStyle = '#e69f00'; g.beginPath(); g.moveTo(x, y - 9); g.lineTo(x + 10, y - 4); g.lineTo(x, y + 1); g.fill(); g.fillRect(x - 1, y - 9, 2, 18); }
    else if (e.kind === 'violation') { g.strokeStyle = bad; g.lineWidth = 3; g.beginPath(); g.arc(x, y, 12, 0, 7); g.stroke(); g.fillStyle = bad; g.font = '700 12px system-ui, "DejaVu Sans", sans-serif'; g.textAlign = x > W - 90 ? 'right' : 'left'; if (e === MARKS.find(k => k.kind === 'violation')) g.fillText(e.detail.split(':')[0] + '!', x + (x > W - 90 ? -14 : 14), y - 4); g.textAlign = 'center'; g.font = '10.5px system-ui, "DejaVu Sans", sans-serif'; }
    else if (e.kind === 'crash' || e.kind === 'halt') { g.fillStyle = bad; g.fillRect(x - 1.5, y - 14, 3, 28); if (roomy) g.fillText(e.kind, x, y - 14); }
    else if (e.kind === 'start') { g.fillStyle = '#009e73'; g.fillRect(x - 1.5, y - 14, 3, 28); if (roomy) g.fillText('start', x, y - 14); }
    else if (e.kind === 'withhold') { g.strokeStyle = bad; g.lineWidth = 1; g.beginPath(); g.arc(x, y, 3, 0, 7); g.stroke(); }
    else if (e.kind === 'ask' || e.kind === 'answer') { g.fillStyle = tone(e.kind === 'ask' ? '#0072b2' : '#56b4e9'); g.beginPath(); g.arc(x, y, 3.5, 0, 7); g.fill(); }
    else { g.fillStyle = bad; if (roomy) g.fillText(name.toLowerCase().replace('_', ' '), x, y - 8); g.fillRect(x - 1, y - 7, 2, 14); }
  }
}

// What a replica had said and done up to an event.
function stateAt(lane, at) {
  const s = { view: 0, status: 'NORMAL', executed: 0, stable: 0, note: '', asked: 0, answered: 0 };
  for (const b of D.bands) if (b[0] === lane && b[1] <= at) { s.view = b[3]; s.status = b[4]; }
  for (let i = 0; i <= at; i++) {
    const e = ev[i];
    if (e.lane !== lane || e.m >= 0) continue;
    if (e.kind === 'marks') { s.stable = e.a; s.executed = e.b; }
    else if (e.kind === 'execute') s.executed = Math.max(s.executed, e.a);
    else if (e.kind === 'ask' || e.kind === 'read') s.asked++;
    else if (e.kind === 'answer' || e.kind === 'read-answer') s.answered++;
    else if (e.kind === 'note') { if (!e.detail.startsWith('IGNORED')) s.note = e.detail; }
  }
  return s;
}
function showState() {
  const at = cursor < 0 ? Math.max(0, ev.findIndex(e => (axis === 'time' ? e.t : e.i) > x1) - 1) || last : cursor;
  const box = $('state'); box.textContent = '';
  box.append(text('p', 'at event ' + at + ', ' + ms(ev[at].t) + (cursor < 0 ? ' (right edge)' : ''), 'note'));
  const table = document.createElement('table');
  const head = document.createElement('tr'); for (const h of ['', 'view', 'status', 'exec.', 'stable']) head.append(text('th', h)); table.append(head);
  lanes.forEach((lane, i) => {
    if (!lane.replica) return;
    const s = stateAt(i, at), before = stateAt(i, at - 1), row = document.createElement('tr');
    for (const cell of [lane.name, s.view, s.status.toLowerCase().replace('_', ' '), s.executed, s.stable]) row.append(text('td', cell));
    if (lane.faulty) row.firstChild.className = 'lie';
    if (JSON.stringify(s) !== JSON.stringify(before)) row.className = 'changed';
    row.title = s.note; table.append(row);
  });
  box.append(table);
  const lane = cursor >= 0 && ev[cursor].lane >= 0 ? ev[cursor].lane : -1;
  if (lane >= 0) { const s = stateAt(lane, at); box.append(text('p', lanes[lane].replica ? lanes[lane].name + ' last noted: ' + (s.note || 'nothing') : lanes[lane].name + ': ' + s.answered + ' of ' + s.asked + ' asked operations answered', 'note')); }
}
function fields(m, box) {
  const title = text('p', lanes[m.from].name + ' → ' + lanes[m.to].name + ' ' + m.c.m); title.style.fontWeight = 700; box.append(title);
  const table = document.createElement('table');
  const add = (k, v, cls) => { const row = document.createElement('tr'); row.append(text('th', k), text('td', v, cls)); table.append(row); };
  add('sent', ms(ev[m.s].t));
  add(arrived(m) ? 'arrived' : 'fate', arrived(m) ? ms(ev[m.e].t) : m.fate + (m.e >= 0 ? ' at ' + ms(ev[m.e].t) : ''), arrived(m) ? '' : 'lie');
  if (m.lie) add('lie', m.lie, 'lie');
  for (const k of Object.keys(m.c)) if (k !== 'm' && k !== 'key') {
    const honest = m.instead && m.instead.m === m.c.m ? m.instead[k] : undefined;
    add(k, String(m.c[k]), m.lie && honest !== undefined && String(honest) !== String(m.c[k]) ? 'lie' : '');
    if (m.lie && honest !== undefined && String(honest) !== String(m.c[k])) add('honest ' + k, String(honest));
  }
  if (m.lie && m.instead && m.instead.m !== m.c.m) for (const k of Object.keys(m.instead)) add('honest ' + k, String(m.instead[k]));
  if (m.lie && !m.instead) add('honest', 'nothing: it speaks unasked');
  box.append(table);
}
function select(i, quiet) {
  if (i < 0 || i > last) return;
  cursor = i; picked = ev[i].m >= 0 ? msgs[ev[i].m] : null;
  const box = $('selected'); box.textContent = '';
  if (picked) fields(picked, box); else box.append(text('code', lines[i] || ''));
  if (pos(i) < x0 || pos(i) > x1) { const w = x1 - x0; x0 = pos(i) - w / 2; x1 = x0 + w; }
  showState(); markLine(i, !quiet); later();
}

// The list of events: the page's own text, taken over.
const list = document.querySelector('.list'), blocks = [...list.querySelectorAll('pre')];
const lines = []; for (const b of blocks) for (const l of b.textContent.replace(/\n$/, '').split('\n')) lines.push(l);
let listed = lines.map((_, i) => i); const PER = 250, LINE = 18;
const mark = document.createElement('div'); mark.id = 'mark';
function fillList(words) {
  const all = words.toLowerCase().split(/\s+/).filter(w => w);
  listed = []; lines.forEach((l, i) => { const low = l.toLowerCase(); if (all.every(w => low.includes(w))) listed.push(i); });
  list.textContent = '';
  for (let i = 0; i < listed.length; i += PER) { const b = document.createElement('pre'); b.textContent = listed.slice(i, i + PER).map(k => lines[k]).join('\n') + '\n'; list.append(b); }
  $('shown').textContent = listed.length + ' of ' + lines.length + ' lines'; document.body.dataset.lines = listed.length;
}
function markLine(i, scroll) {
  const k = listed.indexOf(i); mark.remove();
  if (k < 0) return;
  const block = list.querySelectorAll('pre')[Math.floor(k / PER)];
  mark.style.top = (k % PER) * LINE + 'px'; block.append(mark);
  if (scroll) list.scrollTop = Math.max(0, block.offsetTop - list.offsetTop + (k % PER) * LINE - list.clientHeight / 2);
}
list.addEventListener('click', e => { const b = e.target.closest('pre'); if (!b || String(getSelection())) return; const k = [...list.querySelectorAll('pre')].indexOf(b) * PER + Math.floor((e.clientY - b.getBoundingClientRect().top) / LINE); if (listed[k] !== undefined) select(listed[k], true); });
$('grep').addEventListener('input', e => fillList(e.target.value));

function view(a, b) { const min = axis === 'time' ? 20 : 3, full = end(); let w = Math.max(min, Math.min(b - a, full * 1.04)); const mid = (a + b) / 2; x0 = Math.max(-full * .02, Math.min(mid - w / 2, full * 1.02 - w)); x1 = x0 + w; later(); stateLater(); }
const zoom = (k, at) => view(at - (at - x0) * k, at + (x1 - at) * k);
const pan = k => view(x0 + (x1 - x0) * k, x1 + (x1 - x0) * k);
const whole = () => view(-end() * .01, end() * 1.01);
function span(a, b) { const pa = pos(a), pb = pos(b), w = Math.max(pb - pa, axis === 'time' ? 500 : 8); view(pa - w * .04, pb + w * .06); }
// Where the eye should begin: what led to the violation; else the first change of view; else the first messages.
function home() {
  const c = msgs.filter(m => m.cone && on.has(m.c.m));
  if (coneOnly && c.length) return span((c.find(m => m.c.m !== 'REQUEST') || c[0]).s, D.anchor);
  if (D.failed && D.anchor >= 0) return span(Math.max(0, D.anchor - 300), D.anchor);
  if (!D.failed && D.firstWrong >= 0) {
    const near = msgs.filter(m => visible(m) && m.s >= D.firstWrong - 12).slice(0, 60);
    if (near.length) return span(near[0].s, Math.max(...near.map(m => m.e < 0 ? m.s : m.e)));
  }
  const away = ev.findIndex(e => e.kind === 'note' && /^(REQUEST_TIMED_OUT|JOINED_VIEW_CHANGE|STATUS_CHANGED: VIEW_CHANGE)/.test(e.detail));
  if (away >= 0) {
    // Those who enter with the first; who comes back long after is not waited for.
    const enters = ev.filter(e => e.i > away && e.t < ev[away].t + 3e6 && e.kind === 'note' && e.detail.startsWith('VIEW_ENTERED'));
    const in0 = enters.length ? enters.filter(e => e.a === enters[0].a && e.t < enters[0].t + 2e4).pop().i : away;
    const after = ev.find(e => e.t > ev[in0].t + 8000) || ev[last], before = ev.findIndex(e => e.t > ev[away].t - 5000);
    return span(Math.max(0, before), after.i);
  }
  const some = msgs.filter(m => visible(m)).slice(0, 70);
  if (some.length) span(some[0].s, Math.max(...some.map(m => m.e < 0 ? m.s : m.e))); else whole();
}
function parseSeqs(s) {
  const parts = s.trim().toLowerCase().split(/[ ,]+/).filter(p => p && p !== 'all').map(p => p.match(/^(\d+)(?:-(\d+))?$/)).filter(p => p).map(p => [+p[1], +(p[2] || p[1])]);
  return parts.length ? q => q !== undefined && parts.some(p => q >= p[0] && q <= p[1]) : null;
}
function search() {
  const words = $('search').value.toLowerCase().split(/\s+/).filter(w => w);
  hitList = []; if (words.length) lines.forEach((l, i) => { const low = l.toLowerCase(); if (words.every(w => low.includes(w))) hitList.push(i); });
  $('hits').textContent = words.length ? hitList.length + ' found' : '';
}
function hit(step) { search(); if (!hitList.length) return; const next = step > 0 ? hitList.find(i => i > cursor) : hitList.filter(i => i < cursor || cursor < 0).pop(); select(next === undefined ? hitList[step > 0 ? 0 : hitList.length - 1] : next); }
function step(by, sameLane) {
  const lane = cursor >= 0 ? ev[cursor].lane : -1;
  let i = cursor < 0 ? Math.max(0, ev.findIndex(e => pos(e.i) >= x0)) : cursor + by;
  while (i >= 0 && i <= last && (ev[i].m >= 0 && !visible(msgs[ev[i].m]) || sameLane && ev[i].lane !== lane)) i += by;
  select(i);
}
const redo = () => { later(); showState(); };
// What is asked for and lies elsewhere is brought into sight.
function filterSeqs(s) {
  seqs = parseSeqs(s); redo();
  const found = seqs ? msgs.filter(visible) : [];
  if (found.length && !inSight().length) span(Math.min(...found.map(m => m.s)), Math.max(...found.map(m => m.e < 0 ? m.s : m.e)));
}
$('axis').addEventListener('change', () => { const mid = (x0 + x1) / 2, ta = timeOf(x0), tb = timeOf(x1); axis = $('axis').value; if (axis === 'time') view(ta, tb); else view(Math.max(0, ev.findIndex(e => e.t >= ta)), (i => i < 0 ? last : i)(ev.findIndex(e => e.t >= tb))); });
$('seq').addEventListener('input', e => filterSeqs(e.target.value));
$('search').addEventListener('input', search); $('search').addEventListener('keydown', e => { if (e.key === 'Enter') hit(e.shiftKey ? -1 : 1); });
$('prevHit').addEventListener('click', () => hit(-1)); $('nextHit').addEventListener('click', () => hit(1));
$('cone').addEventListener('change', e => { coneOnly = e.target.checked; redo(); }); $('fold').addEventListener('change', later);
$('all').addEventListener('click', whole); $('home').addEventListener('click', home);
document.querySelector('.copy').addEventListener('click', () => { const c = document.querySelector('.command'), r = document.createRange(); r.selectNodeContents(c); getSelection().removeAllRanges(); getSelection().addRange(r); if (navigator.clipboard) navigator.clipboard.writeText(c.textContent).catch(() => {}); });
document.querySelectorAll('[data-event]').forEach(a => a.addEventListener('click', e => { e.preventDefault(); select(+a.dataset.event); canvas.scrollIntoView({ block: 'nearest' }); }));

function distance(m, x, y) {
  const xa = X(pos(m.s)), ya = Y(m.from), xb = X(tail(m)), yb = Y(m.to), l = (xb - xa) ** 2 + (yb - ya) ** 2 || 1;
  const k = Math.max(0, Math.min(1, ((x - xa) * (xb - xa) + (y - ya) * (yb - ya)) / l));
  return Math.hypot(x - xa - k * (xb - xa), y - ya - k * (yb - ya));
}
function at(x, y) {
  let best = null, d = 7;
  for (const e of MARKS) { if (e.lane < 0) continue; const k = Math.hypot(x - X(pos(e.i)), y - Y(e.lane)); if (k < d) { d = k; best = { e }; } }
  if (best) return best;
  for (const m of shown) { const k = distance(m, x, y); if (k < d) { d = k; best = { m }; } }
  return best;
}
const point = e => { const r = canvas.getBoundingClientRect(); return [e.clientX - r.left, e.clientY - r.top]; };
let drag = null;
canvas.addEventListener('pointerdown', e => { drag = { x: e.clientX, x0, x1, moved: false }; canvas.setPointerCapture(e.pointerId); });
canvas.addEventListener('pointermove', e => {
  const [x, y] = point(e), tip = $('tip');
  if (drag) { const d = (e.clientX - drag.x) / (W - LEFT) * (drag.x1 - drag.x0); if (Math.abs(e.clientX - drag.x) > 3) drag.moved = true; if (drag.moved) { tip.hidden = true; view(drag.x0 - d, drag.x1 - d); } return; }
  const found = at(x, y), was = hover; hover = found && found.m || null; tip.hidden = !found;
  const timer = found ? null : timerAt(x, y);
  if (timer) { tip.hidden = false; tip.textContent = timerText(timer); tip.style.left = Math.min(x + 14, W - 350) + 'px'; tip.style.top = Math.min(y + 14, HEIGHT - 40) + 'px'; }
  if (found) { tip.textContent = ''; if (found.m) fields(found.m, tip); else tip.append(text('span', lines[found.e.i].trim())); tip.style.left = Math.min(x + 14, W - 350) + 'px'; tip.style.top = Math.min(y + 14, HEIGHT - 40) + 'px'; }
  if (was !== hover) later();
});
canvas.addEventListener('pointerup', e => { const was = drag; drag = null; if (was && !was.moved) { const [x, y] = point(e), found = at(x, y); if (found) select(found.m ? found.m.s : found.e.i); else { cursor = -1; picked = null; redo(); } } });
canvas.addEventListener('pointerleave', () => { $('tip').hidden = true; hover = null; later(); });
ladder.addEventListener('pointerdown', e => { drag = { x: e.clientX, x0, x1, moved: true }; ladder.setPointerCapture(e.pointerId); });
ladder.addEventListener('pointermove', e => { if (drag) { const d = (e.clientX - drag.x) / (W - LEFT) * (drag.x1 - drag.x0); view(drag.x0 - d, drag.x1 - d); } });
ladder.addEventListener('pointerup', () => { drag = null; });
for (const c of [canvas, ladder]) c.addEventListener('wheel', e => { e.preventDefault(); if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) pan((e.deltaX || e.deltaY) / 1500); else zoom(Math.exp(e.deltaY / 500), V(point(e)[0])); }, { passive: false });
document.addEventListener('keydown', e => {
  if (/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName) || e.ctrlKey || e.metaKey || e.altKey) return;
  const mid = cursor >= 0 ? pos(cursor) : (x0 + x1) / 2;
  const keys = { ArrowRight: () => step(1, e.shiftKey), ArrowLeft: () => step(-1, e.shiftKey), '+': () => zoom(.7, mid), '=': () => zoom(.7, mid), '-': () => zoom(1.4, mid), a: () => pan(-.25), d: () => pan(.25), 0: whole, Home: home, f: () => select(D.firstWrong), '/': () => $('search').focus(), Escape: () => { cursor = -1; picked = null; redo(); } };
  if (keys[e.key]) { e.preventDefault(); keys[e.key](); }
});
new ResizeObserver(later).observe($('picture')); darkGround.addEventListener('change', later);

const counts = {}; msgs.forEach(m => { counts[m.c.m] = (counts[m.c.m] || 0) + 1; });
for (const t of types) {
  const b = document.createElement('button'), [colour, dash] = style(t);
  b.innerHTML = '<svg width="30" height="8" aria-hidden="true"><line x1="0" y1="4" x2="30" y2="4" stroke="' + colour + '" stroke-width="2.5" stroke-dasharray="' + dash.join(' ') + '"/></svg>';
  b.append(t + ' ' + counts[t]); b.title = 'show or hide'; b.dataset.type = t; b.setAttribute('aria-pressed', on.has(t));
  b.addEventListener('click', () => { if (on.has(t)) on.delete(t); else on.add(t); b.setAttribute('aria-pressed', on.has(t)); later(); });
  $('legend').append(b);
}
for (const k of ['◆ executed (committed)', '✓ stable checkpoint', '⚑ view entered', '◷ timeout', '○ kept back by a liar', '× lost on the way', 'broad red: tampered', 'thin bar: a timer runs, red end: expired', 'hatched: down (dense) or paused (wide)', 'P C K R VC: a quorum of prepares, commits, checkpoints, replies, view changes'])
  $('legend').append(text('span', k, 'key'));
$('cone').disabled = D.anchor < 0;
coneOnly = $('cone').checked = D.failed && D.slot >= 0 && msgs.some(m => m.cone);
for (const e of document.querySelectorAll('#guide [data-of]')) e.textContent = D[e.dataset.of];
for (const e of document.querySelectorAll('#guide [data-key]')) { e.style.borderBottom = '2.5px ' + (style(e.dataset.key)[1].length ? 'dashed ' : 'solid ') + style(e.dataset.key)[0]; }
fillList(''); home(); if (D.failed && D.firstWrong >= 0 && coneOnly) select(D.firstWrong); else showState();
draw();
document.body.dataset.ready = 'yes';
document.body.dataset.messages = msgs.length;
window.pbftReport = { seq: s => { $('seq').value = s; filterSeqs(s); draw(); return shown.length; }, whole: () => { whole(); draw(); return shown.length; }, select };
})();
