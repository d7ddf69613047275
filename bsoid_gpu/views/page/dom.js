// Elements, drawings and the tooltip. All text is set as text, never as HTML.

const SVG_SPACE = "http://www.w3.org/2000/svg";

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value == null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "style") for (const [rule, setting] of Object.entries(value)) element.style.setProperty(rule, setting);
    else if (name === "value" || name === "checked" || name === "textContent") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return element;
}

/** HTML element with attributes, listeners (`on`), style rules and children. */
export function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** SVG element with attributes and children. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG_SPACE, tag), properties, children);
}

export function button(text, action, properties = {}) {
  return el("button", { type: "button", ...properties, on: { click: action } }, text);
}

export function byId(id) {
  return document.getElementById(id);
}

/** Buttons of which one is pressed; `choose` gets its value. */
export function segmented(label, options, chosen, choose) {
  const group = el("div", { class: "segmented", role: "group", "aria-label": label });
  const show = (value) => {
    for (const item of group.children) item.setAttribute("aria-pressed", String(item.dataset.value === String(value)));
  };
  for (const [value, text] of options) {
    const item = button(text, () => { show(value); choose(value); });
    item.dataset.value = value;
    group.append(item);
  }
  show(chosen);
  group.show = show;
  return group;
}

/** Sets the size of a canvas in CSS pixels and clears it; returns its context in these units. */
export function prepare(canvas, width, height) {
  const ratio = Math.min(window.devicePixelRatio || 1, 2);
  const [pixelsX, pixelsY] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== pixelsX || canvas.height !== pixelsY) [canvas.width, canvas.height] = [pixelsX, pixelsY];
  canvas.style.setProperty("width", `${width}px`);
  canvas.style.setProperty("height", `${height}px`);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

let tip = null;
/** Shows lines of text beside the pointer. */
export function showTip(event, lines) {
  tip ??= document.body.appendChild(el("div", { id: "tip", role: "status" }));
  tip.replaceChildren(...lines.filter(Boolean).map((line, i) => el("div", { class: i ? "" : "first" }, line)));
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 16;
  const top = below + tip.offsetHeight > window.innerHeight - 8 ? event.clientY - tip.offsetHeight - 12 : below;
  tip.style.setProperty("left", `${Math.max(4, left)}px`);
  tip.style.setProperty("top", `${Math.max(4, top)}px`);
}

export function hideTip() {
  if (tip) tip.hidden = true;
}

/** Attributes that show lines of text while the pointer is on an element. */
export function tipOn(lines) {
  return { pointermove: (event) => showTip(event, lines()), pointerleave: hideTip };
}

/** Says a sentence to screen readers, and shows it for a while. */
let sayTimer = 0;
export function say(text) {
  const place = byId("say");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(sayTimer);
  sayTimer = setTimeout(() => place.classList.remove("shown"), 5000);
}

const waiting = new Set();
function drawWaiting() {
  const draws = [...waiting];
  waiting.clear();
  for (const draw of draws) draw();
}

/** Draws in the next frame, once, however often it is asked for. */
export function later(draw) {
  if (!waiting.size) requestAnimationFrame(drawWaiting);
  waiting.add(draw);
}

const drawings = [];
/** Draws a panel again when the width of its host changes, and with redrawAll. */
export function redrawn(host, draw) {
  let width = 0;
  drawings.push(draw);
  new ResizeObserver(() => {
    if (host.clientWidth === width || document.documentElement.classList.contains("printing")) return;
    width = host.clientWidth;
    later(draw);
  }).observe(host);
}

export function redrawAll() {
  for (const draw of drawings) draw();
}
