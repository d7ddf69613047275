"""From sessions to features: checks, the likelihood filter with the thresholds of each recording, and bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from bsoid_gpu.errors import raise_all
from bsoid_gpu.method import features, likelihood
from bsoid_gpu.method.same_track import MAX_SAMPLES, Track, sample
from bsoid_gpu.method.tracking_quality import KeypointQuality, quality
from bsoid_gpu.pose import Pose
from bsoid_gpu.typing import Array

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.settings.schema import Settings


VERSION = 3  # raise it whenever the features of a session change


@dataclass(frozen=True)
class Filtered:
    """A session after the likelihood filter.

    ``position`` is (frames, keypoints, 2) px without NaN; ``threshold`` (keypoints,) is its recording's.
    """

    pose: Pose
    position: Array
    threshold: Array
    recording: str

    def track(self, max_samples: int = MAX_SAMPLES) -> Track:
        """Samples of the positions, to compare sessions."""
        position, confidence = self.pose.position[:, 0, :, :], self.pose.confidence[:, 0, :]
        return sample(position, confidence, self.threshold, self.pose.frame_numbers, max_samples)


def filtered(
    tracks: Sequence[Pose], settings: Settings, backend: Backend, known: dict[str, Array] | None = None
) -> list[Filtered]:
    """Filter sessions by the likelihood thresholds of their recordings.

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

    Raises
    ------
    BadInput
        A keypoint without any position, positions that are not 2-D, or fewer than 2 keypoints or frames.
    """
    raise_all(problem for pose in tracks for problem in _unusable(pose, backend))
    grouped: dict[str, list[Pose]] = {}
    for pose in tracks:
        grouped.setdefault(settings.input.recording_of(pose.name), []).append(pose)
    bins = settings.likelihood.histogram_bins
    thresholds = dict(known or {})
    thresholds |= {name: _thresholds(parts, bins) for name, parts in grouped.items() if name not in thresholds}
    sessions = []
    for pose in tracks:
        recording = settings.input.recording_of(pose.name)
        position, confidence = pose.position[:, 0, :, :], pose.confidence[:, 0, :]
        held = likelihood.hold_last_good(position, confidence, thresholds[recording])
        sessions.append(Filtered(pose, held, thresholds[recording], recording))
    return sessions


def _unusable(pose: Pose, backend: Backend) -> list[str]:
    problems = []
    if pose.position.shape[3] != 2:
        problems.append(f"{pose.name}: positions have {pose.position.shape[3]} dimensions; expected 2")
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
        f"{pose.name}: {keypoint!r} has no position in any frame after the first: leave it out with --keypoints"
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

    ``threshold`` (keypoints,) is its recording's; ``track`` are samples of the positions, to compare sessions;
    ``notes`` are what the reader repaired or assumed.
    """

    name: str
    recording: str
    keypoints: tuple[str, ...]
    frames: int
    features: Array
    threshold: Array
    quality: list[KeypointQuality]
    track: Track
    notes: tuple[str, ...] = ()


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
    problems = [problem for pose in tracks for problem in _too_short(pose, settings.input.min_session_s)]
    problems += [problem for pose in tracks for problem in _other_keypoints(pose, keypoints)]
    raise_all(problems)
    tracks = [pose.select(keypoints) if keypoints and pose.keypoints != keypoints else pose for pose in tracks]
    return [
        SessionFeatures(
            name=session.pose.name,
            recording=session.recording,
            keypoints=session.pose.keypoints,
            frames=session.pose.frames,
            features=features.bin_features(session.position, fps, settings.features),
            threshold=session.threshold,
            quality=quality(session.pose, session.threshold, settings.input.unusable_share, backend),
            track=session.track(),
            notes=session.pose.notes,
        )
        for session in filtered(tracks, settings, backend)
    ]


def _other_keypoints(pose: Pose, keypoints: Sequence[str]) -> list[str]:
    """A sentence if a session has other keypoints than the first one."""
    if not keypoints or set(pose.keypoints) == set(keypoints):
        return []
    return [
        f"{pose.name}: has the keypoints {', '.join(map(repr, pose.keypoints))}, while the first session has "
        f"{', '.join(map(repr, keypoints))}: choose common ones with --keypoints, or leave this session out"
    ]


def _too_short(pose: Pose, min_session_s: float) -> list[str]:
    seconds = pose.frames / pose.fps
    if seconds >= min_session_s:
        return []
    return [
        f"{pose.name}: {pose.frames} frames at {pose.fps:g} fps are {seconds:.1f} s, too short to train on; at least "
        f"{min_session_s:g} s ({round(min_session_s * pose.fps)} frames) are needed: leave it out, or lower "
        "[input] min_session_s"
    ]
