"""Prediction: one label for every video frame of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.method import features, presence
from bsoid_gpu.method.bouts import UNSURE
from bsoid_gpu.method.columns import feature_columns
from bsoid_gpu.method.quantities import quantities_of
from bsoid_gpu.method.same_track import Track, track_of
from bsoid_gpu.method.smoothing import smoothed_labels, support_warning
from bsoid_gpu.method.training_range import (
    ONE_PLACE_PX,
    TrainingRange,
    body_length,
    feature_warnings,
    size_warning,
)
from bsoid_gpu.method.units import in_unit, units_px
from bsoid_gpu.settings.schema import BODY, PX

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.method.preprocess import Filtered
    from bsoid_gpu.pose import Pose
    from bsoid_gpu.settings.schema import Features, LabelSettings
    from bsoid_gpu.typing import Array


VERSION = 3  # raise it whenever the labels of frames change for the same model and session
TRACK_SAMPLES = 128  # of a session, in its record
OTHER_FPS = 0.05  # share by which a frame rate differs from that of training
SAMPLE = 4096  # about as many windows are compared with the range of the model


@dataclass(frozen=True)
class Prediction:
    """The labels of one session.

    ``labels`` (frames,) int64, smoothed in time, and -1 below the smallest confidence. ``probabilities`` (frames,
    labels) float32 are the classifier's, and ``confidence`` (frames,) float32 is the largest of them; ``smoothed``
    (frames,) bool are the frames that smoothing gave another label than the most probable. ``frame_numbers`` (frames,)
    int64 are the file's own, and ``start_s`` is the time of frame 0. ``observed`` (frames,) bool: frames that show the
    animal and have a neighbour; the others have label -1, and confidence and probabilities 0. ``notes`` are what was
    repaired, assumed or left out; ``scale`` is the factor on the positions; ``track`` are samples of them, to compare
    sessions. ``position`` (frames, keypoints, space) float32 px are those that were labelled, without the factor, and
    NaN in frames that do not show the animal.
    """

    name: str
    fps: float
    labels: NDArray[np.int64]
    confidence: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    frame_numbers: NDArray[np.int64]
    observed: NDArray[np.bool_]
    smoothed: NDArray[np.bool_]
    track: Track
    position: NDArray[np.float32]
    start_s: float = 0.0
    notes: tuple[str, ...] = ()
    scale: float = 1.0


def confidence_problems(min_confidence: object) -> list[str]:
    """A sentence if the smallest confidence is not a number from 0 to 1."""
    if isinstance(min_confidence, int | float) and 0.0 <= min_confidence <= 1.0:
        return []
    return [f"the smallest confidence is {min_confidence!r}; expected 0 to 1, for example --min-confidence 0.5"]


def label_frames(
    session: Filtered,
    classifier: Classifier,
    settings: Features,
    backend: Backend,
    min_confidence: float = 0.0,
    *,
    smoothing: LabelSettings | None = None,
    scale: float | None = 1.0,
    known: TrainingRange | None = None,
    unit_px: float | None = None,
    training_fps: float | None = None,
) -> Prediction:
    """Label each frame by the 100 ms window centred on it, at the frame rate of the session, and smooth the labels.

    Parameters
    ----------
    session
        Filtered positions with the keypoints of the model.
    classifier
        Classifier with its arrays on the backend.
    settings
        Feature settings of the training.
    backend
        Where to compute.
    min_confidence
        Frames with a lower confidence get the label -1.
    smoothing
        Probability to stay, and weight of the evidence; by default, labels are not smoothed.
    scale
        Factor on the positions; None: that which gives the session the body length of training. Where lengths are in
        body lengths, it changes nothing.
    known
        Range of the model, to compare the session with.
    unit_px
        Unit of lengths, see :func:`bsoid_gpu.method.units.units_px`; None: that of this session alone.
    training_fps
        Frame rate of training, to compare that of the session with.

    Returns
    -------
    Prediction
        With all arrays on the host.
    """
    pose, notes = session.pose, list(session.notes)
    length_px = _body_length(session, backend)
    if settings.lengths == BODY:
        scale = 1.0
    if unit_px is None:
        unit_px = units_px([session], settings, backend)[session.recording]
    notes += _rate_notes(settings, pose.fps, training_fps)
    if scale is None:
        scale = known.body_length_px / length_px if known is not None and length_px else 1.0
        notes.append(f"positions are multiplied by {scale:.4g}: bodies have {length_px:.4g} px")
    observed = presence.observed_frames(session.segments, pose.frames)
    of_windows, sampled = _window_probabilities(session, classifier, settings, backend, scale, unit_px)
    probabilities = np.zeros((pose.frames, of_windows.shape[1]), dtype=of_windows.dtype)
    probabilities[observed] = of_windows
    if known is not None and len(sampled):
        notes += _range_warnings(known, sampled, length_px * scale, pose, settings)
    confidence = np.max(probabilities, axis=1)
    most_probable = np.argmax(probabilities, axis=1).astype(np.int64)
    labels = _smoothed(most_probable, probabilities, session, settings, smoothing)
    if smoothing is not None and smoothing.stay:
        notes += support_warning(probabilities, np.where(observed, labels, UNSURE))
    labels[(confidence < min_confidence) | ~observed] = UNSURE
    smoothed = (labels != most_probable) & (labels != UNSURE)
    return Prediction(
        name=pose.name,
        fps=pose.fps,
        labels=labels,
        confidence=confidence,
        probabilities=probabilities,
        frame_numbers=pose.frame_numbers,
        observed=observed,
        smoothed=smoothed,
        track=track_of(pose, session.threshold, TRACK_SAMPLES).on_host(backend.to_host),
        position=_held_positions(session, observed, backend),
        start_s=pose.start_s,
        notes=tuple(notes),
        scale=scale,
    )


def _held_positions(session: Filtered, observed: NDArray[np.bool_], backend: Backend) -> NDArray[np.float32]:
    """Positions (frames, keypoints, space) of the segments, NaN between them, on the host."""
    frames, _, keypoints, space = session.pose.position.shape
    position = np.full((frames, keypoints, space), np.nan, dtype=np.float32)
    if session.parts:
        xp = array_namespace(session.parts[0])
        position[observed] = backend.to_host(xp.astype(xp.concat(session.parts), xp.float32))
    return position


def _smoothed(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.float32],
    session: Filtered,
    settings: Features,
    smoothing: LabelSettings | None,
) -> NDArray[np.int64]:
    """Labels smoothed within each segment: nothing is known across a gap."""
    labels = labels.copy()
    if smoothing is None or not smoothing.stay:
        return labels
    weight = smoothing.evidence / (session.pose.fps * settings.bin_s)
    for segment in session.segments:
        frames = slice(segment.start, segment.stop)
        labels[frames] = smoothed_labels(probabilities[frames], smoothing.stay, weight)
    return labels


def _window_probabilities(
    session: Filtered, classifier: Classifier, settings: Features, backend: Backend, scale: float, unit_px: float
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Probabilities (observed frames, labels) of each frame's window, and features of some (windows, columns)."""
    stride = max(1, session.pose.frames // SAMPLE)
    quantities = quantities_of(session.pose.keypoints, settings)
    by_chunk, sample = [], []
    with backend.repeatable():
        for part in session.parts or (_two_frames(session),):
            scaled = part * scale if scale != 1.0 else part
            for chunk in features.window_features(in_unit(scaled, unit_px), session.pose.fps, settings, quantities):
                by_chunk.append(classifier.predict_proba(chunk))
                sample.append(chunk[::stride, ...])
        xp = array_namespace(by_chunk[0])
        probabilities, sampled = backend.to_host(xp.concat(by_chunk)), backend.to_host(xp.concat(sample))
    shown = sum(map(len, session.segments))
    return probabilities[:shown], sampled[:shown]


def _two_frames(session: Filtered) -> Array:
    """Positions of no animal, for a session that never shows it: the classifier still gives the number of labels."""
    position = session.pose.position[:2, 0, :, :]
    return array_namespace(position).zeros_like(position)


def _body_length(session: Filtered, backend: Backend) -> float:
    """Body length in px; 0 for a session that never shows the animal."""
    if not session.parts:
        return 0.0
    xp = array_namespace(session.parts[0])
    return float(backend.to_host(body_length(xp.concat(session.parts))))


def _range_warnings(
    known: TrainingRange, sampled: NDArray[np.float64], length_px: float, pose: Pose, settings: Features
) -> list[str]:
    columns = feature_columns(pose.keypoints, settings, pose.position.shape[3])
    comparable = settings.lengths == PX or length_px < ONE_PLACE_PX  # else every animal has the same size
    larger = size_warning(known, length_px) if comparable else []
    relative = length_px / known.body_length_px if comparable else 1.0
    return larger or feature_warnings(known, sampled, columns, pose.fps, pose.frames / pose.fps, relative)


def _rate_notes(settings: Features, fps: float, training_fps: float | None) -> list[str]:
    """A sentence if standard deviations of movements are not comparable, since the frame rate is another."""
    if not settings.scales_s or training_fps is None or abs(fps / training_fps - 1) <= OTHER_FPS:
        return []
    return [
        f"the frame rate is {fps:g} fps, that of training {training_fps:g}: the spreads of turns and displacements "
        "depend on it, so that labels are less certain; build a model from sessions of this frame rate"
    ]
