import numpy as np
import pytest
from array_api_compat import array_namespace, device

from bsoid_gpu.estimators import gradient_descent as descent
from bsoid_gpu.estimators.perceptron import PerceptronSettings


def test_mini_batches_by_hand():
    settings = PerceptronSettings(learning_rate=0.05, batch=2048)
    assert descent.mini_batches(70_000, settings) == (50, 0.05)  # of 1400 bins
    assert descent.mini_batches(1_024_000, settings) == (500, 0.05)  # of 2048 bins
    assert descent.mini_batches(12_800, settings) == (50, 0.025)  # of 256 bins: a quarter of 1024, half of the step
    assert descent.mini_batches(1600, PerceptronSettings(learning_rate=0.05, batch=16)) == (100, 0.05 / 8)
    assert descent.mini_batches(49, settings) == (49, 0.05 / 32)  # of one bin


def test_step_size_by_hand():
    # at the middle of each of 10 updates: rising up to 0.2, then falling to 1
    steps = [descent.step_size(update, 10, 0.8) for update in range(10)]
    assert steps == pytest.approx([0.2, 0.6, 0.75, 0.65, 0.55, 0.45, 0.35, 0.25, 0.15, 0.05])


def test_first_updates_of_adam_by_hand(arrays):
    start, slope = np.array([1.0, 2.0]), np.array([0.5, -4.0])
    state = descent.at_rest(arrays.asarray(start))
    # a full step against the sign of each slope: of 10 updates, the warm-up is two, of a quarter and of three quarters
    for update, expected in ((0, [0.975, 2.025]), (1, [0.9, 2.1])):
        state = descent.adam(state, arrays.asarray(slope), descent.corrected_step(update, 10, 0.1))
        assert arrays.to_host(state.parameters) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(("bins", "held_out"), [(1, 0), (9, 0), (10, 1), (29, 2)])
def test_a_tenth_of_the_bins_is_for_validation_or_all_of_too_few(bins, held_out, arrays):
    array = arrays.asarray(np.zeros(1))
    training, validation = map(arrays.to_host, descent.split(array_namespace(array), bins, 0, device(array)))
    assert sorted([*training, *(validation if held_out else [])]) == list(range(bins))
    assert len(validation) == (held_out or bins)
