"""Frames without the animal, and segments between gaps."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

from bsoid_gpu.method import presence
from bsoid_gpu.method.features import bin_features, window_features
from bsoid_gpu.method.labelling import label_frames
from bsoid_gpu.method.preprocess import filtered
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.pose import Pose
from bsoid_gpu.settings.schema import Input, Settings

FPS = 30.0


def track(frames=300, keypoints=3, seed=0):
    rng = np.random.default_rng(seed)
    walk = rng.normal(0, 1.0, size=(frames, keypoints, 2)).cumsum(axis=0)
    return walk + 100 * np.arange(keypoints)[:, None]


def pose(position, frame_numbers=None, confidence=None, name="m"):
    seen = ~np.isnan(position).any(axis=-1)
    confidence = np.where(seen, 0.99, 0.0) if confidence is None else confidence
    names = tuple("abcdefgh"[: position.shape[1]])
    return Pose(name, position[:, None], confidence[:, None], ("mouse",), names, FPS, frame_numbers=frame_numbers)


def slow_absence(missing, numbers, share, longest):
    """Runs of frames with too many missing keypoints, by their length in frames of the video."""
    without = missing.mean(axis=1) >= share - 1e-12
    absent = np.zeros(len(without), dtype=bool)
    for row in np.flatnonzero(without):
        first, last = row, row
        while first > 0 and without[first - 1]:
            first -= 1
        while last < len(without) - 1 and without[last + 1]:
            last += 1
        before = numbers[first - 1] if first > 0 else numbers[0] - 1
        after = numbers[last + 1] if last < len(without) - 1 else numbers[-1] + 1
        absent[row] = after - before - 1 > longest
    return absent


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numpy_arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 4))),
    st.sampled_from([0.25, 0.5, 1.0]),
    st.integers(0, 6),
    st.data(),
)
def test_absent_frames_against_an_oracle(arrays, missing, share, longest, data):
    position = np.where(missing[..., None], np.nan, 1.0) * np.ones(2)
    numbers = np.cumsum(data.draw(numpy_arrays(np.int64, len(missing), elements=st.integers(1, 4))))
    on_device = arrays.asarray(position)
    absent = presence.absent_frames(on_device, arrays.asarray(numbers), share, longest)
    assert np.array_equal(arrays.to_host(absent), slow_absence(missing, numbers, share, longest))


@given(numpy_arrays(np.bool_, st.integers(1, 40)), st.data())
def test_segments_hold_every_frame_with_the_animal_and_a_neighbour_once(absent, data):
    numbers = np.cumsum(data.draw(numpy_arrays(np.int64, len(absent), elements=st.integers(1, 3))))
    segments = presence.segments_of(absent, numbers)
    observed = presence.observed_frames(segments, len(absent))
    present = ~absent
    before = np.r_[False, present[:-1] & (np.diff(numbers) == 1)]
    after = np.r_[present[1:] & (np.diff(numbers) == 1), False]
    assert np.array_equal(observed, present & (before | after))
    for segment in segments:
        assert np.array_equal(np.diff(numbers[segment.start : segment.stop]), np.ones(len(segment) - 1))
    inner = presence.inner_rows(segments)
    assert inner.sum() == sum(max(len(segment) - 2, 0) for segment in segments)


def test_half_a_second_is_bridged_and_a_frame_more_is_not(cpu):
    for length, absent in ((15, False), (16, True)):
        position = track()
        position[100 : 100 + length] = np.nan
        (session,) = filtered([pose(position)], Settings(), cpu)
        expected = (range(100), range(100 + length, 300)) if absent else (range(300),)
        assert session.segments == expected
        assert ("100 to 115) do not show the animal" in session.notes[0]) == absent


@pytest.mark.parametrize("gap", ["absent", "left out"])
def test_a_gap_separates_a_session_into_two_that_do_not_know_of_each_other(cpu, gap):
    position, confidence = track(400), np.full((400, 3), 0.99)
    confidence[::7, 1] = 0.2
    if gap == "absent":
        position[200:250] = np.nan
        whole = pose(position, confidence=np.where(np.isnan(position[..., 0]), 0, confidence))
    else:
        kept = np.r_[0:200, 250:400]
        whole = pose(position[kept], kept, confidence[kept])
    (session,) = filtered([whole], Settings(), cpu)
    threshold = {"m_part1": session.threshold, "m_part2": session.threshold}
    parts = [pose(position[:200], confidence=confidence[:200], name="m_part1")]
    parts += [pose(position[250:], confidence=confidence[250:], name="m_part2")]
    alone = filtered(parts, Settings(), cpu, threshold)
    for part, other in zip(session.parts, alone, strict=True):
        assert np.array_equal(part, other.parts[0])
    (features,) = session_features([whole], FPS, Settings(), cpu)
    expected = [bin_features(other.parts[0], FPS, Settings().features) for other in alone]
    assert np.array_equal(features.features, np.concatenate(expected))
    assert features.bin_frames[: len(expected[0])].tolist() == list(range(0, 3 * len(expected[0]), 3))
    assert features.bin_frames[len(expected[0])] == 250
    assert features.observed_frames == 350


def test_bins_of_another_phase_begin_later_in_every_segment(cpu):
    position = track(400)
    position[200:250] = np.nan
    whole = pose(position, confidence=np.where(np.isnan(position[..., 0]), 0, np.full((400, 3), 0.99)))
    (session,) = filtered([whole], Settings(), cpu)
    (features,) = session_features([whole], FPS, Settings(), cpu, phases=(0.5,))
    expected = [bin_features(part, FPS, Settings().features, phase=0.5) for part in session.parts]
    assert np.array_equal(features.features, np.concatenate(expected))
    assert features.bin_frames[:3].tolist() == [2, 5, 8]  # 1.5, 4.5 and 7.5
    assert features.bin_frames[len(expected[0]) :][:2].tolist() == [252, 255]
    assert len(features.bin_frames) == len(features.features)


def test_positions_of_frames_without_the_animal_do_not_move_the_threshold(cpu):
    position, confidence = track(300), np.random.default_rng(1).uniform(0.3, 1.0, (300, 3))
    position[100:200, :2] = np.nan  # a single keypoint is not the animal
    settings_ = Settings(input=Input(absent_share=0.6))
    confidence[100:200, 2] = 0.01
    (session,) = filtered([pose(position, confidence=confidence)], settings_, cpu)
    kept = np.r_[0:100, 200:300]
    (alone,) = filtered([pose(position[kept], confidence=confidence[kept])], settings_, cpu)
    assert np.array_equal(session.threshold, alone.threshold)


class ByFirstDistance:
    """A classifier whose probability is exact in the first feature: the distance of the first pair."""

    def predict_proba(self, features):
        share = np.clip(features[:, :1] / 1000, 0, 1)
        return np.concatenate([share, 1 - share], axis=1).astype(np.float32)


@pytest.mark.parametrize("start", [0, 100, 12345])
def test_each_label_describes_the_frame_with_its_own_number(cpu, start):
    """Two keypoints whose distance is the frame number: the mean of the window is the time that the label describes."""
    numbers = np.r_[start : start + 60, start + 75 : start + 150]
    distance = (numbers - start).astype(float)
    position = np.zeros((len(numbers), 2, 2))
    position[:, 1, 0] = distance
    (session,) = filtered([pose(position, numbers)], Settings(), cpu)
    labelled = label_frames(session, ByFirstDistance(), Settings().features, cpu)
    assert np.array_equal(labelled.frame_numbers, numbers)
    assert np.abs(labelled.probabilities[:, 0] * 1000 - distance).max() <= 0.5 + 1e-3
    windows = [np.concatenate(list(window_features(part, FPS, Settings().features))) for part in session.parts]
    assert len(windows) == 2


def test_frames_without_the_animal_get_no_label(cpu):
    position = track(200)
    position[:60] = np.nan
    position[100:130] = np.nan
    (session,) = filtered([pose(position)], Settings(), cpu)
    labelled = label_frames(session, ByFirstDistance(), Settings().features, cpu)
    absent = np.isnan(position[:, 0, 0])
    assert np.array_equal(labelled.observed, ~absent)
    assert (labelled.labels[absent] == -1).all()
    assert (labelled.confidence[absent] == 0).all()
    assert (labelled.labels[~absent] >= 0).all()


def test_a_session_that_shows_the_animal_in_single_frames_only(cpu):
    position = np.full((200, 3, 2), np.nan)
    position[[50, 150]] = track(2)
    (session,) = filtered([pose(position)], Settings(), cpu)
    labelled = label_frames(session, ByFirstDistance(), Settings().features, cpu)
    assert session.segments == ()
    assert (labelled.labels == -1).all()
    assert labelled.probabilities.shape == (200, 2)


def test_a_long_time_without_a_good_position_is_noted(cpu):
    position, confidence = track(300), np.full((300, 3), 0.99)
    confidence[100:140] = 0.05
    confidence[200:215] = 0.05  # half a second
    (session,) = filtered([pose(position, confidence=confidence)], Settings(), cpu)
    (note,) = session.notes
    assert note.startswith("in 40 of 300 frames (1.3 s: 100 to 139) every keypoint is below its likelihood threshold")
    assert session.segments == (range(300),)
