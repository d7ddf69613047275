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

/** Name of a behaviour to which the user has given none. */
function plainName(behaviour) {
  return `label ${behaviour.labels.join(" + ")}`;
}

export function isNamed(behaviour) {
  return behaviour.name !== "";
}

/** The name that the user gave, or the labels. */
export function nameOf(behaviour) {
  return behaviour.name || plainName(behaviour);
}

/** Another behaviour that has this name, or undefined: two of one name could not be told apart in tables. */
export function ownerOf(name, numbers) {
  return names.list.find((item) => nameOf(item) === name && !numbers.includes(numberOf(item)));
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

/** A behaviour without the name and colour that it has anyhow. */
function withoutDefaults(behaviour) {
  behaviour.labels.sort((a, b) => a - b);
  const name = behaviour.name.trim();
  behaviour.name = name === plainName(behaviour) ? "" : name;
  if (behaviour.colour === paletteColour(behaviour.labels[0])) behaviour.colour = "";
  return behaviour;
}

/** Replaces all behaviours, without a step to undo. */
export function setBehaviours(list) {
  names.list = copied(list).map(withoutDefaults).sort((a, b) => a.labels[0] - b.labels[0]);
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
    const bare = (label) => ({ labels: [label], name: "", description: "", colour: "", hidden: item.hidden });
    const [first, ...others] = [...item.labels].sort((a, b) => a - b);
    return [{ ...item, labels: [first] }, ...others.map(bare)];
  }));
}
