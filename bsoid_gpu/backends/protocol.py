"""What the stages ask of a backend: everything that has a library's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from bsoid_gpu.run_folder.store import NO_CHECKPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.run_folder.store import Checkpoint
    from bsoid_gpu.settings.schema import Clusters, Embedding

Array: TypeAlias = Any
"""An array of the backend's library: ``numpy.ndarray`` or ``cupy.ndarray``."""


class Backend(Protocol):
    """One array library and the estimators that go with it."""

    name: str

    def describe(self) -> dict[str, str]:
        """Versions and device, for the manifest."""
        ...

    def asarray(self, values: NDArray[Any]) -> Array:
        """Move a host array to the backend: the one way on."""
        ...

    def to_host(self, values: Array) -> NDArray[Any]:
        """Move a backend array to the host: the one way off."""
        ...

    def side_by_side(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """Results of independent jobs, in order, as they come; run at the same time where that is faster."""
        ...

    def read_numbers(self, data: bytes, skip_rows: int, columns: list[int]) -> Array:
        """Parse the numeric body of a CSV file.

        Parameters
        ----------
        data
            The whole file.
        skip_rows
            Header lines to skip.
        columns
            Positions of the wanted columns, ascending.

        Returns
        -------
        Array
            (rows, columns) float64; an empty cell is NaN, a line without anything is no row.

        Raises
        ------
        ValueError
            A cell that is not a number, or a row of another length.
        """
        ...

    def embed(
        self, scaled: Array, start: Array | None, settings: Embedding, seed: int, checkpoint: Checkpoint = NO_CHECKPOINT
    ) -> Array:
        """UMAP coordinates of ``scaled`` (bins, columns): (bins, dimensions) float32.

        ``start`` (bins, dimensions) float32 are the first positions; without them the start is spectral. A backend that
        goes step by step goes on from the ``checkpoint``; for one that does not, it is nothing.
        """
        ...

    def single_linkage(self, embedding: Array, min_samples: int) -> NDArray[np.float64]:
        """HDBSCAN's single-linkage tree of ``embedding``: (bins - 1, 4) on the host."""
        ...

    def membership_vectors(
        self, embedding: Array, linkage: NDArray[np.float64], min_cluster_size: int, settings: Clusters
    ) -> NDArray[np.float64]:
        """HDBSCAN's membership of each bin in each selected cluster: (bins, clusters) on the host."""
        ...
