"""The run folder: its completed stages, and its lock."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, machine
from bsoid_gpu.errors import BadInput
from bsoid_gpu.locks import lock
from bsoid_gpu.log import logger, seconds_text
from bsoid_gpu.run_folder import arrays
from bsoid_gpu.run_folder.checkpoint import Checkpoint

if TYPE_CHECKING:
    from numpy.typing import NDArray

LOCK = ".lock"
ARRAYS = "arrays.safetensors"
STAGES = "stages"


@dataclass(frozen=True)
class Making:
    """How a stage was computed; stored with its result.

    ``seconds`` of the stage, ``peak_memory_mb`` of all processes meanwhile, ``versions`` of the program and its
    libraries, the ``machine``, and the description of the ``backend``.
    """

    seconds: float
    peak_memory_mb: float
    versions: dict[str, str]
    machine: dict[str, Any]
    backend: dict[str, str]


def timed(compute: Callable[[], Stage], backend: dict[str, str]) -> Stage:
    """The result of ``compute``, with how it was computed."""
    started = time.perf_counter()
    with machine.PeakMemory() as memory:
        stage = compute()
        peak = memory.megabytes
    seconds = round(time.perf_counter() - started, 3)
    return replace(stage, making=Making(seconds, peak, machine.versions(), machine.machine(), backend))


@dataclass(frozen=True)
class Stage:
    """Result of a stage: arrays by name, and facts for JSON."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    making: Making | None = None
    resumed: bool = False

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the program and its libraries when the stage was computed."""
        return self.making.versions if self.making else {}

    def content_digest(self) -> str:
        """Digest of the arrays' names, types, shapes and bytes, and of the facts."""
        return arrays.digest_of(self.arrays, self.facts)


