import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.method import smoothing
from bsoid_gpu.method.smoothing import BLOCK, WARM_UP, smoothed_labels


def log_probability(sequence, probabilities, stay, weight):
    """Of a sequence of labels, up to a constant; written out from the model."""
    labels = probabilities.shape[1]
    steps = [math.log(stay if a == b else (1 - stay) / (labels - 1)) for a, b in zip(sequence, sequence[1:])]  # noqa: B905, RUF007
    return sum(steps) + sum(weight * math.log(probabilities[t, label] + 1e-6) for t, label in enumerate(sequence))


def viterbi(probabilities, stay, weight):
    """The textbook's algorithm, one frame after another, with a matrix of transitions."""
    labels = probabilities.shape[1]
    steps = np.full((labels, labels), math.log((1 - stay) / (labels - 1)))
    np.fill_diagonal(steps, math.log(stay))
    evidence = weight * np.log(probabilities + 1e-6)
    scores, origin = evidence[0], []
    for row in evidence[1:]:
        candidates = scores[:, None] + steps
        origin.append(candidates.argmax(axis=0))
        scores = candidates.max(axis=0) + row
    sequence = [int(scores.argmax())]
    for step in reversed(origin):
        sequence.append(int(step[sequence[-1]]))
    return np.array(sequence[::-1])


def random_probabilities(frames, labels, persistence, seed=0):
    """Probabilities that wander, as those of overlapping windows do."""
    values = np.random.default_rng(seed).normal(size=(frames, labels))
    for t in range(1, frames):
        values[t] = persistence * values[t - 1] + values[t]
    shares = np.exp(values)
    return (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(1, 5), st.integers(2, 3), st.floats(0.5, 0.999), st.floats(0.05, 3.0), st.integers(0, 2**32 - 1))
def test_no_sequence_is_more_probable(frames, labels, stay, weight, seed):
    probabilities = random_probabilities(frames, labels, 0.5, seed)
    every = [log_probability(one, probabilities, stay, weight) for one in product(range(labels), repeat=frames)]
    ours = log_probability(smoothed_labels(probabilities, stay, weight).tolist(), probabilities, stay, weight)
    assert ours == pytest.approx(max(every), abs=1e-9)


@pytest.mark.parametrize("frames", [1, 2, WARM_UP, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 17])
@pytest.mark.parametrize(("labels", "stay", "weight"), [(2, 0.97, 1 / 6), (30, 0.97, 1 / 3), (5, 0.9, 1.0)])
def test_blocks_side_by_side_give_the_sequence_of_the_textbook(frames, labels, stay, weight):
    probabilities = random_probabilities(frames, labels, 0.9, frames)
    expected = viterbi(probabilities, stay, weight)
    assert np.array_equal(smoothed_labels(probabilities, stay, weight), expected)
    assert frames < BLOCK or 1 < np.count_nonzero(np.diff(expected)) < frames / 2


def test_a_block_whose_warm_up_is_too_short_is_computed_again(monkeypatch):
    calls, advance = [], smoothing._advance
    monkeypatch.setattr(smoothing, "_advance", lambda *given: (calls.append(given[0].shape[1]), advance(*given)))
    rng = np.random.default_rng(1)
    share = rng.uniform(0.45, 0.55, size=4 * BLOCK)  # two labels for which nothing ever speaks
    probabilities = np.stack([share, 1 - share], axis=1).astype(np.float32)
    probabilities[:5] = 0.99, 0.01
    assert np.array_equal(smoothed_labels(probabilities, 0.99, 0.01), viterbi(probabilities, 0.99, 0.01))
    assert len(calls) > 2
    # the first frames are label 0, and all others speak for label 1, together for less than a change costs
    probabilities[:], probabilities[:100] = (0.45, 0.55), (0.99, 0.01)
    assert viterbi(probabilities, 0.99, 0.01).tolist() == [0] * (4 * BLOCK)
    assert smoothed_labels(probabilities, 0.99, 0.01).tolist() == [0] * (4 * BLOCK)


def test_a_case_by_hand():
    # to leave label 0 for one frame costs 2 log(0.9 / 0.1) = 4.39, and gains log(0.8 / 0.2) = 1.39: less
    probabilities = np.array([[0.8, 0.2], [0.8, 0.2], [0.2, 0.8], [0.8, 0.2], [0.8, 0.2]], dtype=np.float32)
    assert smoothed_labels(probabilities, 0.9, 1.0).tolist() == [0, 0, 0, 0, 0]
    assert smoothed_labels(probabilities, 0.9, 3.5).tolist() == [0, 0, 1, 0, 0]  # 4.85: more
    assert smoothed_labels(probabilities[:, :1], 0.9, 1.0).tolist() == [0] * 5
    assert smoothed_labels(probabilities[:0], 0.9, 1.0).tolist() == []


def test_what_is_no_probability_is_refused():
    assert smoothing.smoothing_problems(0.97) == smoothing.smoothing_problems(0) == []
    for value in (1.0, 0.4, -0.1, math.nan, "much", None):
        assert smoothing.smoothing_problems(value) == [
            f"the smoothing is {value!r}; expected 0 (off), or 0.5 to below 1, for example --smooth 0.97"
        ]


def test_a_label_that_is_hardly_probable_over_its_bout_is_a_warning():
    # 40 phases of 2 frames, each sure of its own label, while one label is a little probable all the time
    rows = np.full((80, 12), 0.0, dtype=np.float32)
    rows[:, 0] = 0.1
    rows[np.arange(80), 1 + np.arange(80) // 2 % 11] = 0.9
    labels = smoothed_labels(rows, 0.97, 1 / 6)
    assert set(labels.tolist()) == {0}
    (warning,) = smoothing.support_warning(rows, labels)
    assert warning.startswith("in 100% of the frames the smoothed label has a mean probability below 0.15")
    assert "--smooth 0" in warning
    assert smoothing.support_warning(rows, rows.argmax(axis=1)) == []
    assert smoothing.support_warning(rows, np.full(80, -1)) == []
    # 2 % of the frames that have a label are not many
    few = np.concatenate([np.full(98, 1), np.full(2, 0), np.full(50, -1)])
    probabilities = np.tile(np.array([[0.1, 0.9]], dtype=np.float32), (150, 1))
    assert smoothing.support_warning(probabilities, few) == []
    few[97] = 0
    assert smoothing.support_warning(probabilities, few)[0].startswith("in 3% of the frames")
