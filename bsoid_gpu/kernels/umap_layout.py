"""UMAP's layout: stochastic gradient descent on the fuzzy graph's cross-entropy (McInnes et al. 2018, section 4.2).

An edge of weight p fires p times per epoch: it attracts its two ends to each other, and repels its head from a few
random points. umap-learn updates the points edge after edge. Here an epoch is divided into many short steps, and each
edge fires in one of them. Within a step a point is updated event after event, while all other points keep their
positions from before the step. Points are therefore independent of each other, the result does not depend on the number
of threads, and with steps this short the layout is as good. Random numbers come from a counter, not from a state.
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

STEPS_PER_EPOCH = 32
EPOCHS_PER_LIST = 8  # epochs whose events are listed together
BLOCKS = 64  # of points, processed in parallel
CLIP = np.float32(4.0)  # largest force along one dimension, as in umap-learn
SOFTENING = 0.001  # keeps the repulsion of equal points finite, as in umap-learn
# forces are tabulated by the leading bits of the squared distance: 128 entries for each power of two
MANTISSA_BITS = 7
SHIFT = 23 - MANTISSA_BITS
FIRST_ENTRY, LAST_ENTRY = (127 - 40) << MANTISSA_BITS, (127 + 14) << MANTISSA_BITS  # 2^-40 and 2^14


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
    """Optimise the positions, and yield them every few epochs.

    Parameters
    ----------
    positions
        (points, dimensions): the initial positions, or those yielded after ``first_epoch`` epochs.
    graph
        The fuzzy graph.
    a, b
        Parameters of the membership ``1 / (1 + a d^(2b))`` in the layout.
    epochs
        Number of epochs; the learning rate falls linearly to 0 over them.
    negative_samples
        Random points that repel the head of an edge each time it fires.
    learning_rate
        Initial learning rate.
    seed
        Determines the order of the edges and the random points.
    first_epoch
        Epochs that are complete: the result is the same as without an interruption.

    Yields
    ------
    tuple
        Number of complete epochs, and the positions (points, dimensions) float32, which the next step overwrites.
    """
    attraction, repulsion = _forces(a, b)
    frequencies = graph.weights / graph.weights.max()
    old = positions.astype(np.float32)
    new = np.empty_like(old)
    origin = (np.float32(0.0),) * positions.shape[1]
    for first in range(first_epoch, epochs, EPOCHS_PER_LIST):
        last = min(first + EPOCHS_PER_LIST, epochs)
        steps = (last - first) * STEPS_PER_EPOCH
        heads, tails, offsets = _events(graph.offsets, graph.columns, frequencies, first, last, seed)
        rates = learning_rate * (1.0 - (first + np.arange(steps) // STEPS_PER_EPOCH) / epochs)
        _run_steps(
            old, new, heads, tails, offsets, attraction, repulsion,
            rates, first * STEPS_PER_EPOCH, negative_samples, seed, origin,
        )  # fmt: skip
        yield last, old


def curve(min_dist: float) -> tuple[float, float]:
    """The a and b with which ``1 / (1 + a d^(2b))`` fits 1 up to ``min_dist`` and ``exp(min_dist - d)`` beyond.

    The membership of two points at distance d in the layout (McInnes et al. 2018, definition 11), fitted as in
    umap-learn, which takes seconds to import and a minute the first time.
    """
    from scipy.optimize import curve_fit

    distance = np.linspace(0.0, 3.0, 300)
    target = np.where(distance < min_dist, 1.0, np.exp(min_dist - distance))
    (a, b), _ = curve_fit(lambda d, a, b: 1.0 / (1.0 + a * d ** (2.0 * b)), distance, target)
    return float(a), float(b)


def _forces(a: float, b: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Attraction and repulsion, as factors of the difference of positions, by the leading bits of its square."""
    middle = (np.arange(FIRST_ENTRY, LAST_ENTRY, dtype=np.uint32) << SHIFT) | (1 << (SHIFT - 1))
    squared = middle.astype(np.uint32).view(np.float32).astype(np.float64)
    attraction = -2.0 * a * b * squared ** (b - 1.0) / (1.0 + a * squared**b)
    repulsion = 2.0 * b / ((SOFTENING + squared) * (1.0 + a * squared**b))
    return attraction.astype(np.float32), repulsion.astype(np.float32)


