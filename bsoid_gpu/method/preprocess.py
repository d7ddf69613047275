"""From sessions to features: checks, the likelihood filter with the thresholds of each recording, and bins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import array_api_compat.numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.errors import raise_all
from bsoid_gpu.method import features, likelihood, presence, windows
from bsoid_gpu.method.pairs import named_pairs
from bsoid_gpu.method.same_track import Track, track_of
from bsoid_gpu.method.tracking_quality import KeypointQuality, quality, still_keypoints
from bsoid_gpu.method.training_range import body_length
from bsoid_gpu.pose import Pose
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Input, Settings


VERSION = 3  # raise it whenever the features of a session change


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
    absences = [_absence(pose, settings.input, backend) for pose in tracks]
    tracks = [
        pose if segments == (range(pose.frames),) else _without(pose, absent)
        for pose, (absent, segments) in zip(tracks, absences, strict=True)
    ]
    grouped: dict[str, list[Pose]] = {}
    for pose in tracks:
        grouped.setdefault(settings.input.recording_of(pose.name), []).append(pose)
    bins = settings.likelihood.histogram_bins
    thresholds = dict(known or {})
    thresholds |= {name: _thresholds(parts, bins) for name, parts in grouped.items() if name not in thresholds}
    sessions = []
    for pose, (_, segments) in zip(tracks, absences, strict=True):
        recording = settings.input.recording_of(pose.name)
        parts = _held(pose, thresholds[recording], segments)
        notes = (*pose.notes, *_missing_notes(pose, segments, backend))
        sessions.append(Filtered(pose, segments, parts, thresholds[recording], recording, notes))
    return sessions


def _absence(pose: Pose, settings: Input, backend: Backend) -> tuple[Array, tuple[range, ...]]:
    """Frames without the animal (frames,) on the device, and the segments of the others."""
    numbers = presence.device_numbers(pose.frame_numbers, pose.position)
    longest_frames = settings.absent_s * pose.fps
    absent = presence.absent_frames(pose.position[:, 0, :, :], numbers, settings.absent_share, longest_frames)
    return absent, presence.segments_of(backend.to_host(absent), pose.frame_numbers)


def _without(pose: Pose, absent: Array) -> Pose:
    """The pose without the positions of frames in which the animal is absent."""
    xp = array_namespace(pose.position)
    return replace(
        pose,
        position=xp.where(absent[:, None, None, None], xp.nan, pose.position),
        confidence=xp.where(absent[:, None, None], xp.zeros_like(pose.confidence), pose.confidence),
    )


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


def _missing_notes(pose: Pose, segments: Sequence[range], backend: Backend) -> list[str]:
    """Sentences on frames without the animal, and on missing positions in the others."""
    xp = array_namespace(pose.position)
    observed = presence.observed_frames(segments, pose.frames)
    notes = presence.absence_note(observed, pose.frame_numbers, pose.fps)
    missing = xp.astype(~likelihood.present(presence.rows_of(pose.position[:, 0, :, :], segments)), xp.int64)
    counts = backend.to_host(xp.sum(missing, axis=0))
    return notes + [
        f"{keypoint}: {count:,} of {int(observed.sum()):,} frames have no position and get the last good position "
        "before them, or else the first one after"
        for keypoint, count in zip(pose.keypoints, counts.tolist(), strict=True)
        if count
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


@dataclass(frozen=True)
class SessionFeatures:
    """Features (bins, columns) float64 of one session, with its metadata.

    ``frames`` is the number of its frames and ``observed_frames`` of those that show the animal; ``bin_frames`` (bins,)
    int64 are the frame numbers at which the bins begin, ``start_s`` is the time of frame 0. ``threshold`` (keypoints,)
    is its recording's; ``body_length_px`` see :func:`body_length`, ``track`` :func:`track_of`; ``still_keypoints`` are
    probable points of the arena. ``notes`` are what was repaired, assumed or left out; ``dimensions`` are 2 or 3.
    """

    name: str
    recording: str
    keypoints: tuple[str, ...]
    frames: int
    observed_frames: int
    features: Array
    bin_frames: Array
    start_s: float
    threshold: Array
    body_length_px: float
    still_keypoints: tuple[str, ...]
    quality: list[KeypointQuality]
    track: Track
    notes: tuple[str, ...] = ()
    dimensions: int = 2


def session_features(
    tracks: Sequence[Pose], fps: float, settings: Settings, backend: Backend, keypoints: Sequence[str] = ()
) -> list[SessionFeatures]:
    """Features of the bins of a recording's sessions.

    Parameters
    ----------
    tracks
        Sessions of one recording.
    fps
        Frames per second.
    settings
        All settings.
    backend
        Where to compute.
    keypoints
        Keypoints that every session must have, in order; by default, those of the session.

    Raises
    ------
    BadInput
        A session that cannot be used; all problems are reported together.
    """
    raise_all(problem for pose in tracks for problem in _other_keypoints(pose, keypoints))
    tracks = [pose.select(keypoints) if keypoints and pose.keypoints != keypoints else pose for pose in tracks]
    sessions = filtered(tracks, settings, backend)
    raise_all(problem for session in sessions for problem in _too_short(session, settings.input.min_session_s))
    return [_features(session, fps, settings, backend) for session in sessions]


def _features(session: Filtered, fps: float, settings: Settings, backend: Backend) -> SessionFeatures:
    """Features of each segment's bins, one segment after another."""
    pose = session.pose
    xp = array_namespace(pose.position)
    bin_frames = fps * settings.features.bin_s
    position = xp.concat(session.parts)
    pairs = named_pairs(pose.keypoints, settings.features.pairs)
    rows = quality(pose, session.threshold, settings.input.unusable_share, backend, session.segments)
    firsts = [
        pose.frame_numbers[segment.start] + windows.bin_edges(np, len(segment) - 1, bin_frames)[:-1]
        for segment in session.segments
    ]
    return SessionFeatures(
        name=pose.name,
        recording=session.recording,
        keypoints=pose.keypoints,
        frames=pose.frames,
        observed_frames=sum(map(len, session.segments)),
        features=xp.concat([features.bin_features(part, fps, settings.features, pairs) for part in session.parts]),
        bin_frames=np.concatenate(firsts),
        start_s=pose.start_s,
        threshold=session.threshold,
        body_length_px=float(backend.to_host(body_length(position))),
        still_keypoints=still_keypoints(position, rows, backend),
        quality=rows,
        track=track_of(pose, session.threshold),
        notes=session.notes,
        dimensions=position.shape[2],
    )


