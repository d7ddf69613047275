"""cuML's t-SNE: two dimensions, initial positions of its own, and repeatable in the newest releases only."""

import warnings

import numpy as np
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

PRINCIPAL, REPEATS = (24, 8), (26, 8)


def tsne(library):
    """The class ``TSNE`` of the release."""

    def fit_transform(self, X, y=None, knn_graph=None, **_):
        values, parameters = library.values(X), self.parameters
        assert y is None
        assert knn_graph is None
        if parameters.get("n_components", 2) != 2:
            msg = "Currently TSNE supports n_components = 2"
            raise ValueError(msg)
        init = parameters.get("init", "random")
        if library.release < PRINCIPAL:
            warnings.warn(
                "Starting from version 22.04, the default method of TSNE is 'fft'.", UserWarning, stacklevel=2
            )
            assert init == "random"
        iterations = parameters.get("max_iter", parameters.get("n_iter", 1000))
        adapts = parameters.get("learning_rate_method", "adaptive") == "adaptive"
        seed = parameters.get("random_state") if library.release >= REPEATS else None
        model = TSNE(
            perplexity=parameters.get("perplexity", 30.0),
            early_exaggeration=parameters.get("early_exaggeration", 12.0),
            learning_rate=len(values) / 3 if adapts else parameters.get("learning_rate", 200.0),
            init=init,
            random_state=np.random.RandomState(seed),
            **({"max_iter": iterations} if "max_iter" in TSNE().get_params() else {"n_iter": iterations}),
        )
        with threadpool_limits(1):
            positions = model.fit_transform(values)
        if seed is None:  # sums in any order
            positions = positions + np.random.default_rng().normal(0, 1e-3, positions.shape)
        return library.ndarray(positions.astype(np.float32))

    return library.estimator("cuml.manifold.TSNE", {"fit_transform": fit_transform})
