"""cuML's UMAP: the method, on the neighbours and with the layout of a release."""

import numpy as np

from bsoid_gpu.estimators.umap import UmapSettings, _spectral, resolved
from bsoid_gpu.kernels.fuzzy_graph import fuzzy_graph
from fake_rapids.cuml_layout import layout
from fake_rapids.cuml_neighbours import brute_force

INITIAL = (26, 2)  # from this release on, the initial positions may be given
MOST = 1023  # neighbours
APPROXIMATE_ABOVE = 50_000  # points, for build_algo = "auto" without a seed
MISSED = 0.05  # of the neighbours, by an approximate search


def umap(library):
    """The class ``UMAP`` of the release."""

    def fit_transform(self, X, y=None, knn_graph=None, **_):
        values, parameters = library.values(X), self.parameters
        assert y is None
        neighbours, seed = min(parameters.get("n_neighbors", 15), len(values)), parameters.get("random_state")
        assert neighbours <= MOST
        assert isinstance(seed, int | None)
        settings = UmapSettings(
            dimensions=parameters.get("n_components", 2),
            neighbours=neighbours,
            min_dist=parameters.get("min_dist", 0.1),
            negative_samples=parameters.get("negative_sample_rate", 5),
            learning_rate=parameters.get("learning_rate", 1.0),
            epochs=parameters.get("n_epochs") or 0,
        )
        settings = resolved(settings, len(values))
        knn_graph = knn_graph or parameters.get("precomputed_knn")
        if knn_graph is not None:
            indices, distances = given(library, knn_graph, len(values), neighbours)
        elif approximate(library, parameters, len(values)):
            distances, indices = some_missed(*brute_force(values, min(2 * neighbours, len(values))), neighbours)
        else:
            distances, indices = brute_force(values, neighbours)
        graph = fuzzy_graph(distances.astype(np.float32), indices.astype(np.int32), least=1 / settings.epochs)
        start = initial(library, parameters.get("init", "spectral"), values, graph, settings, seed)
        return library.ndarray(layout(start, graph, settings, library.release, seed))

    return library.estimator("cuml.manifold.UMAP", {"fit_transform": fit_transform})


def given(library, knn_graph, points, neighbours):
    """The neighbours that a caller gives, indices first, on the host or the device."""
    indices, distances = (part._values if isinstance(part, library.ndarray) else part for part in knn_graph)
    if indices.shape[0] != points or indices.shape != distances.shape or indices.shape[1] < neighbours:
        msg = f"Expected indices and distances to have shape=(n_samples, n_neighbors), got {indices.shape}"
        raise ValueError(msg)
    assert library.release >= INITIAL or indices.shape[1] == neighbours, "older releases take rows as they come"
    if library.release >= INITIAL and not np.array_equal(indices[:, 0], np.arange(points)):
        msg = "Expected indices and distances to include self references"
        raise ValueError(msg)
    return indices[:, :neighbours].copy(), distances[:, :neighbours].copy()


def approximate(library, parameters, points):
    """Whether the search for neighbours is approximate; releases before 24.10 have no such search."""
    if "build_algo" not in {name for name, _, _ in library.api["cuml.manifold.UMAP"]["parameters"]}:
        return False
    automatic = points > APPROXIMATE_ABOVE and parameters.get("random_state") is None
    return {"auto": automatic, "nn_descent": True}.get(parameters.get("build_algo", "auto"), False)


def some_missed(distances, indices, neighbours):
    """The nearest of those found, when a random share is not; the nearest, the point itself, always is."""
    missed = np.random.default_rng().uniform(size=distances.shape) < MISSED
    missed[:, 0] = False
    kept = np.argsort(missed, axis=1, kind="stable")[:, :neighbours]
    return np.take_along_axis(distances, kept, axis=1), np.take_along_axis(indices, kept, axis=1)


def initial(library, init, values, graph, settings, seed):
    """Initial positions (points, dimensions)."""
    if not isinstance(init, str):
        if library.release < INITIAL:
            msg = "Initialization strategy not supported"
            raise TypeError(msg)
        start = library.values(init)
        if start.shape != (len(values), settings.dimensions):
            msg = f"Expected `init` with shape {(len(values), settings.dimensions)}, got {start.shape}"
            raise ValueError(msg)
        return start
    if init == "spectral":
        return _spectral(values, graph, settings.dimensions, seed or 0)
    assert init == "random"
    return np.random.default_rng(seed).uniform(-10, 10, (len(values), settings.dimensions))
