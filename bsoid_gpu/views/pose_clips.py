"""Clips of poses: the positions around a bout, small enough for a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.views.cameras import positions_at
from bsoid_gpu.views.page_file import packed

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.views.montage import ChosenBout

BEFORE_S = 0.5  # before the onset of the bout
LONGEST_S = 3.0  # of a clip
FASTEST_FPS = 30.0
STEPS = 30000  # of a coordinate, within a clip
MISSING = -32768  # of int16


def clip_frames(bout: ChosenBout, fps: float) -> tuple[int, int]:
    """First frame number of the clip of a bout, and the one after its last: as long as the bout and a little more."""
    before = round(BEFORE_S * fps)
    longest = round(LONGEST_S * fps)
    wanted = bout.stop - bout.start + 2 * before
    return bout.start - before, bout.start - before + min(max(wanted, longest // 2), longest)


def pose_clip(pose: Pose, bout: ChosenBout, unit_px: float, fastest_fps: float = FASTEST_FPS) -> dict[str, Any]:
    """The clip of a bout, for the page: positions of every frame, or every n-th of a fast camera.

    Parameters
    ----------
    pose
        The session; the frames of its gaps, and those that do not show the animal, are missing in the clip.
    bout
        What to show.
    unit_px
        Length of the animal in px, by which the page scales the clip.
    fastest_fps
        Frames per second of the clip, at most.
    """
    step = max(1, round(pose.fps / fastest_fps))
    start, stop = clip_frames(bout, pose.fps)
    start = bout.start - step * ((bout.start - start) // step)  # the onset is a frame of the clip
    numbers = np.arange(start, stop, step)
    position = positions_at(pose, numbers)
    known = np.isfinite(position)
    low = np.nanmin(np.where(known, position, np.inf), axis=(0, 1)) if known.any() else np.zeros(2)
    high = np.nanmax(np.where(known, position, -np.inf), axis=(0, 1)) if known.any() else np.ones(2)
    unit = max(float(np.max(high - low)) / STEPS, 1e-6)
    coded = np.where(known, np.rint((np.where(known, position, 0.0) - low) / unit), MISSING).astype(np.int16)
    return {
        "label": bout.label,
        "kind": bout.kind,
        "session": bout.session,
        "start": int(start),
        "onset": int((bout.start - start) // step),
        "offset": int(min(-(-(bout.stop - start) // step), len(numbers))),
        "bout_s": round((bout.stop - bout.start) / pose.fps, 4),
        "fps": pose.fps / step,
        "confidence": round(bout.confidence, 4),
        "position": packed(coded),
        "origin": [round(float(value), 3) for value in low],
        "step": unit,
        "body_px": round(unit_px, 3),
        "video": None,
    }
