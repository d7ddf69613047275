// The tree of clusters cut at other sizes, and the dendrogram of the labels.

import { mapPoints, report, unpack, unpackLabels, UNSURE } from "./data.js";
import { chart, marksBehaviour } from "./charts.js";
import { byId, button, el, say, segmented, svg } from "./dom.js";
import { percent, plural, seconds } from "./format.js";
import { GREY, paletteColour } from "./palette.js";
import { applyCut, applyProgress, recutTree } from "./server.js";
import { announce, colourAt, colourOf, cut, indexOf, nameOf, names, numberOf, on } from "./state.js";

const tree = { place: report.tree?.chosen ?? 0, kind: report.tree?.selection ?? "leaf", size: null };
const NOISE_LABEL = 65535;

/** Colours of clusters: that of the model's label with which a cluster shares most points, each colour once. */
function clusterColours(label, clusters) {
  const model = mapPoints().label;
  const shared = new Map();
  for (let i = 0; i < label.length; i++) {
    if (label[i] < 0 || model[i] < 0) continue;
    const key = label[i] * report.labels + model[i];
    shared.set(key, (shared.get(key) ?? 0) + 1);
  }
  const colours = new Array(clusters).fill(null);
  const taken = new Set();
  for (const [key] of [...shared].sort((a, b) => b[1] - a[1])) {
    const [cluster, own] = [Math.floor(key / report.labels), key % report.labels];
    if (colours[cluster] || taken.has(own)) continue;
    colours[cluster] = colourAt(indexOf(own));
    taken.add(own);
  }
  let next = report.labels;
  return colours.map((colour) => colour ?? paletteColour(next++));
}

function showCut(label, clusters, noise) {
  let highest = clusters;
  for (const value of label) if (value >= highest) highest = value + 1;
  cut.shown = { label, clusters, noise, colour: clusterColours(label, highest) };
  announce("cut");
}

/** Labels of the map's points at one of the sizes of the report. */
function cutLabels(place) {
  const all = unpack(report.tree.cuts);
  const size = report.tree.cuts.shape[1];
  return Int32Array.from(all.subarray(place * size, (place + 1) * size), (value) => (value === NOISE_LABEL ? UNSURE : value));
}

function noiseText(noise) {
  return `${percent(noise > 1 ? noise / report.map.bins : noise)} noise`;
}

function sizeText(bins, size_s) {
  return `Smallest cluster ${plural(bins, "bin")} (${seconds(size_s)})`;
}

function chooseSize(place) {
  tree.place = Math.max(0, Math.min(report.tree.sizes.length - 1, place));
  const { sizes, size_s, clusters, noise } = report.tree;
  tree.size = sizes[tree.place];
  byId("tree-slider").value = tree.place;
  const text = `${sizeText(tree.size, size_s[tree.place])}: ${plural(clusters[tree.place], "cluster")}, ${noiseText(noise[tree.place])}`;
  byId("tree-slider").setAttribute("aria-valuetext", text);
  byId("tree-text").textContent = text;
  showCut(cutLabels(tree.place), clusters[tree.place], noise[tree.place]);
}

export function stepTree(steps) {
  if (report.map && report.tree?.sizes.length > 1) chooseSize(tree.place + steps);
}

export function modelLabels() {
  if (!byId("tree-text")) return;
  tree.place = report.tree.chosen ?? 0;
  byId("tree-slider").value = tree.place;
  byId("tree-text").textContent = `The map shows the model's labels (${plural(report.labels, "label")}).`;
  cut.shown = null;
  announce("cut");
}

async function recut() {
  const size = Number(byId("tree-size").value);
  if (!(Number.isInteger(size) && size >= 2)) {
    say(`The smallest cluster is "${byId("tree-size").value}" bins; type a whole number from 2 on.`);
    return;
  }
  const before = byId("tree-text").textContent;
  byId("tree-text").textContent = "Cutting the tree; the first cut can take a minute…";
  try {
    const answer = await recutTree(size, tree.kind);
    tree.size = size;
    byId("tree-text").textContent = `Smallest cluster ${plural(size, "bin")}, ${tree.kind}: ${plural(answer.clusters, "cluster")}, ${noiseText(answer.noise)}`;
    showCut(unpackLabels(answer.labels), answer.clusters, answer.noise);
  } catch (error) {
    byId("tree-text").textContent = before;
    say(`The tree is not cut: ${error.message}`);
  }
}

async function apply() {
  const size = Number(byId("tree-size").value) || tree.size;
  const place = byId("tree-progress");
  byId("tree-apply").disabled = true;
  try {
    await applyCut(size, tree.kind);
    for (;;) {
      const progress = await applyProgress();
      if (progress.error) throw new Error(progress.error);
      if (progress.done || !progress.running) break;
      place.replaceChildren(el("progress", progress.share == null ? {} : { max: 1, value: progress.share }), ` ${progress.message}`);
      await new Promise((resolve) => { setTimeout(resolve, 500); });
    }
    window.location.reload();
  } catch (error) {
    place.textContent = `Not applied: ${error.message}`;
    byId("tree-apply").disabled = false;
  }
}

