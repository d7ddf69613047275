// The map of the embedding: colours, zoom, hover, and the choice of a behaviour by a click.

import { mapPoints, report, figures, UNSURE } from "./data.js";
import { el, byId, button, later, prepare, redrawn, segmented, showTip, hideTip } from "./dom.js";
import { clock, count, percent } from "./format.js";
import { GREY, mixed, paletteColour, shade, themeColours } from "./palette.js";
import { bounds, centres, nearestIn, pixelOf, scatter } from "./scatter.js";
import { colourAt, cut, indexOf, isNamed, nameOf, names, numberOf, on, selection } from "./state.js";
import { pickPoint } from "./links.js";

const STRETCH = 1.5; // of one axis against the other, so that the map fills its place
const mapState = { colour: "behaviour", zoom: 1, centreX: 0, centreY: 0, canvas: null, over: null, drag: null };
let lookUp = null;
let labelCentres = null;

function mapLabels() {
  return cut.shown ? cut.shown.label : mapPoints().label;
}

/** Pixel of each point, and its layer: behind, usual, selected. */
function pointPaint(points, theme) {
  const label = mapLabels();
  const { group, colours } = painters[mapState.colour](points, theme);
  const chosen = selection.number === null || cut.shown ? null : indexOf(selection.number);
  const clear = Uint32Array.from(colours, pixelOf);
  const dimmed = Uint32Array.from(colours, (colour) => pixelOf(mixed(colour, theme.panel, 0.4)));
  const pale = mixed(GREY, theme.panel, 0.45);
  const [unsure, unsureDimmed] = [pixelOf(pale), pixelOf(mixed(pale, theme.panel, 0.5))];
  const isChosen = Uint8Array.from({ length: report.labels }, (_, i) => (chosen !== null && indexOf(i) === chosen ? 1 : 0));
  const pixels = new Uint32Array(label.length);
  const layer = new Uint8Array(label.length);
  for (let i = 0; i < label.length; i++) {
    const elsewhere = selection.session !== null && points.session[i] !== selection.session;
    const known = label[i] !== UNSURE;
    const front = known && isChosen[label[i]] === 1;
    const dim = elsewhere || (chosen !== null && !front);
    if (known) pixels[i] = (dim ? dimmed : clear)[group(i)];
    else pixels[i] = dim ? unsureDimmed : unsure;
    layer[i] = elsewhere || !known ? 0 : front ? 2 : 1;
  }
  return { pixels, layer };
}

/** Class of each point, and the colour of each class. */
const painters = {
  behaviour() {
    const label = mapLabels();
    if (cut.shown) return { group: (i) => label[i], colours: cut.shown.colour };
    const colours = Array.from({ length: report.labels }, (_, i) => colourAt(indexOf(i)));
    return { group: (i) => label[i], colours };
  },
  session(points) {
    const colours = [...report.sessions.map((_, i) => paletteColour(i)), GREY]; // grey: sessions that are not in the report
    return { group: (i) => Math.min(points.session[i], colours.length - 1), colours };
  },
  confidence(points, theme) {
    const colours = Array.from({ length: 256 }, (_, value) => shade((value / 255) ** 2, theme));
    return { group: (i) => points.membership[i], colours };
  },
};

/** Pixel = (a + b x, c + d y), for a canvas of the width and height given. */
function projection(points, width, height) {
  mapState.box ??= bounds(points.x, points.y, (i) => points.label[i] !== UNSURE);
  const { left, right, low, high } = mapState.box;
  const margin = 18;
  const across = (width - 2 * margin) / (right - left || 1);
  const down = (height - 2 * margin) / (high - low || 1);
  const [scaleX, scaleY] = [Math.min(across, down * STRETCH), Math.min(down, across * STRETCH)].map((scale) => scale * mapState.zoom);
  const [x, y] = [(left + right) / 2 + mapState.centreX, (low + high) / 2 + mapState.centreY];
  return { a: width / 2 - scaleX * x, b: scaleX, c: height / 2 + scaleY * y, d: -scaleY };
}

function scaledProjection({ a, b, c, d }, ratio) {
  return { a: a * ratio, b: b * ratio, c: c * ratio, d: d * ratio };
}

