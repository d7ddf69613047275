"""cuML's estimators, computed by the CPU backend with the same arguments."""

from types import ModuleType

import numpy as np

from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree
from bsoid_gpu.estimators.umap import UmapSettings, fit_on_host
from fake_rapids.contract import bind, signature


def modules(recorded, ledger, cupy):
    api = recorded["api"]
    on_device_results = not recorded["versions"]["cuml"].startswith("23.")  # older releases return them on the host

    def estimator(name, methods):
        """A class with the recorded constructor; its other methods have the recorded signatures too."""
        entry = api[name]

        def construct(self, *arguments, **keywords):
            self.parameters = bind(entry, arguments, keywords)
            ledger.called(name, self.parameters)

        def checked(method, recorded_method):
            def call(self, *arguments, **keywords):
                parameters = bind({"parameters": recorded_method}, arguments, keywords)
                ledger.called(f"{name}.{method.__name__}", parameters)
                return method(self, **parameters)

            return call

        body = {
            key: checked(value, entry["methods"][key]) if key in entry["methods"] else value
            for key, value in methods.items()
        }
        body |= {"__init__": construct, "__signature__": signature(entry["parameters"])}
        return type(name.rpartition(".")[2], (), body)

    def on_device(X):
        assert isinstance(X, cupy.ndarray), "expected a device array"
        assert X.dtype == np.float32
        assert X.flags.c_contiguous
        return X._values

    def fit_transform(self, X, **_):
        values, parameters = on_device(X), self.parameters
        assert parameters["n_neighbors"] <= 1023
        init = parameters["init"]
        if isinstance(init, str):
            assert init in ("random", "spectral")
            shape = (len(values), parameters["n_components"])
            start = np.random.default_rng(0).uniform(0, 10, shape).astype(np.float32) if init == "random" else None
        else:
            start = on_device(init)
        settings = UmapSettings(
            dimensions=parameters["n_components"],
            neighbours=parameters["n_neighbors"],
            min_dist=parameters["min_dist"],
            negative_samples=parameters["negative_sample_rate"],
            learning_rate=parameters["learning_rate"],
            epochs=parameters["n_epochs"],
        )
        return cupy.ndarray(fit_on_host(values, start, settings, parameters.get("random_state", 0), 2))

    def fit(self, X, **_):
        values, parameters = on_device(X), self.parameters
        assert 1 <= parameters["min_samples"] <= 1023
        linkage = hdbscan_tree.single_linkage(values, parameters["min_samples"])
        self.cut = hdbscan_tree.cut(
            linkage, parameters["min_cluster_size"], parameters.get("cluster_selection_method", "eom")
        )
        last = len(self.cut.selected) - 1
        self.values, self.linkage = values, linkage
        # cuML orders the clusters differently
        self.labels_ = cupy.ndarray(np.where(self.cut.labels < 0, -1, last - self.cut.labels).astype(np.int32))
        return self

    class SingleLinkageTree:
        def __init__(self, linkage):
            self._linkage = linkage

        def to_numpy(self):
            return self._linkage.copy()

    def single_linkage_tree_(self):
        ledger.to_host.append(self.linkage.nbytes)
        return SingleLinkageTree(self.linkage)

    def all_points_membership_vectors(*arguments, **keywords):
        parameters = bind(api["cuml.cluster.hdbscan.all_points_membership_vectors"], arguments, keywords)
        ledger.called("all_points_membership_vectors", parameters)
        model = parameters["clusterer"]
        assert model.parameters["prediction_data"]
        vectors = hdbscan_membership.membership_vectors(model.values, model.cut)
        vectors = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)
        return cupy.ndarray(vectors) if on_device_results else vectors

    fakes = {
        name: ModuleType(name) for name in ("cuml", "cuml.manifold", "cuml.cluster", "cuml.cluster.hdbscan", "rmm")
    }
    fakes["cuml"].__version__ = recorded["versions"]["cuml"]
    fakes["cuml.manifold"].UMAP = estimator("cuml.manifold.UMAP", {"fit_transform": fit_transform})
    fakes["cuml.cluster"].HDBSCAN = estimator(
        "cuml.cluster.HDBSCAN", {"fit": fit, "single_linkage_tree_": property(single_linkage_tree_)}
    )
    fakes["cuml.cluster.hdbscan"].all_points_membership_vectors = all_points_membership_vectors
    fakes["rmm"].reinitialize = lambda **keywords: ledger.called(
        "rmm.reinitialize", bind(api["rmm.reinitialize"], (), keywords)
    )
    return fakes
