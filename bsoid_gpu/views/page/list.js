// The list of behaviours: names, colours, merges; and merges that are proposed.

import { report } from "./data.js";
import { counts } from "./counts.js";
import { byId, button, el, say } from "./dom.js";
import { firstSentence } from "./descriptions.js";
import { percent, plural, seconds, quantile } from "./format.js";
import { inkOn } from "./palette.js";
import {
  behaviourNumbered, change, colourOf, isNamed, merge, nameOf, names, numberOf, on, ownerOf, select, selection, unmerge,
} from "./state.js";

const listState = { order: "usage", search: "", marked: new Set(), editing: null, refused: new Set() };

function matches(behaviour) {
  const text = `${numberOf(behaviour)} ${nameOf(behaviour)} ${behaviour.description} ${firstSentence(behaviour)}`;
  return text.toLowerCase().includes(listState.search.toLowerCase());
}

/** Behaviours in the order of the list, hidden ones last. */
export function listed() {
  const rank = (item) => (listState.order === "usage" ? -counts.behaviours[item.index].share : numberOf(item.behaviour));
  return names.list.map((behaviour, index) => ({ behaviour, index }))
    .filter(({ behaviour }) => matches(behaviour))
    .sort((a, b) => a.behaviour.hidden - b.behaviour.hidden || rank(a) - rank(b) || a.index - b.index);
}

function returnsText(behaviour) {
  if (!report.stability) return "";
  const times = behaviour.labels.map((label) => report.stability.returns_in[label]);
  const [low, high] = [Math.min(...times), Math.max(...times)];
  return `returns in ${low === high ? low : `${low} to ${high}`} of ${plural(report.stability.models, "model")}`;
}

/** A name on one line. */
function cleanName(text) {
  return text.replace(/[\u0000-\u001f\u007f]+/g, " ").trim();
}

/** Whether behaviours may have a name; else says why. */
function mayHave(name, numbers) {
  const other = name && ownerOf(name, numbers);
  if (other) say(`Behaviour ${numberOf(other)} is called "${name}" already: merge the two, or choose another name.`);
  return !other;
}

function nameField(behaviour) {
  const number = numberOf(behaviour);
  const input = el("input", {
    class: "name-input", "aria-label": `Name of behaviour ${number}`, value: isNamed(behaviour) ? behaviour.name : "",
    placeholder: `label ${behaviour.labels.join(" + ")}`, maxlength: 100, spellcheck: "false",
  });
  const finish = (accept) => {
    if (listState.editing !== number) return;
    listState.editing = null;
    const name = cleanName(input.value);
    if (accept && name !== behaviour.name && mayHave(name, [number])) change(number, { name });
    else fillList();
    byId(`behaviour-${number}`)?.querySelector(".pick")?.focus({ preventScroll: true });
  };
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") finish(true);
    if (event.key === "Escape") finish(false);
    event.stopPropagation();
  });
  input.addEventListener("blur", () => finish(true));
  return input;
}

export function editName(number = selection.number) {
  if (number === null || !behaviourNumbered(number)) return;
  listState.editing = number;
  fillList();
  const input = document.querySelector(".name-input");
  input?.focus();
  input?.select();
}

function colourField(behaviour) {
  const number = numberOf(behaviour);
  const colour = colourOf(behaviour);
  const input = el("input", { type: "color", value: colour, "aria-label": `Colour of behaviour ${number}`,
    on: { change: (event) => change(number, { colour: event.target.value }) } });
  return el("label", { class: "swatch", title: "change the colour", style: { "background-color": colour, color: inkOn(colour) } },
    String(number), input);
}

function rowTools(behaviour) {
  const number = numberOf(behaviour);
  return el("span", { class: "row-tools" },
    button("rename", () => editName(number)),
    behaviour.labels.length > 1 && button("unmerge", () => unmerge(number)),
    button(behaviour.hidden ? "show" : "hide", () => change(number, { hidden: !behaviour.hidden })));
}

