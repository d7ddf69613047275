// Colours. Those of labels are the same as in the program's figures and videos.

// Okabe & Ito (2008), Color Universal Design, without black
const FIRST_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442"];
const GOLDEN_ANGLE_DEG = 137.50776405003785; // successive hues are far apart, however many there are
const LIGHTNESS = [0.62, 0.82, 0.48, 0.72]; // in turn: neighbours in hue also differ in lightness
const CHROMA = 0.11;
export const GREY = "#9a9a9a"; // unsure, and hidden

function channel(value) {
  return Math.round(255 * value).toString(16).padStart(2, "0");
}

/** Transfer function of sRGB (IEC 61966-2-1). */
function encoded(linear) {
  return linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** A colour of the space OKLab (Ottosson 2020) as sRGB; what the screen cannot show is clipped. */
function fromOklab(lightness, a, b) {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
  return `#${linear.map((value) => channel(encoded(Math.min(1, Math.max(0, value))))).join("")}`;
}

/** Colour of a label without one of its own; grey for unsure. */
export function paletteColour(number) {
  if (number < 0) return GREY;
  if (number < FIRST_COLOURS.length) return FIRST_COLOURS[number];
  const later = number - FIRST_COLOURS.length;
  const hue = (((later * GOLDEN_ANGLE_DEG) % 360) * Math.PI) / 180;
  return fromOklab(LIGHTNESS[later % LIGHTNESS.length], CHROMA * Math.cos(hue), CHROMA * Math.sin(hue));
}

export function rgbOf(hex) {
  const value = parseInt(hex.slice(1, 7), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Mixture of two colours; 0 gives the first. */
export function mixed(first, second, share) {
  const [a, b] = [rgbOf(first), rgbOf(second)];
  return `#${a.map((value, i) => channel((value + share * (b[i] - value)) / 255)).join("")}`;
}

/** Black or white, whichever reads better on the colour. */
export function inkOn(hex) {
  const [r, g, b] = rgbOf(hex).map((value) => (value / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.32 ? "#000000" : "#ffffff";
}

/** A colour for thin lines: pale ones are darker on a light page, dark ones lighter on a dark page. */
export function lineColour(hex, theme) {
  const pale = inkOn(hex) === "#000000";
  const lightPage = inkOn(theme.panel) === "#000000";
  return pale === lightPage ? mixed(hex, theme.ink, 0.22) : hex;
}

/** From pale to strong, for shares from 0 to 1. */
export function shade(share, theme) {
  return mixed(theme.panel, theme.accent, 0.04 + 0.96 * Math.sqrt(Math.max(0, Math.min(1, share))));
}

/** Colours of the page as it is shown now. */
export function themeColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["bg", "panel", "ink", "muted", "line", "accent", "faint"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}
