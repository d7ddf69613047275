// behaviours.toml, written from the behaviours of the page.

import { report } from "./data.js";
import { isNamed, names, numberOf } from "./state.js";

const SHORT_ESCAPES = { "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\" };

function escapedCharacter(character) {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0").toUpperCase()}`;
}

/** A basic string of TOML. */
export function tomlString(text) {
  const whole = text.toWellFormed ? text.toWellFormed() : text;
  return `"${whole.replace(/[\u0000-\u001f\u007f"\\]/g, escapedCharacter)}"`;
}

/** Whether a behaviour says more than its label. */
export function isEdited(item) {
  return item.labels.length > 1 || isNamed(item) || Boolean(item.description || item.colour || item.hidden);
}

function tomlTable(item) {
  return [
    "[[behaviours]]",
    `labels = [${item.labels.join(", ")}]`,
    `name = ${tomlString(item.name)}`,
    `description = ${tomlString(item.description)}`,
    `colour = ${tomlString(item.colour)}`,
    `hidden = ${item.hidden}`,
  ].join("\n");
}

/** The file; its version is one above that of the names it was made from. */
export function tomlFile() {
  const head = `model = ${tomlString(report.model)}\nversion = ${names.version + 1}\n`;
  const edited = names.list.filter(isEdited).sort((a, b) => numberOf(a) - numberOf(b));
  return [head, ...edited.map((item) => `${tomlTable(item)}\n`)].join("\n");
}
