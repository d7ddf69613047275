// The head of the page: what this is, how good it is, warnings; and the settings and provenance at its end.

import { report } from "./data.js";
import { byId, el } from "./dom.js";
import { asNumber, clock, count, percent, plural } from "./format.js";
import { stabilityText } from "./quality.js";
import { announce, names, on, shownBehaviours } from "./state.js";

const THEME_KEY = "bsoid_gpu theme";
const THEMES = ["auto", "light", "dark"];

function fact(value, text, title = "") {
  return el("div", { class: "fact", title }, el("strong", {}, value), el("span", {}, text));
}

function facts() {
  const { sessions, scores } = report;
  const minutes = sessions.reduce((sum, session) => sum + session.observed_frames / session.fps / 60, 0);
  const total = report.sessions_total > sessions.length ? ` of ${report.sessions_total}` : "";
  const shown = shownBehaviours().length;
  const hidden = names.list.length - shown;
  const parts = [
    fact(`${sessions.length}${total}`, sessions.length === 1 ? "session" : "sessions"),
    fact(asNumber(Math.round(minutes * (minutes < 10 ? 10 : 1)) / (minutes < 10 ? 10 : 1)), "minutes"),
    fact(count(shown), `behaviours${hidden ? `, ${hidden} hidden` : ""}`, plural(report.labels, "label") + " of the model"),
  ];
  const blocks = scores.held_out_blocks != null;
  const accuracy = scores.held_out_blocks ?? scores.held_out_random;
  if (accuracy != null) parts.push(fact(percent(accuracy), `held-out accuracy, ${blocks ? "time blocks" : "random bins"}`));
  if (report.stability) parts.push(el("div", { class: "fact wide" }, el("span", {}, `${stabilityText()}.`)));
  return parts;
}

function fillWarnings() {
  const { warnings } = report;
  const notes = report.sessions.flatMap((session) => (session.notes ?? []).map((note) => `${session.name}: ${note}`));
  const place = byId("warnings");
  place.hidden = !warnings.length;
  if (warnings.length === 1) place.replaceChildren(el("p", {}, el("strong", {}, "Warning: "), warnings[0]));
  else if (warnings.length) place.replaceChildren(el("details", {},
    el("summary", {}, el("strong", {}, plural(warnings.length, "warning")), el("span", { class: "first-warning" }, warnings[0])),
    el("ul", {}, warnings.map((warning) => el("li", {}, warning)))));
  byId("notes").replaceChildren(...(notes.length ? [el("h4", {}, "Notes on the sessions"), el("ul", {}, notes.map((note) => el("li", {}, note)))] : []));
}

function setTheme(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  byId("theme").textContent = `theme: ${theme}`;
  try { localStorage.setItem(THEME_KEY, theme); } catch { /* not kept */ }
  announce("theme");
}

function storedTheme() {
  try {
    const theme = localStorage.getItem(THEME_KEY);
    return THEMES.includes(theme) ? theme : "auto";
  } catch {
    return "auto";
  }
}

function mountTheme() {
  let theme = storedTheme();
  setTheme(theme);
  byId("theme").addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(theme);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => announce("theme"));
}

function fillAbout() {
  byId("settings").textContent = report.settings || "No settings were kept.";
  byId("provenance").replaceChildren(...report.provenance.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
  const rows = report.sessions.map((session) => el("tr", {}, el("th", { scope: "row" }, session.name), el("td", {}, session.recording),
    el("td", { class: "number" }, clock(session.frames / session.fps, 0)), el("td", { class: "number" }, asNumber(session.fps)),
    el("td", { class: "number" }, percent(session.observed_frames / Math.max(1, session.frames)))));
  const heads = [["session", ""], ["recording", ""], ["length", "number"], ["frames/s", "number"], ["animal seen", "number"]];
  byId("sessions").replaceChildren(el("thead", {}, el("tr", {}, heads.map(([text, kind]) => el("th", { scope: "col", class: kind }, text)))), el("tbody", {}, rows));
}

export function mountHeader() {
  document.title = `${report.title} – behaviours`;
  byId("title").textContent = report.title;
  byId("program").textContent = report.program;
  const fill = () => byId("facts").replaceChildren(...facts());
  fill();
  on("behaviours", fill);
  fillWarnings();
  fillAbout();
  mountTheme();
}