function drawMap() {
  const points = mapPoints();
  const { canvas } = mapState;
  const width = canvas.parentElement.clientWidth;
  const height = Math.round(Math.min(width * 0.82, 620));
  const began = performance.now();
  const context = prepare(canvas, width, height);
  const theme = themeColours();
  const ratio = canvas.width / width;
  const place = projection(points, width, height);
  const { pixels, layer } = pointPaint(points, theme);
  const radius = Math.max(0.7, Math.sqrt(width / 420) * (points.x.length > 15000 ? 1.1 : points.x.length > 5000 ? 1.5 : 1.8) * Math.min(2.2, mapState.zoom ** 0.4));
  scatter(context, points.x, points.y, scaledProjection(place, ratio), pixels, layer, 3, radius * ratio);
  if (!cut.shown) drawNumbers(context, place, theme, width, height);
  drawPoint(context, points, place, theme);
  figures.mapMs = performance.now() - began;
}

/** Pushes overlapping numbers apart, a little at a time. */
function spread(marks) {
  for (let round = 0; round < 12; round++)
    for (const one of marks)
      for (const other of marks) {
        const [dx, dy] = [other.x - one.x, other.y - one.y];
        const overlap = one !== other && Math.abs(dx) < (one.width + other.width) / 2 && Math.abs(dy) < 15;
        if (overlap) [one.y, other.y] = [one.y - (dy >= 0 ? 1.5 : -1.5), other.y + (dy >= 0 ? 1.5 : -1.5)];
      }
}

/** The number of the behaviour at the centre of each of its labels, and the name of the selected one. */
function drawNumbers(context, place, theme, width, height) {
  labelCentres ??= centres(mapPoints().x, mapPoints().y, mapPoints().label, report.labels);
  context.font = "600 12px system-ui, sans-serif";
  Object.assign(context, { textAlign: "center", textBaseline: "middle", lineJoin: "round", lineWidth: 4 });
  const marks = [];
  labelCentres.forEach((centre, label) => {
    const behaviour = names.list[indexOf(label)];
    if (!centre || behaviour.hidden) return;
    const chosen = numberOf(behaviour) === selection.number;
    const text = chosen && isNamed(behaviour) ? `${numberOf(behaviour)} ${nameOf(behaviour)}`.slice(0, 28) : String(numberOf(behaviour));
    const mark = { x: place.a + place.b * centre[0], y: place.c + place.d * centre[1], text, chosen };
    const reach = -place.d * centre[2]; // a number would hide a small cluster, and stands above it
    if (reach < 14) mark.y -= reach + 9;
    mark.width = context.measureText(text).width + 6;
    const inside = mark.x > -20 && mark.x < width + 20 && mark.y > -20 && mark.y < height + 20;
    if (inside) mark.x = Math.max(mark.width / 2, Math.min(width - mark.width / 2, mark.x));
    if (inside) marks.push(mark);
  });
  spread(marks);
  for (const mark of marks.sort((one, other) => one.chosen - other.chosen)) {
    context.globalAlpha = selection.number === null || mark.chosen ? 1 : 0.7;
    context.font = `${mark.chosen ? "700 14px" : "600 12px"} system-ui, sans-serif`;
    context.strokeStyle = theme.panel;
    context.strokeText(mark.text, mark.x, mark.y);
    context.fillStyle = theme.ink;
    context.fillText(mark.text, mark.x, mark.y);
  }
  context.globalAlpha = 1;
}

function drawPoint(context, points, place, theme) {
  const { point } = selection;
  if (point === null) return;
  const [x, y] = [place.a + place.b * points.x[point], place.c + place.d * points.y[point]];
  for (const [colour, lineWidth, radius] of [[theme.panel, 5, 8], [theme.ink, 2, 8]]) {
    Object.assign(context, { strokeStyle: colour, lineWidth });
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
  }
}

/** The point under the pointer, or -1. */
function pointUnder(event) {
  const points = mapPoints();
  const { canvas } = mapState;
  const box = canvas.getBoundingClientRect();
  const place = projection(points, box.width, box.height);
  lookUp ??= nearestIn(points.x, points.y);
  const [x, y] = [(event.clientX - box.left - place.a) / place.b, (event.clientY - box.top - place.c) / place.d];
  return lookUp(x, y, 12 / place.b);
}

function describePoint(i) {
  const points = mapPoints();
  const label = mapLabels()[i];
  const behaviour = names.list[indexOf(points.label[i])];
  const model = behaviour ? `${numberOf(behaviour)}  ${nameOf(behaviour)}` : "unsure";
  const session = report.sessions[points.session[i]];
  return [
    cut.shown ? (label === UNSURE ? "noise" : `cluster ${label} of this cut`) : model,
    cut.shown ? `the model's label: ${model}` : "",
    `${session ? session.name : "session"}, ${clock(points.startS[i])}`,
    `confidence ${percent(points.membership[i] / 255)}`,
  ];
}

