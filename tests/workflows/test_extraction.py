from dataclasses import replace

import pytest

from bsoid_gpu.run_folder.store import key_of
from bsoid_gpu.settings.schema import Features, Input, Likelihood, Settings
from bsoid_gpu.workflows.extraction import Extraction
from bsoid_gpu.workflows.recording import Recording


def key(cpu, settings=None, keypoints=("a", "b"), digests=None):
    work = Extraction(Recording("m", ()), keypoints, settings or Settings(), cpu, None)
    return key_of(*work.stage(digests or {"m": "0"}))


@pytest.mark.parametrize(
    "changed",
    [
        {"settings": replace(Settings(), input=Input(fps=30.0))},
        {"settings": replace(Settings(), likelihood=Likelihood(histogram_bins=20))},
        {"settings": replace(Settings(), features=Features(smoothing_s=0.1))},
        {"keypoints": ("b", "a")},
        {"digests": {"m": "1"}},
        {"digests": {"n": "0"}},
    ],
)
def test_features_are_computed_again_if_anything_that_they_depend_on_has_changed(cpu, changed):
    assert key(cpu, **changed) != key(cpu)


def test_features_stay_where_only_later_steps_have_changed(cpu):
    assert key(cpu, settings=replace(Settings(), seed=1, max_training_bins=1000)) == key(cpu)
