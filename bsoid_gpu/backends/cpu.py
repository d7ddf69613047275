"""The CPU backend: pyarrow, fast_hdbscan, and kernels of our own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu import machine, membership, tree
from bsoid_gpu.log import progress
from bsoid_gpu.store import NO_CHECKPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array
    from bsoid_gpu.config import Clusters, Embedding
    from bsoid_gpu.fuzzy import Graph
    from bsoid_gpu.store import Checkpoint


class CpuBackend:
    """NumPy arrays on the host."""

    name = "cpu"

    def asarray(self, values: NDArray[Any]) -> Array:
        """Give the array as it is."""
        return np.asarray(values)

    def to_host(self, values: Array) -> NDArray[Any]:
        """Give the array as it is."""
        return np.asarray(values)

    def side_by_side(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """One thread for each core; what the jobs share they only read."""
        with ThreadPoolExecutor(machine.cores()) as pool:
            yield from pool.map(lambda job: job(), jobs)

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

    def embed(
        self, scaled: Array, start: Array | None, settings: Embedding, seed: int, checkpoint: Checkpoint = NO_CHECKPOINT
    ) -> Array:
        """UMAP on exact neighbours, the same on any number of threads; see :mod:`bsoid_gpu.descent`."""
        from bsoid_gpu.descent import curve, descend
        from bsoid_gpu.fuzzy import fuzzy_graph
        from bsoid_gpu.neighbours import nearest

        data = np.ascontiguousarray(scaled, dtype=np.float32)
        graph = fuzzy_graph(
            *nearest(data, settings.neighbours, machine.cores(), _shown("neighbours")),
            least=1 / settings.epochs,  # less never fires
        )
        if start is None:
            start = _spectral_start(data, graph, settings.dimensions, seed)
        a, b = curve(settings.min_dist)
        return descend(
            start, graph, a, b, settings.epochs, settings.negative_samples, settings.learning_rate, seed, checkpoint
        )

    def single_linkage(self, embedding: Array, min_samples: int) -> NDArray[np.float64]:
        """Single-linkage tree of the mutual reachability distances, by fast_hdbscan's Boruvka on one thread.

        On two threads the tree of equal points now and then was another one, and that of 72,000 points took as long.
        """
        import numba
        from fast_hdbscan import fast_hdbscan

        points = np.ascontiguousarray(embedding, dtype=np.float64)
        min_samples = max(1, min(min_samples, len(points) - 1))  # as hdbscan; beyond, the tree is of too few points
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
        """Membership vectors for the clusters that :func:`bsoid_gpu.tree.cut` selects."""
        cut = tree.cut(linkage, min_cluster_size, settings.selection)
        return membership.membership_vectors(embedding, cut)


def _shown(what: str) -> Callable[[int, int], None]:
    """Callback of a kernel that shows how far it is."""
    steps: Iterator[int] = iter(())

    def show(done: int, total: int) -> None:
        nonlocal steps
        if done == 1:
            steps = progress(range(total), what)
        next(steps)
        if done == total:
            next(steps, None)  # the line is cleared

    return show


def _spectral_start(data: NDArray[np.float32], graph: Graph, dimensions: int, seed: int) -> NDArray[np.float32]:
    """First positions from the graph's Laplacian, by umap-learn and scaled as it does."""
    from scipy.sparse import csr_matrix
    from umap.spectral import spectral_layout
    from umap.umap_ import noisy_scale_coords

    random = np.random.RandomState(seed)  # umap-learn takes no newer generator
    square = csr_matrix((graph.weights, graph.columns, graph.offsets), shape=(len(data), len(data)))
    places = noisy_scale_coords(spectral_layout(data, square, dimensions, random), random, max_coord=10, noise=0.0001)
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(10.0 * (places - low) / (high - low), dtype=np.float32)
