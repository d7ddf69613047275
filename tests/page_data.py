"""Data of a page as a run would give it: poses of the simulated mouse, with 25 labels in three sessions."""

from __future__ import annotations

import base64
import itertools

import numpy as np
from scipy.cluster.hierarchy import linkage

from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate_session
from bsoid_gpu.views.page_file import packed

FPS = 30.0
BIN_FRAMES = 3
POINTS = 20_000
CLIPS_OF_LABEL = {"typical": 10, "edge": 3, "confusable": 3}
BEFORE_S, AFTER_S = 0.5, 1.5
SIZES = [20, 30, 40, 60, 80, 120, 180, 260, 400]
UNSURE = 65535


def page_data(*, minutes: float = 12.0, video: str | None = None, labels_of_behaviour: int = 3, seed: int = 0) -> dict:
    """Data of a page; `video` (a data URL) becomes that of the first two clips of each label."""
    rng = np.random.default_rng(seed)
    sessions = [_session(f"mouse{number + 1}_openfield", minutes, labels_of_behaviour, rng) for number in range(3)]
    labels = 1 + max(int(session["labels"].max()) for session in sessions)
    runs = [_runs(session["labels"]) for session in sessions]
    centres = _centres(labels, labels_of_behaviour)
    points = _map(sessions, centres, rng)
    clips = _clips(sessions, runs, points, labels, video, rng)
    bouts_of_label = [sum(int(np.sum(run[2] == label)) for run in runs) for label in range(labels)]
    return {
        "format": 1,
        "program": "bsoid_gpu 0.2.0",
        "title": "open field",
        "model": "3f1c9a",
        "version": 0,
        "behaviours": [_behaviour(label) for label in range(labels)],
        "labels": labels,
        "keypoints": list(mouse.KEYPOINTS),
        "skeleton": [[0, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, 5], [0, 5]],
        "front": [0],
        "rear": [5],
        "unit": {"name": "body lengths", "px": mouse.BODY_PX},
        "sessions": [_session_data(session, run, rng) for session, run in zip(sessions, runs, strict=True)],
        "sessions_total": 3,
        "map": points,
        "tree": _tree(points, centres, labels_of_behaviour, rng),
        "dendrogram": {"merges": linkage(centres, "average").tolist()},
        "clips": clips,
        "bouts_of_label": bouts_of_label,
        "descriptions": [_description(label, sessions) for label in range(labels)],
        "proposals": [
            {
                "labels": [6, 7],
                "kind": "merge",
                "reason": "their centres are the nearest of all, and 11 % of the bins of 6 are predicted as 7",
            },
            {
                "labels": [9, 12],
                "kind": "mirror",
                "reason": "the same movement to the left and to the right: turning has opposite signs",
            },
        ],
        "stability": {
            "models": 2,
            "returns_in": [1 if label in (3, 11) else 2 for label in range(labels)],
            "adjusted_rand": 0.74,
            "adjusted_mutual_information": 0.81,
        },
        "confusion": _confusion(bouts_of_label, rng),
        "scores": {"held_out_random": 0.981, "held_out_blocks": 0.912, "noise_share": 0.14, "bins": 8997},
        "warnings": [
            "mouse2_openfield: 4.1 % of the positions of left_forepaw have a low confidence; expected below 3 %",
            "Labels 3 and 11 return in 1 of 2 models: look at their clips before you name them",
        ],
        "settings": '[embedding]\nmethod = "umap"\nneighbours = 60\n\n[clustering]\nmethod = "hdbscan"\n',
        "provenance": [
            ["program", "bsoid_gpu 0.2.0, NumPy 2.4.6"],
            ["machine", "2 cores, 8 GB"],
            ["made", "2026-11-30 14:02, in 94 s"],
        ],
        "server": None,
    }


def _behaviour(label):
    named = {0: "walk", 4: "turn left & sniff"}
    return {
        "labels": [label],
        "name": named.get(label, f"label {label}"),
        "description": "",
        "colour": "",
        "hidden": False,
    }