def other_dimensions(dimensions: Mapping[str, int], expected: int, whose: str) -> list[str]:
    """A sentence for each session whose positions have another number of dimensions than expected.

    Parameters
    ----------
    dimensions
        Those of each session's positions, by name.
    expected, whose
        Those of ``whose``, for example ``"the model"``.
    """
    return [
        f"{name}: positions in {number} dimensions, while {whose} has {expected}: build and predict 2-D and 3-D "
        "recordings separately"
        for name, number in dimensions.items()
        if number != expected
    ]


def _other_keypoints(pose: Pose, keypoints: Sequence[str]) -> list[str]:
    """A sentence if a session has other keypoints than the first one."""
    if not keypoints or set(pose.keypoints) == set(keypoints):
        return []
    return [
        f"{pose.name}: has the keypoints {', '.join(map(repr, pose.keypoints))}, while the first session has "
        f"{', '.join(map(repr, keypoints))}: choose common ones with --keypoints, or leave this session out"
    ]


def _too_short(session: Filtered, min_session_s: float) -> list[str]:
    """A sentence if too few frames show the animal."""
    pose, frames = session.pose, sum(map(len, session.segments))
    seconds = frames / pose.fps
    if seconds >= min_session_s and frames:
        return []
    shown = "" if frames == pose.frames else f" of {pose.frames} show the animal and"
    return [
        f"{pose.name}: {frames} frames{shown} at {pose.fps:g} fps are {seconds:.1f} s, too short to train on; at least "
        f"{min_session_s:g} s ({round(min_session_s * pose.fps)} frames) are needed: leave it out, or lower "
        "[input] min_session_s"
    ]
