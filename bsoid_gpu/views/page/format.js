// Numbers, times and lists in words.

/** 65.3 -> "1:05.3"; with hours from one hour on. */
export function clock(seconds, digits = 1) {
  const sign = seconds < 0 ? "-" : "";
  const scale = 10 ** digits;
  const units = Math.round(Math.abs(seconds) * scale);
  const whole = Math.floor(units / scale);
  const rest = digits ? `.${String(units % scale).padStart(digits, "0")}` : "";
  const two = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const head = hours ? `${hours}:${two(minutes)}` : `${minutes}`;
  return `${sign}${head}:${two(whole % 60)}${rest}`;
}

export function percent(share) {
  if (share == null || Number.isNaN(share)) return "–";
  const value = 100 * share;
  return `${value >= 9.95 || value === 0 ? value.toFixed(0) : value.toFixed(1)} %`;
}

export function seconds(value) {
  if (value == null || Number.isNaN(value)) return "–";
  return `${value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2)} s`;
}

export function asNumber(value) {
  if (value == null || Number.isNaN(value)) return "–";
  if (Number.isInteger(value)) return count(value);
  const size = Math.abs(value);
  if (size < 0.0005) return "0";
  if (size < 0.1) return String(Number(value.toPrecision(size < 0.01 ? 1 : 2)));
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

export function plural(value, word) {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

export function joined(items) {
  const list = [...items];
  return list.length < 2 ? list.join("") : `${list.slice(0, -1).join(", ")} and ${list.at(-1)}`;
}

/** Value at a quantile of ascending values, between neighbours by their distance. */
export function quantile(ascending, share) {
  if (!ascending.length) return NaN;
  const place = share * (ascending.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, ascending.length - 1);
  return ascending[low] + (place - low) * (ascending[high] - ascending[low]);
}

/** Round values for an axis from low to high, about `wanted` of them. */
export function ticks(low, high, wanted, steps = [1, 2, 5, 10]) {
  const rough = (high - low) / Math.max(1, wanted);
  if (!(rough > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = steps.map((s) => s * power).find((s) => s >= rough) ?? 10 * power;
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high + 1e-9 * step; i++) values.push(i * step);
  return values;
}

const TIME_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
/** Times for an axis, and the decimal digits that they need. */
export function timeTicks(low, high, wanted) {
  const step = TIME_STEPS.find((s) => s >= (high - low) / wanted) ?? 14400;
  const values = [];
  for (let i = Math.ceil(low / step); i * step <= high; i++) values.push(i * step);
  return { values, digits: step < 1 ? 1 : 0 };
}