function zoomBy(factor, event) {
  const points = mapPoints();
  const box = mapState.canvas.getBoundingClientRect();
  const at = event ? [event.clientX - box.left, event.clientY - box.top] : [box.width / 2, box.height / 2];
  const before = projection(points, box.width, box.height);
  const [x, y] = [(at[0] - before.a) / before.b, (at[1] - before.c) / before.d];
  mapState.zoom = Math.max(0.5, Math.min(40, mapState.zoom * factor));
  const after = projection(points, box.width, box.height);
  mapState.centreX += x - (at[0] - after.a) / after.b;
  mapState.centreY += y - (at[1] - after.c) / after.d;
  drawMap();
}

function resetZoom() {
  Object.assign(mapState, { zoom: 1, centreX: 0, centreY: 0 });
  drawMap();
}

function panBy(dx, dy) {
  const box = mapState.canvas.getBoundingClientRect();
  const { b, d } = projection(mapPoints(), box.width, box.height);
  mapState.centreX -= dx / b;
  mapState.centreY -= dy / d;
  drawMap();
}

function mapMove(event) {
  const { drag } = mapState;
  if (drag) {
    const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
    if (!drag.moved && Math.hypot(dx, dy) < 4) return;
    Object.assign(drag, { moved: true, x: event.clientX, y: event.clientY });
    panBy(dx, dy);
    return;
  }
  const point = pointUnder(event);
  mapState.canvas.style.setProperty("cursor", point < 0 ? "grab" : "pointer");
  if (point < 0) hideTip();
  else showTip(event, describePoint(point));
}

function listenToMap(canvas) {
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomBy(Math.exp(-event.deltaY / 400), event);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    mapState.drag = { x: event.clientX, y: event.clientY, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", mapMove);
  canvas.addEventListener("pointerleave", hideTip);
  canvas.addEventListener("pointerup", (event) => {
    const moved = mapState.drag?.moved;
    mapState.drag = null;
    const point = moved ? -1 : pointUnder(event);
    if (point >= 0) pickPoint(point);
  });
}

/** A legend where colours do not stand for behaviours. */
function showLegend(place) {
  const theme = themeColours();
  const key = (colour, text) => {
    const swatch = el("span", { class: "dot", style: { "background-color": colour } });
    return el("span", { class: "key" }, swatch, text);
  };
  if (mapState.colour === "session")
    place.replaceChildren(...report.sessions.map((session, i) => key(paletteColour(i), session.name)));
  else if (mapState.colour === "confidence")
    place.replaceChildren(...[0.25, 0.5, 0.75, 1].map((share) => key(shade(share ** 2, theme), percent(share))));
  else place.replaceChildren(cut.shown ? "Colours follow the model's labels where clusters agree." : "Numbers are those of the list. Grey: unsure.");
}

export function mountMap() {
  const host = byId("map");
  if (!report.map) {
    host.append(el("p", { class: "muted" }, "This report has no map of the embedding."));
    return;
  }
  const { shown, bins, method } = report.map;
  const canvas = el("canvas", { id: "map-canvas", role: "img", "aria-label":
    `Map of the embedding (${method}): ${count(shown)} bins, coloured by behaviour. The list of behaviours holds the same groups as text.` });
  mapState.canvas = canvas;
  const legend = el("div", { class: "legend" });
  const draw = () => { drawMap(); showLegend(legend); };
  const colours = [["behaviour", "behaviour"], ["session", "session"], ["confidence", "confidence"]];
  byId("map-tools").append(
    segmented("Colour of the points", colours, "behaviour", (value) => { mapState.colour = value; draw(); }),
    el("span", { class: "group" },
      button("−", () => zoomBy(1 / 1.6), { "aria-label": "Zoom out of the map" }),
      button("+", () => zoomBy(1.6), { "aria-label": "Zoom into the map" }),
      button("whole", resetZoom, { "aria-label": "Show the whole map" })));
  const part = shown < bins ? `${count(shown)} of ${count(bins)} bins` : `${count(bins)} bins`;
  host.append(el("div", { class: "canvas-host" }, canvas), legend,
    el("p", { class: "caption" }, `${part} of 100 ms in the ${method.toUpperCase()} embedding; near points are similar movements. Click a point to see its behaviour.`));
  listenToMap(canvas);
  redrawn(host, draw);
  for (const event of ["selection", "behaviours", "cut", "theme"]) on(event, () => later(draw));
}
