"""cuML's HDBSCAN: its tree, the attributes that show it, labels and memberships from it."""

import numpy as np

from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree
from fake_rapids.contract import bind
from fake_rapids.spanning_tree import spanning_tree

UNSET = -7  # what stands in memory that cuML allocates and does not write


def hdbscan(library):
    """The class ``HDBSCAN`` of the release."""
    old, ndarray, ledger = library.release < (25, 8), library.ndarray, library.ledger

    def fit(self, X, **_):
        values, parameters = library.values(X), self.parameters
        min_samples = parameters.get("min_samples") or parameters.get("min_cluster_size", 5)
        if not 1 <= min_samples <= 1023:
            msg = f"HDBSCAN requires `1 <= min_samples <= 1023`, got {min_samples}"
            raise ValueError(msg)
        if min_samples > len(values) - old:
            msg = "min_samples must be at most the number of samples in X"
            raise RuntimeError(msg)
        self.values, self.edges = values, spanning_tree(values, min_samples)
        self.linkage = dendrogram(*self.edges)
        method = parameters.get("cluster_selection_method", "eom")
        self.cut = hdbscan_tree.cut(self.linkage, parameters.get("min_cluster_size", 5), method)
        self.n_clusters_ = len(self.cut.selected)
        labels = np.where(self.cut.labels < 0, -1, self.n_clusters_ - 1 - self.cut.labels)  # in another order than ours
        self.labels_ = ndarray(labels.astype(np.int32 if old else np.int64))
        (show_on_device if old else show_on_host)(self)
        if parameters.get("gen_min_span_tree") and old:
            plots()
        return self

    def show_on_device(self):
        """The tree of releases before 25.8: (2, points) and (points,), of which the last entry is not written."""
        self.n_leaves_ = len(self.values)
        *children, lengths, sizes = np.vstack([self.linkage, np.full(4, UNSET)]).T
        self.children_ = ndarray(np.array(children, dtype=np.int32, order="F"))
        self.lambdas_ = ndarray(lengths.astype(np.float32))  # distances, despite the name
        self.sizes_ = ndarray(sizes.astype(np.int32))

    def show_on_host(self):
        """The tree from 25.8 on: copied to the host in every fit, as the transpose of its columns."""
        ledger.to_host.extend([16 * len(self.values), 4 * len(self.values), 8 * len(self.values)])
        self._single_linkage_tree = np.array(self.linkage.T, order="C").T
        self._min_spanning_tree = None
        if self.parameters.get("gen_min_span_tree"):
            self._min_spanning_tree = np.column_stack(self.edges).astype(np.float64)

    def single_linkage_tree_(self):
        if old:
            ledger.to_host.extend([4 * len(self.values)] * 4)
        return plots().SingleLinkageTree(self.linkage.copy())

    def condensed_tree_(self):
        return plots().CondensedTree(self.cut.condensed, self.parameters.get("cluster_selection_method", "eom"), False)

    def minimum_spanning_tree_(self):
        if not self.parameters.get("gen_min_span_tree"):
            if old:
                return None
            msg = "No minimum spanning tree was generated. Set `gen_min_span_tree=True` and refit."
            raise AttributeError(msg)
        return plots().MinimumSpanningTree(np.column_stack(self.edges).astype(np.float64), self.values)

    shown = (single_linkage_tree_, condensed_tree_, minimum_spanning_tree_)
    body = {"fit": fit} | {function.__name__: property(function) for function in shown}
    return library.estimator("cuml.cluster.HDBSCAN", body)


def dendrogram(edges, lengths):
    """Single-linkage tree (points - 1, 4): edges that are equally long join in the order in which they come."""
    from fast_hdbscan.cluster_trees import mst_to_linkage_tree

    return np.asarray(mst_to_linkage_tree(np.column_stack([edges, lengths]).astype(np.float64)), dtype=np.float64)


def plots():
    """The package hdbscan's trees, which cuML returns and does not bring."""
    try:
        import hdbscan.plots
    except ImportError as error:
        msg = "The `hdbscan` library is required to use this functionality, but is not currently installed."
        raise ImportError(msg) from error
    return hdbscan.plots


def membership_vectors(library):
    """The function ``all_points_membership_vectors``: float32, on the host before 24, and on the device after it."""

    def all_points_membership_vectors(*arguments, **keywords):
        entry = library.api["cuml.cluster.hdbscan.all_points_membership_vectors"]
        parameters = bind(entry, arguments, keywords)
        library.ledger.called("all_points_membership_vectors", parameters)
        model = parameters["clusterer"]
        if not model.parameters.get("prediction_data"):
            msg = "Prediction data not yet generated"
            raise ValueError(msg)
        if model.n_clusters_ == 0:
            vectors = np.zeros(len(model.values), dtype=np.float32)
        else:
            vectors = hdbscan_membership.membership_vectors(model.values, model.cut)
            vectors = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float32)
        return vectors if library.release < (24, 0) else library.ndarray(vectors)

    return all_points_membership_vectors
