// A matrix of shares as shaded squares, with numbers of behaviours along both sides.

import { svg, tipOn } from "./dom.js";
import { inkOn, shade, themeColours } from "./palette.js";
import { colourOf, nameOf, numberOf, selection } from "./state.js";

const SIDE = 58; // for the numbers and the titles of the axes

function sideMarks(behaviour, i, cell, left, top) {
  const colour = colourOf(behaviour);
  const text = { "text-anchor": "middle", class: "on-colour", fill: inkOn(colour), style: { "font-size": `${Math.min(11, cell - 1)}px` } };
  const high = Math.max(1, cell - 2);
  const number = cell >= 9 ? String(numberOf(behaviour)) : "";
  const middle = (i + 0.5) * cell;
  return [
    svg("rect", { x: left - 28, y: top + i * cell + 1, width: 24, height: high, rx: 2, fill: colour }),
    svg("text", { x: left - 16, y: top + middle + Math.min(4, cell / 3), ...text }, number),
    svg("rect", { x: left + i * cell + 1, y: top - 28, width: high, height: 24, rx: 2, fill: colour }),
    svg("text", { transform: `translate(${left + middle} ${top - 16}) rotate(${cell < 20 ? -90 : 0})`, y: Math.min(4, cell / 3), ...text }, number),
  ];
}

/** shares, numbers: rows and columns in the order of the behaviours; tell(row name, column name, share, number). */
export function heatMatrix(width, behaviours, { shares, numbers, across, down, tell }) {
  const size = behaviours.length;
  const theme = themeColours();
  const cell = Math.max(6, Math.min(34, (Math.min(width, 620) - SIDE - 8) / Math.max(1, size)));
  const [left, top] = [SIDE, 50];
  const height = top + size * cell + 6;
  const label = (i) => `${numberOf(behaviours[i])} ${nameOf(behaviours[i])}`;
  const squares = shares.flatMap((row, i) => row.map((share, j) => {
    const fill = shade(share, theme);
    const chosen = [numberOf(behaviours[i]), numberOf(behaviours[j])].includes(selection.number);
    const square = svg("rect", { x: left + j * cell, y: top + i * cell, width: cell - 0.5, height: cell - 0.5, fill,
      class: chosen ? "square chosen" : "square", on: tipOn(() => tell(label(i), label(j), share, numbers[i][j])) });
    const text = cell >= 24 && share >= 0.01 && svg("text", { x: left + (j + 0.5) * cell, y: top + (i + 0.5) * cell + 3.5, "text-anchor": "middle", class: "in-square", fill: inkOn(fill) },
      String(Math.round(100 * share)));
    return [square, text].filter(Boolean);
  }));
  return { height, parts: [
    svg("text", { x: left, y: 14, class: "axis-title" }, `${across} →`),
    svg("text", { x: 2, y: top + 11, class: "axis-title" }, down.length > 5 ? "" : down),
    down.length > 5 && svg("text", { x: 12, y: top + (size * cell) / 2, class: "axis-title", "text-anchor": "middle", transform: `rotate(-90 12 ${top + (size * cell) / 2})` }, down),
    behaviours.map((behaviour, i) => sideMarks(behaviour, i, cell, left, top)), squares].filter(Boolean) };
}
