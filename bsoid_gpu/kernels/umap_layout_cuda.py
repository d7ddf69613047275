"""UMAP's layout on a GPU: the steps, events and random numbers of the CPU's kernel, and so the same positions.

A thread moves a point: no two threads write to one place, and nothing depends on their number or order. It goes through
the half-edges of its point that fire in the step, in the order of the CPU's list. Among the random words of the point's
block it jumps to the first that the CPU uses for this point: beyond those of the points before it.

The compiler must not change the arithmetic, because small differences grow from step to step: ``fastmath`` stays off,
and a product is added by ``plus_product`` only, as any other is fused with the addition whatever ``fastmath`` says.
Numbers of compiled functions are cast because they come as Python's on numba's simulator.
"""

from __future__ import annotations

import functools
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias

import numba
import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of
from numba import cuda

from bsoid_gpu.kernels.umap_events import STEPS_PER_EPOCH, block_of, fires, first_point, half_edges
from bsoid_gpu.kernels.umap_layout import (
    EPOCHS_PER_LIST,
    clipped,
    forces,
    jumped,
    learning_rates,
    next_word,
    plus_product,
    random_point,
    stream_of,
    table_entry,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bsoid_gpu.kernels.fuzzy_graph import Graph

    Array: TypeAlias = Any

# once for each array: a launch would wait for the stream of one of CuPy; numba's simulator takes the arrays themselves
_as_argument = getattr(cuda, "as_cuda_array", lambda array: array)


def layout(
    positions: Array,
    graph: Graph,
    a: float,
    b: float,
    epochs: int,
    negative_samples: int,
    learning_rate: float,
    seed: int,
    first_epoch: int = 0,
    threads_per_block: int = 128,
) -> Iterator[tuple[int, Array]]:
    """Optimise the positions on their device, and yield them every few epochs.

    Parameters
    ----------
    positions
        (points, dimensions) on the device, of CuPy: the initial positions, or those yielded after ``first_epoch``
        epochs. On numba's simulator, of NumPy.
    graph
        The fuzzy graph, on the host; it is uploaded once.
    a, b, epochs, negative_samples, learning_rate, seed, first_epoch
        As in :func:`bsoid_gpu.kernels.umap_layout.layout`.
    threads_per_block
        Of the kernels; the positions do not depend on it.

    Yields
    ------
    tuple
        Number of complete epochs, and the positions (points, dimensions) float32 on the device, which the next step
        overwrites.
    """
    xp, device = array_namespace(positions), device_of(positions)
    points, dimensions = positions.shape
    old = xp.empty((points, dimensions), dtype=xp.float32, device=device)
    old[...] = xp.astype(positions, xp.float32)
    counts = xp.zeros(1 + STEPS_PER_EPOCH * points, dtype=xp.int64, device=device)
    key = np.uint64(seed)
    host_arrays = (*half_edges(graph, key), *forces(a, b))
    tails, frequencies, places, *tables = (_as_argument(xp.asarray(array, device=device)) for array in host_arrays)
    now, following, filled = _as_argument(old), _as_argument(xp.empty_like(old)), _as_argument(counts)
    count, move = (_configured(kernel, points, threads_per_block) for kernel in (_count_samples, _mover(dimensions)))
    rates = learning_rates(learning_rate, epochs)
    for epoch in range(first_epoch, epochs):
        count(tails, frequencies, places, epoch, filled)
        sums = _as_argument(xp.cumulative_sum(counts))
        for step in range(STEPS_PER_EPOCH):
            move(
                now, following, tails, frequencies, places, sums, *tables,
                rates[epoch], epoch, step, negative_samples, key,
            )  # fmt: skip
            now, following = following, now
        if (epoch + 1 - first_epoch) % EPOCHS_PER_LIST == 0 or epoch + 1 == epochs:
            yield epoch + 1, old  # where an even number of steps ends


def _configured(kernel: Any, points: int, threads_per_block: int) -> Any:
    """The kernel with a thread for each point."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Grid size")  # small jobs do not fill a GPU
        return kernel[-(-points // threads_per_block), threads_per_block]


@cuda.jit
def _count_samples(tails, frequencies, places, epoch, counts):  # type: ignore[no-untyped-def]
    """Count the firings of each step and point that repel it: at ``counts[1 + step * points + point]``."""
    points = (len(places) - 1) // STEPS_PER_EPOCH
    i = cuda.grid(1)
    if i < points:
        for step in range(STEPS_PER_EPOCH):
            count = 0
            for half in range(places[i * STEPS_PER_EPOCH + step], places[i * STEPS_PER_EPOCH + step + 1]):
                if tails[half] >= 0 and fires(frequencies[half], epoch):
                    count += 1
            counts[1 + step * points + i] = count


@functools.cache
def _mover(dimensions: int) -> Any:
    """The kernel of a step; the compiler knows the number of dimensions and keeps a point in registers."""

    @cuda.jit(device=True)
    def add_force(force, here, positions, j, table):  # type: ignore[no-untyped-def]
        """Add the force of point j on a point at ``here``."""
        squared = np.float32(0.0)
        for d in range(dimensions):
            difference = here[d] - positions[j, d]
            squared = np.float32(plus_product(squared, difference, difference))
        factor = table[table_entry(squared)] if squared > 0.0 else np.float32(0.0)
        for d in range(dimensions):
            force[d] += clipped(factor * (here[d] - positions[j, d]))

    @cuda.jit
    def move(  # type: ignore[no-untyped-def]
        old, new, tails, frequencies, places, sums, attraction, repulsion, rate, epoch, step, negative_samples, key
    ):
        """Move each point by the events of a step; ``sums`` are those of all counts before."""
        points = old.shape[0]
        i = cuda.grid(1)
        if i >= points:
            return
        here = cuda.local.array(dimensions, numba.float32)
        force = cuda.local.array(dimensions, numba.float32)
        for d in range(dimensions):
            here[d] = old[i, d]
        block = block_of(points, i)
        before = sums[step * points + i] - sums[step * points + first_point(points, block)]
        stream = np.uint64(stream_of(key, epoch * STEPS_PER_EPOCH + step, block))
        stream = np.uint64(jumped(stream, before * negative_samples))
        for half in range(places[i * STEPS_PER_EPOCH + step], places[i * STEPS_PER_EPOCH + step + 1]):
            if not fires(frequencies[half], epoch):
                continue
            j = tails[half]
            for d in range(dimensions):
                force[d] = np.float32(0.0)
            add_force(force, here, old, j if j >= 0 else -1 - j, attraction)
            if j >= 0:
                for _ in range(negative_samples):
                    stream = np.uint64(next_word(stream))
                    other = random_point(stream, points)
                    if other != i:
                        add_force(force, here, old, other, repulsion)
            for d in range(dimensions):
                here[d] = plus_product(here[d], rate, force[d])
        for d in range(dimensions):
            new[i, d] = here[d]

    return move
