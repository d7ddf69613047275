"""Quality of an embedding and agreement of two clusterings, as all benchmarks measure them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bsoid_gpu.doctor.judge import agreement, trustworthiness
from bsoid_gpu.run_folder import arrays, stages, store

__all__ = ["agreement", "stored_embedding", "trustworthiness"]


def stored_embedding(run: Path) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Standardised features (bins, columns) of the training bins, and their embedding, from a run folder."""
    named, _ = arrays.loaded(run / store.STAGES / stages.EMBEDDING / store.ARRAYS)
    return named["scaled"], named["positions"]