function serverTools() {
  const size = el("input", { id: "tree-size", type: "number", min: 2, step: 1, value: report.tree.sizes[tree.place], "aria-label": "Smallest cluster, in bins",
    on: { keydown: (event) => { if (event.key === "Enter") recut(); } } });
  return el("div", { class: "tools" }, el("label", { class: "inline" }, "smallest cluster", size, "bins"),
    segmented("Selection", [["leaf", "leaf"], ["eom", "eom"]], tree.kind, (kind) => { tree.kind = kind; recut(); }),
    button("cut", recut), button("apply", apply, { id: "tree-apply", title: "Makes a model with these clusters; the names of the old labels do not carry over." }),
    el("span", { id: "tree-progress", role: "status" }));
}

function mountSlider() {
  const host = byId("tree");
  if (!report.tree || !report.map) return;
  const slider = el("input", { id: "tree-slider", type: "range", min: 0, max: report.tree.sizes.length - 1, step: 1, value: tree.place,
    "aria-label": "Smallest cluster of the tree", on: { input: (event) => chooseSize(Number(event.target.value)) } });
  const several = report.tree.sizes.length > 1;
  if (!several && !report.server) return;
  host.append(el("div", { class: "tree-row", hidden: !several }, el("span", {}, "more clusters"), slider, el("span", {}, "fewer"),
    button("model's labels", modelLabels, { id: "tree-model" })), el("p", { id: "tree-text", class: "tree-text", role: "status" }),
  report.server ? serverTools() : "");
  modelLabels();
  on("behaviours", () => { if (cut.shown) showCut(cut.shown.label, cut.shown.clusters, cut.shown.noise); });
}

/** Places of the merges: leaves in the order of the tree, one row each. */
function layout(merges, leaves) {
  const children = new Map(merges.map((merge, i) => [leaves + i, merge]));
  const order = [];
  const stack = [leaves + merges.length - 1];
  while (stack.length) {
    const id = stack.pop();
    if (children.has(id)) stack.push(children.get(id)[1], children.get(id)[0]);
    else order.push(id);
  }
  const places = new Map(order.map((leaf, row) => [leaf, { row, height: 0 }]));
  merges.forEach(([left, right, height], i) => {
    const [a, b] = [places.get(left), places.get(right)];
    places.set(leaves + i, { row: (a.row + b.row) / 2, height });
  });
  return { order, places };
}

function drawDendrogram(width) {
  const { merges } = report.dendrogram;
  const leaves = report.labels;
  const { order, places } = layout(merges, leaves);
  const row = 18;
  const highest = Math.max(1e-9, ...merges.map((merge) => merge[2]));
  const right = width - Math.min(190, width * 0.34);
  const x = (height) => right - (height / highest) * (right - 10);
  const y = (place) => 10 + (place + 0.5) * row;
  const owner = (id) => (id < leaves ? indexOf(id) : owners[id - leaves]);
  const owners = [];
  merges.forEach(([left, other]) => owners.push(owner(left) === owner(other) ? owner(left) : null));
  const lines = merges.map(([left, other, height], i) => {
    const [a, b] = [places.get(left), places.get(other)];
    const d = `M${x(a.height)} ${y(a.row)} H${x(height)} V${y(b.row)} H${x(b.height)}`;
    return svg("path", { d, class: "branch", stroke: owners[i] === null ? null : colourAt(owners[i]) });
  });
  const labels = order.map((label, i) => {
    const behaviour = names.list[indexOf(label)];
    const name = `${label}  ${behaviour.labels.length > 1 || nameOf(behaviour) !== `label ${label}` ? nameOf(behaviour) : ""}`;
    return svg("g", marksBehaviour(behaviour, () => [`label ${label}`, `${numberOf(behaviour)}  ${nameOf(behaviour)}`]),
      svg("rect", { x: right + 4, y: y(i) - 6, width: 12, height: 12, rx: 2, fill: behaviour.hidden ? GREY : colourOf(behaviour) }),
      svg("text", { x: right + 21, y: y(i) + 4 }, name.length > 22 ? `${name.slice(0, 21)}…` : name));
  });
  const bottom = 10 + order.length * row;
  const title = svg("text", { x: 10, y: bottom + 16, class: "axis-title" }, "← less alike: distance between the centres of labels");
  return { height: bottom + 24, parts: [lines, labels, title] };
}

export function mountTree() {
  mountSlider();
  if (!report.dendrogram?.merges.length) {
    byId("dendrogram").textContent = "This report has no dendrogram.";
    return;
  }
  chart(byId("dendrogram"), "Dendrogram of the labels: labels that join early are alike", drawDendrogram);
}
