"""The CPU backend: pyarrow, umap-learn, fast_hdbscan, hdbscan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import membership, tree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array
    from bsoid_gpu.config import Clusters, Embedding


class CpuBackend:
    """NumPy arrays on the host."""

    name = "cpu"

    def asarray(self, values: NDArray[Any]) -> Array:
        """Give the array as it is."""
        return np.asarray(values)

    def to_host(self, values: Array) -> NDArray[Any]:
        """Give the array as it is."""
        return np.asarray(values)

    def read_numbers(self, data: bytes, skip_rows: int, columns: list[int]) -> Array:
        """Parse the body of a CSV file with pyarrow."""
        import pyarrow as pa
        from pyarrow import csv

        if not data.endswith(b"\n"):
            data += b"\n"  # else pyarrow takes a single row for none
        names = [f"f{column}" for column in columns]
        table = csv.read_csv(
            pa.BufferReader(data),
            read_options=csv.ReadOptions(skip_rows=skip_rows, autogenerate_column_names=True),
            convert_options=csv.ConvertOptions(
                include_columns=names,
                column_types=dict.fromkeys(names, pa.float64()),
                null_values=["", "NaN", "nan", "NA"],
            ),
        )
        numbers = np.empty((table.num_rows, len(names)))
        for i, name in enumerate(names):
            numbers[:, i] = table[name].to_numpy()
        return numbers

    def describe(self) -> dict[str, str]:
        """Processor and threads."""
        import platform

        import numba

        return {"name": self.name, "processor": platform.machine(), "threads": str(numba.get_num_threads())}

    def embed(self, scaled: Array, start: Array | None, settings: Embedding, seed: int) -> Array:
        """UMAP by umap-learn's own steps, on exact neighbours.

        The steps are called one by one, so that the neighbours are exact (by brute force, 13 s for 72,000 bins on 2
        cores) and what a step no longer needs is let go before the next.
        """
        from sklearn.neighbors import NearestNeighbors
        from umap import umap_ as umap

        data = np.ascontiguousarray(scaled, dtype=np.float32)
        random = np.random.RandomState(seed)  # umap-learn takes no newer generator
        search = NearestNeighbors(n_neighbors=settings.neighbours, algorithm="brute").fit(data)
        distances, indices = search.kneighbors(data)
        distances, indices = distances.astype(np.float32), indices.astype(np.int32)
        graph, _, _ = umap.fuzzy_simplicial_set(
            data, settings.neighbours, random, "euclidean", knn_indices=indices, knn_dists=distances
        )
        del distances, indices
        a, b = umap.find_ab_params(1.0, settings.min_dist)
        embedding, _ = umap.simplicial_set_embedding(
            data,
            graph,
            n_components=settings.dimensions,
            initial_alpha=settings.learning_rate,
            a=a,
            b=b,
            gamma=1.0,
            negative_sample_rate=settings.negative_samples,
            n_epochs=settings.epochs,
            init="spectral" if start is None else start,
            random_state=random,
            metric="euclidean",
            metric_kwds={},
            densmap=False,
            densmap_kwds={},
            output_dens=False,
            parallel=False,  # the parallel layout is not repeatable
        )
        return np.ascontiguousarray(embedding, dtype=np.float32)

    def single_linkage(self, embedding: Array, min_samples: int) -> NDArray[np.float64]:
        """Single-linkage tree of the mutual reachability distances, by fast_hdbscan's Boruvka on one thread.

        On two threads the tree of equal points now and then was another one, and that of 72,000 points took as long.
        """
        import numba
        from fast_hdbscan import fast_hdbscan

        points = np.ascontiguousarray(embedding, dtype=np.float64)
        threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            # the one way to the spanning tree that every release has; one cluster of all points costs nothing to find
            found = fast_hdbscan(points, min_samples=min_samples, min_cluster_size=len(points), return_trees=True)
        finally:
            numba.set_num_threads(threads)
        return tree.linkage(np.asarray(found[4], dtype=np.float64))

    def membership_vectors(
        self, embedding: Array, linkage: NDArray[np.float64], min_cluster_size: int, settings: Clusters
    ) -> NDArray[np.float64]:
        """Membership vectors by hdbscan, for the clusters that :func:`bsoid_gpu.tree.cut` selects."""
        cut = tree.cut(linkage, min_cluster_size, settings.selection)
        return membership.membership_vectors(embedding, cut, settings.min_samples)
