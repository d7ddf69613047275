"""Quality of the tracking of each keypoint in each session."""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.method.array_quantiles import column_medians, count, ordered, ranked
from bsoid_gpu.method.likelihood import present, running_maximum
from bsoid_gpu.method.presence import inner_rows, rows_of
from bsoid_gpu.method.training_range import body_length
from bsoid_gpu.method.vectors import length

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.typing import Array

JUMP_DEVIATIONS = 10.0  # robust standard deviations
JUMP_PX = 15.0  # a still animal's jitter is not a jump
STILL_SHARE, MOVING_SHARE, CROSSING_LENGTHS = 0.1, 0.5, 4.0
SPREAD_QUANTILES = (0.05, 0.95)
STILL_PX = 1e-9  # a tracked point is never this steady


@dataclass(frozen=True)
class KeypointQuality:
    """How well one keypoint was tracked in one session.

    Parameters
    ----------
    session, keypoint
        Their names.
    frames
        Frames of the session that show the animal; the others do not count.
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
    spread_px
        Distance between the 5 % and 95 % quantiles of its good positions, along the axis where it is largest.
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
    spread_px: float
    moves: bool
    warning: str


def quality(
    pose: Pose, threshold: Array, unusable_share: float, backend: Backend, segments: Sequence[range] = ()
) -> list[KeypointQuality]:
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
    segments
        Ranges of frames that show the animal without a gap; by default all.
    """
    xp = array_namespace(pose.position)
    segments = segments or (range(pose.frames),)
    position = rows_of(pose.position[:, 0, :, :], segments)
    confidence = rows_of(pose.confidence[:, 0, :], segments)
    inner = xp.asarray(inner_rows(segments), device=device_of(position))
    seen = present(position)
    good = seen & (confidence >= threshold)
    jumps, largest = _jumps(position, good, inner)
    measured = (
        threshold, count(good), _longest_gap(good), count(seen), jumps, largest, _extent(position, good),
        _spread(position, good),
    )  # fmt: skip
    columns = xp.stack([xp.astype(column, xp.float64) for column in measured])
    host = backend.to_host(columns)
    frames = position.shape[0]
    return [_row(pose.name, keypoint, host[:, k], frames, unusable_share) for k, keypoint in enumerate(pose.keypoints)]


def _row(
    session: str, keypoint: str, measured: NDArray[np.float64], frames: int, unusable_share: float
) -> KeypointQuality:
    threshold, good, longest_gap, seen, jumps, largest, extent, spread = measured.tolist()
    share = 1.0 - good / frames
    missing, moves = frames - int(seen), extent > STILL_PX
    return KeypointQuality(
        session=session,
        keypoint=keypoint,
        frames=frames,
        threshold=round(threshold, 6),
        share_below=round(share, 6),
        longest_gap_frames=int(longest_gap),
        missing_frames=missing,
        jumps=int(jumps),
        largest_jump_px=round(largest, 3),
        spread_px=round(spread, 3),
        moves=moves,
        warning=_warning(f"{session}: {keypoint!r}", share, unusable_share, never=missing == frames, moves=moves),
    )


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


def _spread(position: Array, good: Array) -> Array:
    """Distance between two quantiles of the good positions, the larger one of the axes: (keypoints,)."""
    xp = array_namespace(position)
    spreads = []
    for axis in range(position.shape[2]):
        rows = ordered(position[..., axis], good)
        last = xp.astype(count(good) - 1, xp.float64)
        low, high = (ranked(rows, xp.astype(share * last, xp.int64)) for share in SPREAD_QUANTILES)
        spreads.append(xp.where(last < 0, 0.0, high) - xp.where(last < 0, 0.0, low))
    return xp.max(xp.stack(spreads), axis=0)


def _jumps(position: Array, good: Array, inner: Array) -> tuple[Array, Array]:
    """Number of frames off the track, and the largest distance from it: (keypoints,) each."""
    xp = array_namespace(position)
    off = length(position[1:-1, ...] - (position[:-2, ...] + position[2:, ...]) / 2)
    if off.shape[0] == 0:
        none = xp.zeros(good.shape[1], dtype=off.dtype, device=device_of(off))
        return none, none
    of_good = good[2:, :] & good[1:-1, :] & good[:-2, :] & inner[1:-1, None]
    median = column_medians(off, of_good)
    deviation = 1.4826 * column_medians(xp.abs(off - median), of_good)
    limit = xp.maximum(median + JUMP_DEVIATIONS * deviation, JUMP_PX)
    return count(of_good & (off > limit)), xp.max(xp.where(of_good, off, 0.0), axis=0)


def _warning(name: str, share: float, unusable_share: float, *, never: bool, moves: bool) -> str:
    if never:
        return f"{name} has no position in any frame: leave it out with --keypoints"
    if share > unusable_share:
        return (
            f"{name} is below its likelihood threshold in {share:.0%} of the frames (limit {unusable_share:.0%}): "
            "consider leaving it out with --keypoints"
        )
    return "" if moves else f"{name} never moves: leave it out with --keypoints"


def still_keypoints(position: Array, rows: Sequence[KeypointQuality], backend: Backend) -> tuple[str, ...]:
    """Keypoints that stay in place while the others cross the arena: probable points of the arena.

    They spread over less than a tenth of the widest spread, and at least two others over more than half of it, which
    is more than four body lengths of these others.

    Parameters
    ----------
    position
        (frames, keypoints, space) px without NaN.
    rows
        Quality of the keypoints, in order.
    backend
        Where the positions are.
    """
    widest = max(row.spread_px for row in rows)
    still = tuple(row.keypoint for row in rows if row.spread_px < STILL_SHARE * widest)
    moving = [k for k, row in enumerate(rows) if row.spread_px > MOVING_SHARE * widest]
    if not still or len(moving) < 2:
        return ()
    xp = array_namespace(position)
    others = xp.take(position, xp.asarray(moving, dtype=xp.int64, device=device_of(position)), axis=1)
    crosses = widest > CROSSING_LENGTHS * float(backend.to_host(body_length(others)))
    return still if crosses else ()


def arena_warning(still: Sequence[Sequence[str]], keypoints: Sequence[str]) -> list[str]:
    """A sentence on keypoints that are probably points of the arena, with the option that leaves them out.

    Parameters
    ----------
    still
        :func:`still_keypoints` of each session.
    keypoints
        All keypoints.
    """
    showing = [names for names in still if names]
    points = [name for name in keypoints if 2 * sum(name in names for names in showing) > len(showing)]
    if not points:
        return []
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([name for name in keypoints if name not in points])
    stay = "stay" if len(points) > 1 else "stays"
    return [
        f"{', '.join(points)} {stay} in place while the other keypoints cross the arena: probably points of the arena, "
        f"not of the animal; leave them out with --keypoints {shlex.quote(line.getvalue())}"
    ]


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
