"""The CUDA backend: cuDF, CuPy and cuML, from RAPIDS 23.12, the last for P100, to 26.x; nothing else imports them."""

from __future__ import annotations

import inspect
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.backends import device_memory
from bsoid_gpu.errors import BackendUnavailable, BadInput, OutOfMemory
from bsoid_gpu.estimators import hdbscan_membership, hdbscan_tree
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder.store import NO_CHECKPOINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Array
    from bsoid_gpu.run_folder.store import Checkpoint
    from bsoid_gpu.settings.schema import Clusters, Embedding

POOL = "BSOID_GPU_RMM_POOL"  # environment variable: 1, or gigabytes, for a memory pool of RMM
FIRST_WITH_START = (26, 2)  # release of cuML whose UMAP takes first positions; its signature does not tell
MISSING = ["", "NaN", "nan", "NA"]  # the cells that the CPU backend takes for missing ones
FEWER = "give fewer or shorter sessions, take a card with more memory, or type --backend cpu"
FULL = ("out_of_memory", "out of memory", "bad_alloc", "cudaErrorMemoryAllocation")


class CudaBackend:
    """CuPy arrays on the first visible GPU.

    Raises
    ------
    BackendUnavailable
        A library is missing or broken, or the device does not compute.
    """

    name = "cuda"

    def __init__(self) -> None:
        try:
            import cudf
            import cuml
            import cupy
            import rmm
            from cuml.cluster import HDBSCAN
            from cuml.cluster.hdbscan import all_points_membership_vectors
            from cuml.manifold import UMAP
        except Exception as error:  # a half-installed RAPIDS raises anything
            msg = (
                f"RAPIDS does not import ({type(error).__name__}: {error}): install it again, "
                "pip install --force-reinstall 'bsoid-gpu[cuda12]', or mamba env create -f environment.yml"
            )
            raise BackendUnavailable(msg) from error
        self._cp, self._cudf, self._cuml, self._rmm = cupy, cudf, cuml, rmm
        self._UMAP, self._HDBSCAN = UMAP, HDBSCAN
        self._membership_vectors = all_points_membership_vectors
        try:
            self._pool = self._with_pool(os.environ.get(POOL, ""))
            total = int(cupy.arange(1000).sum().get())
        except (BadInput, MemoryError):
            raise
        except Exception as error:  # every layer of the driver has exceptions of its own
            msg = f"the GPU does not compute ({type(error).__name__}: {error}): see whether nvidia-smi shows it"
            raise BackendUnavailable(msg) from error
        if total != 499_500:
            msg = f"the GPU computes wrongly: 0 + 1 + ... + 999 gave {total}; take another one (CUDA_VISIBLE_DEVICES)"
            raise BackendUnavailable(msg)
        self._umap_knows = set(inspect.signature(UMAP).parameters)
        self._takes_start = tuple(int(part) for part in cuml.__version__.split(".")[:2]) >= FIRST_WITH_START

    def _with_pool(self, asked: str) -> str:
        """Begin a pool of RMM's where it is asked for."""
        if asked in ("", "0"):
            return "none"
        try:
            size = None if asked == "1" else int(float(asked) * 1e9)
        except ValueError as error:
            msg = f"{POOL} is {asked!r}; expected 1, or gigabytes as in {POOL}=8"
            raise BadInput(msg) from error
        self._rmm.reinitialize(pool_allocator=True, initial_pool_size=size)
        return "RMM" if size is None else f"RMM, {asked} GB at first"

    def describe(self) -> dict[str, str]:
        """Card, driver, memory and versions."""
        runtime = self._cp.cuda.runtime
        card = runtime.getDeviceProperties(0)
        libraries = {"cupy": self._cp, "cudf": self._cudf, "cuml": self._cuml}
        return {
            "name": self.name,
            "card": card["name"].decode(),
            "capability": f"{card['major']}.{card['minor']}",
            "driver_cuda": _version(runtime.driverGetVersion()),
            "runtime_cuda": _version(runtime.runtimeGetVersion()),
            "memory_gb": f"{card['totalGlobalMem'] / 1e9:.1f}",
            "memory_pool": self._pool,
            **{name: library.__version__ for name, library in libraries.items()},
        }

    def __reduce__(self) -> tuple[type[CudaBackend], tuple[()]]:
        """Where it is sent, it is made anew on the GPU there."""
        return CudaBackend, ()

    def asarray(self, values: NDArray[Any]) -> Array:
        """Move to the device."""
        with self._room(f"an array of {values.nbytes / 1e9:.2f} GB and what is computed from it", 4 * values.nbytes):
            return self._cp.asarray(values)

    def to_host(self, values: Array) -> NDArray[Any]:
        """Move to the host."""
        return self._cp.asnumpy(values)

    def side_by_side(self, jobs: Sequence[Callable[[], Any]]) -> Iterator[Any]:
        """One after the other: they share the device and its memory."""
        return (job() for job in jobs)

    def read_numbers(self, data: bytes, skip_rows: int, columns: list[int]) -> Array:
        """Parse the body of a CSV file with cuDF."""
        _check_rows(data, skip_rows)
        with self._room(f"a file of {len(data) / 1e6:.0f} MB", device_memory.table(len(data))):
            # types are inferred, since cuDF silently reads any text as a missing number where one is given
            frame = self._cudf.read_csv(
                io.BytesIO(data),
                header=None,
                skiprows=skip_rows,
                usecols=columns,
                na_values=MISSING,
                keep_default_na=False,
            )
            for name in frame.columns:
                column = frame[name]
                if column.dtype.kind not in "iuf" and not bool(column.isnull().all()):
                    msg = f"column {name} is not numeric"
                    raise ValueError(msg)
            numbers = frame.astype("float64").to_cupy(na_value=float("nan"))
        return self._cp.ascontiguousarray(numbers)

    def embed(
        self, scaled: Array, start: Array | None, settings: Embedding, seed: int, checkpoint: Checkpoint = NO_CHECKPOINT
    ) -> Array:
        """UMAP by cuML, on exact neighbours where the seed is to count; in one piece, without a checkpoint."""
        bins, columns = scaled.shape
        what = f"UMAP of {bins:,} bins with {settings.neighbours:,} neighbours"
        needed = device_memory.umap(bins, columns, settings.neighbours, settings.dimensions)
        with self._room(what, needed, f"lower [embedding] neighbours, {FEWER}"):
            data = self._cp.ascontiguousarray(scaled, dtype=np.float32)
            model = self._UMAP(**self.umap_arguments(start, settings, seed))
            return self._cp.ascontiguousarray(model.fit_transform(data), dtype=np.float32)

    def umap_arguments(self, start: Array | None, settings: Embedding, seed: int) -> dict[str, Any]:
        """What cuML's UMAP is called with, by what the installed one knows."""
        if self._takes_start:
            init = "spectral" if start is None else self._cp.ascontiguousarray(start, dtype=np.float32)
        else:
            init = "random"  # the spectral start of these releases loses how the clusters lie to one another
            logger.warning("cuML %s takes no first positions: UMAP starts from random ones", self._cuml.__version__)
        arguments = {
            "n_neighbors": settings.neighbours,
            "n_components": settings.dimensions,
            "n_epochs": settings.epochs,
            "learning_rate": settings.learning_rate,
            "min_dist": settings.min_dist,
            "negative_sample_rate": settings.negative_samples,
            "init": init,
            "output_type": "cupy",
        }
        if settings.repeatable:
            arguments["random_state"] = seed
            if "build_algo" in self._umap_knows:
                arguments["build_algo"] = "brute_force_knn"
        return arguments

    def single_linkage(self, embedding: Array, min_samples: int) -> NDArray[np.float64]:
        """Single-linkage tree by cuML's HDBSCAN; the smallest cluster has no part in it."""
        model = self._hdbscan(embedding, max(2, min_samples), min_samples, "eom", prediction_data=False)
        return np.asarray(model.single_linkage_tree_.to_numpy(), dtype=np.float64)

    def membership_vectors(
        self, embedding: Array, linkage: NDArray[np.float64], min_cluster_size: int, settings: Clusters
    ) -> NDArray[np.float64]:
        """Membership vectors by cuML, their columns in the order of the clusters that the tree is cut into."""
        cut = hdbscan_tree.cut(linkage, min_cluster_size, settings.selection)
        bins, clusters = embedding.shape[0], len(cut.selected)
        batch = device_memory.membership_batch(self._free(), bins)
        model = self._hdbscan(
            embedding, min_cluster_size, settings.min_samples, settings.selection, prediction_data=True
        )
        order = hdbscan_membership.same_clusters(cut.labels, self.to_host(model.labels_))
        if order is None:  # distances of equal length let two fits differ
            logger.warning("cuML's second fit found other clusters than its first: memberships come from the CPU")
            return hdbscan_membership.membership_vectors(self.to_host(embedding), cut)
        needed = device_memory.membership(bins, clusters, batch)
        with self._room(f"memberships of {bins:,} bins in {clusters} clusters", needed):
            vectors = self._membership_vectors(model, batch_size=batch)
        return self.to_host(vectors).astype(np.float64)[:, order]

    def _hdbscan(
        self, embedding: Array, min_cluster_size: int, min_samples: int, selection: str, *, prediction_data: bool
    ) -> Any:
        bins, dimensions = embedding.shape
        with self._room(f"HDBSCAN of {bins:,} bins", device_memory.hdbscan(bins, dimensions, min_samples)):
            return self._HDBSCAN(
                min_cluster_size=min_cluster_size,
                min_samples=min_samples,  # left out, it would follow min_cluster_size and memory with it
                cluster_selection_method=selection,
                prediction_data=prediction_data,
                output_type="cupy",
            ).fit(self._cp.ascontiguousarray(embedding, dtype=np.float32))

    def _free(self) -> int:
        """Bytes of device memory that are free, after what CuPy keeps for later is given back."""
        self._cp.get_default_memory_pool().free_all_blocks()
        return int(self._cp.cuda.runtime.memGetInfo()[0])

    @contextmanager
    def _room(self, what: str, needed: int, remedy: str = FEWER) -> Iterator[None]:
        """Compute where there is room for it.

        Raises
        ------
        OutOfMemory
            The estimate does not fit in the free memory, or the memory ran out in spite of it.
        """
        free = self._free()
        told = f"{what} needs about {needed / 1e9:.1f} GB of device memory; {free / 1e9:.1f} GB are free"
        if self._pool == "none" and needed > free:
            msg = f"{told}: {remedy}"
            raise OutOfMemory(msg)
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            if isinstance(error, MemoryError) or any(word in str(error) for word in FULL):
                msg = f"{told}, and that was not enough: {remedy}"
                raise OutOfMemory(msg) from error
            raise


def _version(number: int) -> str:
    """CUDA's way to write 12.4 is 12040."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _check_rows(data: bytes, skip_rows: int) -> None:
    """Raise ``ValueError`` where rows differ in length: cuDF fills up short ones and cuts long ones in silence."""
    start = 0
    for _ in range(skip_rows):
        start = data.index(b"\n", start) + 1
    text = np.frombuffer(data, dtype=np.uint8, offset=start)
    ends = np.flatnonzero(text == ord("\n"))
    if len(text) and text[-1] != ord("\n"):
        ends = np.append(ends, len(text))
    starts = np.append(0, ends[:-1] + 1)[: len(ends)]
    filled = (ends - starts > 1) | (text[np.minimum(starts, len(text) - 1)] > ord(" "))
    commas = np.add.reduceat(text == ord(","), starts, dtype=np.int64)[filled] if len(starts) else starts
    if len(commas) and np.ptp(commas):
        msg = f"rows have {commas.min() + 1} to {commas.max() + 1} cells"
        raise ValueError(msg)
