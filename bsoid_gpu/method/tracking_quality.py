"""Quality of the tracking of each keypoint in each session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.method.features import length
from bsoid_gpu.method.likelihood import present, running_maximum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.typing import Array

JUMP_DEVIATIONS = 10.0  # robust standard deviations
JUMP_PX = 15.0  # a still animal's jitter is not a jump
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
        Share of the frames below it or without a position.
    longest_gap_frames
        Longest run of such frames.
    missing_frames
        Frames without a position.
    jumps
        Frames off the track: their distance from the midpoint of the frames before and after exceeds 15 px, and the
        median by 10 robust standard deviations (1.4826 times the median absolute deviation). All three frames are
        good ones. A single displaced frame is off by its displacement and its two neighbours by half of it, so that
        one large jump counts three times.
    largest_jump_px
        Largest distance from that midpoint.
    moves
        Whether its good positions differ at all.
    warning
        Why it should not be used; empty if it can be.
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
    good = seen & (confidence >= threshold)
    jumps, largest = _jumps(position, good)
    measured = (threshold, _count(good), _longest_gap(good), _count(seen), jumps, largest, _extent(position, good))
    xp = array_namespace(position)
    table = backend.to_host(xp.stack([xp.astype(of_keypoints, xp.float64) for of_keypoints in measured]))
    return [_row(pose, keypoint, table[:, k], unusable_share) for k, keypoint in enumerate(pose.keypoints)]


def _row(pose: Pose, keypoint: str, measured: NDArray[np.float64], unusable_share: float) -> KeypointQuality:
    threshold, good, longest_gap, seen, jumps, largest, extent = measured.tolist()
    share = 1.0 - good / pose.frames
    missing, moves = pose.frames - int(seen), extent > STILL_PX
    return KeypointQuality(
        session=pose.name,
        keypoint=keypoint,
        frames=pose.frames,
        threshold=round(threshold, 6),
        share_below=round(share, 6),
        longest_gap_frames=int(longest_gap),
        missing_frames=missing,
        jumps=int(jumps),
        largest_jump_px=round(largest, 3),
        moves=moves,
        warning=_warning(
            f"{pose.name}: {keypoint!r}", share, unusable_share, never=missing == pose.frames, moves=moves
        ),
    )


def _count(true: Array) -> Array:
    """Number of true frames: (keypoints,) from (frames, keypoints) bool."""
    xp = array_namespace(true)
    return xp.sum(xp.astype(true, xp.int64), axis=0)


def _longest_gap(good: Array) -> Array:
    """Longest run of frames that are not good: (keypoints,)."""
    xp = array_namespace(good)
    frame = xp.arange(good.shape[0], device=device_of(good))[:, None]
    return xp.max(frame - running_maximum(xp.where(good, frame, -1)), axis=0)


def _extent(position: Array, good: Array) -> Array:
    """Extent of the good positions along x or y, the larger one: (keypoints,); below 0 without good positions."""
    xp = array_namespace(position)
    highest = xp.max(xp.where(good[..., None], position, -xp.inf), axis=0)
    lowest = xp.min(xp.where(good[..., None], position, xp.inf), axis=0)
    return xp.max(highest - lowest, axis=-1)


def _jumps(position: Array, good: Array) -> tuple[Array, Array]:
    """Number of frames off the track, and the largest distance from it: (keypoints,) each."""
    xp = array_namespace(position)
    off = length(position[1:-1, ...] - (position[:-2, ...] + position[2:, ...]) / 2)
    if off.shape[0] == 0:
        none = xp.zeros(good.shape[1], dtype=off.dtype, device=device_of(off))
        return none, none
    of_good = good[2:, :] & good[1:-1, :] & good[:-2, :]
    median = _median(off, of_good)
    deviation = 1.4826 * _median(xp.abs(off - median), of_good)
    limit = xp.maximum(median + JUMP_DEVIATIONS * deviation, JUMP_PX)
    return _count(of_good & (off > limit)), xp.max(xp.where(of_good, off, 0.0), axis=0)


def _median(values: Array, counted: Array) -> Array:
    """Median of the counted values of each column: (columns,) from (rows, columns); infinite without any."""
    xp = array_namespace(values)
    rows, columns = values.shape
    ordered = xp.reshape(xp.sort(xp.where(counted, values, xp.inf), axis=0, stable=False), (rows * columns,))
    count, column = _count(counted), xp.arange(columns, device=device_of(values))
    low, high = xp.maximum((count - 1) // 2, 0), xp.minimum(count // 2, rows - 1)
    return (xp.take(ordered, low * columns + column) + xp.take(ordered, high * columns + column)) / 2


def _warning(name: str, share: float, unusable_share: float, *, never: bool, moves: bool) -> str:
    if never:
        return f"{name} has no position in any frame: leave it out with --keypoints"
    if share > unusable_share:
        return (
            f"{name} is below its likelihood threshold in {share:.0%} of the frames (limit {unusable_share:.0%}): "
            "consider leaving it out with --keypoints"
        )
    return "" if moves else f"{name} never moves: leave it out with --keypoints"


def quality_table(report: Sequence[KeypointQuality]) -> list[dict[str, Any]]:
    """One dict per row, for JSON."""
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