@numba.njit(inline="always")
def _mix(word):  # type: ignore[no-untyped-def]
    """Random word from a counter: the output function of SplitMix64."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


@numba.njit(inline="always")
def _step_of(head, tail, seed):  # type: ignore[no-untyped-def]
    """The step of an epoch in which an edge fires."""
    return np.int64(_mix(seed + (np.uint64(head) << np.uint64(32) | np.uint64(tail))) % np.uint64(STEPS_PER_EPOCH))


def _events(
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


@numba.njit(inline="always")
def _firings(frequency, epochs):  # type: ignore[no-untyped-def]
    """How often an edge has fired after so many epochs."""
    return np.int32(epochs * np.float64(frequency))


@numba.njit(parallel=True, cache=True)
def _count_events(offsets, frequencies, first, last):  # type: ignore[no-untyped-def]
    """Number of events of each block."""
    points = len(offsets) - 1
    sizes = np.empty(BLOCKS, dtype=np.int64)
    for block in numba.prange(BLOCKS):
        total = 0
        for edge in range(offsets[points * block // BLOCKS], offsets[points * (block + 1) // BLOCKS]):
            total += _firings(frequencies[edge], last) - _firings(frequencies[edge], first)
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
        for i in range(points * block // BLOCKS, points * (block + 1) // BLOCKS):
            for edge in range(offsets[i], offsets[i + 1]):
                before, after = _firings(frequencies[edge], first), _firings(frequencies[edge], last)
                if after == before:
                    continue
                j, frequency = columns[edge], np.float64(frequencies[edge])
                forward, backward = _step_of(i, j, key), _step_of(j, i, key)
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


@numba.njit(parallel=True, cache=True)
def _run_steps(  # type: ignore[no-untyped-def]
    old, new, heads, tails, places, attraction, repulsion, rates, first_step, negative_samples, seed, origin
):
    """Run the listed steps; ``old`` holds the positions before and after.

    A step reads the other points from ``old``, and writes the moved points to ``new``.
    """
    points = old.shape[0]
    for step in range(len(rates)):
        rate = np.float32(rates[step])
        for block in numba.prange(BLOCKS):
            low, high = points * block // BLOCKS, points * (block + 1) // BLOCKS
            new[low:high] = old[low:high]
            stream = _mix(np.uint64(seed) + (np.uint64(first_step + step) << np.uint64(8)) + np.uint64(block))
            _move_block(
                old, new, heads, tails, places[block, step], places[block, step + 1],
                attraction, repulsion, rate, negative_samples, stream, origin,
            )  # fmt: skip
        old, new = new, old


@numba.njit(cache=True)
def _move_block(  # type: ignore[no-untyped-def]
    old, new, heads, tails, begin, end, attraction, repulsion, rate, negative_samples, stream, origin
):
    """Move the heads of the events of one block and step.

    The events of a head are consecutive: each starts at ``here``, where the last one has moved the head, and reads all
    other points, the tail and the random ones, from ``old``.

    ``here`` and forces are tuples like ``origin``: the compiler knows their length and keeps them in registers (arrays
    take three times as long).
    """
    points = old.shape[0]
    here, current = origin, np.int32(-1)
    for event in range(begin, end):
        i, j = heads[event], tails[event]
        if i != current:
            current = i
            for d in range(len(here)):
                here = tuple_setitem(here, d, old[i, d])
        fires = j >= 0
        force = _add_force(origin, here, old, j if fires else -1 - j, attraction)
        if fires:
            for _ in range(negative_samples):
                stream = stream * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
                other = np.int64((stream >> np.uint64(32)) * np.uint64(points) >> np.uint64(32))
                if other != i:
                    force = _add_force(force, here, old, other, repulsion)
        for d in range(len(here)):
            here = tuple_setitem(here, d, here[d] + rate * force[d])
            new[i, d] = here[d]


@numba.njit(inline="always")
def _add_force(force, here, positions, j, table):  # type: ignore[no-untyped-def]
    """``force`` plus the force of point j on a point at ``here``."""
    squared = np.float32(0.0)
    for d in range(len(here)):
        difference = here[d] - positions[j, d]
        squared += difference * difference
    entry = (_bits(squared) >> np.uint32(SHIFT)) - np.int64(FIRST_ENTRY)
    factor = table[min(max(entry, 0), LAST_ENTRY - FIRST_ENTRY - 1)] if squared > 0.0 else np.float32(0.0)
    for d in range(len(here)):
        term = min(max(factor * (here[d] - positions[j, d]), -CLIP), CLIP)
        force = tuple_setitem(force, d, force[d] + term)
    return force


@numba.extending.intrinsic
def _bits(typing_context, number):  # type: ignore[no-untyped-def]
    """Bits of a float32 as an unsigned integer."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(numba.types.uint32))

    return numba.types.uint32(numba.types.float32), generate
