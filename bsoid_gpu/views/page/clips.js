// The montage: clips of one behaviour that loop together, aligned at the onset of their bouts.

import { report } from "./data.js";
import { counts } from "./counts.js";
import { byId, button, el, prepare, redrawn, say, segmented } from "./dom.js";
import { clock, count, percent, plural, seconds } from "./format.js";
import { onsetFrame, pickClip } from "./links.js";
import { GREY, themeColours } from "./palette.js";
import { drawPose } from "./pose_drawing.js";
import { moreClips } from "./server.js";
import { behaviourNumbered, colourOf, indexOf, nameOf, on, selection } from "./state.js";

const KINDS = {
  typical: "Bouts nearest to the middle of the behaviour.",
  edge: "Bouts at the edge of the behaviour: the least usual ones that still belong to it.",
  confusable: "Bouts that are most easily taken for another behaviour.",
};
const SPEEDS = [0.25, 0.5, 1, 2];
const MORE = 12; // clips that are asked for at once
const REST_S = 0.5; // still at the end of a loop
const LATE_S = 0.15; // a video that is further off is set to the time of the loop
const montage = {
  kind: "typical", view: "ego", speed: 1, playing: true, inView: true, more: 0, mode: "video", timeS: 0, last: 0, cells: [], key: "", from: 0, to: 1,
};

/** Clips of a behaviour and kind, the labels of a merged behaviour in turn. */
export function clipsOf(behaviour, kind) {
  const byLabel = behaviour.labels.map((label) =>
    report.clips.flatMap((clip, i) => (clip.label === label && clip.kind === kind ? [i] : [])));
  const longest = Math.max(0, ...byLabel.map((list) => list.length));
  return Array.from({ length: longest }, (_, turn) => byLabel.flatMap((list) => list.slice(turn, turn + 1))).flat();
}

function inBout(clip, frame) {
  return frame >= clip.onset && frame < clip.offset;
}

/** The frame of a clip at a time from the onset of its bout. */
function frameAt(clip, timeS) {
  return Math.floor(clip.onset + timeS * clip.fps + 1e-6);
}

function stateText(clip, timeS) {
  const end = (clip.offset - clip.onset) / clip.fps;
  if (timeS < 0) return `${seconds(-timeS)} before`;
  if (timeS < end) return `in bout ${seconds(timeS)}`;
  return "after the bout";
}

/** The line under a pose: the clip, its bout, and the time that is shown. */
function drawProgress(context, clip, frame, side, height, colour, theme) {
  const frames = clip.position.shape[0];
  const [left, width, top] = [6, side - 12, height - 7];
  const at = (t) => left + (width * Math.max(0, Math.min(frames, t))) / frames;
  context.fillStyle = theme.line;
  context.fillRect(left, top, width, 3);
  context.fillStyle = colour;
  context.fillRect(at(clip.onset), top, Math.max(2, at(clip.offset) - at(clip.onset)), 3);
  context.fillStyle = theme.ink;
  context.fillRect(at(frame) - 1, top - 3, 2, 9);
}

function drawCell(cell, theme) {
  const clip = report.clips[cell.clip];
  const frame = Math.max(0, Math.min(clip.position.shape[0] - 1, frameAt(clip, montage.timeS)));
  const active = inBout(clip, frame) && frameAt(clip, montage.timeS) === frame;
  const side = cell.side;
  const key = [frame, active, side, montage.view, montage.mode, theme.ink].join();
  if (cell.key === key) return followVideo(cell, clip); // most frames of the screen show the same frame of the clip
  cell.key = key;
  const bare = cell.video && montage.mode === "video"; // the video stands for the pose
  const context = prepare(cell.canvas, side, bare ? 14 : side);
  const colour = active ? cell.colour : GREY;
  if (!bare) drawPose(context, clip, frame, { view: montage.view, side, colour, theme });
  drawProgress(context, clip, frame, side, bare ? 14 : side, cell.colour, theme);
  cell.figure.classList.toggle("in-bout", active);
  const goesOn = frameAt(clip, montage.timeS) > frame && clip.offset >= clip.position.shape[0];
  cell.state.textContent = goesOn ? "the bout goes on" : stateText(clip, (frame - clip.onset) / clip.fps);
  return followVideo(cell, clip);
}

