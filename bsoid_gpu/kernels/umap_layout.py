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
from llvmlite.ir import FunctionType
from numba.cpython.unsafe.tuple import tuple_setitem

from bsoid_gpu.kernels.umap_events import BLOCKS, STEPS_PER_EPOCH, events, first_point, frequencies_of, mix

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from bsoid_gpu.kernels.fuzzy_graph import Graph

EPOCHS_PER_LIST = 8  # epochs whose events are listed together
CLIP = np.float32(4.0)  # largest force along one dimension, as in umap-learn
SOFTENING = 0.001  # keeps the repulsion of equal points finite, as in umap-learn
# forces are tabulated by the leading bits of the squared distance: 128 entries for each power of two
MANTISSA_BITS = 7
SHIFT = 23 - MANTISSA_BITS
FIRST_ENTRY, LAST_ENTRY = (127 - 40) << MANTISSA_BITS, (127 + 14) << MANTISSA_BITS  # 2^-40 and 2^14
# of a linear congruential generator of 64-bit words (Knuth's MMIX)
MULTIPLIER, INCREMENT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


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
    attraction, repulsion = forces(a, b)
    frequencies = frequencies_of(graph)
    rates = learning_rates(learning_rate, epochs)
    old = positions.astype(np.float32)
    new = np.empty_like(old)
    origin = (np.float32(0.0),) * positions.shape[1]
    for first in range(first_epoch, epochs, EPOCHS_PER_LIST):
        last = min(first + EPOCHS_PER_LIST, epochs)
        heads, tails, offsets = events(graph.offsets, graph.columns, frequencies, first, last, seed)
        _run_steps(
            old, new, heads, tails, offsets, attraction, repulsion, rates[first:last],
            first * STEPS_PER_EPOCH, negative_samples, np.uint64(seed), origin,
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


def learning_rates(first: float, epochs: int) -> NDArray[np.float32]:
    """Of each epoch: they fall linearly from the first to 0."""
    return (first * (1.0 - np.arange(epochs) / epochs)).astype(np.float32)


def forces(a: float, b: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Attraction and repulsion, as factors of the difference of positions, by the leading bits of its square."""
    middle = (np.arange(FIRST_ENTRY, LAST_ENTRY, dtype=np.uint32) << SHIFT) | (1 << (SHIFT - 1))
    squared = middle.astype(np.uint32).view(np.float32).astype(np.float64)
    attraction = -2.0 * a * b * squared ** (b - 1.0) / (1.0 + a * squared**b)
    repulsion = 2.0 * b / ((SOFTENING + squared) * (1.0 + a * squared**b))
    return attraction.astype(np.float32), repulsion.astype(np.float32)


@numba.njit(inline="always")
def stream_of(key, step, block):  # type: ignore[no-untyped-def]
    """Where the stream of random words of a block of points starts in a step, counted from the first epoch."""
    return mix(key + (np.uint64(step) << np.uint64(8)) + np.uint64(block))


@numba.njit(inline="always")
def next_word(stream):  # type: ignore[no-untyped-def]
    """The following word of a stream."""
    return stream * MULTIPLIER + INCREMENT


@numba.njit
def jumped(stream, words):  # type: ignore[no-untyped-def]
    """The word of a stream so many words on.

    A step maps x to ``m x + c``; twice as many steps map x to ``m^2 x + (m + 1) c``. The binary digits of ``words`` say
    which of these jumps make up the whole (Brown 1994, "Random number generation with arbitrary strides").
    """
    multiplier, increment, words = MULTIPLIER, INCREMENT, np.uint64(words)
    while words > np.uint64(0):
        if words & np.uint64(1):
            stream = stream * multiplier + increment
        increment = (multiplier + np.uint64(1)) * increment
        multiplier = multiplier * multiplier
        words = words >> np.uint64(1)
    return stream


@numba.njit(inline="always")
def random_point(word, points):  # type: ignore[no-untyped-def]
    """A random point from a word of a stream."""
    return np.int64((word >> np.uint64(32)) * np.uint64(points) >> np.uint64(32))


@numba.njit(inline="always")
def table_entry(squared):  # type: ignore[no-untyped-def]
    """Entry of a squared distance in the tables of forces."""
    entry = (_bits(squared) >> np.uint32(SHIFT)) - np.int64(FIRST_ENTRY)
    entry = entry if entry > 0 else 0  # not min and max, which numba 0.68 lacks on CUDA
    return entry if entry < LAST_ENTRY - FIRST_ENTRY else LAST_ENTRY - FIRST_ENTRY - 1


@numba.njit(inline="always")
def clipped(force):  # type: ignore[no-untyped-def]
    """The force along one dimension, bounded."""
    force = -CLIP if force < -CLIP else force
    return CLIP if force > CLIP else force


@numba.njit(inline="always")
def plus_product(total, a, b):  # type: ignore[no-untyped-def]
    """``total + a * b``, rounded twice everywhere: rounded once, positions would soon differ between devices."""
    return total + _rounded_product(a, b)


@numba.extending.intrinsic
def _bits(typing_context, number):  # type: ignore[no-untyped-def]
    """Bits of a float32 as an unsigned integer."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], context.get_value_type(numba.types.uint32))

    return numba.types.uint32(numba.types.float32), generate


@numba.extending.intrinsic
def _rounded_product(typing_context, a, b):  # type: ignore[no-untyped-def]
    """Product of two float32; compilers for GPUs fuse any other with an addition to it."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        if not builder.module.triple.startswith("nvptx"):
            return builder.fmul(*arguments)
        name, number = "llvm.nvvm.mul.rn.f", arguments[0].type
        return builder.call(builder.module.declare_intrinsic(name, (), FunctionType(number, [number] * 2)), arguments)

    return numba.types.float32(numba.types.float32, numba.types.float32), generate


@numba.njit(parallel=True, cache=True)
def _run_steps(  # type: ignore[no-untyped-def]
    old, new, heads, tails, places, attraction, repulsion, rates, first_step, negative_samples, key, origin
):
    """Run the listed steps; ``old`` holds the positions before and after.

    A step reads the other points from ``old``, and writes the moved points to ``new``.
    """
    points = old.shape[0]
    for step in range(len(rates) * STEPS_PER_EPOCH):
        rate = rates[step // STEPS_PER_EPOCH]
        for block in numba.prange(BLOCKS):
            low, high = first_point(points, block), first_point(points, block + 1)
            new[low:high] = old[low:high]
            _move_block(
                old, new, heads, tails, places[block, step], places[block, step + 1], attraction, repulsion,
                rate, negative_samples, stream_of(key, first_step + step, block), origin,
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
                stream = next_word(stream)
                other = random_point(stream, points)
                if other != i:
                    force = _add_force(force, here, old, other, repulsion)
        for d in range(len(here)):
            here = tuple_setitem(here, d, plus_product(here[d], rate, force[d]))
            new[i, d] = here[d]


@numba.njit(inline="always")
def _add_force(force, here, positions, j, table):  # type: ignore[no-untyped-def]
    """``force`` plus the force of point j on a point at ``here``."""
    squared = np.float32(0.0)
    for d in range(len(here)):
        difference = here[d] - positions[j, d]
        squared = plus_product(squared, difference, difference)
    factor = table[table_entry(squared)] if squared > 0.0 else np.float32(0.0)
    for d in range(len(here)):
        force = tuple_setitem(force, d, force[d] + clipped(factor * (here[d] - positions[j, d])))
    return force
