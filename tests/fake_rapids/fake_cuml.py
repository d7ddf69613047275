"""cuML's estimators, computed by the CPU backend on the numbers that they were given."""

from types import ModuleType

import numpy as np

from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree
from bsoid_gpu.estimators.umap import UmapSettings, fit_on_host
from fake_rapids.contract import bind, signature


def modules(recorded, ledger, cupy):
    api = recorded["api"]
    on_device_results = not recorded["versions"]["cuml"].startswith("23.")  # older ones come back to the host

    def estimator(name, methods):
        """A class with the recorded constructor; its other methods are bound to the recorded ones too."""
        entry = api[name]

        def construct(self, *arguments, **keywords):
            self.given = bind(entry, arguments, keywords)
            ledger.called(name, self.given)

        def checked(method, recorded_method):
            def call(self, *arguments, **keywords):
                given = bind({"parameters": recorded_method}, arguments, keywords)
                ledger.called(f"{name}.{method.__name__}", given)
                return method(self, **given)

            return call

        body = {
            key: checked(value, entry["methods"][key]) if key in entry["methods"] else value
            for key, value in methods.items()
        }
        body |= {"__init__": construct, "__signature__": signature(entry["parameters"])}
        return type(name.rpartition(".")[2], (), body)

    def on_device(X):
        assert isinstance(X, cupy.ndarray), "estimators are given device arrays"
        assert X.dtype == np.float32
        assert X.flags.c_contiguous
        return X._values

    def fit_transform(self, X, **_):
        values, given = on_device(X), self.given
        assert given["n_neighbors"] <= 1023
        init = given["init"]
        if isinstance(init, str):
            assert init in ("random", "spectral")
            shape = (len(values), given["n_components"])
            start = np.random.default_rng(0).uniform(0, 10, shape).astype(np.float32) if init == "random" else None
        else:
            start = on_device(init)
        settings = UmapSettings(
            dimensions=given["n_components"],
            neighbours=given["n_neighbors"],
            min_dist=given["min_dist"],
            negative_samples=given["negative_sample_rate"],
            learning_rate=given["learning_rate"],
            epochs=given["n_epochs"],
        )
        return cupy.ndarray(fit_on_host(values, start, settings, given.get("random_state", 0), 2))

    def fit(self, X, **_):
        values, given = on_device(X), self.given
        assert 1 <= given["min_samples"] <= 1023
        linkage = hdbscan_tree.single_linkage(values, given["min_samples"])
        self.cut = hdbscan_tree.cut(linkage, given["min_cluster_size"], given.get("cluster_selection_method", "eom"))
        last = len(self.cut.selected) - 1
        self.values, self.linkage = values, linkage
        # the order of the clusters is cuML's own
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
        given = bind(api["cuml.cluster.hdbscan.all_points_membership_vectors"], arguments, keywords)
        ledger.called("all_points_membership_vectors", given)
        model = given["clusterer"]
        assert model.given["prediction_data"]
        vectors = hdbscan_membership.membership_vectors(model.values, model.cut)
        vectors = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)
        return cupy.ndarray(vectors) if on_device_results else vectors

    found = {
        name: ModuleType(name) for name in ("cuml", "cuml.manifold", "cuml.cluster", "cuml.cluster.hdbscan", "rmm")
    }
    found["cuml"].__version__ = recorded["versions"]["cuml"]
    found["cuml.manifold"].UMAP = estimator("cuml.manifold.UMAP", {"fit_transform": fit_transform})
    found["cuml.cluster"].HDBSCAN = estimator(
        "cuml.cluster.HDBSCAN", {"fit": fit, "single_linkage_tree_": property(single_linkage_tree_)}
    )
    found["cuml.cluster.hdbscan"].all_points_membership_vectors = all_points_membership_vectors
    found["rmm"].reinitialize = lambda **keywords: ledger.called(
        "rmm.reinitialize", bind(api["rmm.reinitialize"], (), keywords)
    )
    return found