class Store:
    """A run folder, whose completed stages do not run again; without a folder, nothing is stored.

    Use it as a context manager: it locks the folder, so that two jobs never write to it at the same time.

    Parameters
    ----------
    folder
        The run folder, created if it is missing; None stores nothing.
    backend
        Description of the backend, stored with the stages.
    wait
        Wait for another job that has locked the folder, instead of raising an error.
    """

    def __init__(self, folder: Path | None, backend: dict[str, str] | None = None, *, wait: bool = False) -> None:
        self.folder = folder
        self._wait = wait
        self._backend = backend or {}
        self.stages: dict[str, Stage] = {}
        self._contexts = contextlib.ExitStack()
        self._is_new = False

    def __enter__(self) -> Store:
        if self.folder is not None:
            self._is_new = not self.folder.exists()
            with files.explained(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                expected = {LOCK, STAGES, "log.txt", "model.safetensors", "settings.toml", "manifest.json"}
                names = {item.name for item in self.folder.iterdir()}
                if names and not names & expected:
                    msg = f"{str(self.folder)!r} contains other files and is no run folder: give --out a new folder"
                    raise BadInput(msg)
                self._contexts.enter_context(lock(self.folder, LOCK, wait=self._wait))
                leftovers = f".*{files.TEMPORARY}"  # of killed jobs: under the lock no other job writes
                for path in [*self.folder.glob(leftovers), *(self.folder / STAGES).glob(leftovers)]:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._contexts.close()

    def remove_if_new(self) -> None:
        """Remove the folder if this job created it; for unusable input, before any long work."""
        if self.folder is not None and self._is_new:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        name: str,
        version: int,
        inputs: Mapping[str, Any],
        compute: Callable[[Checkpoint], Stage],
        mapped: bool = False,
    ) -> Stage:
        """The result of a stage: read from the folder if it has the same inputs, otherwise computed and stored.

        Parameters
        ----------
        name
            Name of the stage.
        version
            Raise it whenever the code of the stage changes its results.
        inputs
            Settings, backend and digests of the inputs, for JSON.
        compute
            Computes the stage, with the checkpoint of an interrupted job.
        mapped
            Map the arrays into memory instead of reading them.
        """
        key = key_of(name, version, inputs)
        stage = self._read(name, key, mapped)
        checkpoint = Checkpoint(self.folder and self.folder / STAGES / f".{files.safe_name(name)}.checkpoint", key)
        if stage is None:
            stage = timed(lambda: compute(checkpoint), self._backend)
            self.add(name, key, stage, mapped)
        else:
            self.stages[name] = stage
            logger.info("%s: resumed from the run folder (it took %s)", name, seconds_text(_seconds(stage)))
        checkpoint.remove()
        return self.stages[name]

    def add(self, name: str, key: str, stage: Stage, mapped: bool = False) -> Stage:
        """Store a stage that was computed here or in another process; see :meth:`run`."""
        stage = replace(stage, digest=stage.content_digest())
        self._write(name, key, stage)
        if mapped and self.folder is not None:
            stage = replace(stage, arrays=arrays.mapped(self._place(name) / ARRAYS))
        logger.info("%s: %s", name, seconds_text(_seconds(stage)))
        self.stages[name] = stage
        return stage

    def take(self, name: str) -> Stage | None:
        """A completed stage as it is, whatever its inputs were, with mapped arrays; None if there is none."""
        try:
            key = json.loads((self._place(name) / "manifest.json").read_text())["key"]
        except (OSError, ValueError, KeyError):
            return None
        stage = self._read(name, key, mapped=True)
        if stage is not None:
            self.stages[name] = stage
        return stage

    def remove_others(self) -> None:
        """Remove stages that are not part of this run, for example of sessions of an earlier command."""
        if self.folder is None:
            return
        current = {files.safe_name(name) for name in self.stages}
        for place in (self.folder / STAGES).iterdir():
            if place.is_dir() and place.name not in current:
                logger.info("removed %r from the run folder: not a stage of this run", place.name)
                shutil.rmtree(place)

    def _place(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / STAGES / files.safe_name(name)

    def has(self, name: str, key: str) -> bool:
        """Whether the folder has a result with this key; its arrays are not checked."""
        try:
            return self.folder is not None and bool(
                json.loads((self._place(name) / "manifest.json").read_text())["key"] == key
            )
        except (OSError, ValueError, KeyError):
            return False

    def _read(self, name: str, key: str, mapped: bool) -> Stage | None:
        if self.folder is None:
            return None
        place = self._place(name)
        try:
            manifest = json.loads((place / "manifest.json").read_text())
            if manifest["key"] != key:
                return None
            stage = Stage(
                arrays.mapped(place / ARRAYS) if mapped else arrays.loaded(place / ARRAYS)[0],
                manifest["facts"],
                manifest["digest"],
                Making(**manifest["making"]),
                resumed=True,
            )
        except (OSError, ValueError, KeyError, TypeError):  # missing or damaged: run it again
            return None
        if stage.content_digest() != stage.digest:
            return None
        for array in stage.arrays.values():
            arrays.release(array)
        return stage

    def _write(self, name: str, key: str, stage: Stage) -> None:
        if self.folder is None:
            return
        place = self._place(name)
        part = place.with_name(f".{place.name}{files.TEMPORARY}")
        manifest = {
            "key": key,
            "facts": stage.facts,
            "digest": stage.digest,
            "making": stage.making and asdict(stage.making),
        }
        with files.explained(place):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            files.write_atomic(part / ARRAYS, arrays.saved(stage.arrays))
            files.write_json(part / "manifest.json", manifest)
            if place.exists():
                shutil.rmtree(place)
            part.replace(place)


def _seconds(stage: Stage) -> float:
    return stage.making.seconds if stage.making else 0.0


def key_of(name: str, version: int, inputs: Mapping[str, Any]) -> str:
    """Key of a stage's result, from its name, version and inputs."""
    return files.digest_of({"stage": name, "version": version, "inputs": inputs})
