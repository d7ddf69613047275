// The data of the page, and its arrays: base64 text that is decoded when it is first asked for.

const ARRAY_TYPES = {
  uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, uint32: Uint32Array, float32: Float32Array,
};
const decodedArrays = new WeakMap();

export const UNSURE = -1;
export const report = JSON.parse(document.getElementById("data").textContent);
export const figures = { readyMs: null, mapMs: null }; // times of this page, for those who measure it

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let i = 0; i < characters.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes;
}

/** Typed array of a packed one; the same one at every call. */
export function unpack(packed) {
  let values = decodedArrays.get(packed);
  if (!values) {
    values = new ARRAY_TYPES[packed.type](bytesOf(packed.data).buffer);
    decodedArrays.set(packed, values);
  }
  return values;
}

/** Labels as signed numbers: the largest value of the type means unsure. */
export function unpackLabels(packed) {
  const raw = unpack(packed);
  const unsure = packed.type === "uint8" ? 255 : 65535;
  return Int32Array.from(raw, (label) => (label === unsure ? UNSURE : label));
}

/** Bouts of a session, decoded once, or null. */
export function boutsOf(session) {
  if (!session.bouts) return null;
  let bouts = decodedArrays.get(session.bouts);
  if (!bouts) {
    bouts = {
      start: unpack(session.bouts.start),
      stop: unpack(session.bouts.stop),
      label: unpackLabels(session.bouts.label),
      confidence: unpack(session.bouts.confidence),
    };
    decodedArrays.set(session.bouts, bouts);
  }
  return bouts;
}

/** Seconds of a frame of the video on the clock of the session. */
export function secondsOf(session, frame) {
  return session.start_s + frame / session.fps;
}

let mapArrays = null;
/** Arrays of the map, decoded once, or null. */
export function mapPoints() {
  if (!report.map) return null;
  mapArrays ??= {
    x: unpack(report.map.x),
    y: unpack(report.map.y),
    label: unpackLabels(report.map.label),
    session: unpack(report.map.session),
    startS: unpack(report.map.start_s),
    membership: unpack(report.map.membership),
  };
  return mapArrays;
}
