"""Features of the bins of a session, with what is known of its tracking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import array_api_compat.numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.errors import raise_all
from bsoid_gpu.method import features, windows
from bsoid_gpu.method.preprocess import Filtered, filtered
from bsoid_gpu.method.quantities import quantities_of
from bsoid_gpu.method.same_track import Track, track_of
from bsoid_gpu.method.tracking_quality import KeypointQuality, quality, still_keypoints
from bsoid_gpu.method.training_range import ONE_PLACE, ONE_PLACE_PX, body_length
from bsoid_gpu.method.units import in_unit, units_px
from bsoid_gpu.pose import Pose
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings

VERSION = 3  # raise it whenever the features of a session change


@dataclass(frozen=True)
class SessionBins:
    """Features (bins, columns) float64, and the frame numbers (bins,) int64 at which the bins begin."""

    features: Array
    bin_frames: Array


@dataclass(frozen=True)
class SessionFeatures:
    """Features (bins, columns) float64 of one session, with its metadata.

    ``frames`` is the number of its frames and ``observed_frames`` of those that show the animal; ``bin_frames`` (bins,)
    int64 are the frame numbers at which the bins begin, ``start_s`` is the time of frame 0. ``threshold`` (keypoints,)
    is its recording's; ``body_length_px`` see :func:`body_length`, ``track`` :func:`track_of`; ``still_keypoints`` are
    probable points of the arena. ``notes`` are what was repaired, assumed or left out; ``dimensions`` are 2 or 3.
    ``shifted`` are the bins of other phases, for models of other phases.
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
    shifted: tuple[SessionBins, ...] = ()

    def of_phase(self, number: int) -> SessionBins:
        """Bins of one of the phases, 0 the first."""
        return self.shifted[number - 1] if number else SessionBins(self.features, self.bin_frames)


def session_features(
    tracks: Sequence[Pose],
    fps: float,
    settings: Settings,
    backend: Backend,
    keypoints: Sequence[str] = (),
    *,
    phases: Sequence[float] = (0.0,),
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
    phases
        Shares of a bin by which the bins of each segment begin later, from 0 to below 1: ``features`` have the first
        phase, ``shifted`` the others.

    Raises
    ------
    BadInput
        A session that cannot be used; all problems are reported together.
    """
    raise_all(problem for pose in tracks for problem in _other_keypoints(pose, keypoints))
    tracks = [pose.select(keypoints) if keypoints and pose.keypoints != keypoints else pose for pose in tracks]
    sessions = filtered(tracks, settings, backend)
    raise_all(problem for session in sessions for problem in _too_short(session, settings.input.min_session_s))
    units = units_px(sessions, settings.features, backend)
    extracted = [_features(session, fps, settings, backend, phases, units[session.recording]) for session in sessions]
    raise_all(f"{s.name}: {ONE_PLACE} Leave it out" for s in extracted if s.body_length_px < ONE_PLACE_PX)
    return extracted


def _features(
    session: Filtered, fps: float, settings: Settings, backend: Backend, phases: Sequence[float], unit_px: float
) -> SessionFeatures:
    """Features of a session at each phase."""
    pose = session.pose
    xp = array_namespace(pose.position)
    position = xp.concat(session.parts)
    first, *shifted = (_bins(session, fps, settings, phase, unit_px) for phase in phases)
    rows = quality(pose, session.threshold, settings.input.unusable_share, backend, session.segments)
    return SessionFeatures(
        name=pose.name,
        recording=session.recording,
        keypoints=pose.keypoints,
        frames=pose.frames,
        observed_frames=sum(map(len, session.segments)),
        features=first.features,
        bin_frames=first.bin_frames,
        start_s=pose.start_s,
        threshold=session.threshold,
        body_length_px=float(backend.to_host(body_length(position))),
        still_keypoints=still_keypoints(position, rows, backend),
        quality=rows,
        track=track_of(pose, session.threshold),
        notes=session.notes,
        dimensions=position.shape[2],
        shifted=tuple(shifted),
    )


def _bins(session: Filtered, fps: float, settings: Settings, phase: float, unit_px: float) -> SessionBins:
    """Features of each segment's bins, one segment after another."""
    pose = session.pose
    xp = array_namespace(pose.position)
    quantities = quantities_of(pose.keypoints, settings.features)
    rows = [
        features.bin_features(in_unit(part, unit_px), fps, settings.features, quantities, phase=phase)
        for part in session.parts
    ]
    bin_frames = fps * settings.features.bin_s
    firsts = [
        pose.frame_numbers[segment.start] + windows.bin_edges(np, len(segment) - 1, bin_frames, phase=phase)[:-1]
        for segment in session.segments
    ]
    return SessionBins(xp.concat(rows), np.concatenate(firsts))


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
