import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from umap import UMAP
from umap.umap_ import find_ab_params

from bsoid_gpu.estimators.initialisation import principal_components
from bsoid_gpu.kernels import umap_layout
from bsoid_gpu.kernels.fuzzy_graph import Graph, fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.kernels.umap_layout import curve

A, B = find_ab_params(1.0, 0.0)


def layout(*arguments):
    """Positions after the last epoch."""
    *_, (_, positions) = umap_layout.layout(*arguments)
    return positions


def pair(weight=1.0):
    """Two points and the edge between them."""
    return Graph(np.asarray([0, 1, 2]), np.asarray([1, 0], np.int32), np.asarray([weight, weight], np.float32))


@pytest.fixture(scope="module")
def digits():
    data = load_digits().data.astype(np.float32)
    return data, principal_components(data.astype(float), 3, 0), fuzzy_graph(*nearest(data, 40), least=1 / 200)


def test_forces_are_the_gradient_of_the_cross_entropy():
    """With q = 1 / (1 + a d^2b): of -log q for attraction, of -log(1 - q) for repulsion, along the difference."""
    attraction, repulsion = umap_layout.forces(A, B)
    entry = np.arange(umap_layout.FIRST_ENTRY, umap_layout.LAST_ENTRY)[2000:-200:100]
    squared = ((entry.astype(np.uint32) << umap_layout.SHIFT) + (1 << (umap_layout.SHIFT - 1))).astype(np.uint32)
    distance = np.sqrt(squared.view(np.float32).astype(float))
    step = 1e-5 * distance

    def near(d):
        return 1 / (1 + A * d ** (2 * B))

    pull = (np.log(near(distance + step)) - np.log(near(distance - step))) / (2 * step) / distance
    push = (np.log(1 - near(distance + step)) - np.log(1 - near(distance - step))) / (2 * step) / distance
    at = entry - umap_layout.FIRST_ENTRY
    np.testing.assert_allclose(attraction[at], pull, rtol=1e-4)
    far = distance > 1  # nearer, the force is softened
    np.testing.assert_allclose(repulsion[at][far], push[far], rtol=2e-3)


def test_two_points_by_hand():
    """One epoch, no repulsion: each end moves twice, once as the head of the edge and once as its tail."""
    start = np.asarray([[0.0, 0.0], [3.0, 4.0]], dtype=np.float32)
    end = layout(start, pair(), A, B, 1, 0, 0.1, 0)

    def force(d):
        return 2 * A * B * d ** (2 * B - 1) / (1 + A * d ** (2 * B))

    first = 0.1 * force(5.0)  # along the line between the two
    second = 0.1 * force(5.0 - 2 * first)
    np.testing.assert_allclose(end[0], np.asarray([0.6, 0.8]) * (first + second), rtol=0.02)
    np.testing.assert_allclose(end[0] + end[1], start[0] + start[1], atol=1e-5)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**48))
def test_a_jump_along_random_words_equals_their_closed_form(word, words):
    m, c = int(umap_layout.MULTIPLIER), int(umap_layout.INCREMENT)
    power = pow(m, words, (m - 1) * 2**64)
    expected = (power * word + (power - 1) // (m - 1) * c) % 2**64
    assert umap_layout.jumped(np.uint64(word), words) == expected


def test_a_jump_along_random_words_equals_as_many_single_ones():
    word = umap_layout.stream_of(np.uint64(2**64 - 9), 700, 63)
    stepped = word
    for words in range(100):
        assert umap_layout.jumped(np.uint64(word), words) == stepped
        stepped = umap_layout.next_word(np.uint64(stepped))


def test_layout_is_as_trustworthy_as_that_of_umap_learn(digits):
    data, start, graph = digits
    ours = layout(start, graph, A, B, 200, 5, 1.0, 0)
    theirs = UMAP(
        n_neighbors=40, n_components=3, min_dist=0.0, n_epochs=200, init=start, random_state=0, n_jobs=1
    ).fit_transform(data)
    assert trustworthiness(data, ours, n_neighbors=15) > trustworthiness(data, theirs, n_neighbors=15) - 0.005
    np.testing.assert_allclose(ours.std(axis=0), theirs.std(axis=0), rtol=0.25)


def test_layout_is_the_same_on_any_number_of_threads(digits):
    _, start, graph = digits
    threads, before = numba.get_num_threads(), start.copy()
    try:
        layouts = []
        for number in (1, threads, threads):
            numba.set_num_threads(number)
            layouts.append(layout(start, graph, A, B, 20, 5, 1.0, 3).tobytes())
    finally:
        numba.set_num_threads(threads)
    assert len(set(layouts)) == 1
    assert np.array_equal(start, before)
    assert layout(start, graph, A, B, 20, 5, 1.0, 4).tobytes() not in layouts


@pytest.mark.parametrize("min_dist", [0.0, 0.1, 0.5, 1.0])
def test_membership_curve_equals_that_of_umap_learn(min_dist):
    np.testing.assert_allclose(curve(min_dist), find_ab_params(1.0, min_dist), rtol=1e-6)
