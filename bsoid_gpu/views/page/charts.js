// Parts that the charts share: an SVG that is drawn again at each width, marks of behaviours, tables of numbers.

import { el, later, redrawn, svg, tipOn } from "./dom.js";
import { inkOn } from "./palette.js";
import { colourOf, nameOf, numberOf, on, select, selection } from "./state.js";

/** A chart in a host: draw(width) returns {height, parts}; drawn again at changes of the names and the selection. */
export function chart(host, label, draw) {
  const place = el("div", { class: "chart" });
  host.append(place);
  const redraw = () => {
    const width = Math.max(240, host.clientWidth);
    const { height, parts } = draw(width);
    place.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, parts));
  };
  redrawn(host, redraw);
  for (const event of ["behaviours", "selection", "theme"]) on(event, () => later(redraw));
  return redraw;
}

/** Selects a behaviour by a click, and tells of it under the pointer. */
export function marksBehaviour(behaviour, lines) {
  return { class: "clickable", on: { click: () => select({ number: numberOf(behaviour) }), ...tipOn(lines) } };
}

/** Number and name of a behaviour, right-aligned at x. */
export function rowLabel(behaviour, x, y, letters) {
  const chosen = numberOf(behaviour) === selection.number;
  const name = nameOf(behaviour);
  const short = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
  return [
    svg("text", { x, y, "text-anchor": "end", class: chosen ? "strong" : "", ...marksBehaviour(behaviour, () => [`${numberOf(behaviour)}  ${name}`]) }, short),
    svg("rect", { x: x + 6, y: y - 9, width: 22, height: 14, rx: 3, fill: colourOf(behaviour) }),
    svg("text", { x: x + 17, y: y + 1, "text-anchor": "middle", class: "on-colour", fill: inkOn(colourOf(behaviour)) }, String(numberOf(behaviour))),
  ];
}

/** A table that is built when it is opened, for those who cannot see the chart or want its numbers. */
export function tableOf(host, title, build) {
  const details = el("details", { class: "as-table" }, el("summary", {}, title));
  const fill = () => {
    details.querySelector(".table-host")?.remove();
    if (!details.open) return;
    const { heads, rows } = build();
    const table = el("table", {}, el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map(([first, ...others]) => el("tr", {}, el("th", { scope: "row" }, first), others.map((value) => el("td", {}, value))))));
    details.append(el("div", { class: "table-host", tabindex: 0, role: "group", "aria-label": title }, table));
  };
  details.addEventListener("toggle", fill);
  on("behaviours", fill);
  host.append(details);
}
