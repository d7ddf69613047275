// The page: decodes the data, counts, and mounts the views.

import { figures, report } from "./data.js";
import { mountClips } from "./clips.js";
import { recount } from "./counts.js";
import { mountDescription } from "./descriptions.js";
import { mountEthogram } from "./ethogram.js";
import { mountHeader } from "./header.js";
import { mountKeyboard } from "./keyboard.js";
import { listed, mountList } from "./list.js";
import { mountMap } from "./map.js";
import { mountPrinting } from "./printing.js";
import { mountQuality } from "./quality.js";
import { mountSaving } from "./saving.js";
import { announce, numberOf, on, select, setBehaviours } from "./state.js";
import { mountTransitions } from "./transitions.js";
import { mountTree } from "./tree.js";
import { mountUsage } from "./usage.js";

const VIEWS = [
  mountHeader, mountList, mountMap, mountClips, mountDescription, mountEthogram, mountUsage, mountTransitions, mountTree,
  mountQuality, mountSaving, mountKeyboard, mountPrinting,
];

function start() {
  setBehaviours(report.behaviours);
  on("behaviours", recount); // before the views, which show what is counted
  recount();
  for (const mount of VIEWS) mount();
  announce("behaviours");
  const first = listed()[0];
  if (first) select({ number: numberOf(first.behaviour) });
  document.body.classList.add("ready");
  requestAnimationFrame(() => { figures.readyMs = performance.now(); });
}

window.report = figures;
start();
