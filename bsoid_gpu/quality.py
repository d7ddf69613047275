"""Report on the quality of the input, for each keypoint of each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.features import length
from bsoid_gpu.likelihood import present

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.pose import Pose

JUMP_DEVIATIONS = 10.0  # robust standard deviations
JUMP_PX = 15.0  # a still animal's jitter is no jump
STILL_PX = 1e-9  # a tracked point is never this steady


@dataclass(frozen=True)
class KeypointQuality:
    """How well one keypoint was tracked in one session.

    Parameters
    ----------
    session, keypoint
        Their names.
    frames
        Frames of the session.
    threshold
        The likelihood threshold of the session's recording.
    share_below
        Share of the frames that are below it or have no position.
    longest_gap_frames
        Longest run of such frames.
    missing_frames
        Frames without a position.
    jumps
        Frames off the track: further from the middle between the frames before and after than the median by 10
        robust standard deviations (1.4826 times the median absolute deviation), and than 15 px. All three frames
        are good ones. A single frame that leaves the track is off by its whole jump and its two neighbours by half
        of it, so that one large jump counts three times.
    largest_jump_px
        Largest distance from that middle.
    moves
        Whether the places where it is well seen differ at all.
    warning
        Why it should not be used; empty where nothing speaks against it.
    """

    session: str
    keypoint: str
    frames: int
    threshold: float
    share_below: float
    longest_gap_frames: int
    missing_frames: int
    jumps: int
    largest_jump_px: float
    moves: bool
    warning: str


def quality(pose: Pose, threshold: Array, unusable_share: float, backend: Backend) -> list[KeypointQuality]:
    """Describe each keypoint of a session of one animal.

    Parameters
    ----------
    pose
        The session before the likelihood filter.
    threshold
        (keypoints,).
    unusable_share
        Warn where a larger share of the frames is below the threshold.
    backend
        Where the arrays are.
    """
    position, confidence = pose.position[:, 0, :, :], pose.confidence[:, 0, :]
    seen = present(position)
    good = backend.to_host(seen & (confidence >= threshold))
    off = backend.to_host(length(position[1:-1, ...] - (position[:-2, ...] + position[2:, ...]) / 2))
    places, found, limit = backend.to_host(position), backend.to_host(seen), backend.to_host(threshold)
    rows = []
    for k, keypoint in enumerate(pose.keypoints):
        off_track = off[good[2:, k] & good[1:-1, k] & good[:-2, k], k]
        share = 1.0 - float(np.mean(good[:, k]))
        missing_frames = int(np.sum(~found[:, k]))
        visible = places[good[:, k], k]
        moves = bool(len(visible)) and float(np.ptp(visible, axis=0).max()) > STILL_PX
        rows.append(
            KeypointQuality(
                session=pose.name,
                keypoint=keypoint,
                frames=pose.frames,
                threshold=round(float(limit[k]), 6),
                share_below=round(share, 6),
                longest_gap_frames=_longest_run(~good[:, k]),
                missing_frames=missing_frames,
                jumps=_jumps(off_track),
                largest_jump_px=round(float(off_track.max(initial=0.0)), 3),
                moves=moves,
                warning=_warning(
                    f"{pose.name}: {keypoint!r}",
                    share,
                    unusable_share,
                    never=missing_frames == pose.frames,
                    moves=moves,
                ),
            )
        )
    return rows


def _longest_run(bad: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], bad, [False]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _jumps(off_track: NDArray[np.float64]) -> int:
    if not len(off_track):
        return 0
    middle = np.median(off_track)
    spread = 1.4826 * np.median(np.abs(off_track - middle))
    return int(np.sum(off_track > max(middle + JUMP_DEVIATIONS * spread, JUMP_PX)))


def _warning(who: str, share: float, unusable_share: float, *, never: bool, moves: bool) -> str:
    if never:
        return f"{who} has no position in any frame: leave it out with --keypoints"
    if share > unusable_share:
        return (
            f"{who} is below its likelihood threshold in {share:.0%} of the frames (limit {unusable_share:.0%}): "
            "consider leaving it out with --keypoints"
        )
    return "" if moves else f"{who} never moves: leave it out with --keypoints"


def quality_table(report: Sequence[KeypointQuality]) -> list[dict[str, Any]]:
    """One dict for each row, as JSON can write it."""
    return [asdict(row) for row in report]


def format_report(report: Sequence[KeypointQuality]) -> str:
    """A table for people: one line for each keypoint of each session."""
    width = max([len("keypoint"), *(len(row.keypoint) for row in report)])
    lines = []
    for i, row in enumerate(report):
        if i == 0 or report[i - 1].session != row.session:
            lines.append(f"  {row.session}")
            lines.append(f"    {'keypoint':<{width}}  below threshold  longest gap  missing  jumps")
        lines.append(
            f"    {row.keypoint:<{width}}  {row.share_below:7.1%} of {row.threshold:4.2f}  "
            f"{row.longest_gap_frames:11d}  {row.missing_frames:7d}  {row.jumps:5d}{'  !' if row.warning else ''}"
        )
    return "\n".join(lines)
