// What is selected together: a point of the map, a clip, a bout of the ethogram.

import { mapPoints, report, secondsOf } from "./data.js";
import { boutAt, counts } from "./counts.js";
import { behaviourNumbered, indexOf, names, numberOf, select } from "./state.js";

function clipOnset(clip) {
  return secondsOf(report.sessions[clip.session], clip.start + (clip.onset * report.sessions[clip.session].fps) / clip.fps);
}

/** Frame of the video in which the bout of a clip begins. */
export function onsetFrame(clip) {
  const { fps } = report.sessions[clip.session];
  return Math.round(clip.start + (clip.onset * fps) / clip.fps);
}

/** Index of the clip of a behaviour that is nearest in time; clips of other sessions count only if there is none. */
export function nearestClip(number, session, atS) {
  const behaviour = behaviourNumbered(number);
  let [best, least] = [null, Infinity];
  report.clips.forEach((clip, i) => {
    if (!behaviour || !behaviour.labels.includes(clip.label)) return;
    const far = Math.abs(clipOnset(clip) - atS) + (clip.session === session ? 0 : 1e9);
    if (far < least) [best, least] = [i, far];
  });
  return best;
}

function boutSelected(session, frame) {
  const place = boutAt(session, frame);
  return place < 0 ? null : { session, start: counts.sessions[session].start[place] };
}

/** A point of the map: its behaviour, the nearest clip, and the bout that contains it. */
export function pickPoint(point) {
  const points = mapPoints();
  const index = indexOf(points.label[point]);
  const session = points.session[point];
  const details = report.sessions[session];
  const frame = details ? Math.round((points.startS[point] - details.start_s) * details.fps) : 0;
  const bout = details ? boutSelected(session, frame) : null;
  if (index < 0) {
    select({ point, bout });
    return;
  }
  const number = numberOf(names.list[index]);
  select({ number });
  select({ point, bout, clip: nearestClip(number, session, points.startS[point]) });
}

/** A clip: its behaviour, its point on the map, and its bout. */
export function pickClip(i) {
  const clip = report.clips[i];
  select({ number: numberOf(names.list[indexOf(clip.label)]) });
  select({ clip: i, point: clip.point ?? null, bout: boutSelected(clip.session, onsetFrame(clip)) });
}

/** A bout of the ethogram: its behaviour and the nearest clip. */
export function pickBout(session, place) {
  const bouts = counts.sessions[session];
  const bout = { session, start: bouts.start[place] };
  const index = bouts.index[place];
  if (index < 0) {
    select({ bout });
    return;
  }
  const number = numberOf(names.list[index]);
  const atS = secondsOf(report.sessions[session], bouts.start[place]);
  const clip = nearestClip(number, session, atS);
  select({ number });
  select({ bout, clip, point: nearestPoint(session, atS) });
}

/** Point of the map nearest in time, at most a second away, or null. */
function nearestPoint(session, atS) {
  const points = mapPoints();
  if (!points) return null;
  let [best, least] = [null, 1];
  for (let i = 0; i < points.x.length; i++) {
    const far = points.session[i] === session ? Math.abs(points.startS[i] - atS) : Infinity;
    if (far < least) [best, least] = [i, far];
  }
  return best;
}
