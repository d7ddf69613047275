"""Events of UMAP's layout: which edges of the fuzzy graph fire in which step of which epoch.

An edge fires in the same step of every epoch in which it fires, once for each of its ends. On the CPU the events of
some epochs are listed, block of points by block of points. On a GPU the edges of each point are listed by step, once,
and a kernel asks of each whether it fires.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.kernels.fuzzy_graph import Graph

STEPS_PER_EPOCH = 32
BLOCKS = 64  # of points, processed in parallel


@numba.njit(inline="always")
def mix(word):  # type: ignore[no-untyped-def]
    """Random word from a counter: the output function of SplitMix64."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@numba.njit(inline="always")
def step_of(head, tail, key):  # type: ignore[no-untyped-def]
    """The step of an epoch in which an edge fires."""
    return np.int64(mix(key + (np.uint64(head) << np.uint64(32) | np.uint64(tail))) % np.uint64(STEPS_PER_EPOCH))


@numba.njit(inline="always")
def firings(frequency, epochs):  # type: ignore[no-untyped-def]
    """How often an edge has fired after so many epochs; the product is exact, with 24 bits and fewer than 29."""
    return np.int32(epochs * np.float64(frequency))


@numba.njit(inline="always")
def first_point(points, block):  # type: ignore[no-untyped-def]
    """The first point of a block; that of the next one is the end."""
    return points * block // BLOCKS


@numba.njit
def fires(frequency, epoch):  # type: ignore[no-untyped-def]
    """Whether an edge fires in an epoch: firing n is in epoch ``ceil(n / frequency) - 1``, as in the list of events."""
    return firings(frequency, epoch + 1) > firings(frequency, epoch)


@numba.njit
def block_of(points, i):  # type: ignore[no-untyped-def]
    """The block of a point: the last that starts at the point or before it."""
    return ((i + 1) * BLOCKS - 1) // points


def frequencies_of(graph: Graph) -> NDArray[np.float32]:
    """How often each edge fires in an epoch, at most once: (edges,)."""
    return graph.weights / graph.weights.max()


def events(
    offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    frequencies: NDArray[np.float32],
    first: int,
    last: int,
    seed: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Events of the epochs ``first <= e < last``, sorted by block of points, step, and point.

    The head of an event is the point that it moves. Its tail is the other end of the edge: ``tail`` if the edge starts
    at the head and so repels too, ``-1 - tail`` if it starts at the other end. The events of block k and step s are at
    ``places[k, s]:places[k, s + 1]``.
    """
    ends = np.cumsum(_count_events(offsets, frequencies, first, last))
    heads, tails = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.int32)
    places = np.empty((BLOCKS, (last - first) * STEPS_PER_EPOCH + 1), dtype=np.int64)
    _list_events(offsets, columns, frequencies, first, last, np.uint64(seed), ends, places, heads, tails)
    return heads, tails, places


@numba.njit(parallel=True, cache=True)
def _count_events(offsets, frequencies, first, last):  # type: ignore[no-untyped-def]
    """Number of events of each block."""
    points = len(offsets) - 1
    sizes = np.empty(BLOCKS, dtype=np.int64)
    for block in numba.prange(BLOCKS):
        total = 0
        for edge in range(offsets[first_point(points, block)], offsets[first_point(points, block + 1)]):
            total += firings(frequencies[edge], last) - firings(frequencies[edge], first)
        sizes[block] = 2 * total
    return sizes


@numba.njit(parallel=True, cache=True)
def _list_events(offsets, columns, frequencies, first, last, key, ends, places, heads, tails):  # type: ignore[no-untyped-def]
    """List the events of each block in the order of the points, and sort them by step."""
    points, steps = len(offsets) - 1, places.shape[1] - 1
    for block in numba.prange(BLOCKS):
        begin = ends[block - 1] if block else 0
        size = ends[block] - begin
        step, head, tail = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)
        counts, event = np.zeros(steps, dtype=np.int64), 0
        for i in range(first_point(points, block), first_point(points, block + 1)):
            for edge in range(offsets[i], offsets[i + 1]):
                before, after = firings(frequencies[edge], first), firings(frequencies[edge], last)
                if after == before:
                    continue
                j, frequency = columns[edge], np.float64(frequencies[edge])
                forward, backward = step_of(i, j, key), step_of(j, i, key)
                for firing in range(before + 1, after + 1):
                    epoch = min(max(np.int64(np.ceil(firing / frequency)) - 1, first), last - 1) - first
                    step[event], head[event], tail[event] = epoch * STEPS_PER_EPOCH + forward, i, j
                    step[event + 1], head[event + 1], tail[event + 1] = epoch * STEPS_PER_EPOCH + backward, i, -1 - j
                    counts[step[event]] += 1
                    counts[step[event + 1]] += 1
                    event += 2
        places[block, 0] = begin
        places[block, 1:] = begin + np.cumsum(counts)
        free = places[block, :-1].copy()  # next free entry of each step
        for event in range(size):
            entry = free[step[event]]
            heads[entry], tails[entry] = head[event], tail[event]
            free[step[event]] = entry + 1


def half_edges(graph: Graph, key: np.uint64) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """The edges at each point, from it and to it, by the step in which they fire, and within a step in the CPU's order.

    Returns
    -------
    tuple
        Tails (half-edges,) int32, as those of :func:`events`; frequencies (half-edges,) float32; and places
        (points * steps + 1,) int64: the half-edges of point i and step s are at
        ``places[i * steps + s]:places[i * steps + s + 1]``.
    """
    size = 2 * len(graph.columns)
    tails, frequencies = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.float32)
    places = np.empty((len(graph.offsets) - 1) * STEPS_PER_EPOCH + 1, dtype=np.int64)
    places[-1] = size
    _list_half_edges(graph.offsets, graph.columns, frequencies_of(graph), key, tails, frequencies, places)
    return tails, frequencies, places


@numba.njit(parallel=True, cache=True)
def _list_half_edges(offsets, columns, edge_frequencies, key, tails, frequencies, places):  # type: ignore[no-untyped-def]
    """List the half-edges of each point by step; edges ascend, and the one from the point comes first."""
    for i in numba.prange(len(offsets) - 1):
        counts = np.zeros(STEPS_PER_EPOCH, dtype=np.int64)
        for edge in range(offsets[i], offsets[i + 1]):
            counts[step_of(i, columns[edge], key)] += 1
            counts[step_of(columns[edge], i, key)] += 1
        free = 2 * offsets[i] + np.cumsum(counts) - counts  # next free entry of each step
        places[i * STEPS_PER_EPOCH : (i + 1) * STEPS_PER_EPOCH] = free
        for edge in range(offsets[i], offsets[i + 1]):
            j = columns[edge]
            for step, tail in ((step_of(i, j, key), j), (step_of(j, i, key), np.int32(-1 - j))):
                tails[free[step]], frequencies[free[step]] = tail, edge_frequencies[edge]
                free[step] += 1
