"""Device memory that a step will need, estimated before it starts: a job that does not fit stops at once.

Bytes of all arrays that a step holds at one time; the constants are the tile sizes of the libraries. These are
estimates, not measurements, and err upwards.
"""

from __future__ import annotations

FEWER = "give fewer or shorter sessions, use a GPU with more memory, or type --backend cpu"
WORKSPACE = 1 << 30  # tiles of a brute-force neighbour search
SMALLEST_BATCH, LARGEST_BATCH = 256, 4096  # rows of a membership batch; the larger is cuML's default


def table(file_bytes: int) -> int:
    """A text file, its columns as numbers, and their matrix."""
    return 3 * file_bytes + (64 << 20)


def umap(bins: int, columns: int, neighbours: int, dimensions: int) -> int:
    """Input, neighbours with their distances, the fuzzy graph before and after symmetrisation, the embedding."""
    of_neighbours = bins * neighbours * (8 + 4)
    of_graph = 2 * 2 * bins * neighbours * (4 + 4 + 4)
    return 4 * bins * (columns + 4 * dimensions) + of_neighbours + of_graph + WORKSPACE


def hdbscan(bins: int, dimensions: int, min_samples: int) -> int:
    """Input, the mutual reachability graph in both directions, the spanning tree and the trees made from it."""
    of_graph = 2 * bins * (min_samples + 1) * (8 + 8 + 4)
    return 4 * bins * dimensions + of_graph + 400 * bins + WORKSPACE


def membership_batch(free_bytes: int, bins: int) -> int:
    """Rows of a batch whose distances to all exemplars (at most all bins) need a quarter of the free memory."""
    return max(SMALLEST_BATCH, min(LARGEST_BATCH, free_bytes // 4 // (8 * bins)))


def membership(bins: int, clusters: int, batch: int) -> int:
    """Memberships in all clusters, and the distances of one batch."""
    return 2 * 4 * bins * clusters + 8 * batch * bins
