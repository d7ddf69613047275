"""From sessions to features: checks, thresholds per recording, the filter, and the report on the input's quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from array_api_compat import array_namespace

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.sessions import Content, recording_of
from bsoid_gpu.log import logger
from bsoid_gpu.method import features, likelihood
from bsoid_gpu.method import tracking_quality as quality
from bsoid_gpu.run_folder import store

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Array, Backend
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.settings.schema import Settings


@dataclass(frozen=True)
class Filtered:
    """A session after the likelihood filter.

    ``position`` is (frames, keypoints, 2) px without NaN; ``threshold`` (keypoints,) is its recording's.
    """

    pose: Pose
    position: Array
    threshold: Array
    recording: str


def filtered(
    tracks: Sequence[Pose], settings: Settings, backend: Backend, known: dict[str, Array] | None = None
) -> list[Filtered]:
    """Filter the sessions of one recording with thresholds of their own, or with known ones.

    Parameters
    ----------
    tracks
        Sessions of one file or of one recording.
    settings
        All settings.
    backend
        Where the arrays are.
    known
        Thresholds (keypoints,) by the name of the recording; those of other recordings are read from the data.

    Raises
    ------
    BadInput
        A keypoint without any position, positions that are not 2-D, or fewer than 2 keypoints or frames.
    """
    problems = [problem for pose in tracks for problem in _unusable(pose, backend)]
    if problems:
        raise BadInput("\n".join(problems))
    grouped: dict[str, list[Pose]] = {}
    for pose in tracks:
        grouped.setdefault(recording_of(pose.name, settings.input), []).append(pose)
    bins = settings.likelihood.histogram_bins
    own = {name: _thresholds(parts, bins) for name, parts in grouped.items() if name not in (known or {})}
    thresholds = {**(known or {}), **own}
    out = []
    for pose in tracks:
        recording = recording_of(pose.name, settings.input)
        position, confidence = pose.position[:, 0, :, :], pose.confidence[:, 0, :]
        held = likelihood.hold_last_good(position, confidence, thresholds[recording])
        out.append(Filtered(pose, held, thresholds[recording], recording))
    return out


def _unusable(pose: Pose, backend: Backend) -> list[str]:
    problems = []
    if pose.position.shape[3] != 2:
        problems.append(f"{pose.name}: positions have {pose.position.shape[3]} dimensions; this version takes 2")
    if len(pose.keypoints) < 2:
        problems.append(
            f"{pose.name}: {len(pose.keypoints)} keypoint ({', '.join(pose.keypoints)}); at least 2 are needed, since "
            "the features are distances and turns between them"
        )
    if pose.frames < 2:
        problems.append(f"{pose.name}: {pose.frames} frame; at least 2 are needed")
        return problems
    xp = array_namespace(pose.position)
    seen = xp.any(likelihood.present(pose.position[1:, 0, :, :]), axis=0)  # the method's histogram begins there too
    ever = backend.to_host(seen)
    problems += [
        f"{pose.name}: {keypoint!r} has no position in any frame after the first: leave it out with --keypoints"
        for i, keypoint in enumerate(pose.keypoints)
        if not ever[i]
    ]
    return problems


def _thresholds(parts: Sequence[Pose], bins: int) -> Array:
    """Thresholds (keypoints,) of one recording; the method leaves out the first frame of each session."""
    xp = array_namespace(parts[0].position)
    confidence = xp.concat([part.confidence[1:, 0, :] for part in parts])
    seen = xp.concat([likelihood.present(part.position[1:, 0, :, :]) for part in parts])
    return likelihood.thresholds(confidence, seen, bins)


@dataclass(frozen=True)
class Extracted:
    """Features (bins, columns) of one session, and what is to be known of it."""

    name: str
    recording: str
    keypoints: tuple[str, ...]
    frames: int
    features: Array
    threshold: Array
    quality: list[quality.KeypointQuality]
    notes: tuple[str, ...] = ()


def extract(
    parts: Sequence[Content], fps: float, settings: Settings, backend: Backend, keypoints: Sequence[str] = ()
) -> list[Extracted]:
    """Read the sessions of one recording and compute the features of their bins.

    Parameters
    ----------
    parts
        What the files of the recording hold.
    fps
        Frames per second.
    settings
        All settings.
    backend
        Where to compute.
    keypoints
        The keypoints, in order, that every session must have; empty takes those of the session.

    Raises
    ------
    BadInput
        A session that cannot be used; every problem of the recording is told at once.
    """
    problems: list[str] = []
    tracks: list[Pose] = []
    for part in parts:
        try:
            tracks += [_in_order(pose, keypoints) for pose in part.tracks(fps, backend, settings.input.keypoints)]
        except BadInput as error:
            problems.append(str(error))
    problems += [problem for pose in tracks for problem in _too_short(pose, settings.input.min_session_s)]
    if problems:
        raise BadInput("\n".join(problems))
    done = []
    for session in filtered(tracks, settings, backend):
        pose = session.pose
        logger.info("%s: %d frames x %d keypoints", pose.name, pose.frames, len(pose.keypoints))
        report = quality.quality(pose, session.threshold, settings.input.unusable_share, backend)
        values = features.bin_features(session.position, fps, settings.features)
        done.append(
            Extracted(
                pose.name, session.recording, pose.keypoints, pose.frames, values, session.threshold, report, pose.notes
            )
        )
    return done


def _in_order(pose: Pose, keypoints: Sequence[str]) -> Pose:
    """Pose with its keypoints in the given order; other keypoints are an error that compares the names."""
    if not keypoints or pose.keypoints == tuple(keypoints):
        return pose
    if set(pose.keypoints) != set(keypoints):
        msg = (
            f"{pose.name}: has the keypoints {', '.join(map(repr, pose.keypoints))}, while the first session has "
            f"{', '.join(map(repr, keypoints))}: choose common ones with --keypoints, or leave this session out"
        )
        raise BadInput(msg)
    return pose.select(keypoints)


def _too_short(pose: Pose, min_session_s: float) -> list[str]:
    seconds = pose.frames / pose.fps
    if seconds >= min_session_s:
        return []
    return [
        f"{pose.name}: {pose.frames} frames at {pose.fps:g} fps are {seconds:.1f} s, too short to learn from; at least "
        f"{min_session_s:g} s ({round(min_session_s * pose.fps)} frames) are needed: leave it out, or lower "
        "[input] min_session_s"
    ]


def warnings_of(report: Sequence[quality.KeypointQuality]) -> list[str]:
    """What the quality report warns of, one sentence each."""
    return [row.warning for row in report if row.warning]


def facts_of(session: Extracted) -> dict[str, Any]:
    """What is known of a session, as JSON can write it."""
    return {
        "name": session.name,
        "recording": session.recording,
        "keypoints": list(session.keypoints),
        "frames": session.frames,
        "bins": int(session.features.shape[0]),
        "quality": quality.quality_table(session.quality),
        "notes": list(session.notes),
    }


def to_stage(sessions: Sequence[Extracted], backend: Backend) -> store.Stage:
    """The features as the run folder keeps them."""
    arrays = {}
    for i, session in enumerate(sessions):
        arrays[f"features.{i}"] = backend.to_host(session.features)
        arrays[f"threshold.{i}"] = backend.to_host(session.threshold)
    return store.Stage(arrays, {"sessions": [facts_of(session) for session in sessions]})


def from_stage(stage: store.Stage) -> list[Extracted]:
    """The features that the run folder kept, on the host."""
    return [
        Extracted(
            name=facts["name"],
            recording=facts["recording"],
            keypoints=tuple(facts["keypoints"]),
            frames=facts["frames"],
            features=stage.arrays[f"features.{i}"],
            threshold=stage.arrays[f"threshold.{i}"],
            quality=[quality.KeypointQuality(**row) for row in facts["quality"]],
            notes=tuple(facts["notes"]),
        )
        for i, facts in enumerate(stage.facts["sessions"])
    ]
