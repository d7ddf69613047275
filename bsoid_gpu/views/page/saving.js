// Names that last: saved by the server, downloaded as a file, and kept in the browser meanwhile.

import { report } from "./data.js";
import { byId, button, el, say } from "./dom.js";
import { saveNames } from "./server.js";
import { announce, canUndo, names, on, setBehaviours, undo } from "./state.js";
import { tomlFile } from "./toml.js";

const KEY = `bsoid_gpu names ${report.model}`;

function asText() {
  return JSON.stringify(names.list);
}

/** A browser may refuse storage to pages that are files. */
function kept() {
  try {
    const content = JSON.parse(localStorage.getItem(KEY));
    return content && validList(content.behaviours) ? content : null;
  } catch {
    return null;
  }
}

let stored = true;
function keep(content) {
  try {
    if (content) localStorage.setItem(KEY, JSON.stringify(content));
    else localStorage.removeItem(KEY);
    stored = true;
  } catch {
    stored = false; // the file can still be saved
  }
}

/** Whether a list holds every label of the model once. */
function validList(list) {
  if (!Array.isArray(list)) return false;
  const labels = list.flatMap((item) => item.labels).sort((a, b) => a - b);
  return labels.length === report.labels && labels.every((label, i) => label === i);
}

export function unsaved() {
  return asText() !== names.savedText;
}

function showState(message = "") {
  const changed = unsaved();
  byId("save").disabled = !changed;
  byId("undo").disabled = !canUndo();
  byId("save-state").textContent = message || (changed ? "unsaved names" : "");
}

function download(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
  el("a", { href: url, download: "behaviours.toml" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function notice(id, ...content) {
  byId(id)?.remove();
  const bar = el("div", { class: "notice", id, role: "alert" }, ...content);
  bar.append(button("close", () => bar.remove()));
  byId("notices").append(bar);
}

function saveFile() {
  download(tomlFile());
  names.savedText = asText();
  showState("saved as a file");
  notice("where-to", el("p", {}, "behaviours.toml is in your downloads. Put it into the run folder, or type ",
    el("code", {}, "bsoid-gpu names RUN --from behaviours.toml"), ". Tables, clips and reports then use these names."));
}

async function saveToServer() {
  showState("saving…");
  const sent = asText();
  try {
    names.version = (await saveNames(names.version, names.list)).version;
    names.savedText = sent;
    if (!unsaved()) keep(null);
    showState("saved");
  } catch (error) {
    showState("not saved");
    if (error.conflict) showConflict(error);
    else notice("save-error", el("p", {}, `The names are not saved: ${error.message}`));
  }
}

/** Another window saved meanwhile: the names typed here are kept, and offered after the page is loaded again. */
function showConflict(error) {
  keepNow();
  notice("conflict", el("p", {}, `The names are not saved: ${error.message.replace(/\.$/, "")}. Yours are kept in this browser: load the page again, and take them up there, or save them as a file first.`),
    button("load again", () => window.location.reload()), button("save as a file", () => download(tomlFile())));
}

function keepNow() {
  keep(unsaved() ? { version: names.version, time: new Date().toISOString(), behaviours: names.list } : null);
}

export function save() {
  return report.server ? saveToServer() : saveFile();
}

/** Offers names that an earlier visit left unsaved. */
function offerKept() {
  const earlier = kept();
  if (!earlier || JSON.stringify(earlier.behaviours) === asText()) return;
  const when = earlier.time ? ` of ${earlier.time.slice(0, 16).replace("T", " ")}` : "";
  const older = earlier.version < report.version ? " The names in this report were saved later." : "";
  notice("kept", el("p", {}, `This browser has kept your names${when}, which differ from those of this report.${older}`),
    button("use them", () => {
      setBehaviours(earlier.behaviours);
      announce("behaviours");
      announce("selection");
      byId("kept").remove();
      say("Your names are back.");
    }, { id: "use-kept" }),
    button("forget them", () => { keep(null); byId("kept").remove(); }));
}

export function mountSaving() {
  names.savedText = asText();
  byId("save").textContent = report.server ? "save names" : "save as behaviours.toml";
  byId("save").addEventListener("click", save);
  byId("undo").addEventListener("click", undo);
  offerKept();
  on("behaviours", () => { keepNow(); showState(); });
  window.addEventListener("beforeunload", (event) => {
    if (!stored && unsaved()) event.preventDefault();
  });
  showState();
}
