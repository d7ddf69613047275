// What the numbers say of a behaviour: sentences and values with units.

import { report } from "./data.js";
import { byId, el } from "./dom.js";
import { asNumber, plural } from "./format.js";
import { behaviourNumbered, change, colourOf, nameOf, numberOf, on, selection } from "./state.js";
import { inkOn } from "./palette.js";

const STRONG = 0.25; // AUC of 0.75, or 0.25
const [FEW, MOST_FIRST] = [3, 8]; // rows of the first table
const byLabels = new Map(report.descriptions.map((item) => [String([...item.labels].sort((a, b) => a - b)), item]));

/** Descriptions of a behaviour: its own, or those of its labels where it was merged in this page. */
export function descriptionsOf(behaviour) {
  const own = byLabels.get(String(behaviour.labels));
  if (own) return [own];
  return behaviour.labels.map((label) => byLabels.get(String([label]))).filter(Boolean);
}

export function firstSentence(behaviour) {
  const first = descriptionsOf(behaviour)[0];
  if (!first) return "";
  return first.sentences[0] ?? (first.signature ? "" : "No clear signature.");
}

export function sentencesOf(description) {
  return description.signature ? description.sentences.join(" ")
    : description.sentences.join(" ") || "No clear signature: no value sets this behaviour apart from the rest in most animals.";
}

/** A bar for how well a value separates: 0.5 is chance. */
function aucCell(auc) {
  if (auc == null) return el("td", { class: "number" }, "–");
  const share = Math.min(1, Math.abs(auc - 0.5) * 2);
  return el("td", { class: "number" }, el("span", { class: "bar small" }, el("span", { style: { width: `${100 * share}%` } })), auc.toFixed(2));
}

function valueRow(value) {
  const strong = separation(value) >= STRONG;
  return el("tr", { class: strong ? "strong" : "" },
    el("th", { scope: "row" }, value.name, el("span", { class: "unit" }, value.unit ? ` ${value.unit}` : "")),
    el("td", { class: "number" }, asNumber(value.median)),
    el("td", { class: "number" }, `${asNumber(value.q25)} to ${asNumber(value.q75)}`),
    el("td", { class: "number" }, asNumber(value.rest_median)),
    aucCell(value.auc));
}

/** How well a value separates, from 0 to 0.5. */
function separation({ auc }) {
  return auc == null ? 0 : Math.abs(auc - 0.5);
}

/** The values that separate best; all of them on request. */
function valueTables(description) {
  const values = [...(description.values ?? [])].sort((a, b) => separation(b) - separation(a));
  const first = values.filter((value, i) => i < FEW || (i < MOST_FIRST && separation(value) >= STRONG));
  if (values.length <= first.length + 1) return values.length ? [valueTable(values)] : [];
  const all = el("details", { class: "as-table" }, el("summary", {}, `all ${values.length} values`));
  all.addEventListener("toggle", () => { if (all.open && !all.querySelector("table")) all.append(valueTable(values)); });
  return [valueTable(first), all];
}

function valueTable(values) {
  const heads = [["value", ""], ["median", "number"], ["middle half", "number"], ["the rest", "number"], ["separation (AUC)", "number"]];
  return el("table", { class: "values" },
    el("thead", {}, el("tr", {}, heads.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)))),
    el("tbody", {}, values.map(valueRow)));
}

function block(description, behaviour) {
  const several = behaviour.labels.length > 1 && description.labels.length === 1;
  return [
    several && el("h4", {}, `label ${description.labels[0]}`),
    el("p", { class: description.signature ? "sentences" : "sentences no-signature" }, sentencesOf(description)),
    valueTables(description),
  ];
}

function ownWords(behaviour) {
  const number = numberOf(behaviour);
  return el("label", { class: "own-words" }, "your words",
    el("textarea", { rows: 3, id: "own-words", "aria-label": `Your description of behaviour ${number}`, value: behaviour.description,
      placeholder: "What do you see? Saved with the names.",
      on: { change: (event) => change(number, { description: event.target.value.trim() }) } }));
}

function fillDescription() {
  const behaviour = behaviourNumbered(selection.number);
  const place = byId("description");
  const head = byId("behaviour-title");
  if (!behaviour) {
    place.replaceChildren();
    head.replaceChildren("No behaviour is selected");
    return;
  }
  const colour = colourOf(behaviour);
  head.replaceChildren(el("span", { class: "swatch", style: { "background-color": colour, color: inkOn(colour) } }, String(numberOf(behaviour))), nameOf(behaviour));
  const parts = descriptionsOf(behaviour);
  const merged = parts.length > 1 && el("p", { class: "muted" },
    `Merged from ${plural(parts.length, "label")}, each described by itself; the next report describes them together.`);
  place.replaceChildren(el("div", { class: "measured" }, merged, parts.map((item) => block(item, behaviour))), ownWords(behaviour));
}

export function mountDescription() {
  on("selection", fillDescription);
  on("behaviours", fillDescription);
}