function row({ behaviour, index }) {
  const number = numberOf(behaviour);
  const { share, bouts, durations } = counts.behaviours[index];
  const chosen = number === selection.number;
  const sentence = firstSentence(behaviour).replace(/ \([^)]*\)/g, "");
  const mark = el("input", { type: "checkbox", checked: listState.marked.has(number), "aria-label": `Mark behaviour ${number} for a merge`,
    on: { change: (event) => { listState.marked[event.target.checked ? "add" : "delete"](number); showMerge(); } } });
  const title = listState.editing === number ? nameField(behaviour)
    : el("button", { type: "button", class: isNamed(behaviour) ? "pick" : "pick unnamed", "aria-current": chosen ? "true" : null,
      on: { click: () => select({ number }), dblclick: () => editName(number) } }, nameOf(behaviour));
  const facts = [plural(bouts, "bout"), bouts && durations.length ? `median ${seconds(quantile(durations, 0.5))}` : "", returnsText(behaviour)];
  const labels = behaviour.labels.length > 1 ? el("span", { class: "labels" }, `labels ${behaviour.labels.join(" + ")}`) : null;
  const bar = el("span", { class: "bar" }, el("span", { style: { width: `${100 * share / largestShare()}%`, "background-color": colourOf(behaviour) } }));
  return el("li", { id: `behaviour-${number}`, class: `${chosen ? "chosen" : ""} ${behaviour.hidden ? "is-hidden" : ""}`,
    on: { click: (event) => { if (!event.target.closest("input, button, label")) select({ number }); } } },
  el("div", { class: "row-head" }, mark, colourField(behaviour), title, bar, el("span", { class: "share" }, percent(share))),
  el("div", { class: "row-facts" }, labels, el("span", {}, facts.filter(Boolean).join(" · "))),
  sentence && el("div", { class: "row-sentence" }, sentence),
  chosen && rowTools(behaviour));
}

function largestShare() {
  return Math.max(1e-9, ...counts.behaviours.map(({ share }) => share));
}

function fillList() {
  const rows = listed();
  byId("list").replaceChildren(...rows.map(row));
  byId("list-count").textContent = rows.length === names.list.length ? plural(rows.length, "behaviour")
    : `${rows.length} of ${plural(names.list.length, "behaviour")}`;
}

function keepInView() {
  const place = byId("list");
  const item = byId(`behaviour-${selection.number}`);
  if (!item) return;
  const top = item.offsetTop - place.offsetTop;
  if (top < place.scrollTop) place.scrollTop = top - 4;
  else if (top + item.offsetHeight > place.scrollTop + place.clientHeight) place.scrollTop = top + item.offsetHeight - place.clientHeight + 4;
}

/** Selects the behaviour that is so many rows below in the list. */
export function moveSelection(steps) {
  const rows = listed();
  if (!rows.length) return;
  const place = rows.findIndex(({ behaviour }) => numberOf(behaviour) === selection.number);
  const next = place < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, place + steps));
  select({ number: numberOf(rows[next].behaviour) });
}

function showMerge() {
  for (const number of [...listState.marked]) if (!behaviourNumbered(number)) listState.marked.delete(number);
  const numbers = [...listState.marked].sort((a, b) => a - b);
  byId("merge-bar").hidden = numbers.length < 2;
  byId("merge-text").textContent = `Merge ${numbers.join(" + ")} as`;
}

function mergeMarked() {
  const numbers = [...listState.marked];
  const name = cleanName(byId("merge-name").value);
  if (!mayHave(name, numbers)) return;
  listState.marked.clear();
  byId("merge-name").value = "";
  merge(numbers, name);
  say(`Behaviours ${numbers.sort((a, b) => a - b).join(" and ")} are one now; undo parts them again.`);
}

/** Proposals whose labels still belong to different behaviours. */
function openProposals() {
  return report.proposals.filter((item, i) => {
    const owners = new Set(item.labels.map((label) => names.list.findIndex((each) => each.labels.includes(label))));
    return owners.size > 1 && !listState.refused.has(i);
  });
}

function chip(proposal) {
  const numbers = [...new Set(proposal.labels.map((label) => numberOf(names.list.find((each) => each.labels.includes(label)))))];
  const what = proposal.kind === "mirror" ? "mirror images" : "alike";
  return el("li", { class: "chip" },
    el("div", {}, el("strong", {}, numbers.map((number) => `${number} ${nameOf(behaviourNumbered(number))}`).join(" + ")), ` ${what}`),
    el("div", { class: "muted" }, proposal.reason),
    el("div", { class: "group" },
      ...numbers.map((number) => button(`see ${number}`, () => select({ number }))),
      button("accept", () => merge(numbers), { "aria-label": `Accept: merge ${numbers.join(" and ")}` }),
      button("no", () => { listState.refused.add(report.proposals.indexOf(proposal)); fillProposals(); },
        { "aria-label": `Refuse to merge ${numbers.join(" and ")}` })));
}

function fillProposals() {
  const open = openProposals();
  byId("proposals").hidden = !open.length;
  byId("proposals-title").textContent = `${plural(open.length, "proposal")}: labels that may be one behaviour`;
  byId("proposal-list").replaceChildren(...open.map(chip));
}

export function mountList() {
  byId("search").addEventListener("input", (event) => { listState.search = event.target.value; fillList(); });
  byId("order").addEventListener("change", (event) => { listState.order = event.target.value; fillList(); });
  byId("merge").addEventListener("click", mergeMarked);
  byId("merge-name").addEventListener("keydown", (event) => { if (event.key === "Enter") mergeMarked(); });
  on("behaviours", () => { fillList(); showMerge(); fillProposals(); });
  on("selection", () => { if (listState.editing === null) fillList(); keepInView(); });
  fillList();
  fillProposals();
}
