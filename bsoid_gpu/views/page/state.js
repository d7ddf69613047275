// What is selected, and the behaviours with their names; every change is announced to the views.

import { report } from "./data.js";
import { GREY, paletteColour } from "./palette.js";

const listeners = { selection: [], behaviours: [], cut: [], theme: [] };
const NONE = -1;
const past = []; // earlier lists of behaviours, for undo

/** number: a behaviour; clip, point: indices; bout: {session, start}; session: index. */
export const selection = { number: null, clip: null, point: null, bout: null, session: null };
export const names = { list: [], version: report.version, savedText: "" };
/** The tree cut at another size: {index or size, clusters, noise, label, colour}, or null: the labels of the model. */
export const cut = { shown: null };

export function on(event, listener) {
  listeners[event].push(listener);
}

export function announce(event) {
  for (const listener of listeners[event]) listener();
}

/** Selects; what is not named stays, but another behaviour lets go of the clip, point and bout. */
export function select(change) {
  const other = "number" in change && change.number !== selection.number;
  if (other) Object.assign(selection, { clip: null, point: null, bout: null });
  Object.assign(selection, change);
  announce("selection");
}

export function numberOf(behaviour) {
  return Math.min(...behaviour.labels);
}

export function behaviourNumbered(number) {
  return names.list.find((behaviour) => numberOf(behaviour) === number) ?? null;
}

let indexOfLabel = [];
/** Index in names.list of the behaviour of a label; -1 for unsure. */
export function indexOf(label) {
  return label < 0 ? -1 : indexOfLabel[label];
}

export function isNamed(behaviour) {
  const name = behaviour.name.trim();
  return name !== "" && !(behaviour.labels.length === 1 && name === `label ${behaviour.labels[0]}`);
}

/** The name that the user gave, or the labels. */
export function nameOf(behaviour) {
  if (behaviour.name.trim()) return behaviour.name;
  return behaviour.labels.length === 1 ? `label ${behaviour.labels[0]}` : `labels ${behaviour.labels.join(" + ")}`;
}

export function colourOf(behaviour) {
  return /^#[0-9a-f]{6}$/i.test(behaviour.colour) ? behaviour.colour : paletteColour(numberOf(behaviour));
}

/** Colour in charts: hidden behaviours and unsure frames are grey. */
export function colourAt(index) {
  return index < 0 || names.list[index].hidden ? GREY : colourOf(names.list[index]);
}

export function shownBehaviours() {
  return names.list.map((behaviour, index) => ({ behaviour, index })).filter(({ behaviour }) => !behaviour.hidden);
}

function copied(list) {
  return list.map((behaviour) => ({ ...behaviour, labels: [...behaviour.labels] }));
}

/** Replaces all behaviours, without a step to undo. */
export function setBehaviours(list) {
  names.list = copied(list).sort((a, b) => numberOf(a) - numberOf(b));
  for (const behaviour of names.list) behaviour.labels.sort((a, b) => a - b);
  indexOfLabel = new Array(report.labels).fill(-1);
  names.list.forEach((behaviour, index) => behaviour.labels.forEach((label) => { indexOfLabel[label] = index; }));
  const owner = names.list[indexOf(selection.number ?? NONE)];
  if (owner && numberOf(owner) !== selection.number) selection.number = numberOf(owner);
}


/** One change of the behaviours that can be undone. */
export function edit(change) {
  past.push(copied(names.list));
  setBehaviours(change(copied(names.list)));
  announce("behaviours");
  announce("selection");
}

export function change(number, values) {
  edit((list) => list.map((item) => (numberOf(item) === number ? { ...item, ...values } : item)));
}

export function canUndo() {
  return past.length > 0;
}

export function undo() {
  if (!past.length) return;
  setBehaviours(past.pop());
  announce("behaviours");
  announce("selection");
}

/** Joins behaviours into one; it takes the name given, or the first name that a user gave. */
export function merge(numbers, name = "") {
  edit((list) => {
    const parts = list.filter((item) => numbers.includes(numberOf(item)));
    const named = parts.find(isNamed);
    const labels = parts.flatMap((item) => item.labels);
    const whole = { labels, name: name || (named ? named.name : ""), description: "", colour: "", hidden: false };
    whole.description = parts.map((item) => item.description).filter(Boolean).join(" ");
    whole.colour = (named ?? parts[0]).colour;
    return [...list.filter((item) => !parts.includes(item)), whole];
  });
  select({ number: Math.min(...numbers) });
}

/** Parts a behaviour into its labels; the first keeps name, description and colour. */
export function unmerge(number) {
  edit((list) => list.flatMap((item) => {
    if (numberOf(item) !== number) return [item];
    const bare = (label) => ({ labels: [label], name: `label ${label}`, description: "", colour: "", hidden: item.hidden });
    const [first, ...others] = [...item.labels].sort((a, b) => a - b);
    return [{ ...item, labels: [first], name: item.name || `label ${first}` }, ...others.map(bare)];
  }));
}
