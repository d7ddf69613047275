// How far the labels can be trusted: held-out accuracy, confusion, stability, tracking.

import { report } from "./data.js";
import { chart, tableOf } from "./charts.js";
import { byId, el } from "./dom.js";
import { asNumber, clock, count, percent } from "./format.js";
import { heatMatrix } from "./matrix.js";
import { shade, inkOn, themeColours } from "./palette.js";
import { indexOf, nameOf, numberOf, on, shownBehaviours } from "./state.js";

const SCORE_NAMES = {
  held_out_random: "Held-out accuracy, random bins",
  held_out_blocks: "Held-out accuracy, time blocks",
  noise_share: "Noise: bins in no cluster",
  bins: "Bins used for training",
  clusters: "Clusters",
  cross_validation_mean: "Cross-validation accuracy, mean",
  largest_label_share: "Share of the largest label",
  training_s: "Time used for training",
  session_information: "Session information, 0 to 1",
};

/** Agreement in words: adjusted Rand index of labels of models from other random numbers. */
export function stabilityText() {
  const { stability } = report;
  if (!stability) return "";
  const back = stability.returns_in.filter((times) => times === stability.models).length;
  const index = stability.adjusted_rand;
  const grade = index >= 0.8 ? "high" : index >= 0.5 ? "moderate" : "low";
  const rand = index == null ? "" : `; agreement is ${grade} (adjusted Rand index ${index.toFixed(2)})`;
  return `${back} of ${report.labels} labels return in ${stability.models === 2 ? "both" : `all ${stability.models}`} models${rand}`;
}

function scoreValue(name, value) {
  if (value == null) return "not measured";
  if (name.endsWith("_s")) return clock(value, 0);
  return /^held_out|^cross_validation|share$/.test(name) ? percent(value) : asNumber(value);
}

function fillScores() {
  const rows = Object.entries(report.scores).map(([name, value]) => {
    const title = SCORE_NAMES[name] ?? name.replaceAll("_", " ");
    return [el("dt", {}, title), el("dd", {}, scoreValue(name, value))];
  });
  if (report.stability) rows.push([el("dt", {}, "Stability"), el("dd", {}, `${stabilityText()}.`)]);
  byId("scores").replaceChildren(...rows.flat());
}

/** Confusion of behaviours: rows and columns of the labels of one behaviour are added. */
function confusionRows() {
  const shown = shownBehaviours();
  const place = new Map(shown.map(({ index }, i) => [index, i]));
  const numbers = shown.map(() => new Array(shown.length).fill(0));
  report.confusion.forEach((row, label) => row.forEach((value, predicted) => {
    const [i, j] = [place.get(indexOf(label)), place.get(indexOf(predicted))];
    if (i !== undefined && j !== undefined) numbers[i][j] += value;
  }));
  const shares = numbers.map((row) => {
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => (total ? value / total : 0));
  });
  return { behaviours: shown.map(({ behaviour }) => behaviour), numbers, shares };
}

function mountConfusion() {
  const host = byId("confusion");
  if (!report.confusion) {
    host.textContent = "No confusion was measured for this report.";
    return;
  }
  chart(host, "Confusion matrix; the same numbers stand in the table below", (width) => {
    const { behaviours, numbers, shares } = confusionRows();
    return heatMatrix(width, behaviours, { shares, numbers, across: "predicted", down: "cluster",
      tell: (a, b, share, number) => [`cluster ${a}`, `predicted ${b}`, `${percent(share)} of the row, ${count(number)} bins`] });
  });
  host.append(el("p", { class: "caption" }, "Held-out bins: each row sums to 100 %. What lies off the diagonal is taken for another behaviour."));
  tableOf(host, "confusion as a table", () => {
    const { behaviours, numbers } = confusionRows();
    const label = (item) => `${numberOf(item)} ${nameOf(item)}`;
    return { heads: ["cluster", ...behaviours.map(label)], rows: behaviours.map((item, i) => [label(item), ...numbers[i].map(count)]) };
  });
}

function shareCell(value, theme) {
  if (typeof value !== "number") return el("td", { class: "number" }, value == null ? "–" : String(value));
  const fill = shade(Math.min(1, value * 2), theme);
  return el("td", { class: "number", style: { "background-color": fill, color: inkOn(fill) } }, percent(value));
}

const MEASURE_NAMES = { low_share: "low confidence", missing_share: "missing", jump_share: "jumps" };
const quality = { measure: null };

function measures() {
  const keys = new Set(report.sessions.flatMap((session) => session.quality.flatMap((item) => Object.keys(item))));
  return [...keys].filter((key) => key !== "keypoint");
}

function fillQuality() {
  const theme = themeColours();
  const { measure } = quality;
  const cell = (value) => (measure.endsWith("share") ? shareCell(value, theme) : el("td", { class: "number" }, typeof value === "number" ? asNumber(value) : value ?? "–"));
  const sessions = report.sessions.filter((session) => session.quality.length);
  const value = (session, keypoint) => session.quality.find((item) => item.keypoint === keypoint)?.[measure];
  const down = sessions.length > report.keypoints.length; // the longer of the two goes down the page
  const keypoints = report.keypoints;
  const heads = down ? ["session", ...keypoints] : ["keypoint", ...sessions.map((session) => session.name)];
  const rows = down ? sessions.map((session) => [session.name, keypoints.map((keypoint) => cell(value(session, keypoint)))])
    : keypoints.map((keypoint) => [keypoint, sessions.map((session) => cell(value(session, keypoint)))]);
  byId("quality-table").replaceChildren(
    el("thead", {}, el("tr", {}, heads.map((head, i) => el("th", { scope: "col", class: i ? "number" : "" }, head)))),
    el("tbody", {}, rows.map(([head, cells]) => el("tr", {}, el("th", { scope: "row" }, head), cells))));
}

function mountTracking() {
  const all = measures();
  if (!all.length) {
    byId("quality-table").replaceWith(el("p", { class: "muted" }, "No tracking quality was measured for this report."));
    return;
  }
  quality.measure = all.includes("low_share") ? "low_share" : all[0];
  const title = (key) => MEASURE_NAMES[key] ?? key.replace(/_share$/, "").replaceAll("_", " ");
  byId("quality-tools").append(el("select", { "aria-label": "What is shown of the tracking", on: { change: (event) => { quality.measure = event.target.value; fillQuality(); } } },
    all.map((key) => el("option", { value: key, selected: key === quality.measure }, title(key)))));
  fillQuality();
  on("theme", fillQuality);
}

export function mountQuality() {
  fillScores();
  mountConfusion();
  mountTracking();
}
