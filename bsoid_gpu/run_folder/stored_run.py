"""What a run folder holds of a completed build, for reports."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.method.clustering import Clustering
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.codecs import decode
from bsoid_gpu.run_folder.model_file import Model, load_model
from bsoid_gpu.run_folder.stages import CLUSTERS
from bsoid_gpu.run_folder.store import ARRAYS, STAGES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class TrainingTable:
    """The training bins of a run.

    ``embedding`` (bins, dimensions) float64, ``label`` (bins,) int64 soft labels, ``membership`` (bins,) float64,
    ``session`` (bins,) names, ``time_s`` (bins,), ``features`` (bins, columns) float64 with the names ``columns``.
    """

    embedding: NDArray[np.float64]
    label: NDArray[np.int64]
    membership: NDArray[np.float64]
    session: NDArray[np.object_]
    time_s: NDArray[np.float64]
    features: NDArray[np.float64]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class StoredRun:
    """A completed build in its folder, with its model."""

    folder: Path
    model: Model

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Content of ``manifest.json``."""
        return dict(json.loads((self.folder / "manifest.json").read_text(encoding="utf-8")))

    @cached_property
    def quality(self) -> list[dict[str, Any]]:
        """Content of ``quality.json``: a row for each keypoint of each session."""
        return list(json.loads((self.folder / "quality.json").read_text(encoding="utf-8")))

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Bins (labels, labels) by label and by the label predicted in cross-validation."""
        table = _read_csv(self.folder / "confusion.csv")
        return np.asarray(table.drop(columns="label"), dtype=np.int64)

    @cached_property
    def training(self) -> TrainingTable:
        """The bins that were embedded, from ``training.csv``."""
        table = _read_csv(self.folder / "training.csv")
        table = table[table["label"].notna()]
        embedded = [name for name in table if name.startswith("embedding_")]
        last = list(table).index(embedded[0])
        return TrainingTable(
            embedding=table[embedded].to_numpy(dtype=np.float64),
            label=table["soft_label"].to_numpy(dtype=np.int64),
            membership=table["membership"].to_numpy(dtype=np.float64),
            session=table["session"].to_numpy(dtype=object),
            time_s=table["time_s"].to_numpy(dtype=np.float64),
            features=table.iloc[:, 2:last].to_numpy(dtype=np.float64),
            columns=tuple(list(table)[2:last]),
        )

    @cached_property
    def clustering(self) -> Clustering | None:
        """Result of the clusters stage; None if the folder has none from this version, or one that is damaged."""
        place = self.folder / STAGES / CLUSTERS
        try:
            facts = json.loads((place / "manifest.json").read_text(encoding="utf-8"))["facts"]
            return decode(Clustering, arrays.loaded(place / ARRAYS)[0], facts)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def load_run(folder: Path) -> StoredRun:
    """A completed build.

    Raises
    ------
    BadInput
        There is no run in the folder, or the build is not complete.
    """
    run = StoredRun(folder, load_model(folder))
    missing = [name for name in ("manifest.json", "quality.json", "training.csv") if not (folder / name).is_file()]
    if missing:
        msg = f"the build in {str(folder)!r} is not complete ({', '.join(missing)} missing): run the same build again"
        raise BadInput(msg)
    return run


def _read_csv(path: Path) -> pd.DataFrame:
    from pyarrow import csv as arrow_csv

    return arrow_csv.read_csv(path).to_pandas()
