"""The spanning tree of cuML's HDBSCAN: of a graph of a few neighbours, whose components are joined afterwards."""

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from fake_rapids.distances import blocks, nearest, own_order


def spanning_tree(points, min_samples):
    """Edges (points - 1, 2), and their lengths float32: mutual reachability distances, ascending.

    A point's neighbours are those nearest by mutual reachability, as many as for its core distance. An edge of the true
    tree that joins points of one component of this graph is missing if neither end is a neighbour of the other.
    """
    neighbours, order = min(min_samples + 1, len(points)), own_order(len(points))  # the point itself is one
    core = nearest(points, neighbours, order)[0][:, -1]

    def reachability(rows, distances):
        return np.maximum(np.maximum(distances, core), core[rows, None])

    lengths, columns = nearest(points, neighbours, order, transform=reachability)
    ends = np.column_stack([np.repeat(np.arange(len(points)), neighbours), columns.ravel()])
    edges, lengths = shortest(ends, lengths.ravel(), len(points))
    while len(edges) < len(points) - 1:
        more, longer = between_components(points, edges, reachability)
        edges, lengths = shortest(np.vstack([edges, more]), np.concatenate([lengths, longer]), len(points))
    return edges, lengths


def shortest(ends, lengths, points):
    """The edges of the shortest spanning forest, ascending by length; equal ones in an order of their own."""
    loops = ends[:, 0] == ends[:, 1]
    ends, lengths = ends[~loops], lengths[~loops]
    by_length = np.lexsort([own_order(len(lengths)), lengths])
    ends, lengths = ends[by_length], lengths[by_length]
    low, high = ends.min(axis=1), ends.max(axis=1)
    _, first = np.unique(low * points + high, return_index=True)  # an edge may be there in both directions
    ranks = csr_matrix(
        (first + 1.0, (low[first], high[first])), shape=(points, points)
    )  # all lengths differ, none is 0
    chosen = np.sort(minimum_spanning_tree(ranks).data.astype(np.int64)) - 1
    return ends[chosen], lengths[chosen]


def between_components(points, edges, reachability):
    """The shortest edge from each component of a forest to each component that holds a nearest point of it."""
    forest = csr_matrix((np.ones(len(edges)), edges.T), shape=(len(points), len(points)))
    component = connected_components(forest, directed=False)[1]
    other, length = np.empty(len(points), dtype=np.int64), np.empty(len(points), dtype=np.float32)
    for rows, block in blocks(points):
        apart = np.where(component[rows, None] == component, np.float32(np.inf), reachability(rows, block))
        other[rows] = np.argmin(apart, axis=1)
        length[rows] = np.min(apart, axis=1)
    order = np.lexsort([length, component[other], component])
    pairs = component[order] * (component.max() + 1) + component[other[order]]
    first = order[np.unique(pairs, return_index=True)[1]]
    return np.column_stack([first, other[first]]), length[first]
