// Colours. The first twelve stay apart for colour-blind eyes too; the later ones differ in lightness as well.

const COLOURS = (
  "3078bb e19b20 139e73 cf77aa d55c13 4bb7ef c3b931 96406d 44dba6 9085fb 8e5318 654abb " +
  "6cb66f c43e49 f587df 6d6cdf a947a3 2f7d50 4dc0b3 708ed0 d38145 93d36e efa2cd 874197 " +
  "7b8516 d16d6f a0659b 82c5fd b44979 fb938b 3ba7c5 e0976d 24c893 65a23e a95960 4187dd " +
  "5da3fc 9c5ac7 c38ac6 8a558d 9f413d 525dcc 5468a9 d9525a 87660c 8b79bf eb648a f691b1"
).split(" ").map((hex) => `#${hex}`);
const GOLDEN_ANGLE = 137.508;
const LIGHTNESS = [42, 66, 54, 76];
export const GREY = "#8a9099";

function channel(value) {
  return Math.round(255 * value).toString(16).padStart(2, "0");
}

function fromHsl(hue, saturation, lightness) {
  const reach = saturation * Math.min(lightness, 1 - lightness);
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return lightness - reach * Math.max(-1, Math.min(k - 3, 9 - k, 1));
  };
  return `#${channel(part(0))}${channel(part(8))}${channel(part(4))}`;
}

/** Colour of the n-th label; grey for unsure. */
export function paletteColour(n) {
  if (n < 0) return GREY;
  if (n < COLOURS.length) return COLOURS[n];
  return fromHsl((n * GOLDEN_ANGLE) % 360, 0.55, LIGHTNESS[n % LIGHTNESS.length] / 100);
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
