// The ethogram: behaviour against time, a strip for each session.

import { report, secondsOf } from "./data.js";
import { boutAt, counts } from "./counts.js";
import { byId, button, el, hideTip, later, prepare, redrawn, showTip } from "./dom.js";
import { clock, percent, plural, seconds, timeTicks } from "./format.js";
import { pickBout } from "./links.js";
import { themeColours } from "./palette.js";
import { colourAt, indexOf, nameOf, names, numberOf, on, select, selection } from "./state.js";

const STRIP = 24;
const BELOW = 7; // height of the line that shows the selected behaviour alone
const AXIS = 22;
const SHORTEST_S = 1;
const etho = { from: 0, to: 1, strips: [], drag: null };

function sessionSpan(number) {
  const session = report.sessions[number];
  const bouts = counts.sessions[number];
  const first = bouts?.start.length ? Math.min(bouts.start[0], session.first_frame) : session.first_frame;
  const last = bouts?.stop.length ? bouts.stop.at(-1) : session.first_frame + session.frames;
  return [secondsOf(session, first), secondsOf(session, Math.max(last, session.first_frame + 1))];
}

function wholeSpan() {
  const spans = report.sessions.map((_, number) => sessionSpan(number));
  return [Math.min(...spans.map(([from]) => from)), Math.max(...spans.map(([, to]) => to))];
}

function setSpan(from, to) {
  const [first, last] = wholeSpan();
  const length = Math.max(Math.min(SHORTEST_S, last - first), Math.min(to - from, last - first));
  etho.from = Math.max(first, Math.min(from, last - length));
  etho.to = etho.from + length;
  drawEthogram();
}

function zoomEthogram(factor, atShare = 0.5) {
  const length = etho.to - etho.from;
  const at = etho.from + atShare * length;
  setSpan(at - atShare * length * factor, at + (1 - atShare) * length * factor);
}

function panEthogram(share) {
  const shift = share * (etho.to - etho.from);
  setSpan(etho.from + shift, etho.to + shift);
}

/** Bouts of a strip as bars; bars that would lie in the same pixel are drawn once. */
function drawBouts(context, number, width, top, height, wanted) {
  const session = report.sessions[number];
  const bouts = counts.sessions[number];
  const scale = width / (etho.to - etho.from);
  let last = -1;
  for (let i = 0; i < bouts.start.length; i++) {
    if (!wanted(bouts.index[i])) continue;
    const left = (secondsOf(session, bouts.start[i]) - etho.from) * scale;
    const right = (secondsOf(session, bouts.stop[i]) - etho.from) * scale;
    if (right < 0 || left > width || right <= last) continue;
    context.fillStyle = colourAt(bouts.index[i]);
    context.fillRect(left, top, Math.max(right - left, 0.5), height);
    last = Math.floor(2 * right) / 2;
  }
}

function drawMark(context, number, width, theme) {
  const { bout } = selection;
  if (!bout || bout.session !== number) return;
  const bouts = counts.sessions[number];
  const place = boutAt(number, bout.start);
  if (place < 0) return;
  const scale = width / (etho.to - etho.from);
  const session = report.sessions[number];
  const left = (secondsOf(session, bouts.start[place]) - etho.from) * scale;
  const right = (secondsOf(session, bouts.stop[place]) - etho.from) * scale;
  Object.assign(context, { strokeStyle: theme.ink, lineWidth: 2, fillStyle: theme.ink });
  context.strokeRect(left - 1, 4, Math.max(3, right - left + 2), STRIP + 2);
  const middle = (left + right) / 2;
  context.beginPath();
  context.moveTo(middle - 5, 0);
  context.lineTo(middle + 5, 0);
  context.lineTo(middle, 5);
  context.fill();
}

function drawStrip(strip, theme) {
  const { canvas, number } = strip;
  const width = canvas.parentElement.clientWidth;
  const context = prepare(canvas, width, STRIP + BELOW + 8);
  const [from, to] = sessionSpan(number);
  const scale = width / (etho.to - etho.from);
  context.fillStyle = theme.faint;
  context.fillRect((from - etho.from) * scale, 5, (to - from) * scale, STRIP);
  if (!counts.sessions[number]) return;
  drawBouts(context, number, width, 5, STRIP, () => true);
  if (selection.number !== null) {
    const chosen = indexOf(selection.number);
    drawBouts(context, number, width, STRIP + 7, BELOW - 2, (index) => index === chosen);
  }
  drawMark(context, number, width, theme);
}

function drawAxis(theme) {
  const canvas = byId("ethogram-axis");
  const width = canvas.parentElement.clientWidth;
  const context = prepare(canvas, width, AXIS);
  const { values, digits } = timeTicks(etho.from, etho.to, Math.max(3, width / 90));
  Object.assign(context, { fillStyle: theme.muted, font: "12px system-ui, sans-serif", textBaseline: "top" });
  for (const value of values) {
    const x = ((value - etho.from) / (etho.to - etho.from)) * width;
    const text = clock(value, digits);
    const half = context.measureText(text).width / 2;
    context.fillRect(x, 0, 1, 4);
    context.fillText(text, Math.max(0, Math.min(width - 2 * half, x - half)), 6);
  }
}

function drawEthogram() {
  if (!etho.strips.length) return;
  const theme = themeColours();
  for (const strip of etho.strips) drawStrip(strip, theme);
  drawAxis(theme);
  byId("ethogram-span").textContent = `${clock(etho.from)} to ${clock(etho.to)} (min:s)`;
}

