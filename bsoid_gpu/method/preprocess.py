"""From tracks to filtered positions: checks, absence, and the likelihood filter with the thresholds of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import raise_all
from bsoid_gpu.method import likelihood, presence
from bsoid_gpu.pose import Pose
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Input, Settings


@dataclass(frozen=True)
class Filtered:
    """A session after the likelihood filter.

    ``segments`` are the ranges of frames that show the animal without a gap, and ``parts`` their positions
    (frames, keypoints, space) px without NaN. ``threshold`` (keypoints,) is its recording's. ``notes`` are what was
    repaired, assumed or left out.
    """

    pose: Pose
    segments: tuple[range, ...]
    parts: tuple[Array, ...]
    threshold: Array
    recording: str
    notes: tuple[str, ...] = ()


def filtered(
    tracks: Sequence[Pose],
    settings: Settings,
    backend: Backend,
    known: dict[str, Array] | None = None,
    remedy: str = "leave it out with --keypoints",
) -> list[Filtered]:
    """Filter sessions by the likelihood thresholds of their recordings.

    Frames without the animal do not count: neither for thresholds nor as good positions.

    Parameters
    ----------
    tracks
        Sessions of one or more recordings.
    settings
        All settings.
    backend
        Backend of the arrays.
    known
        Thresholds (keypoints,) by recording; those of other recordings are computed.
    remedy
        What to do about a keypoint that is never seen, for messages.

    Raises
    ------
    BadInput
        A keypoint without any position, or fewer than 2 keypoints or frames.
    """
    raise_all(problem for pose in tracks for problem in _unusable(pose, backend, remedy))
    shown = [_shown(pose, settings.input, backend) for pose in tracks]
    tracks = [one.pose for one in shown]
    grouped: dict[str, list[Pose]] = {}
    for pose in tracks:
        grouped.setdefault(settings.input.recording_of(pose.name), []).append(pose)
    bins = settings.likelihood.histogram_bins
    thresholds = dict(known or {})
    thresholds |= {name: _thresholds(parts, bins) for name, parts in grouped.items() if name not in thresholds}
    sessions = []
    for one in shown:
        recording = settings.input.recording_of(one.pose.name)
        threshold = thresholds[recording]
        parts = _held(one.pose, threshold, one.segments)
        notes = (*one.pose.notes, *_missing_notes(one, threshold, backend))
        sessions.append(Filtered(one.pose, one.segments, parts, threshold, recording, notes))
    return sessions


class Shown(NamedTuple):
    """A session without the positions of frames that do not show the animal, and the segments of the others.

    ``numbers`` (frames,) are the frame numbers on the device; ``longest_frames`` are bridged.
    """

    pose: Pose
    segments: tuple[range, ...]
    numbers: Array
    longest_frames: float


def _shown(pose: Pose, settings: Input, backend: Backend) -> Shown:
    """Leave out the positions of frames in which the animal is absent."""
    xp = array_namespace(pose.position)
    numbers = xp.asarray(pose.frame_numbers, dtype=xp.int64, device=device_of(pose.position))
    longest_frames = settings.absent_s * pose.fps
    absent = presence.absent_frames(pose.position[:, 0, :, :], numbers, settings.absent_share, longest_frames)
    segments = presence.segments_of(backend.to_host(absent), pose.frame_numbers)
    if segments != (range(pose.frames),):
        pose = replace(
            pose,
            position=xp.where(absent[:, None, None, None], xp.nan, pose.position),
            confidence=xp.where(absent[:, None, None], xp.zeros_like(pose.confidence), pose.confidence),
        )
    return Shown(pose, segments, numbers, longest_frames)


def _held(pose: Pose, threshold: Array, segments: Sequence[range]) -> tuple[Array, ...]:
    """Held positions of each segment; no position is held across a gap, if the segment has one of its own."""
    xp = array_namespace(pose.position)
    position, confidence = pose.position[:, 0, :, :], pose.confidence[:, 0, :]
    if segments == (range(pose.frames),):
        return (likelihood.hold_last_good(position, confidence, threshold),)
    parts = []
    of_session = likelihood.hold_last_good(position, confidence, threshold)
    for segment in segments:
        rows = slice(segment.start, segment.stop)
        own = likelihood.hold_last_good(position[rows, ...], confidence[rows, ...], threshold)
        parts.append(xp.where(xp.isnan(own), of_session[rows, ...], own))
    return tuple(parts)


def _missing_notes(shown: Shown, threshold: Array, backend: Backend) -> list[str]:
    """Sentences on frames without the animal, on long times without a good position, and on missing positions."""
    pose, segments = shown.pose, shown.segments
    xp = array_namespace(pose.position)
    position, good = pose.position[:, 0, :, :], pose.confidence[:, 0, :] >= threshold
    of_good = xp.where(good[..., None], position, xp.nan)
    held = backend.to_host(presence.absent_frames(of_good, shown.numbers, 1.0, shown.longest_frames))
    missing = xp.astype(~likelihood.present(presence.rows_of(position, segments)), xp.int64)
    counts = backend.to_host(xp.sum(missing, axis=0)).tolist()
    observed = presence.observed_frames(segments, pose.frames)
    by_count: dict[int, list[str]] = {}
    for keypoint, count in zip(pose.keypoints, counts, strict=True):
        by_count.setdefault(count, []).append(keypoint)
    return [
        *presence.absence_note(observed, pose.frame_numbers, pose.fps),
        *presence.held_note(held & observed, pose.frame_numbers, pose.fps),
        *(
            f"{', '.join(keypoints)}: {count:,} of {int(observed.sum()):,} frames have no position and get the last "
            "good position before them, or else the first one after"
            for count, keypoints in by_count.items()
            if count
        ),
    ]


def _unusable(pose: Pose, backend: Backend, remedy: str) -> list[str]:
    problems = []
    if len(pose.keypoints) < 2:
        problems.append(
            f"{pose.name}: {len(pose.keypoints)} keypoint ({', '.join(pose.keypoints)}); at least 2 are needed, since "
            "the features are distances and turns between them"
        )
    if pose.frames < 2:
        problems.append(f"{pose.name}: {pose.frames} frame; at least 2 are needed")
        return problems
    xp = array_namespace(pose.position)
    seen = xp.any(likelihood.present(pose.position[1:, 0, :, :]), axis=0)  # like the histogram of the method
    has_position = backend.to_host(seen)
    problems += [
        f"{pose.name}: {keypoint!r} has no position in any frame after the first: {remedy}"
        for i, keypoint in enumerate(pose.keypoints)
        if not has_position[i]
    ]
    return problems


def _thresholds(parts: Sequence[Pose], bins: int) -> Array:
    """Thresholds (keypoints,) of one recording; the method leaves out the first frame of each session."""
    xp = array_namespace(parts[0].position)
    confidence = xp.concat([part.confidence[1:, 0, :] for part in parts])
    seen = xp.concat([likelihood.present(part.position[1:, 0, :, :]) for part in parts])
    return likelihood.thresholds(confidence, seen, bins)
