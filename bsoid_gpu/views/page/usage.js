// Usage and bout durations of each behaviour.

import { report } from "./data.js";
import { chart, marksBehaviour, rowLabel, tableOf } from "./charts.js";
import { counts } from "./counts.js";
import { byId, el, svg } from "./dom.js";
import { clock, percent, plural, quantile, seconds, ticks } from "./format.js";
import { mixed, themeColours } from "./palette.js";
import { colourOf, nameOf, numberOf, selection, shownBehaviours } from "./state.js";

const ROW = 22;
const TOP = 8;
const FOOT = 22;

function inOrder() {
  return shownBehaviours().sort((a, b) => counts.behaviours[b.index].share - counts.behaviours[a.index].share);
}

/** Frame of a chart with a row for each behaviour: rows, grid lines and the title of the axis. */
function rowsChart(width, rows, { at, marks, row }) {
  const left = Math.min(190, Math.max(110, width * 0.3));
  const height = TOP + rows.length * ROW + FOOT;
  const bottom = height - FOOT;
  const x = (value) => left + 6 + at(value) * (width - left - 30);
  const parts = marks.map(([value, text]) => [
    svg("line", { x1: x(value), x2: x(value), y1: TOP, y2: bottom, class: "grid" }),
    svg("text", { x: x(value), y: bottom + 14, "text-anchor": "middle", class: "tick" }, text),
  ]);
  rows.forEach(({ behaviour, index }, i) => {
    const y = TOP + (i + 0.5) * ROW;
    if (numberOf(behaviour) === selection.number)
      parts.push(svg("rect", { x: 0, y: y - ROW / 2, width, height: ROW, class: "row-chosen" }));
    parts.push(...rowLabel(behaviour, left - 36, y + 4, Math.floor((left - 40) / 6.6)), row(behaviour, counts.behaviours[index], x, y));
  });
  return { height, parts };
}

function usageLines(behaviour, item) {
  return [`${numberOf(behaviour)}  ${nameOf(behaviour)}: ${percent(item.share)}`,
    ...item.shares.slice(0, 12).map(({ session, share }) => `${report.sessions[session].name}: ${percent(share)}`)];
}

function drawUsage(width) {
  const rows = inOrder();
  const most = Math.max(0.01, ...rows.flatMap(({ index }) => counts.behaviours[index].shares.map(({ share }) => share)));
  const theme = themeColours();
  const row = (behaviour, item, x, y) => {
    const colour = colourOf(behaviour);
    return svg("g", marksBehaviour(behaviour, () => usageLines(behaviour, item)),
      svg("rect", { x: x(0), y: y - 6, width: Math.max(1, x(item.share) - x(0)), height: 12, rx: 2, fill: mixed(colour, theme.panel, 0.25) }),
      item.shares.map(({ session, share }) => svg("circle", { cx: x(share), cy: y, r: selection.session === session ? 5 : 3.2,
        fill: theme.panel, stroke: selection.session === session ? theme.accent : theme.ink, "stroke-width": selection.session === session ? 2.5 : 1.2 })));
  };
  const marks = ticks(0, most, width / 110).map((value) => [value, percent(value)]);
  return rowsChart(width, rows, { at: (value) => value / most, marks, row });
}

function drawDurations(width) {
  const rows = inOrder();
  const all = rows.flatMap(({ index }) => [quantile(counts.behaviours[index].durations, 0.05), quantile(counts.behaviours[index].durations, 0.95)]).filter((value) => value > 0);
  const [low, high] = all.length ? [Math.min(...all) * 0.9, Math.max(...all) * 1.1] : [0.1, 10];
  const at = (value) => Math.log(value / low) / Math.log(high / low);
  const row = (behaviour, { durations }, x, y) => {
    if (!durations.length) return svg("text", { x: x(low), y: y + 4, class: "tick" }, "no bouts");
    const [q5, q25, q50, q75, q95] = [0.05, 0.25, 0.5, 0.75, 0.95].map((share) => quantile(durations, share));
    const colour = colourOf(behaviour);
    const lines = () => [`${numberOf(behaviour)}  ${nameOf(behaviour)}`, `median ${seconds(q50)}, middle half ${seconds(q25)} to ${seconds(q75)}`,
      `90 % of ${plural(durations.length, "bout")}: ${seconds(q5)} to ${seconds(q95)}`];
    return svg("g", marksBehaviour(behaviour, lines),
      svg("line", { x1: x(q5), x2: x(q95), y1: y, y2: y, stroke: colour, "stroke-width": 2 }),
      svg("rect", { x: x(q25), y: y - 6, width: Math.max(2, x(q75) - x(q25)), height: 12, rx: 2, fill: colour }),
      svg("line", { x1: x(q50), x2: x(q50), y1: y - 7, y2: y + 7, class: "median" }));
  };
  const marks = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000].filter((value) => value >= low && value <= high)
    .map((value) => [value, value < 100 ? `${value} s` : clock(value, 0)]);
  return rowsChart(width, rows, { at, marks, row });
}

/** What is said where only some sessions have their bouts in the page. */
function partText() {
  const here = counts.sessions.filter(Boolean).length;
  return counts.whole ? "" : ` The bouts of ${here} of ${report.sessions_total} sessions are in this page: usage, durations and transitions are theirs.`;
}

export function mountUsage() {
  if (!counts.sessions.some(Boolean)) {
    for (const id of ["usage", "durations"]) byId(id).textContent = "This report has no bouts.";
    return;
  }
  chart(byId("usage"), "Usage: share of time of each behaviour; the same numbers stand in the table below", drawUsage);
  byId("usage").append(el("p", { class: "caption" }, `Share of the observed time. Bars: mean of the sessions; dots: sessions.${partText()}`));
  tableOf(byId("usage"), "usage as a table", () => ({
    heads: ["behaviour", "mean", ...report.sessions.map((session) => session.name)],
    rows: inOrder().map(({ behaviour, index }) => [`${numberOf(behaviour)} ${nameOf(behaviour)}`, percent(counts.behaviours[index].share),
      ...report.sessions.map((_, session) => percent(counts.behaviours[index].shares.find((item) => item.session === session)?.share))]),
  }));
  chart(byId("durations"), "Durations of bouts of each behaviour; the same numbers stand in the table below", drawDurations);
  byId("durations").append(el("p", { class: "caption" }, "Bars: middle half of the bouts, with the median; lines: 5 to 95 %."));
  tableOf(byId("durations"), "durations as a table", () => ({
    heads: ["behaviour", "bouts", "5 %", "25 %", "median", "75 %", "95 %"],
    rows: inOrder().map(({ behaviour, index }) => {
      const { durations } = counts.behaviours[index];
      return [`${numberOf(behaviour)} ${nameOf(behaviour)}`, String(durations.length),
        ...[0.05, 0.25, 0.5, 0.75, 0.95].map((share) => seconds(quantile(durations, share)))];
    }),
  }));
}
