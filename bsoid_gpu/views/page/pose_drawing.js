// A clip as shapes: the pose in body lengths, seen from the animal or from the arena, drawn on a canvas.

import { report, unpack } from "./data.js";
import { lineColour } from "./palette.js";

const MISSING = -32768;
const SMOOTH_S = 0.12; // of the body centre, which the view follows
const SPAN_BODIES = 2.9; // side of a cell in the view of the animal
const prepared = new WeakMap();

/** Mean of some keypoints in one frame, or null where none is seen. */
function meanOf(x, y, frame, keypoints, size) {
  let [sumX, sumY, seen] = [0, 0, 0];
  for (const k of keypoints) {
    const value = x[frame * size + k];
    if (!Number.isNaN(value)) [sumX, sumY, seen] = [sumX + value, sumY + y[frame * size + k], seen + 1];
  }
  return seen ? [sumX / seen, sumY / seen] : null;
}

/** Centres without gaps, averaged over a short time. */
function smoothCentres(raw, reach) {
  const first = raw.find(Boolean) ?? [0, 0];
  let last = first;
  const whole = raw.map((value) => (last = value ?? last));
  return whole.map((_, t) => {
    const part = whole.slice(Math.max(0, t - reach), t + reach + 1);
    return [0, 1].map((axis) => part.reduce((sum, value) => sum + value[axis], 0) / part.length);
  });
}

/** Direction from rear to front at the frame nearest to the onset in which both are seen; else that of movement. */
function headingAt(x, y, frames, size, onset, centre) {
  const { front, rear } = report;
  for (let far = 0; front.length && rear.length && far < frames; far++)
    for (const t of [onset + far, onset - far]) {
      if (t < 0 || t >= frames) continue;
      const [head, tail] = [meanOf(x, y, t, front, size), meanOf(x, y, t, rear, size)];
      if (head && tail) return Math.atan2(head[1] - tail[1], head[0] - tail[0]);
    }
  const [from, to] = [centre[Math.min(onset, frames - 1)], centre[frames - 1]];
  return to[0] === from[0] && to[1] === from[1] ? -Math.PI / 2 : Math.atan2(to[1] - from[1], to[0] - from[0]);
}

/** Positions of a clip in body lengths, decoded once. */
export function clipShape(clip) {
  let shape = prepared.get(clip);
  if (shape) return shape;
  const raw = unpack(clip.position);
  const [frames, size] = clip.position.shape;
  const scale = clip.step / clip.body_px;
  const [x, y] = [new Float32Array(frames * size), new Float32Array(frames * size)];
  for (let i = 0; i < frames * size; i++) {
    const missing = raw[2 * i] === MISSING || raw[2 * i + 1] === MISSING;
    x[i] = missing ? NaN : raw[2 * i] * scale;
    y[i] = missing ? NaN : raw[2 * i + 1] * scale;
  }
  const all = Array.from({ length: size }, (_, k) => k);
  const means = Array.from({ length: frames }, (_, t) => meanOf(x, y, t, all, size));
  const centre = smoothCentres(means, Math.max(1, Math.round(SMOOTH_S * clip.fps)));
  const onset = Math.max(0, Math.min(frames - 1, clip.onset));
  shape = { x, y, frames, size, centre, heading: headingAt(x, y, frames, size, onset, centre) };
  prepared.set(clip, shape);
  return shape;
}

/** From body lengths to pixels: turned so that the heading at onset points up and centred, or as in the arena. */
function viewOf(shape, view, t, side) {
  if (view === "ego") {
    const turn = -Math.PI / 2 - shape.heading;
    return { scale: side / SPAN_BODIES, cos: Math.cos(turn), sin: Math.sin(turn), at: shape.centre[t], side };
  }
  const box = [0, 1].map((axis) => {
    const values = shape.centre.map((value) => value[axis]);
    return [Math.min(...values), Math.max(...values)];
  });
  const span = Math.max(...box.map(([low, high]) => high - low)) + 1.8;
  const at = box.map(([low, high]) => (low + high) / 2);
  return { scale: side / Math.max(span, SPAN_BODIES), cos: 1, sin: 0, at, side };
}

function toView({ scale, cos, sin, at, side }, x, y) {
  const [dx, dy] = [x - at[0], y - at[1]];
  return [side / 2 + scale * (cos * dx - sin * dy), side / 2 + scale * (sin * dx + cos * dy)];
}

/** Dots one body length apart that stay with the floor, so that movement of the animal is seen. */
function drawFloor(context, view, theme) {
  context.fillStyle = theme.muted;
  context.globalAlpha = 0.55;
  const reach = Math.ceil((view.side / view.scale) * 0.8);
  const [x, y] = view.at.map(Math.round);
  for (let i = -reach; i <= reach; i++)
    for (let j = -reach; j <= reach; j++) {
      const [px, py] = toView(view, x + i, y + j);
      context.fillRect(px - 1, py - 1, 2, 2);
    }
  context.globalAlpha = 1;
}

function drawTrail(context, shape, view, t, colour) {
  Object.assign(context, { strokeStyle: colour, lineWidth: 2, globalAlpha: 0.4 });
  context.beginPath();
  for (let i = 0; i <= t; i++) context[i ? "lineTo" : "moveTo"](...toView(view, ...shape.centre[i]));
  context.stroke();
  context.globalAlpha = 1;
}

function drawLimbs(context, points, colour, lineWidth) {
  const { skeleton, front, rear } = report;
  const bones = skeleton.length ? skeleton : front.flatMap((f) => rear.map((r) => [f, r]));
  Object.assign(context, { strokeStyle: colour, lineWidth, lineCap: "round", lineJoin: "round" });
  context.beginPath();
  for (const [from, to] of bones) {
    if (!points[from] || !points[to]) continue;
    context.moveTo(...points[from]);
    context.lineTo(...points[to]);
  }
  context.stroke();
}

/** One frame of a clip in a square of `side` pixels; `colour` for a frame of the bout, grey outside. */
export function drawPose(context, clip, t, { view, side, colour: plain, theme, trail = true }) {
  const colour = lineColour(plain, theme);
  const shape = clipShape(clip);
  const frame = Math.max(0, Math.min(shape.frames - 1, t));
  const place = viewOf(shape, view, frame, side);
  drawFloor(context, place, theme);
  if (trail) drawTrail(context, shape, place, frame, colour);
  const points = Array.from({ length: shape.size }, (_, k) => {
    const i = frame * shape.size + k;
    return Number.isNaN(shape.x[i]) ? null : toView(place, shape.x[i], shape.y[i]);
  });
  const width = Math.max(1.5, side / 70);
  drawLimbs(context, points, colour, width);
  points.forEach((point, k) => {
    if (!point) return;
    const isFront = report.front.includes(k);
    context.beginPath();
    context.arc(...point, width * (isFront ? 2 : 1.25), 0, 2 * Math.PI);
    context.fillStyle = isFront ? theme.ink : colour;
    context.fill();
  });
}
