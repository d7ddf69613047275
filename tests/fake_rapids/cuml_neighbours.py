"""cuML's nearest neighbours by brute force.

Above 256 neighbours a selection by radix takes the smallest distances: which of several equal ones is not fixed.
"""

import numpy as np

from fake_rapids.distances import nearest, own_order

FIXED = 256  # up to so many neighbours, the selection of equal distances repeats


def brute_force(points, neighbours, queries=None):
    """Distances and indices of the nearest points, see :func:`fake_rapids.distances.nearest`."""
    order = own_order(len(points)) if neighbours <= FIXED else np.random.default_rng().permutation(len(points))
    return nearest(points, neighbours, order, queries)


def nearest_neighbours(library):
    """The class ``NearestNeighbors``."""

    def fit(self, X, **_):
        assert self.parameters.get("algorithm") == "brute", "this stand-in has no other algorithm"
        assert self.parameters.get("metric", "euclidean") == "euclidean"
        self.points = library.values(X)
        return self

    def kneighbors(self, X=None, n_neighbors=None, return_distance=True, **_):
        number = n_neighbors or self.parameters.get("n_neighbors", 5)
        if number + (X is None) > len(self.points):
            msg = "n_neighbors must be <= number of samples in index"
            raise ValueError(msg)
        if X is None:  # one more, and the first is dropped: usually the point itself, but not among equal points
            distances, indices = (part[:, 1:] for part in brute_force(self.points, number + 1))
        else:
            distances, indices = brute_force(self.points, number, library.values(X))
        distances, indices = library.ndarray(distances.copy()), library.ndarray(indices.copy())
        return (distances, indices) if return_distance else indices

    return library.estimator("cuml.neighbors.NearestNeighbors", {"fit": fit, "kneighbors": kneighbors})
