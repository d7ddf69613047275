// What a page of `bsoid-gpu view` asks its server; a file asks nobody.

import { report } from "./data.js";

async function ask(path, body) {
  const headers = { "X-Token": report.server.token };
  const options = { headers, cache: "no-store" };
  if (body !== undefined) {
    Object.assign(options, { method: "POST", body: JSON.stringify(body) });
    headers["Content-Type"] = "application/json";
  }
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("the server does not answer; is `bsoid-gpu view` still running?");
  }
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  const error = new Error(content.error || `the server answered ${answer.status}`);
  error.conflict = answer.status === 409;
  throw error;
}

export function saveNames(version, behaviours) {
  return ask("names", { model: report.model, version, behaviours });
}

export function recutTree(size, kind) {
  return ask("recut", { size, selection: kind });
}

export function applyCut(size, kind) {
  return ask("apply", { size, selection: kind });
}

export function applyProgress() {
  return ask("progress");
}

export async function moreClips(label, more = 12) {
  return (await ask("clips", { label, more })).clips;
}
