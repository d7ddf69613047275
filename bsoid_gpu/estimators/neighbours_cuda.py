"""Exact nearest neighbours by a GPU: cuML's brute force gives candidates, a kernel on the host selects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.kernels.neighbours import nearest_among

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.cuda import CudaBackend
    from bsoid_gpu.estimators.base import Monitor


def nearest_by_cuml(
    points: NDArray[np.float32], neighbours: int, backend: CudaBackend, monitor: Monitor
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Neighbours of all points, as :func:`bsoid_gpu.kernels.neighbours.nearest` gives them.

    cuML's distances are float32 in an expanded form, and which of equal distances it takes above 256 neighbours is not
    fixed: it is asked for some more than needed, and the host computes the distances again.
    """

    def search(rows: NDArray[np.float32], number: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        needed = device_memory.neighbours(len(rows), rows.shape[1], number)
        with backend.room(f"{number:,} neighbours of {len(rows):,} bins", needed, device_memory.FEWER_NEIGHBOURS):
            data = backend.asarray(rows)
            model = backend.library("cuml.neighbors").NearestNeighbors(
                n_neighbors=number, algorithm="brute", metric="euclidean", output_type="cupy"
            )
            distances, indices = model.fit(data).kneighbors(data)
            largest = backend.cupy.max(distances, axis=1)
            return backend.to_host(indices.astype(np.int32)), backend.to_host(largest)

    def report(done: int, total: int) -> None:
        monitor.progress("neighbours", done, total)

    return nearest_among(points, neighbours, search, backend.threads, report)


def itself_first(
    distances: NDArray[np.float32], indices: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The same neighbours with each point as its own first one; equal points may stand before it, or in its place."""
    ordered = indices.copy()
    for point in np.flatnonzero(indices[:, 0] != np.arange(len(indices))):
        others = indices[point][indices[point] != point]
        ordered[point] = np.append(point, others)[: indices.shape[1]]
    return distances, ordered
