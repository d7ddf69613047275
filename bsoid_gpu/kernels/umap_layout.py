"""UMAP's layout: stochastic gradient descent on the fuzzy graph's cross-entropy (McInnes et al. 2018, section 4.2).

An edge of weight p fires p times an epoch: it pulls its two ends together, and pushes its head away from a few random
points. umap-learn lets one edge after the other move its ends; here an epoch is divided into many short steps, and each
edge fires in one of them. Within a step a point makes one move after the other: each force is that at the place where
the point's own moves of the step have brought it, whereas all other points are still where the step before has left
them. So every point can be moved by itself, the result does not depend on the number of threads, and with steps this
short the layout is as good. Random numbers come from a counter, not from a state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numba
import numpy as np
from numba.cpython.unsafe.tuple import tuple_setitem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bsoid_gpu.kernels.fuzzy_graph import Graph

STEPS = 32  # of an epoch
EPOCHS = 8  # that events are listed for at a time
BLOCKS = 64  # of points, whose events are listed side by side
CLIP = np.float32(4.0)  # largest force along one dimension, umap-learn's
NEAR = 0.001  # keeps the force between points at one place finite, umap-learn's
# the forces are looked up by the leading bits of the squared distance: 128 entries for each power of two
BITS = 7
SHIFT = 23 - BITS
FIRST, LAST = (127 - 40) << BITS, (127 + 14) << BITS  # from 2^-40 to 2^14


def layout(
    positions: NDArray[np.float32],
    graph: Graph,
    a: float,
    b: float,
    epochs: int,
    negative_samples: int,
    learning_rate: float,
    seed: int,
    first_epoch: int = 0,
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Move the points, and yield their positions every few epochs.

    Parameters
    ----------
    positions
        (points, dimensions): the initial positions, or those that were yielded after ``first_epoch`` epochs.
    graph
        The fuzzy graph: ``offsets``, ``columns`` and ``weights`` of its rows.
    a, b
        Of the membership ``1 / (1 + a d^(2b))`` in the layout.
    epochs
        Over which the step size falls linearly to 0.
    negative_samples
        Points that a firing edge pushes its head away from.
    learning_rate
        First step size.
    seed
        Of the order of the edges and of the points sampled.
    first_epoch
        Epochs that are done: the result is the same as without an interruption.

    Yields
    ------
    tuple
        Number of epochs that are done, and the positions (points, dimensions) float32, which the next step overwrites.
    """
    attraction, repulsion = _forces(a, b)
    chances = graph.weights / graph.weights.max()
    old = positions.astype(np.float32)
    new = np.empty_like(old)
    origin = (np.float32(0.0),) * positions.shape[1]
    for first in range(first_epoch, epochs, EPOCHS):
        last = min(first + EPOCHS, epochs)
        steps = (last - first) * STEPS
        heads, tails, offsets = _events(graph.offsets, graph.columns, chances, first, last, seed)
        rates = learning_rate * (1.0 - (first + np.arange(steps) // STEPS) / epochs)
        _walk(
            old, new, heads, tails, offsets, attraction, repulsion, rates, first * STEPS, negative_samples, seed, origin
        )
        yield last, old


def curve(min_dist: float) -> tuple[float, float]:
    """The a and b of ``1 / (1 + a d^(2b))`` that come closest to 1 up to ``min_dist`` and ``exp(min_dist - d)`` beyond.

    The membership of two points at distance d in the layout (McInnes et al. 2018, definition 11), fitted as umap-learn
    does; umap-learn itself takes seconds to import, and a minute the first time.
    """
    from scipy.optimize import curve_fit

    distance = np.linspace(0.0, 3.0, 300)
    wanted = np.where(distance < min_dist, 1.0, np.exp(min_dist - distance))
    (a, b), _ = curve_fit(lambda d, a, b: 1.0 / (1.0 + a * d ** (2.0 * b)), distance, wanted)
    return float(a), float(b)


def _forces(a: float, b: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Attraction and repulsion by the leading bits of the squared distance, as factors of the difference."""
    middle = (np.arange(FIRST, LAST, dtype=np.uint32) << SHIFT) | (1 << (SHIFT - 1))
    squared = middle.astype(np.uint32).view(np.float32).astype(np.float64)
    attraction = -2.0 * a * b * squared ** (b - 1.0) / (1.0 + a * squared**b)
    repulsion = 2.0 * b / ((NEAR + squared) * (1.0 + a * squared**b))
    return attraction.astype(np.float32), repulsion.astype(np.float32)


@numba.njit(inline="always")
def _mixed(word):  # type: ignore[no-untyped-def]
    """A random word from a counter: the finisher of SplitMix64."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@numba.njit(inline="always")
def _step_of(head, tail, seed):  # type: ignore[no-untyped-def]
    """The step of an epoch in which an edge fires."""
    return np.int64(_mixed(seed + (np.uint64(head) << np.uint64(32) | np.uint64(tail))) % np.uint64(STEPS))


def _events(
    offsets: NDArray[np.int64],
    columns: NDArray[np.int32],
    chances: NDArray[np.float32],
    first: int,
    last: int,
    seed: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """What moves a point in the epochs ``first <= e < last``, by block of points, step, and point.

    Heads are the points that move. A tail is the other end of an edge that the head fires, or ``-1 - tail`` of one
    that fires at the head. The events of block k and step s are at ``places[k, s]`` to ``places[k, s + 1]``.
    """
    ends = np.cumsum(_sizes(offsets, chances, first, last))
    heads, tails = np.empty(ends[-1], dtype=np.int32), np.empty(ends[-1], dtype=np.int32)
    places = np.empty((BLOCKS, (last - first) * STEPS + 1), dtype=np.int64)
    _list(offsets, columns, chances, first, last, np.uint64(seed), ends, places, heads, tails)
    return heads, tails, places


@numba.njit(inline="always")
def _firings(chance, epochs):  # type: ignore[no-untyped-def]
    """How often an edge has fired when some epochs are over."""
    return np.int32(epochs * np.float64(chance))


@numba.njit(parallel=True, cache=True)
def _sizes(offsets, chances, first, last):  # type: ignore[no-untyped-def]
    """Number of events of each block."""
    points = len(offsets) - 1
    sizes = np.empty(BLOCKS, dtype=np.int64)
    for block in numba.prange(BLOCKS):
        total = 0
        for edge in range(offsets[points * block // BLOCKS], offsets[points * (block + 1) // BLOCKS]):
            total += _firings(chances[edge], last) - _firings(chances[edge], first)
        sizes[block] = 2 * total
    return sizes


@numba.njit(parallel=True, cache=True)
def _list(offsets, columns, chances, first, last, key, ends, places, heads, tails):  # type: ignore[no-untyped-def]
    """Find the events of each block in the order of the points, and sort them by step."""
    points, steps = len(offsets) - 1, places.shape[1] - 1
    for block in numba.prange(BLOCKS):
        begin = ends[block - 1] if block else 0
        size = ends[block] - begin
        step, head, tail = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)
        counts, found = np.zeros(steps, dtype=np.int64), 0
        for i in range(points * block // BLOCKS, points * (block + 1) // BLOCKS):
            for edge in range(offsets[i], offsets[i + 1]):
                before, after = _firings(chances[edge], first), _firings(chances[edge], last)
                if after == before:
                    continue
                j, chance = columns[edge], np.float64(chances[edge])
                own, back = _step_of(i, j, key), _step_of(j, i, key)
                for firing in range(before + 1, after + 1):
                    epoch = min(max(np.int64(np.ceil(firing / chance)) - 1, first), last - 1) - first
                    step[found], head[found], tail[found] = epoch * STEPS + own, i, j
                    step[found + 1], head[found + 1], tail[found + 1] = epoch * STEPS + back, i, -1 - j
                    counts[step[found]] += 1
                    counts[step[found + 1]] += 1
                    found += 2
        places[block, 0] = begin
        places[block, 1:] = begin + np.cumsum(counts)
        place = places[block, :-1].copy()
        for event in range(size):
            at = place[step[event]]
            heads[at], tails[at] = head[event], tail[event]
            place[step[event]] = at + 1


@numba.njit(parallel=True, cache=True)
def _walk(old, new, heads, tails, places, attraction, repulsion, rates, first_step, negative_samples, seed, origin):  # type: ignore[no-untyped-def]
    """Take the listed steps; ``old`` holds the positions before and after.

    A step reads the positions of the other points from ``old`` and writes the moved ones to ``new``.
    """
    points = old.shape[0]
    for step in range(len(rates)):
        rate = np.float32(rates[step])
        for block in numba.prange(BLOCKS):
            low, high = points * block // BLOCKS, points * (block + 1) // BLOCKS
            new[low:high] = old[low:high]
            stream = _mixed(np.uint64(seed) + (np.uint64(first_step + step) << np.uint64(8)) + np.uint64(block))
            _move(
                old, new, heads, tails, places[block, step], places[block, step + 1],
                attraction, repulsion, rate, negative_samples, stream, origin,
            )  # fmt: skip
        old, new = new, old


@numba.njit(cache=True)
def _move(old, new, heads, tails, begin, end, attraction, repulsion, rate, negative_samples, stream, origin):  # type: ignore[no-untyped-def]
    """Move the heads of some events of one step.

    The events of a head follow each other: each starts from ``here``, where the one before has left the head, and reads
    all other points, the tail and the random ones, from ``old``.

    Places and forces are tuples, as ``origin`` is: their length is known to the compiler, which keeps them in registers
    (arrays take three times as long).
    """
    points = old.shape[0]
    here, moving = origin, np.int32(-1)
    for event in range(begin, end):
        i, j = heads[event], tails[event]
        if i != moving:
            moving = i
            for d in range(len(here)):
                here = tuple_setitem(here, d, old[i, d])
        fires = j >= 0
        force = _plus(origin, here, old, j if fires else -1 - j, attraction)
        if fires:
            for _ in range(negative_samples):
                stream = stream * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                other = np.int64((stream >> np.uint64(32)) * np.uint64(points) >> np.uint64(32))
                if other != i:
                    force = _plus(force, here, old, other, repulsion)
        for d in range(len(here)):
            here = tuple_setitem(here, d, here[d] + rate * force[d])
            new[i, d] = here[d]


@numba.njit(inline="always")
def _plus(force, here, positions, j, table):  # type: ignore[no-untyped-def]
    """A force, and the one between a place and point j."""
    squared = np.float32(0.0)
    for d in range(len(here)):
        difference = here[d] - positions[j, d]
        squared += difference * difference
    entry = (_bits(squared) >> np.uint32(SHIFT)) - np.int64(FIRST)
    factor = table[min(max(entry, 0), LAST - FIRST - 1)] if squared > 0.0 else np.float32(0.0)
    for d in range(len(here)):
        more = min(max(factor * (here[d] - positions[j, d]), -CLIP), CLIP)
        force = tuple_setitem(force, d, force[d] + more)
    return force


@numba.extending.intrinsic
def _bits(typing_context, number):  # type: ignore[no-untyped-def]
    """The bits of a float32 as an unsigned number."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(numba.types.uint32))

    return numba.types.uint32(numba.types.float32), generate
