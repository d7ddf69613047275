import numpy as np
import pytest

from bsoid_gpu.doctor import sessions
from bsoid_gpu.doctor.job import Recordings
from bsoid_gpu.settings.schema import Input, Settings

SETTINGS = Settings(input=Input(fps=sessions.FPS))


@pytest.mark.parametrize("bins", [600, 9_001])
def test_as_many_bins_as_requested_some_of_them_repeated(bins, cpu):
    contents = sessions.simulated(bins)
    by_session = Recordings(contents, SETTINGS).features(cpu)
    assert len(by_session) == len(contents) == (1 if bins <= sessions.LONGEST_BINS else 2)
    rows = np.concatenate(by_session)
    assert bins - len(contents) < len(rows) <= bins
    repeated = 1 - len(np.unique(rows, axis=0)) / len(rows)
    assert 0.5 * sessions.FROZEN_SHARE < repeated < 3 * sessions.FROZEN_SHARE


def test_other_seeds_give_other_sessions():
    first, again, other = (sessions.simulated(300, seed)[0].data for seed in (0, 0, 1))
    assert first == again
    assert first != other
