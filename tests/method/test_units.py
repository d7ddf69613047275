"""Lengths in body lengths of a recording."""

import numpy as np
import pytest

from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.method.training_range import body_length, training_range
from bsoid_gpu.method.units import units_px
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Features, Input, Settings

BODY = Features(lengths="body", scales_s=(0.5,))
GROUPED = Settings(input=Input(group="^(.*)_part", min_session_s=1.0), features=BODY)


def pose(name, size, arrays, frames=60, fps=30.0):
    """Two keypoints ``2 size`` px apart, which walk."""
    rng = np.random.default_rng(frames)
    position = np.zeros((frames, 1, 2, 2)) + rng.normal(0, 3, size=(frames, 1, 1, 2)).cumsum(axis=0)
    position[:, 0, 1, 0] += 2 * size
    return Pose(name, arrays.asarray(position), arrays.asarray(np.ones((frames, 1, 2))), ("i",), ("a", "b"), fps)


def units(arrays, *poses, settings=GROUPED):
    return units_px(filtered(poses, settings, arrays), settings.features, arrays)


def test_the_unit_is_the_body_length_of_all_frames_of_a_recording(arrays):
    parts = [pose("m_part1", 10.0, arrays, 60), pose("m_part2", 20.0, arrays, 90), pose("n_part1", 30.0, arrays)]
    assert units(arrays, *parts) == pytest.approx({"m": 20.0, "n": 30.0})  # 90 of 150 frames have 20 px
    assert units(arrays, *parts, settings=Settings(input=GROUPED.input)) == {"m": 1.0, "n": 1.0}


def test_an_animal_without_a_size_has_the_unit_1(arrays):
    assert units(arrays, pose("m_part1", 0.0, arrays)) == {"m": 1.0}


def test_features_do_not_depend_on_the_size_of_the_picture(arrays):
    (small,) = session_features([pose("m", 10.0, arrays)], 30.0, GROUPED, arrays)
    position = arrays.asarray(3 * arrays.to_host(pose("m", 10.0, arrays).position))
    tripled = Pose("m", position, arrays.asarray(np.ones((60, 1, 2))), ("i",), ("a", "b"), 30.0)
    (large,) = session_features([tripled], 30.0, GROUPED, arrays)
    np.testing.assert_allclose(arrays.to_host(large.features), arrays.to_host(small.features), atol=1e-12)
    assert arrays.to_host(small.features)[:, 0] == pytest.approx(2.0)  # the keypoints are two body lengths apart
    assert (small.body_length_px, large.body_length_px) == pytest.approx((10.0, 30.0))


class Rows:
    """A classifier that keeps the features that it is given."""

    def __init__(self):
        self.rows = []

    def predict_proba(self, values):
        self.rows.append(values)
        return np.ones((len(values), 1), dtype=np.float32)


def test_prediction_has_the_rows_of_training_at_the_centres_of_the_bins(cpu):
    parts = [pose("m_part1", 10.0, cpu, 60), pose("m_part2", 20.0, cpu, 90)]
    trained = session_features(parts, 30.0, GROUPED, cpu)
    sessions = filtered(parts, GROUPED, cpu)
    unit = units_px(sessions, BODY, cpu)["m"]
    for session, of_training in zip(sessions, trained, strict=True):
        classifier = Rows()
        label_frames(session, classifier, BODY, cpu, unit_px=unit)
        frames = np.concatenate(classifier.rows)
        assert np.array_equal(of_training.features, frames[of_training.bin_frames + 2])


def known_and_session(cpu, factor, fps=30.0):
    """Range of a model of a walk, and the same walk as a filtered session, larger."""
    walk = pose("m", 10.0, cpu, 1800)
    (trained,) = session_features([walk], 30.0, Settings(features=BODY), cpu)
    known = training_range(trained.features, [trained.body_length_px])
    larger = Pose("m", factor * walk.position, walk.confidence, ("i",), ("a", "b"), fps)
    return known, filtered([larger], Settings(features=BODY), cpu)[0]


def test_no_size_is_warned_of_in_body_lengths(cpu):
    known, session = known_and_session(cpu, 3.0)
    assert float(body_length(session.parts[0])) == pytest.approx(30.0)
    assert label_frames(session, Rows(), BODY, cpu, known=known).notes == ()
    in_px = label_frames(session, Rows(), Features(scales_s=(0.5,)), cpu, known=known).notes
    assert any("3 times as large" in note for note in in_px)


def test_a_factor_on_the_positions_changes_nothing_in_body_lengths(cpu):
    known, session = known_and_session(cpu, 3.0)
    for scale in (2.0, None):
        labelled = label_frames(session, Rows(), BODY, cpu, known=known, scale=scale)
        assert (labelled.scale, labelled.notes) == (1.0, ())


@pytest.mark.parametrize("log", [False, True])
def test_a_frame_rate_that_displacements_contradict_is_named_in_body_lengths_too(cpu, log):
    settings = Features(lengths="body", scales_s=(0.5,), log=log)
    walk = pose("m", 10.0, cpu, 3600)
    (trained,) = session_features([walk], 30.0, Settings(features=settings), cpu)
    known = training_range(trained.features, [trained.body_length_px])
    half = Pose("m", walk.position[::2], walk.confidence[::2], ("i",), ("a", "b"), 60.0)  # in truth 15
    (session,) = filtered([half], Settings(features=settings), cpu)
    notes = label_frames(session, Rows(), settings, cpu, known=known).notes
    assert any("displacements are" in note and "the frame rate is about" in note for note in notes)


@pytest.mark.parametrize(("fps", "warned"), [(30.0, False), (31.4, False), (31.6, True), (28.6, False), (28.4, True)])
def test_another_frame_rate_than_that_of_training_is_named(cpu, fps, warned):
    (session,) = filtered([pose("m", 10.0, cpu, fps=fps)], Settings(), cpu)
    notes = label_frames(session, Rows(), BODY, cpu, training_fps=30.0).notes
    assert any("the spreads of turns and displacements depend on it" in note for note in notes) == warned
    assert label_frames(session, Rows(), Features(), cpu, training_fps=30.0).notes == ()


def test_keypoints_in_one_place_are_labelled_with_a_warning(cpu):
    known, _ = known_and_session(cpu, 1.0)
    (session,) = filtered([pose("m", 0.0, cpu)], Settings(), cpu)
    classifier = Rows()
    labelled = label_frames(session, classifier, BODY, cpu, known=known)
    assert np.isfinite(np.concatenate(classifier.rows)).all()
    assert any(note.startswith("all keypoints are in one place") for note in labelled.notes)
