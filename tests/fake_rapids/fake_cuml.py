"""cuML's modules."""

import importlib

from fake_rapids import allocation
from fake_rapids.cuml_estimator import Library
from fake_rapids.cuml_hdbscan import hdbscan, membership_vectors
from fake_rapids.cuml_neighbours import nearest_neighbours
from fake_rapids.cuml_tsne import tsne
from fake_rapids.cuml_umap import umap

TAKES_OVER = (26, 2)  # from this release on, importing cuML itself hands CuPy's allocations to RMM


def bodies(recorded, ledger, ndarray):
    library = Library(recorded, ledger, ndarray)

    def cuml(module):
        module.__version__ = library.version
        importlib.import_module("cudf")
        for name in parts:
            importlib.import_module(name)
        allocation.warn("cuml", UserWarning)
        if library.release >= TAKES_OVER:
            allocation.take_over()

    def manifold(module):
        module.UMAP = umap(library)
        module.TSNE = tsne(library)

    def cluster(module):
        module.HDBSCAN = hdbscan(library)
        importlib.import_module("cuml.cluster.hdbscan")

    def cluster_hdbscan(module):
        module.all_points_membership_vectors = membership_vectors(library)

    def neighbors(module):
        module.NearestNeighbors = nearest_neighbours(library)

    parts = {
        "cuml.manifold": manifold,
        "cuml.cluster": cluster,
        "cuml.cluster.hdbscan": cluster_hdbscan,
        "cuml.ensemble": lambda module: None,  # empty: no stand-in computes forests
        "cuml.neighbors": neighbors,
    }
    return {"cuml": cuml} | parts
