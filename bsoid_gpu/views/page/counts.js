// Usage, durations and transitions, counted from the bouts; counted again after every merge.

import { boutsOf, report, UNSURE } from "./data.js";
import { indexOf, names } from "./state.js";

/** whole: the bouts of all sessions are here; sessions: bouts of behaviours; behaviours: usage and durations; from[i][j]: transitions from i to j. */
export const counts = { sessions: [], behaviours: [], from: [], whole: false };

/** Bouts of behaviours: neighbours of one behaviour without a gap are one bout. */
function joinedBouts(session) {
  const raw = boutsOf(session);
  if (!raw) return null;
  const bouts = { start: [], stop: [], index: [], label: [], confidence: [] };
  let last = -1;
  for (let i = 0; i < raw.start.length; i++) {
    const index = indexOf(raw.label[i]);
    if (last >= 0 && bouts.index[last] === index && bouts.stop[last] === raw.start[i]) {
      const before = bouts.stop[last] - bouts.start[last];
      const here = raw.stop[i] - raw.start[i];
      bouts.confidence[last] = (bouts.confidence[last] * before + raw.confidence[i] * here) / (before + here);
      bouts.stop[last] = raw.stop[i];
      continue;
    }
    bouts.start.push(raw.start[i]);
    bouts.stop.push(raw.stop[i]);
    bouts.index.push(index);
    bouts.label.push(raw.label[i]);
    bouts.confidence.push(raw.confidence[i]);
    last++;
  }
  return bouts;
}

function addSession(session, number, bouts, behaviours, from) {
  const frames = new Float64Array(behaviours.length);
  for (let i = 0; i < bouts.start.length; i++) {
    const index = bouts.index[i];
    if (index === UNSURE) continue;
    const length = bouts.stop[i] - bouts.start[i];
    frames[index] += length;
    behaviours[index].durations.push(length / session.fps);
    const next = bouts.index[i + 1];
    if (next !== undefined && next !== UNSURE && bouts.start[i + 1] === bouts.stop[i]) from[index][next]++;
  }
  behaviours.forEach((item, index) => {
    item.shares.push({ session: number, share: frames[index] / Math.max(1, session.observed_frames) });
  });
}

/** Counts everything again. */
export function recount() {
  const size = names.list.length;
  const behaviours = names.list.map(() => ({ durations: [], shares: [] }));
  const from = names.list.map(() => new Float64Array(size));
  counts.sessions = report.sessions.map(joinedBouts);
  counts.whole = counts.sessions.length === report.sessions_total && counts.sessions.every(Boolean);
  counts.sessions.forEach((bouts, number) => {
    if (bouts) addSession(report.sessions[number], number, bouts, behaviours, from);
  });
  for (const item of behaviours) {
    item.durations.sort((a, b) => a - b);
    item.bouts = item.durations.length;
    item.share = item.shares.reduce((sum, { share }) => sum + share, 0) / Math.max(1, item.shares.length);
  }
  if (!counts.sessions.some(Boolean)) names.list.forEach((item, index) => {
    behaviours[index].bouts = item.labels.reduce((sum, label) => sum + (report.bouts_of_label[label] ?? 0), 0);
  });
  Object.assign(counts, { behaviours, from });
}

/** Index of the bout of a session that contains a frame, or -1. */
export function boutAt(number, frame) {
  const bouts = counts.sessions[number];
  if (!bouts) return -1;
  let [low, high] = [0, bouts.start.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (bouts.start[middle] <= frame) low = middle;
    else high = middle - 1;
  }
  return low <= high && bouts.start[low] <= frame && frame < bouts.stop[low] ? low : -1;
}