def _session(name, minutes, variants, rng):
    """A simulated session; each bout of a behaviour gets one of its labels."""
    frames = round(minutes * 60 * FPS)
    pose, behaviour = simulate_session(name, frames, FPS, rng)
    state = np.searchsorted(np.unique(behaviour), behaviour)
    changes = np.concatenate([[0], np.flatnonzero(np.diff(state)) + 1, [frames]])
    labels = np.empty(frames, dtype=np.int64)
    part = 0.5 ** np.arange(variants)
    part /= part.sum()
    for start, stop in itertools.pairwise(changes):
        labels[start:stop] = variants * state[start] + rng.choice(variants, p=part)
    rare = rng.choice(frames - 100, size=2)
    for start in rare:
        labels[start : start + 20] = variants * (state.max() + 1)  # a label of few bouts
    for start in rng.choice(frames - 100, size=40):
        labels[start : start + rng.integers(4, 25)] = -1
    return {"name": name, "position": pose.position[:, 0], "labels": labels}


def _runs(labels):
    """Start, stop and label of each run."""
    edges = np.concatenate([[0], np.flatnonzero(np.diff(labels)) + 1, [len(labels)]])
    return edges[:-1], edges[1:], labels[edges[:-1]]


def _session_data(session, run, rng):
    start, stop, label = run
    frames = len(session["labels"])
    bouts = {
        "start": packed(start.astype(np.uint32)),
        "stop": packed(stop.astype(np.uint32)),
        "label": packed(np.where(label < 0, 255, label).astype(np.uint8)),
        "confidence": packed(rng.integers(150, 256, size=len(start)).astype(np.uint8)),
    }
    quality = [
        {"keypoint": name, "low_share": float(rng.uniform(0, 0.04)), "missing_share": float(rng.uniform(0, 0.01))}
        for name in mouse.KEYPOINTS
    ]
    return {
        "name": session["name"],
        "recording": f"{session['name']}.mp4",
        "fps": FPS,
        "start_s": 0.0,
        "frames": frames,
        "observed_frames": frames,
        "first_frame": 0,
        "notes": [],
        "quality": quality,
        "bouts": bouts,
    }


