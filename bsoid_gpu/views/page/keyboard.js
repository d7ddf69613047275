// Keys, and the help that lists them.

import { byId } from "./dom.js";
import { togglePlay } from "./clips.js";
import { editName, moveSelection } from "./list.js";
import { save } from "./saving.js";
import { select, undo } from "./state.js";
import { modelLabels, stepTree } from "./tree.js";

const ACTIONS = {
  ArrowDown: () => moveSelection(1),
  ArrowUp: () => moveSelection(-1),
  n: () => editName(),
  " ": togglePlay,
  "[": () => stepTree(-1),
  "]": () => stepTree(1),
  m: modelLabels,
  "/": () => byId("search").focus(),
  "?": toggleHelp,
  Escape: () => select({ number: null, clip: null, point: null, bout: null, session: null }),
};

function toggleHelp() {
  const help = byId("help");
  if (help.open) help.close();
  else help.showModal();
}

/** Whether a key belongs to the element that has the focus: a field, a slider, or a button for space. */
function ownsKey(element, key) {
  if (!element || element === document.body) return false;
  if (element.matches("input:not([type=checkbox]):not([type=color]), textarea, select")) return true;
  if (element.closest(".strips") && ["ArrowLeft", "ArrowRight"].includes(key)) return true;
  return [" ", "Enter"].includes(key) && element.matches("button, summary, input, a, label");
}

function pressed(event) {
  const command = event.ctrlKey || event.metaKey;
  const text = document.activeElement?.matches?.("input, textarea");
  if (command && event.key === "s") {
    event.preventDefault();
    if (text) document.activeElement.blur(); // takes up what is being typed
    save();
    return;
  }
  if (command && event.key === "z" && !text) { event.preventDefault(); undo(); return; }
  if (command || event.altKey || ownsKey(document.activeElement, event.key)) return;
  if (byId("help").open && event.key !== "?") return;
  const action = ACTIONS[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

export function mountKeyboard() {
  document.addEventListener("keydown", pressed);
  byId("help-button").addEventListener("click", toggleHelp);
  byId("help-close").addEventListener("click", toggleHelp);
}