function timeUnder(event, canvas) {
  const box = canvas.getBoundingClientRect();
  return etho.from + ((event.clientX - box.left) / box.width) * (etho.to - etho.from);
}

function boutUnder(event, { canvas, number }) {
  const session = report.sessions[number];
  return boutAt(number, Math.floor((timeUnder(event, canvas) - session.start_s) * session.fps));
}

function describeBout(number, place) {
  const session = report.sessions[number];
  const bouts = counts.sessions[number];
  const behaviour = names.list[bouts.index[place]];
  const [from, to] = [secondsOf(session, bouts.start[place]), secondsOf(session, bouts.stop[place])];
  return [
    behaviour ? `${numberOf(behaviour)}  ${nameOf(behaviour)}` : "unsure",
    `${session.name}, ${clock(from, 2)} for ${seconds(to - from)}`,
    `frames ${bouts.start[place]} to ${bouts.stop[place] - 1}`,
    `confidence ${percent(bouts.confidence[place] / 255)}`,
  ];
}

function stripMove(event, strip) {
  const { drag } = etho;
  if (drag) {
    const box = strip.canvas.getBoundingClientRect();
    const dx = event.clientX - drag.x;
    if (!drag.moved && Math.abs(dx) < 4) return;
    Object.assign(drag, { moved: true, x: event.clientX });
    panEthogram(-dx / box.width);
    return;
  }
  const place = boutUnder(event, strip);
  if (place < 0) hideTip();
  else showTip(event, describeBout(strip.number, place));
}

function listenToStrip(strip) {
  const { canvas } = strip;
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) panEthogram(event.deltaX / box.width);
    else zoomEthogram(Math.exp(event.deltaY / 400), (event.clientX - box.left) / box.width);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    etho.drag = { x: event.clientX, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => stripMove(event, strip));
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("pointerup", (event) => {
    const moved = etho.drag?.moved;
    etho.drag = null;
    const place = moved ? -1 : boutUnder(event, strip);
    if (place >= 0) pickBout(strip.number, place);
  });
}

/** Moves the view to a bout that is selected elsewhere. */
function followBout() {
  const { bout } = selection;
  if (bout) {
    const at = secondsOf(report.sessions[bout.session], bout.start);
    const length = etho.to - etho.from;
    if (at < etho.from || at > etho.to) {
      setSpan(at - length / 2, at + length / 2);
      return;
    }
  }
  later(drawEthogram);
}

function ethogramKeys(event) {
  const actions = {
    ArrowLeft: () => panEthogram(-0.2), ArrowRight: () => panEthogram(0.2),
    "+": () => zoomEthogram(1 / 1.6), "=": () => zoomEthogram(1 / 1.6), "-": () => zoomEthogram(1.6),
    Home: () => setSpan(...wholeSpan()),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  actions[event.key]();
}

function stripRow(number) {
  const session = report.sessions[number];
  const bouts = counts.sessions[number];
  const canvas = el("canvas", { class: "strip", role: "img", "aria-label":
    `Ethogram of ${session.name}: ${bouts ? plural(bouts.start.length, "bout") : "no bouts"}. Usage and durations stand below as text.` });
  const strip = { canvas, number };
  if (bouts) listenToStrip(strip);
  etho.strips.push(strip);
  const choose = button(session.name, () => select({ session: selection.session === number ? null : number }),
    { class: "session-name", title: "show only this session on the map", "data-session": number, "aria-pressed": "false" });
  return el("div", { class: "strip-row" }, choose, el("div", { class: "canvas-host" }, canvas));
}

export function mountEthogram() {
  const host = byId("ethogram");
  [etho.from, etho.to] = wholeSpan();
  byId("ethogram-tools").append(el("span", { id: "ethogram-span", class: "muted" }), el("span", { class: "group" },
    button("◀", () => panEthogram(-0.4), { "aria-label": "Earlier" }), button("▶", () => panEthogram(0.4), { "aria-label": "Later" }),
    button("−", () => zoomEthogram(1.6), { "aria-label": "Zoom out of the ethogram" }),
    button("+", () => zoomEthogram(1 / 1.6), { "aria-label": "Zoom into the ethogram" }),
    button("whole", () => setSpan(...wholeSpan()), { "aria-label": "Show all of the ethogram" })));
  const axis = el("canvas", { id: "ethogram-axis", role: "img", "aria-label": "Time axis of the ethogram, minutes and seconds" });
  const rows = el("div", { class: "strips", tabindex: 0, role: "group", "aria-label": "Ethogram; arrow keys move, plus and minus zoom, Home shows all",
    on: { keydown: ethogramKeys } }, report.sessions.map((_, number) => stripRow(number)));
  host.append(rows, el("div", { class: "strip-row axis-row" }, el("span", { class: "session-name" }), el("div", { class: "canvas-host" }, axis)),
    el("p", { class: "caption" }, "Each strip is a session; below it, the selected behaviour alone. The wheel zooms, dragging moves. Grey: unsure."));
  redrawn(host, drawEthogram);
  on("selection", () => { markSession(); followBout(); });
  for (const event of ["behaviours", "theme"]) on(event, () => later(drawEthogram));
}

function markSession() {
  for (const item of document.querySelectorAll(".session-name[data-session]"))
    item.setAttribute("aria-pressed", String(Number(item.dataset.session) === selection.session));
}
