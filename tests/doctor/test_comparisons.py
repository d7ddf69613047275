import numpy as np
import pytest

from bsoid_gpu.doctor import comparisons, tolerances


@pytest.fixture
def random():
    return np.random.default_rng(0)


def tree(heights):
    return np.column_stack([np.zeros((len(heights), 2)), heights, np.zeros(len(heights))])


def test_a_difference_of_features_is_relative_to_the_value_or_its_column(random):
    reference = random.normal(size=(100, 3)) * [1, 1e3, 1e-3]
    reference[0] = 0.0
    assert comparisons.features(reference, reference).measured == 0
    assert comparisons.features(reference, reference * (1 + 1e-10)).passed
    assert not comparisons.features(reference, reference * (1 + 1e-8)).passed
    assert comparisons.features(reference, reference + 1e-14).passed


def test_recall_counts_neighbours_in_any_order():
    reference = np.array([[0, 1, 2], [1, 0, 2]], dtype=np.int32)
    assert comparisons.recall(reference, reference[:, ::-1]).passed
    result = comparisons.recall(reference, np.array([[0, 1, 3], [1, 0, 2]], dtype=np.int32))
    assert not result.passed
    assert result.measured == pytest.approx(5 / 6)


def test_heights_differ_by_quantiles(random):
    exact = random.uniform(1, 2, size=1000)
    assert comparisons.heights(tree(exact), tree(random.permutation(exact))).measured == 0
    approximate = exact * (1 + 0.18 * (exact == exact.max()))
    result = comparisons.heights(tree(exact), tree(approximate))
    assert result.passed
    assert result.measured == pytest.approx(0.18)
    assert not comparisons.heights(tree(exact), tree(1.3 * exact)).passed


def test_equal_heights_are_no_failure_but_are_named(random):
    exact = random.uniform(1, 2, size=1000)
    result = comparisons.heights(tree(exact), tree(exact * (1 + 0.1 * tolerances.EQUAL_HEIGHTS.value)))
    assert result.passed
    assert "is it the exact one?" in result.text
    assert "exact" not in comparisons.heights(tree(exact), tree(1.01 * exact)).text


def test_heights_near_0_have_no_correct_digits(random):
    exact = random.uniform(1, 2, size=1000)
    exact[:20] = 1e-6
    assert comparisons.heights(tree(exact), tree(np.where(exact < 1, 1e-3, exact))).passed


def test_clusters_may_differ_by_a_few():
    assert comparisons.clusters("", 3, 6).passed
    assert not comparisons.clusters("", 3, 7).passed
    assert comparisons.clusters("", 40, 52).passed
    assert not comparisons.clusters("", 40, 27).passed


def test_agreement_without_noise():
    labels = np.repeat([0, 1, 2], 100)
    shuffled = np.where(np.arange(300) % 50 == 0, -1, labels[::-1])
    assert comparisons.same_clusters("", labels, shuffled).passed
    assert not comparisons.same_clusters("", labels, np.arange(300) % 3).passed
    assert comparisons.same_clusters("", labels, np.full(300, -1)).measured == 0


def test_a_repeated_computation_has_one_result():
    assert comparisons.same_bytes("", ["a", "a", "a"]).passed
    assert not comparisons.same_bytes("", ["a", "b", "a"]).passed


def test_information_keeps_the_number():
    failed = comparisons.clusters("clusters", 3, 9)
    result = comparisons.as_information(failed, "not the default")
    assert result.passed
    assert (result.measured, result.bound) == (6, None)
    assert result.text.endswith("without a verdict: not the default")


def test_another_seed_is_tried_where_the_first_fails(job, cpu):
    points = job.points
    shuffled = np.random.default_rng(0).permutation(points)
    first, _, _ = comparisons.embedding(job, points, job.settings, cpu)
    assert first.measured == job.trustworthiness
    assert "seed" not in first.text
    second = comparisons.embedding(job, shuffled, job.settings, cpu)
    assert all("another seed" in result.text for result in second)
    assert second[0].measured > 0.9
