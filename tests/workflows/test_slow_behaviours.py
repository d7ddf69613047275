"""Behaviours that differ in their rhythm over seconds: several time scales separate them, a single one does not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import bsoid_gpu
from bsoid_gpu.synthetic.repertoire import SLOW_PAIRS
from bsoid_gpu.synthetic.sessions import simulate

FPS = 30.0


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=4, minutes=8, fps=FPS, seed=7, slow=True)


def majority(files, name):
    """Share of frames of the slow variants, of new sessions, whose behaviour is the most frequent of their label."""
    settings = bsoid_gpu.preset(name)
    validation = replace(settings.validation, stability=False, folds=0)
    settings = replace(settings, models=1, validation=validation)
    run = bsoid_gpu.build(files[:2], fps=FPS, settings=settings, backend="cpu")
    predicted = bsoid_gpu.predict(run.model, files[2:], FPS, backend="cpu")
    truth = [pd.read_csv(path.parent / "truth" / f"{path.stem}.truth.csv")["behaviour"] for path in files[2:]]
    label, behaviour = np.concatenate([p.labels for p in predicted]), np.concatenate(truth)
    slow = np.isin(behaviour, np.ravel(SLOW_PAIRS))
    return pd.crosstab(label[slow], behaviour[slow]).max(axis=1).sum() / slow.sum()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least", "most"), [("multiscale", 0.85, 1.0), ("default", 0.0, 0.75)])
def test_several_scales_separate_rhythms_and_a_single_one_does_not(sessions, name, least, most):
    assert least <= majority(sessions, name) <= most
