// Transitions between bouts: a graph and a matrix whose rows sum to 1.

import { chart, marksBehaviour, tableOf } from "./charts.js";
import { counts } from "./counts.js";
import { byId, el, segmented, svg, tipOn } from "./dom.js";
import { count, percent } from "./format.js";
import { inkOn } from "./palette.js";
import { heatMatrix } from "./matrix.js";
import { colourOf, isNamed, nameOf, numberOf, selection, shownBehaviours } from "./state.js";

const flow = { form: "graph", threshold: 0.15, redraw: null };

/** Probabilities from row to column among the shown behaviours, in the order of their numbers, and counts. */
function transitionRows() {
  const shown = shownBehaviours();
  return shown.map((from) => {
    const numbers = shown.map((to) => counts.from[from.index][to.index]);
    const total = numbers.reduce((sum, value) => sum + value, 0);
    return { ...from, numbers, total, shares: numbers.map((value) => (total ? value / total : 0)) };
  });
}

/** Places on a circle, an order in which frequent neighbours stand together. */
function circleOrder(rows) {
  const left = new Set(rows.keys());
  const order = [];
  let here = 0;
  while (left.size) {
    left.delete(here);
    order.push(here);
    const strength = (to) => rows[here].numbers[to] + rows[to].numbers[here];
    here = [...left].sort((a, b) => strength(b) - strength(a) || a - b)[0];
  }
  return order;
}

function edge(from, to, share, number, rows) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const [ux, uy] = [dx / length, dy / length];
  const bend = 0.13 * length;
  const start = [from.x + ux * from.r, from.y + uy * from.r];
  const end = [to.x - ux * (to.r + 4), to.y - uy * (to.r + 4)];
  const control = [(start[0] + end[0]) / 2 - uy * bend, (start[1] + end[1]) / 2 + ux * bend];
  const [a, b] = [rows[from.i].behaviour, rows[to.i].behaviour];
  const touches = [numberOf(a), numberOf(b)].includes(selection.number);
  const faint = selection.number !== null && !touches;
  return svg("path", {
    d: `M${start} Q${control} ${end}`, fill: "none", stroke: colourOf(a), "stroke-width": 1 + 9 * share,
    "stroke-opacity": faint ? 0.15 : 0.8, "marker-end": faint ? null : "url(#arrow)",
    on: tipOn(() => [`${numberOf(a)} ${nameOf(a)} → ${numberOf(b)} ${nameOf(b)}`, `${percent(share)} of what follows, ${count(number)} times`]),
  });
}

function node(place, { behaviour, total }) {
  const chosen = numberOf(behaviour) === selection.number;
  const turned = place.cos < -1e-6;
  const angle = (Math.atan2(place.sin, place.cos) * 180) / Math.PI + (turned ? 180 : 0);
  const reach = (place.r + 5) * (turned ? -1 : 1);
  const label = nameOf(behaviour);
  return svg("g", marksBehaviour(behaviour, () => [`${numberOf(behaviour)}  ${label}`, `${count(total)} transitions from it`]), [
    svg("circle", { cx: place.x, cy: place.y, r: place.r, fill: colourOf(behaviour), class: chosen ? "node chosen" : "node" }),
    svg("text", { x: place.x, y: place.y + 4, "text-anchor": "middle", class: "on-colour", fill: inkOn(colourOf(behaviour)) }, String(numberOf(behaviour))),
    isNamed(behaviour) && svg("text", { x: reach, y: 4, "text-anchor": turned ? "end" : "start", class: chosen ? "strong" : "",
      transform: `translate(${place.x} ${place.y}) rotate(${angle})` }, label.length > place.letters ? `${label.slice(0, place.letters - 1)}…` : label)].filter(Boolean));
}

function drawGraph(width) {
  const rows = transitionRows();
  const height = Math.min(600, Math.max(320, width * 0.95));
  const most = Math.max(1, ...rows.map(({ total }) => total));
  const named = rows.some(({ behaviour }) => isNamed(behaviour));
  const margin = named ? Math.max(64, Math.min(118, width * 0.16)) : 28;
  const letters = Math.floor((margin - 12) / 6.4);
  const radius = Math.min(width, height) / 2 - margin;
  const largest = Math.max(8, (Math.PI * radius) / Math.max(1, rows.length) - 1);
  const places = [];
  circleOrder(rows).forEach((i, place) => {
    const angle = (2 * Math.PI * place) / rows.length - Math.PI / 2;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    places[i] = { i, cos, sin, letters, r: Math.min(9 + 7 * Math.sqrt(rows[i].total / most), largest),
      x: width / 2 + cos * radius, y: height / 2 + sin * radius };
  });
  const edges = [];
  rows.forEach(({ shares, numbers }, i) => shares.forEach((share, j) => {
    if (i !== j && share >= flow.threshold && share > 0) edges.push(edge(places[i], places[j], share, numbers[j], rows));
  }));
  const arrow = svg("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 5, refY: 4, markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse", orient: "auto" },
    svg("path", { d: "M0 0 L8 4 L0 8 z", class: "arrow" }));
  return { height, parts: [svg("defs", {}, arrow), edges, rows.map((row, i) => node(places[i], row))] };
}

function drawMatrix(width) {
  const rows = transitionRows();
  return heatMatrix(width, rows.map(({ behaviour }) => behaviour), {
    shares: rows.map(({ shares }) => shares), numbers: rows.map(({ numbers }) => numbers), across: "to", down: "from",
    tell: (a, b, share, number) => [`${a} → ${b}`, `${percent(share)} of what follows, ${count(number)} times`],
  });
}

export function mountTransitions() {
  const host = byId("transitions");
  if (!counts.sessions.some(Boolean)) {
    host.textContent = "This report has no bouts.";
    return;
  }
  const text = el("output", {}, percent(flow.threshold));
  const slider = el("input", { type: "range", min: 0, max: 60, step: 1, value: 100 * flow.threshold, "aria-label": "Show transitions from this share on",
    on: { input: (event) => { flow.threshold = event.target.value / 100; text.textContent = percent(flow.threshold); flow.redraw(); } } });
  const threshold = el("label", { class: "inline" }, "from", slider, text);
  byId("transition-tools").append(threshold, segmented("Form", [["graph", "graph"], ["matrix", "matrix"]], "graph", (form) => {
    flow.form = form;
    threshold.hidden = form === "matrix";
    flow.redraw();
  }));
  flow.redraw = chart(host, "Transitions between behaviours; the same numbers stand in the table below",
    (width) => (flow.form === "graph" ? drawGraph(width) : drawMatrix(width)));
  host.append(el("p", { class: "caption" }, "From one bout to the bout that follows without a gap; what leads to unsure frames is left out, so that the shares of each row sum to 1."));
  tableOf(host, "transitions as a table", () => {
    const rows = transitionRows();
    return { heads: ["from", ...rows.map(({ behaviour }) => nameOf(behaviour))],
      rows: rows.map(({ behaviour, shares, numbers }) => [nameOf(behaviour), ...shares.map((share, j) => `${percent(share)} (${numbers[j]})`)]) };
  });
}
