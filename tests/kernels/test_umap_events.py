import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.kernels import umap_events
from bsoid_gpu.kernels.fuzzy_graph import Graph, fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.kernels.umap_events import BLOCKS, STEPS_PER_EPOCH

MOST_EPOCHS = 100_000
WEAKEST = float(np.nextafter(np.float32(1 / MOST_EPOCHS), np.float32(1)))  # an edge that can fire


@pytest.fixture(scope="module")
def graph():
    points = np.random.default_rng(0).standard_normal((300, 4)).astype(np.float32)
    return fuzzy_graph(*nearest(points, 12), least=1 / 50)


@pytest.mark.parametrize(("weight", "firings"), [(1.0, 20), (0.5, 10), (0.3, 6), (0.04, 0)])
def test_an_edge_fires_in_proportion_to_its_weight(weight, firings):
    edges = Graph(
        np.asarray([0, 2, 3, 4]), np.asarray([1, 2, 0, 0], np.int32), np.asarray([1, weight, 1, weight], np.float32)
    )
    total = 0
    for first in range(0, 20, 8):
        heads, tails, places = umap_events.events(
            edges.offsets, edges.columns, edges.weights, first, min(first + 8, 20), 7
        )
        total += np.sum((heads == 2) & (tails == 0))
        assert np.sum((heads == 2) & (tails == 0)) == np.sum((heads == 0) & (tails == -1 - 2))
        assert places[-1, -1] == len(heads)
        assert (np.diff(places.ravel()) >= 0).all()
    assert total == firings


@given(st.floats(WEAKEST, 1.0, width=32), st.floats(0.0, 1.0, exclude_max=True))
def test_a_firing_is_in_the_epoch_of_the_list_and_alone_there(frequency, which):
    frequency = np.float32(frequency)
    firing = 1 + int(which * umap_events.firings(frequency, MOST_EPOCHS))
    epoch = math.ceil(firing / float(frequency)) - 1  # of the list
    assert umap_events.firings(frequency, epoch) == firing - 1
    assert umap_events.firings(frequency, epoch + 1) == firing
    assert umap_events.fires(frequency, epoch)


def test_half_edges_that_fire_are_the_events_in_their_order(graph):
    first, last, key = 3, 11, 2**40 + 5
    frequencies = umap_events.frequencies_of(graph)
    heads, tails, places = umap_events.events(graph.offsets, graph.columns, frequencies, first, last, key)
    points = len(graph.offsets) - 1
    half_tails, half_frequencies, half_places = umap_events.half_edges(graph, np.uint64(key))
    listed = []
    for block in range(BLOCKS):
        for epoch in range(first, last):
            for step in range(STEPS_PER_EPOCH):
                assert len(listed) == places[block, (epoch - first) * STEPS_PER_EPOCH + step]
                for i in range(points * block // BLOCKS, points * (block + 1) // BLOCKS):
                    here = slice(*half_places[i * STEPS_PER_EPOCH + step : i * STEPS_PER_EPOCH + step + 2])
                    half = zip(half_tails[here], half_frequencies[here], strict=True)
                    listed += [(i, tail) for tail, frequency in half if umap_events.fires(frequency, epoch)]
    assert listed == list(zip(heads, tails, strict=True))
    assert half_places[-1] == 2 * len(graph.columns)


@pytest.mark.parametrize("points", [1, 2, 63, 64, 65, 100, 1000])
def test_a_point_is_in_its_block(points):
    for i in range(points):
        block = umap_events.block_of(points, i)
        assert umap_events.first_point(points, block) <= i < umap_events.first_point(points, block + 1)
        assert 0 <= block < BLOCKS
