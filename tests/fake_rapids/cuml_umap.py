"""cuML's UMAP."""

import numpy as np

from bsoid_gpu.estimators.umap import UmapSettings, fit_on_host


def umap(library):
    """The class ``UMAP`` of the release."""

    def fit_transform(self, X, **_):
        values, parameters = library.values(X), self.parameters
        assert parameters["n_neighbors"] <= 1023
        init = parameters["init"]
        if isinstance(init, str):
            assert init in ("random", "spectral")
            shape = (len(values), parameters["n_components"])
            start = np.random.default_rng(0).uniform(0, 10, shape).astype(np.float32) if init == "random" else None
        else:
            start = library.values(init)
        settings = UmapSettings(
            dimensions=parameters["n_components"],
            neighbours=parameters["n_neighbors"],
            min_dist=parameters["min_dist"],
            negative_samples=parameters["negative_sample_rate"],
            learning_rate=parameters["learning_rate"],
            epochs=parameters["n_epochs"],
        )
        return library.ndarray(fit_on_host(values, start, settings, parameters.get("random_state", 0), 2))

    return library.estimator("cuml.manifold.UMAP", {"fit_transform": fit_transform})