def _centres(labels, variants):
    """A centre for each label: behaviours on a spiral, their labels side by side."""
    behaviour, variant = np.divmod(np.arange(labels), variants)
    angle = 2.4 * behaviour
    middle = 2.6 * np.sqrt(behaviour + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return middle + 0.9 * np.stack([np.cos(2.1 * variant + angle), np.sin(2.1 * variant + angle)], axis=1)


def _map(sessions, centres, rng):
    bins = [np.arange(0, len(session["labels"]) - BIN_FRAMES, BIN_FRAMES) for session in sessions]
    number = np.concatenate([np.full(len(starts), i) for i, starts in enumerate(bins)])
    start = np.concatenate(bins)
    chosen = np.sort(rng.choice(len(start), size=min(POINTS, len(start)), replace=False))
    number, start = number[chosen], start[chosen]
    label = np.array([sessions[i]["labels"][t + 1] for i, t in zip(number, start, strict=True)])
    noise = rng.random(len(label)) < 0.08
    width = 0.25 + 0.18 * (np.arange(len(centres)) % 4)
    place = centres[label] + rng.normal(size=(len(label), 2)) * width[label][:, None] * [1.0, 0.6]
    place = np.where(noise[:, None], rng.normal(size=(len(label), 2)) * 5, place)
    label = np.where(noise | (label < 0), UNSURE, label)
    return {
        "x": packed(place[:, 0].astype(np.float32)),
        "y": packed(place[:, 1].astype(np.float32)),
        "label": packed(label.astype(np.uint16)),
        "session": packed(number.astype(np.uint16)),
        "start_s": packed((start / FPS).astype(np.float32)),
        "membership": packed(np.where(noise, 30, rng.integers(120, 256, size=len(label))).astype(np.uint8)),
        "shown": len(label),
        "bins": int(sum(len(starts) for starts in bins)),
        "method": "umap",
    }


def unpacked(arr):
    """The values of a packed array."""
    return np.frombuffer(base64.b64decode(arr["data"]), dtype=arr["type"]).reshape(arr["shape"])


def _tree(points, centres, variants, rng):
    """Cuts: at small sizes each label parts in two, at large ones the labels of a behaviour join."""
    label, x = unpacked(points["label"]).astype(np.int64), unpacked(points["x"])
    known = label != UNSURE
    halves = 2 * label + (x > centres[np.where(known, label, 0), 0])
    ways = [halves] * 3 + [label] * 3 + [label // variants] * 2 + [label // (2 * variants)]
    cuts, clusters, noise = [], [], []
    for place, way in enumerate(ways):
        kept = known & (rng.random(len(label)) > 0.02 * place)
        values, cut = np.unique(way[kept], return_inverse=True)
        whole = np.full(len(label), UNSURE)
        whole[kept] = cut
        cuts.append(whole)
        clusters.append(len(values))
        noise.append(float(np.mean(whole == UNSURE)))
    return {
        "sizes": SIZES,
        "size_s": [size / 10 for size in SIZES],
        "clusters": clusters,
        "noise": noise,
        "chosen": 4,
        "cuts": packed(np.array(cuts).astype(np.uint16)),
    }


def _clips(sessions, runs, points, labels, video, rng):
    clips = []
    number, start_s = unpacked(points["session"]), unpacked(points["start_s"])
    for label in range(labels):
        bouts = [
            (i, start, stop)
            for i, (starts, stops, values) in enumerate(runs)
            for start, stop in zip(starts[values == label], stops[values == label], strict=True)
        ]
        kinds = [kind for kind, many in CLIPS_OF_LABEL.items() for _ in range(many)]
        for place, k in enumerate(rng.permutation(len(bouts))[: len(kinds)]):
            i, start, stop = bouts[k]
            clip = _clip(sessions[i]["position"], start, stop)
            near = np.where(number == i, np.abs(start_s - start / FPS), np.inf)
            extra = {"label": label, "kind": kinds[place], "session": i, "point": int(np.argmin(near))}
            clips.append(clip | extra | {"video": video if place < 2 else None})
    return clips


def _clip(position, start, stop):
    first = max(0, start - round(BEFORE_S * FPS))
    last = min(len(position), start + round(AFTER_S * FPS))
    part = position[first:last]
    origin = np.nanmean(part, axis=(0, 1))
    values = np.where(np.isnan(part), -32768, np.round((np.nan_to_num(part) - origin) / 0.25)).astype(np.int16)
    return {
        "start": int(first),
        "onset": int(start - first),
        "offset": int(min(stop, last) - first),
        "bout_s": float((stop - start) / FPS),
        "fps": FPS,
        "confidence": 0.93,
        "position": packed(values),
        "origin": origin.tolist(),
        "step": 0.25,
        "body_px": mouse.BODY_PX,
    }


def _description(label, sessions):
    """Speed and length of the body from the poses."""
    speed, length = [], []
    for session in sessions:
        body = session["position"][:, [0, 5]]
        step = np.linalg.norm(np.diff(body.mean(axis=1), axis=0), axis=1) * FPS / mouse.BODY_PX
        wanted = session["labels"][:-1] == label
        speed.append(step[wanted])
        length.append(np.linalg.norm(body[:, 0] - body[:, 1], axis=1)[:-1][wanted] / mouse.BODY_PX)
    values = []
    for name, unit, parts, rest, auc in (
        ("speed of the centre", "body lengths/s", speed, 0.4, 0.91),
        ("length of the body", "body lengths", length, 0.93, 0.66),
    ):
        q25, median, q75 = np.nanquantile(np.concatenate(parts), [0.25, 0.5, 0.75])
        values.append(
            {"name": name, "unit": unit, "median": median, "q25": q25, "q75": q75, "rest_median": rest, "auc": auc}
        )
    signature = label % 7 != 3
    pace = "faster" if values[0]["median"] > 0.4 else "slower"
    sentences = [
        f"It moves {pace} than in the rest of the time: {values[0]['median']:.1f} body lengths/s.",
        "The body is about as long as usual.",
    ]
    return {"labels": [label], "sentences": sentences if signature else [], "signature": signature, "values": values}


def _confusion(bouts, rng):
    size = len(bouts)
    counts = np.diag(20 + np.array(bouts)) + rng.poisson(0.4, size=(size, size))
    counts[6, 7] += 12
    return counts.tolist()
