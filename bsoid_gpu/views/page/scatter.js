// Points drawn straight into the pixels of a canvas, and looked up by place.

const CELLS = 96;

/** Offsets of the pixels of a disc. */
function disc(radius) {
  const offsets = [];
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++)
    for (let dx = -reach; dx <= reach; dx++)
      if (dx * dx + dy * dy <= radius * radius + 0.3) offsets.push(dx, dy);
  return offsets;
}

/** "#rrggbb" as a pixel of ImageData. */
export function pixelOf(hex) {
  const value = parseInt(hex.slice(1, 7), 16);
  return (0xff000000 | ((value & 255) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}

/**
 * Draws points in layers, later layers on top.
 * toPixel: {a, b, c, d} with pixel = (a + b x, c + d y); pixels, layer: one value for each point.
 */
export function scatter(context, x, y, toPixel, pixels, layer, layers, radius) {
  const { width, height } = context.canvas;
  const image = context.createImageData(width, height);
  const target = new Uint32Array(image.data.buffer);
  const { a, b, c, d } = toPixel;
  for (let level = 0; level < layers; level++) {
    const offsets = disc(level === layers - 1 ? radius * 1.25 : radius);
    for (let i = 0; i < x.length; i++) {
      if (layer[i] !== level) continue;
      const px = Math.round(a + b * x[i]);
      const py = Math.round(c + d * y[i]);
      for (let k = 0; k < offsets.length; k += 2) {
        const [qx, qy] = [px + offsets[k], py + offsets[k + 1]];
        if (qx >= 0 && qx < width && qy >= 0 && qy < height) target[qy * width + qx] = pixels[i];
      }
    }
  }
  context.putImageData(image, 0, 0);
}

/** Smallest box around the points that are wanted; around all, where none is. */
export function bounds(x, y, wanted = () => true) {
  const box = { left: Infinity, right: -Infinity, low: Infinity, high: -Infinity };
  for (let i = 0; i < x.length; i++) {
    if (!wanted(i)) continue;
    if (x[i] < box.left) box.left = x[i];
    if (x[i] > box.right) box.right = x[i];
    if (y[i] < box.low) box.low = y[i];
    if (y[i] > box.high) box.high = y[i];
  }
  return box.left > box.right && x.length ? bounds(x, y) : box;
}

/** Look-up of the nearest point within a distance, in the units of the points. */
export function nearestIn(x, y) {
  const box = bounds(x, y);
  const size = Math.max(box.right - box.left, box.high - box.low, 1e-9) / CELLS;
  const cells = new Map();
  const column = (value) => Math.floor((value - box.left) / size);
  const row = (value) => Math.floor((value - box.low) / size);
  for (let i = 0; i < x.length; i++) {
    const key = row(y[i]) * 4096 + column(x[i]);
    if (cells.has(key)) cells.get(key).push(i);
    else cells.set(key, [i]);
  }
  return (px, py, within, wanted = () => true) => {
    const reach = Math.ceil(within / size);
    let [best, least] = [-1, within * within];
    for (let r = row(py) - reach; r <= row(py) + reach; r++)
      for (let q = column(px) - reach; q <= column(px) + reach; q++)
        for (const i of cells.get(r * 4096 + q) ?? []) {
          const distance = (x[i] - px) ** 2 + (y[i] - py) ** 2;
          if (distance <= least && wanted(i)) [best, least] = [i, distance];
        }
    return best;
  };
}

/** For each label the point nearest to the median of its points, and how high above it nearly all are: [x, y, reach]. */
export function centres(x, y, label, labels) {
  const members = Array.from({ length: labels }, () => []);
  for (let i = 0; i < x.length; i++) if (label[i] >= 0) members[label[i]].push(i);
  return members.map((points) => {
    if (!points.length) return undefined;
    const middle = (values) => points.map((i) => values[i]).sort((a, b) => a - b)[points.length >> 1];
    const [mx, my] = [middle(x), middle(y)];
    let best = points[0];
    const far = (i) => (x[i] - mx) ** 2 + (y[i] - my) ** 2;
    for (const i of points) if (far(i) < far(best)) best = i;
    const above = points.map((i) => y[i]).sort((a, b) => a - b)[Math.floor(0.95 * points.length)];
    return [x[best], y[best], Math.max(0, above - y[best])];
  });
}
