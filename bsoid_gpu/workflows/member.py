"""One of several models of a build: another seed and another phase of the bins, in a folder of its own.

Its labels are joined with those of the others (:mod:`bsoid_gpu.method.consensus`), or show which labels return.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, log
from bsoid_gpu.estimators import registry
from bsoid_gpu.estimators.base import JobSize
from bsoid_gpu.log import logger
from bsoid_gpu.method.consensus import phases
from bsoid_gpu.method.training_labels import training_labels
from bsoid_gpu.run_folder import stages
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.settings.schema import ROLES, Settings
from bsoid_gpu.workflows.training import TrainingBins, bins_to_train, of_phase

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.method.classification import MemberClassifiers
    from bsoid_gpu.method.clustering import Clustering
    from bsoid_gpu.method.embedding import Embedding
    from bsoid_gpu.method.session_features import SessionFeatures

FOLDER = "members"
LABELS = 30  # of a typical model
PROCESS_BYTES = 300e6  # the program and its libraries


@dataclass(frozen=True)
class Member:
    """A model to build, which pickle can serialise; ``number`` is counted from 1.

    ``training`` and ``recordings`` are its bins and the recording of each session, ``blocks`` (bins,) bool are held
    out, ``digest`` is that of the features; ``settings`` have its seed. Without a ``folder``, nothing is stored.
    """

    number: int
    models: int
    training: TrainingBins
    recordings: list[str]
    blocks: NDArray[np.bool_]
    settings: Settings
    backend: Backend
    folder: Path | None
    digest: str

    def steps(self) -> tuple[Embedding, Clustering, MemberClassifiers]:
        """Embedding, clusters and classifiers, computed or from its folder."""
        training, settings, backend = self.training, self.settings, self.backend
        with Store(self.folder, backend.describe()) as store:
            features, bins = backend.asarray(training.features), training.session_bins
            embedded = stages.embedding(features, bins, self.recordings, settings, backend, store, self.digest)
            clustered = stages.clusters(embedded.positions, training.bin_s, settings, backend, store)
            rows, labels = training_labels(clustered.hard, clustered.soft, settings.labels.training)
            fitted = stages.member_classifiers(
                training.rows_of(features, rows, backend), labels, self.blocks[rows], settings, backend, store,
                stages.rows_digest(self.digest, rows), clustered.membership.shape[1],
            )  # fmt: skip
            store.remove_others()
        return embedded, clustered, fitted

    def memory(self) -> int:
        """Bytes that it needs, at most."""
        bins, columns = self.training.features.shape
        size = JobSize(bins, columns, LABELS)
        methods = [(role, getattr(self.settings, section)) for section, role in ROLES.items()]
        largest = max(registry.of(role, method).cost(size, method).host_bytes for role, method in methods)
        return round(PROCESS_BYTES + 3 * 8 * bins * columns + largest)


def classifiers_of(member: Member) -> MemberClassifiers:
    """Classifiers of a member; of its messages, only warnings are logged."""
    started = time.perf_counter()
    with log.captured() as messages:
        _, clustered, fitted = member.steps()
    log.show(message for message in messages if message.levelno >= logging.WARNING)
    seconds = log.seconds_text(time.perf_counter() - started)
    clusters = clustered.membership.shape[1]
    logger.info("model %d of %d: %d clusters, %s", member.number, member.models, clusters, seconds)
    return fitted


def members(
    extracted: Sequence[SessionFeatures],
    first: TrainingBins,
    settings: Settings,
    backend: Backend,
    store: Store,
) -> list[Member]:
    """All models of a build, in order; the held-out blocks of each are those of the ``first`` phase."""
    chosen = phases(settings)
    features, blocks = stages.features_digest(store), first.blocks(settings)
    every = []
    for i, (seed, phase) in enumerate(chosen):
        of_member = replace(settings, seed=seed)
        training = bins_to_train(of_phase(extracted, i), of_member) if i else first
        every.append(
            Member(
                number=i + 1,
                models=len(chosen),
                training=training,
                recordings=[session.recording for session in extracted],
                blocks=training.blocks_as_in(first, blocks) if i else blocks,
                settings=of_member,
                backend=backend,
                folder=None if store.folder is None else store.folder / FOLDER / str(i + 1),
                digest=files.digest_of({"features": features, "phase": phase}),
            )
        )
    return every


def remove_others(folder: Path | None, kept: Sequence[Member]) -> None:
    """Remove the folders of models that are not part of this run."""
    import shutil

    if folder is None or not (folder / FOLDER).is_dir():
        return
    current: set[Any] = {member.folder for member in kept}
    for place in (folder / FOLDER).iterdir():
        if place not in current:
            logger.info("removed %r from the run folder: not a model of this run", f"{FOLDER}/{place.name}")
            shutil.rmtree(place)
    if not current:
        (folder / FOLDER).rmdir()
