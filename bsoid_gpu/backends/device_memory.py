"""Device memory that a step will need, estimated before it starts: a job that does not fit stops at once.

Bytes of all arrays that a step holds at one time; the constants are the tile sizes of the libraries. These are
estimates, not measurements, and err upwards.
"""

from __future__ import annotations

FEWER = "give fewer or shorter sessions, use a GPU with more memory, or type --backend cpu"
FEWER_NEIGHBOURS = f"lower [embedding] neighbours, {FEWER}"
WORKSPACE = 1 << 30  # tiles of a brute-force neighbour search
FIRST_WITH_SMALL_GRAPH = (24, 2)  # release of cuML whose UMAP holds 48 bytes for each bin and neighbour; 72 before
SMALLEST_BATCH, LARGEST_BATCH = 256, 4096  # rows of a membership batch; the larger is cuML's default


def table(file_bytes: int) -> int:
    """The numbers of a text file, and what is computed from them."""
    return 4 * file_bytes + (64 << 20)


def neighbours(rows: int, columns: int, number: int) -> int:
    """Input, distances and indices, and the indices in 32 bits."""
    return 4 * rows * columns + rows * number * (4 + 8 + 4) + WORKSPACE


def umap(
    bins: int, columns: int, neighbours: int, dimensions: int, release: tuple[int, ...] = FIRST_WITH_SMALL_GRAPH
) -> int:
    """Input, the embedding, and the neighbours with the fuzzy graph before and after symmetrisation."""
    of_neighbour = 48 if release >= FIRST_WITH_SMALL_GRAPH else 72
    return 4 * bins * (columns + 4 * dimensions) + bins * neighbours * of_neighbour + WORKSPACE


def own_layout(bins: int, edges: int, dimensions: int) -> int:
    """Both ends of each edge with their frequencies; places, counts and two sums of the steps of a bin; positions."""
    return 2 * edges * (4 + 4) + bins * (32 * 4 * 8 + 3 * 4 * dimensions) + (64 << 20)


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
