// Print: light colours, the width of a page, and the poses of each behaviour as a strip of still frames.

import { report } from "./data.js";
import { clipsOf } from "./clips.js";
import { counts } from "./counts.js";
import { descriptionsOf, sentencesOf } from "./descriptions.js";
import { byId, el, prepare, redrawAll } from "./dom.js";
import { clock, percent, plural, quantile, seconds } from "./format.js";
import { onsetFrame } from "./links.js";
import { GREY, inkOn, themeColours } from "./palette.js";
import { drawPose } from "./pose_drawing.js";
import { announce, colourOf, nameOf, numberOf, selection, shownBehaviours } from "./state.js";

const selected = {};
const STILLS = 8;
const LEAST_S = 0.35; // shown of each bout
const STRIP_CLIPS = 2;
const SIDE_PX = 78;

/** Frames spread over the bout of a clip, from its onset on; those of a short bout go on after it. */
function stillFrames(clip) {
  const least = clip.onset + Math.max(STILLS - 1, Math.round(LEAST_S * clip.fps));
  const last = Math.min(clip.position.shape[0] - 1, Math.max(clip.offset - 1, least));
  return Array.from({ length: STILLS }, (_, i) => Math.round(clip.onset + (i * (last - clip.onset)) / (STILLS - 1)));
}

function strip(behaviour, i, theme) {
  const clip = report.clips[i];
  const session = report.sessions[clip.session];
  const where = `${session.name}, ${clock(session.start_s + onsetFrame(clip) / session.fps)}`;
  const canvas = el("canvas", { role: "img", "aria-label": `Poses of ${nameOf(behaviour)}: ${where}` });
  const context = prepare(canvas, SIDE_PX * STILLS, SIDE_PX);
  const frames = stillFrames(clip);
  frames.forEach((frame, place) => {
    context.save();
    context.translate(place * SIDE_PX, 0);
    context.beginPath();
    context.rect(1, 1, SIDE_PX - 2, SIDE_PX - 2);
    context.clip();
    drawPose(context, clip, frame, { view: "ego", side: SIDE_PX, colour: frame < clip.offset ? colourOf(behaviour) : GREY, theme, trail: place > 0 });
    context.restore();
    context.strokeStyle = theme.line;
    context.strokeRect(place * SIDE_PX + 0.5, 0.5, SIDE_PX - 1, SIDE_PX - 1);
  });
  const step = (frames.at(-1) - frames[0]) / (STILLS - 1) / clip.fps;
  return el("figure", {}, canvas, el("figcaption", {}, `${where}; a bout of ${seconds(clip.bout_s)}, a pose every ${seconds(step)}${frames.at(-1) >= clip.offset ? "; grey: after it" : ""}`));
}

function printedBehaviour({ behaviour, index }, theme) {
  const colour = colourOf(behaviour);
  const { share, bouts, durations } = counts.behaviours[index];
  const facts = [percent(share), plural(bouts, "bout"), durations.length && `median ${seconds(quantile(durations, 0.5))}`];
  const clips = ["typical", "edge", "confusable"].flatMap((kind) => clipsOf(behaviour, kind)).slice(0, STRIP_CLIPS);
  return el("section", { class: "printed" },
    el("h3", {}, el("span", { class: "swatch", style: { "background-color": colour, color: inkOn(colour) } }, String(numberOf(behaviour))),
      nameOf(behaviour), el("span", { class: "muted" }, facts.filter(Boolean).join(" · "))),
    behaviour.description && el("p", {}, behaviour.description),
    descriptionsOf(behaviour).map((item) => el("p", {}, sentencesOf(item))),
    clips.length ? clips.map((i) => strip(behaviour, i, theme)) : el("p", { class: "muted" }, "No clips."));
}

function beforePrint() {
  document.documentElement.classList.add("printing");
  Object.assign(selected, selection);
  for (const key of Object.keys(selection)) selection[key] = null; // on paper nothing is selected
  announce("theme");
  redrawAll();
  byId("settings-details").open = true;
  for (const details of document.querySelectorAll(".warnings details")) details.open = true;
  const theme = themeColours();
  const order = shownBehaviours().sort((a, b) => counts.behaviours[b.index].share - counts.behaviours[a.index].share);
  byId("printed-behaviours").replaceChildren(el("h2", {}, "Behaviours"), ...order.map((item) => printedBehaviour(item, theme)));
}

function afterPrint() {
  document.documentElement.classList.remove("printing");
  Object.assign(selection, selected);
  byId("printed-behaviours").replaceChildren();
  announce("theme");
  redrawAll();
}

export function mountPrinting() {
  window.addEventListener("beforeprint", beforePrint);
  window.addEventListener("afterprint", afterPrint);
}
