"""How much device memory a step will take: known before it begins, so that a job stops early instead of in the night.

Bytes counted from what each step keeps at once; the constants are those of the libraries' own tiles. Estimates, not
measurements: they err upwards.
"""

from __future__ import annotations

FEWER = "give fewer or shorter sessions, take a card with more memory, or type --backend cpu"
WORKSPACE = 1 << 30  # tiles of a brute-force search of neighbours
SMALLEST_BATCH, LARGEST_BATCH = 256, 4096  # rows of a membership batch; the larger one is cuML's default


def table(file_bytes: int) -> int:
    """A text file, its columns as numbers, and the matrix made of them."""
    return 3 * file_bytes + (64 << 20)


def umap(bins: int, columns: int, neighbours: int, dimensions: int) -> int:
    """Input, neighbours with their distances, the fuzzy graph before and after it is made symmetric, the embedding."""
    of_neighbours = bins * neighbours * (8 + 4)
    of_graph = 2 * 2 * bins * neighbours * (4 + 4 + 4)
    return 4 * bins * (columns + 4 * dimensions) + of_neighbours + of_graph + WORKSPACE


def hdbscan(bins: int, dimensions: int, min_samples: int) -> int:
    """Input, the graph of mutual reachability in both directions, the spanning tree and what becomes of it."""
    of_graph = 2 * bins * (min_samples + 1) * (8 + 8 + 4)
    return 4 * bins * dimensions + of_graph + 400 * bins + WORKSPACE


def membership_batch(free_bytes: int, bins: int) -> int:
    """Rows of a batch whose distances to all exemplars (at most all bins) take a quarter of the free memory."""
    return max(SMALLEST_BATCH, min(LARGEST_BATCH, free_bytes // 4 // (8 * bins)))


def membership(bins: int, clusters: int, batch: int) -> int:
    """Memberships in each cluster, and the distances of one batch."""
    return 2 * 4 * bins * clusters + 8 * batch * bins