/** Keeps a video at the time of the loop. */
function followVideo({ video }, clip) {
  if (!video) return;
  const timeS = montage.timeS + clip.onset / clip.fps;
  const wanted = Math.max(0, Math.min(timeS, (video.duration || 1e9) - 0.02));
  if (Math.abs(video.currentTime - wanted) > LATE_S) video.currentTime = wanted;
  video.playbackRate = montage.speed;
  const ahead = timeS >= 0 && timeS < (video.duration || 0) - 0.02;
  if (montage.playing && ahead && video.paused) video.play().catch(() => {});
  if ((!montage.playing || !ahead) && !video.paused) video.pause();
}

function drawCells() {
  const theme = themeColours();
  for (const cell of montage.cells) drawCell(cell, theme);
}

function step(now) {
  const passed = Math.min(0.1, (now - montage.last) / 1000);
  montage.last = now;
  if (montage.playing && montage.cells.length && montage.inView) {
    montage.timeS += passed * montage.speed;
    if (montage.timeS > montage.to + REST_S * montage.speed) montage.timeS = montage.from;
    drawCells();
  }
  requestAnimationFrame(step);
}

function cellFor(i) {
  const clip = report.clips[i];
  const session = report.sessions[clip.session];
  const behaviour = behaviourNumbered(selection.number);
  const time = clock(session.start_s + onsetFrame(clip) / session.fps);
  const where = `${session.name}, ${time}`;
  const canvas = el("canvas", { role: "img", "aria-label": `Pose clip of ${nameOf(behaviour)}: ${where}, a bout of ${seconds(clip.bout_s)}` });
  const state = el("span", { class: "clip-state" });
  const video = clip.video && montage.mode !== "pose"
    ? el("video", { src: clip.video, loop: true, playsinline: true, "aria-label": `Video of the clip: ${where}` }) : null;
  if (video) video.muted = true;
  const label = behaviour.labels.length > 1 ? `label ${clip.label}, ` : "";
  const figure = el("figure", { class: "clip", "data-clip": i },
    el("button", { type: "button", class: "clip-button", "aria-label": `Show where this clip is: ${where}`, on: { click: () => pickClip(i) } },
      video, canvas),
    el("figcaption", {}, el("span", { class: "clip-where", title: where }, el("b", {}, time), ` ${session.name}`),
      el("span", { class: "clip-more" }, `${label}${seconds(clip.bout_s)}, ${percent(clip.confidence)} sure`), state));
  return { clip: i, canvas, state, figure, video, colour: colourOf(behaviour), side: 150 };
}

function setRange() {
  const clips = montage.cells.map((cell) => report.clips[cell.clip]);
  montage.from = Math.min(0, ...clips.map((clip) => -clip.onset / clip.fps));
  montage.to = Math.max(0.2, ...clips.map((clip) => (clip.position.shape[0] - clip.onset) / clip.fps));
  montage.timeS = montage.from;
}

function sizeCells() {
  for (const cell of montage.cells) cell.side = Math.max(90, Math.floor(cell.figure.clientWidth) - 2);
  drawCells();
}

function shownText(behaviour, clips) {
  const total = counts.whole ? counts.behaviours[indexOf(selection.number)].bouts
    : behaviour.labels.reduce((sum, label) => sum + report.bouts_of_label[label], 0);
  if (!clips.length) return `No ${montage.kind} clips; ${plural(total, "bout")} in all.`;
  if (total <= 12) return `This behaviour has only ${plural(total, "bout")}: ${clips.length} shown.`;
  return `${clips.length} of ${count(total)} bouts shown. ${KINDS[montage.kind]}`;
}

