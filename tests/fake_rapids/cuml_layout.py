"""The layout of cuML's UMAP: the edges of an epoch in the batches of a release, and sums on a grid."""

from dataclasses import dataclass

import numba
import numpy as np

from bsoid_gpu.kernels.umap_layout import curve

DENSE = 128  # edges of one point, from which its moves in one epoch count as too many; for up to 100,000 points
LARGEST = 4.0  # force along one dimension
MULTIPLIER, INCREMENT = np.uint64(6364136223846793005), np.uint64(1442695040888963407)


@dataclass(frozen=True)
class Batches:
    """How a release moves the points.

    Parameters
    ----------
    edges
        Edges of a batch, all of which start from the positions before it; 0 to move the points edge after edge.
    shuffled
        Whether the edges come in random order; else in that of their heads.
    follows
        Whether a head's repulsion starts where its attraction has moved it.
    """

    edges: int
    shuffled: bool
    follows: bool


def batches(release, edges, most_edges, *, seeded):
    """The batches of a release for a graph, ``most_edges`` of one of whose points start there."""
    if release < (26, 2):
        return Batches(edges if seeded else 0, shuffled=False, follows=False)
    dense = most_edges > DENSE
    number = 4  # for up to 100,000 points
    if dense and edges > 10_000:
        number = max(number, -(-edges // (100_000 if edges > 100_000 else 10_000)))
    return Batches(-(-edges // number) if seeded else 0, shuffled=seeded or dense, follows=True)


def layout(positions, graph, settings, release, seed):
    """Positions (points, dimensions) float32 after all epochs; without a seed, others each time.

    ``settings`` are those of our own UMAP.
    """
    sizes = np.diff(graph.offsets)
    heads, tails, weights = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes), graph.columns, graph.weights
    random = np.random.default_rng(seed)
    batch = batches(release, len(heads), sizes.max(), seeded=seed is not None)
    if batch.shuffled:
        order = random.permutation(len(heads))
        heads, tails, weights = heads[order], tails[order], weights[order]
    a, b = (np.float32(value) for value in curve(settings.min_dist))
    positions = np.array(positions, dtype=np.float32)
    descend(
        positions, heads, tails, weights.max() / weights, a, b, settings.epochs, settings.negative_samples,
        np.float32(settings.learning_rate), np.uint64(random.integers(2**63)), batch.edges, batch.follows,
        grid(sizes.max(), settings.learning_rate),
    )  # fmt: skip
    return positions


def grid(most_edges, learning_rate):
    """The power of two that a summand is added to and subtracted from, which truncates it; the sum needs no order.

    Its spacing is 2**-23 of the largest sum of forces of a point: 1e-4 to 1e-3.
    """
    largest = 4.0 * most_edges * learning_rate / (1.0 - 2.0 * most_edges * np.finfo(np.float32).eps)
    return np.float32(2.0 ** np.frexp(np.float32(largest))[1])


@numba.njit(inline="always")
def _clip(force):
    return min(max(force, np.float32(-LARGEST)), np.float32(LARGEST))


@numba.njit(inline="always")
def _truncated(step, grid):
    return (grid + step) - grid


@numba.njit(cache=True)
def descend(positions, heads, tails, every, a, b, epochs, negatives, first_rate, seed, batch, follows, grid):
    """Optimise the positions in place; an edge fires ``every`` so many epochs."""
    points, dimensions = positions.shape
    edges = len(heads)
    moves = np.zeros_like(positions) if batch else positions
    due, due_repulsion = every.copy(), every / np.float32(max(negatives, 1))
    here, total = np.empty(dimensions, dtype=np.float32), np.empty(dimensions, dtype=np.float32)
    one, two, stream, rate = np.float32(1.0), np.float32(2.0), seed, first_rate
    for epoch in range(epochs):
        for first in range(0, edges, batch or edges):
            for edge in range(first, min(first + (batch or edges), edges)):
                if due[edge] > epoch:
                    continue
                i, j = heads[edge], tails[edge]
                squared = np.float32(0.0)
                for d in range(dimensions):
                    here[d] = positions[i, d]
                    squared += (here[d] - positions[j, d]) ** 2
                factor = np.float32(0.0)
                if squared > 0.0:
                    factor = -two * a * b * squared ** (b - one) / (a * squared**b + one)
                for d in range(dimensions):
                    step = rate * _clip(factor * (here[d] - positions[j, d]))
                    moves[j, d] += _truncated(-step, grid)
                    total[d] = step
                    if follows:
                        here[d] += step
                due[edge] += every[edge]
                repulsions = 0
                if negatives:
                    repulsions = int((epoch - due_repulsion[edge]) / (every[edge] / np.float32(negatives)))
                    due_repulsion[edge] += repulsions * every[edge] / np.float32(negatives)
                for _ in range(repulsions):
                    stream = stream * MULTIPLIER + INCREMENT
                    other = np.int64((stream >> np.uint64(32)) * np.uint64(points) >> np.uint64(32))
                    squared = np.float32(0.0)
                    for d in range(dimensions):
                        squared += (here[d] - positions[other, d]) ** 2
                    if squared == 0.0 and other == i:
                        continue
                    factor = np.float32(0.0)
                    if squared > 0.0:
                        factor = two * b / ((np.float32(0.001) + squared) * (a * squared**b + one))
                    for d in range(dimensions):
                        force = np.float32(LARGEST)  # of equal points, whatever the direction
                        if factor > 0.0:
                            force = _clip(factor * (here[d] - positions[other, d]))
                        total[d] += rate * force
                        if follows:
                            here[d] += rate * force
                for d in range(dimensions):
                    moves[i, d] += _truncated(total[d], grid)
            if batch:
                for i in range(points):
                    for d in range(dimensions):
                        positions[i, d] += moves[i, d]
                        moves[i, d] = np.float32(0.0)
        rate = first_rate * np.float32(1.0 - epoch / epochs)
