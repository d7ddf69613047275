from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.method import consensus
from bsoid_gpu.method.consensus import Phase, phases
from bsoid_gpu.settings.schema import Settings, Validation


class Fixed:
    """A classifier that gives the posteriors of the bins by their numbers."""

    def __init__(self, posteriors, arrays):
        self.posteriors = arrays.asarray(np.asarray(posteriors, dtype=np.float32))

    def predict_proba(self, _):
        return self.posteriors


def posteriors_of(labels, number, share=1.0):
    """Posteriors of a classifier that is sure of these labels, up to ``share``."""
    rest = (1 - share) / (number - 1) if number > 1 else 0.0
    return np.where(np.asarray(labels)[:, None] == np.arange(number), share, rest)


def join(members, arrays, cpu):
    backend = SimpleNamespace(asarray=arrays.asarray, to_host=arrays.to_host, repeatable=cpu.repeatable)
    features = arrays.asarray(np.zeros((len(members[0]), 1)))
    return consensus.consensus([Fixed(each, arrays) for each in members], features, backend)


def test_labels_of_three_models_by_hand(arrays, cpu):
    # model 1: a, b, c; model 2: the same in another order; model 3: a and b are one label, and c is split
    first = np.repeat([0, 1, 2], [60, 30, 20])
    second = np.array([2, 0, 1])[first]
    third = np.concatenate([np.zeros(90, dtype=int), np.repeat([1, 2], [19, 1])])
    members = [posteriors_of(first, 3), posteriors_of(second, 3), posteriors_of(third, 3)]
    result = join(members, arrays, cpu)
    # a (60) is like the joint label of 90 by cos = 60 / sqrt(60 * 90) = 0.82, b (30) by 0.58: average linkage joins a
    # with it, and then b is on average at 1 - 0.58 / 3 from those
    assert [each.tolist() for each in result.grouped] == [[0, 1, 2], [1, 2, 0], [0, 2, -1]]
    assert result.labels.tolist() == [0] * 60 + [1] * 30 + [2] * 20
    np.testing.assert_allclose(result.membership[0], [1, 0, 0])
    np.testing.assert_allclose(result.membership[60], [1 / 3, 2 / 3, 0], rtol=1e-6)
    np.testing.assert_allclose(
        result.membership[-1], [0, 0, 1], rtol=1e-6
    )  # a third is with the group that is left out
    assert consensus.returns(result.grouped).tolist() == [3, 2, 3]


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_posteriors_of_groups_sum_to_one_and_the_largest_group_is_the_first(models, seed):
    from conftest import NumpyArrays

    from bsoid_gpu.backends.cpu import CpuBackend

    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, size=100)
    members = []
    for _ in range(models):
        number = int(rng.integers(1, 6))
        labels = np.where(rng.uniform(size=100) < 0.8, truth % number, rng.integers(0, number, size=100))
        members.append(posteriors_of(labels, number, rng.uniform(0.4, 1)))
    result = join(members, NumpyArrays(), CpuBackend())
    np.testing.assert_allclose(result.membership.sum(axis=1), 1, rtol=1e-5)
    sizes = np.bincount(result.labels)
    assert (np.diff(sizes) <= 0).all()
    assert sizes.min() > 0
    assert result.membership.shape[1] == len(sizes) == result.classifier.n_classes
    assert consensus.returns(result.grouped).max() <= models


def test_similarity_is_the_cosine_of_the_columns(arrays):
    posteriors = np.random.default_rng(0).uniform(size=(50, 4)) * [1, 1, 1, 0]
    similar = arrays.to_host(consensus.similarity(arrays.asarray(posteriors)))
    for i in range(3):
        for j in range(3):
            a, b = posteriors[:, i], posteriors[:, j]
            assert similar[i, j] == pytest.approx(a @ b / np.sqrt((a @ a) * (b @ b)))
    assert not similar[3].any()


def average_linkage(similar, cut):
    """Merge the two groups that are most alike on average, until none is alike enough."""
    members = [[label] for label in range(len(similar))]
    while len(members) > 1:
        distance, i, j = min(
            (np.mean(1 - similar[np.ix_(a, b)]), i, j) for i, a in enumerate(members) for j, b in enumerate(members[:i])
        )
        if distance > cut:
            break
        members[j] += members.pop(i)
    return {frozenset(each) for each in members}


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_those_of_average_linkage(seed):
    values = np.random.default_rng(seed).uniform(size=(6, 12)) ** 3
    similar = consensus.similarity(values)
    grouped = consensus.groups(similar)
    assert {frozenset(np.flatnonzero(grouped == group).tolist()) for group in set(grouped)} == average_linkage(
        similar, consensus.CUT
    )
    assert consensus.groups(np.ones((1, 1))).tolist() == [0]


@pytest.mark.parametrize(("similar", "groups"), [(0.51, 1), (0.49, 2)])
def test_labels_are_alike_from_a_similarity_of_a_half_on(similar, groups):
    assert len(set(consensus.groups(np.array([[1.0, similar], [similar, 1.0]])).tolist())) == groups


def test_a_label_without_a_group_returns_nowhere():
    assert consensus.returns([np.array([0, 1, 2]), np.array([0, -1]), np.array([0, 0, 1])]).tolist() == [3, 2, 1]


def test_every_model_has_a_seed_and_a_phase_of_its_own():
    settings = Settings(seed=7, models=5)
    assert phases(settings) == [Phase(7 + i, i / 5) for i in range(5)]
    assert phases(replace(settings, models=1)) == [Phase(7, 0.0), Phase(8, 0.5)]  # the second shows which labels return
    assert phases(Settings(seed=2**32 - 1, validation=Validation(stability=False))) == [Phase(2**32 - 1, 0.0)]
    assert phases(Settings(seed=2**32 - 1))[1].seed == 0