/** Fills the montage with the clips of the selected behaviour and kind. */
function fillMontage() {
  const behaviour = behaviourNumbered(selection.number);
  const grid = byId("clips");
  if (!behaviour) {
    montage.cells = [];
    montage.key = "";
    grid.replaceChildren(el("p", { class: "muted" }, "Choose a behaviour in the list or on the map to see its bouts."));
    byId("clips-shown").textContent = "";
    return;
  }
  const clips = clipsOf(behaviour, montage.kind);
  const key = JSON.stringify([behaviour.labels, montage.kind, montage.mode, colourOf(behaviour), clips]);
  if (key !== montage.key) {
    montage.key = key;
    montage.cells = clips.map(cellFor);
    grid.replaceChildren(...montage.cells.map((cell) => cell.figure));
    setRange();
    sizeCells();
  }
  byId("clips-shown").textContent = shownText(behaviour, clips);
  for (const item of byId("clip-kinds").children) {
    const many = clipsOf(behaviour, item.dataset.value).length;
    item.textContent = `${item.dataset.value} ${many}`;
  }
}

function markClip() {
  for (const cell of montage.cells) cell.figure.classList.toggle("chosen", cell.clip === selection.clip);
}

function selectionChanged() {
  if (selection.clip !== null && report.clips[selection.clip].kind !== montage.kind) {
    montage.kind = report.clips[selection.clip].kind;
    byId("clip-kinds").show(montage.kind);
  }
  fillMontage();
  markClip();
  const chosen = montage.cells.find((cell) => cell.clip === selection.clip);
  if (chosen) byId("clips").scrollTop = Math.max(0, chosen.figure.offsetTop - 60);
}

export function togglePlay() {
  montage.playing = !montage.playing;
  byId("play").textContent = montage.playing ? "pause" : "play";
  drawCells();
}

function keyOf({ label, kind, session, start }) {
  return [label, kind, session, start].join();
}

async function askForMore(event) {
  const behaviour = behaviourNumbered(selection.number);
  if (!behaviour) return;
  event.target.disabled = true;
  try {
    montage.more += MORE;
    const answers = await Promise.all(behaviour.labels.map((label) => moreClips(label, montage.more)));
    const there = new Set(report.clips.map(keyOf));
    const clips = answers.flat().filter((clip) => !there.has(keyOf(clip)));
    report.clips.push(...clips);
    say(clips.length ? `${plural(clips.length, "clip")} more.` : "There are no more bouts.");
    fillMontage();
  } catch (error) {
    say(`No more clips: ${error.message}`);
  } finally {
    event.target.disabled = false;
  }
}

function montageTools() {
  const kinds = segmented("Kind of clips", Object.keys(KINDS).map((kind) => [kind, kind]), "typical", (kind) => {
    montage.kind = kind;
    fillMontage();
    markClip();
  });
  kinds.id = "clip-kinds";
  const views = segmented("View", [["ego", "animal"], ["arena", "arena"]], "ego", (view) => { montage.view = view; drawCells(); });
  const speeds = segmented("Speed", SPEEDS.map((speed) => [speed, `${speed}×`]), 1, (speed) => { montage.speed = speed; });
  const hasVideo = report.clips.some((clip) => clip.video);
  const videos = hasVideo && segmented("Video", [["video", "video"], ["pose", "pose"], ["both", "both"]], "video", (mode) => {
    montage.mode = mode;
    byId("clips").classList.toggle("with-video", mode !== "pose");
    fillMontage();
  });
  if (hasVideo) byId("clips").classList.add("with-video");
  return [kinds, views, videos, speeds,
    button(montage.playing ? "pause" : "play", togglePlay, { id: "play", title: "space" }),
    report.server && button("more clips", askForMore)];
}

export function mountClips() {
  montage.playing = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  byId("clip-tools").append(...montageTools().filter(Boolean));
  redrawn(byId("clips"), sizeCells);
  new IntersectionObserver(([entry]) => { montage.inView = entry.isIntersecting; }).observe(byId("clips"));
  on("selection", selectionChanged);
  on("behaviours", () => { fillMontage(); markClip(); });
  on("theme", drawCells);
  requestAnimationFrame(step);
}
