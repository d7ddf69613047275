"""Prediction: one label for every video frame of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from array_api_compat import array_namespace

from bsoid_gpu.method import features
from bsoid_gpu.method.bouts import UNSURE
from bsoid_gpu.method.same_track import Track

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.estimators.base import Classifier
    from bsoid_gpu.method.preprocess import Filtered
    from bsoid_gpu.settings.schema import Features


VERSION = 1  # raise it whenever the labels of frames change for the same model and session
TRACK_SAMPLES = 128  # of a session, in its record


@dataclass(frozen=True)
class Prediction:
    """The labels of one session.

    ``labels`` (frames,) int64, -1 below the smallest confidence; ``confidence`` (frames,) float32, the probability
    of the most probable label; ``probabilities`` (frames, labels) float32; ``track`` are samples of the positions, to
    compare sessions.
    """

    name: str
    fps: float
    labels: NDArray[np.int64]
    confidence: NDArray[np.float32]
    probabilities: NDArray[np.float32]
    track: Track


def confidence_problems(min_confidence: object) -> list[str]:
    """A sentence if the smallest confidence is not a number from 0 to 1."""
    if isinstance(min_confidence, int | float) and 0.0 <= min_confidence <= 1.0:
        return []
    return [f"the smallest confidence is {min_confidence!r}; expected 0 to 1, for example --min-confidence 0.5"]


def label_frames(
    session: Filtered, classifier: Classifier, settings: Features, backend: Backend, min_confidence: float = 0.0
) -> Prediction:
    """Label each frame by the 100 ms window centred on it, at the frame rate of the session.

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

    Returns
    -------
    Prediction
        With all arrays on the host.
    """
    with backend.repeatable():
        chunks = features.window_features(session.position, session.pose.fps, settings)
        by_chunk = [classifier.predict_proba(chunk) for chunk in chunks]
        probabilities = backend.to_host(array_namespace(by_chunk[0]).concat(by_chunk))
    labels = np.argmax(probabilities, axis=1).astype(np.int64)
    confidence = np.max(probabilities, axis=1)
    labels[confidence < min_confidence] = UNSURE
    track = session.track(TRACK_SAMPLES).on_host(backend.to_host)
    return Prediction(session.pose.name, session.pose.fps, labels, confidence, probabilities, track)
