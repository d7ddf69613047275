"""The run folder: its finished stages, resume, and the lock on it."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bsoid_gpu import files, machine
from bsoid_gpu.errors import BadInput
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
    """How a stage was computed, whenever that was: the run folder keeps it with the result.

    ``seconds`` of the stage, the ``peak_memory_mb`` of all processes meanwhile, the ``versions`` of the program and its
    libraries, the ``machine``, and the ``backend`` as it describes itself.
    """

    seconds: float
    peak_memory_mb: float
    versions: dict[str, str]
    machine: dict[str, Any]
    backend: dict[str, str]


def timed(compute: Callable[[], Stage], backend: dict[str, str]) -> Stage:
    """The stage that ``compute`` gives, with how it was made."""
    started = time.perf_counter()
    with machine.PeakMemory() as memory:
        stage = compute()
        peak = memory.megabytes
    seconds = round(time.perf_counter() - started, 3)
    return replace(stage, making=Making(seconds, peak, machine.versions(), machine.machine(), backend))


@dataclass(frozen=True)
class Stage:
    """What a stage computed: arrays by name, and facts that JSON can write."""

    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    making: Making | None = None
    resumed: bool = False

    @property
    def versions(self) -> dict[str, str]:
        """Of the program and of its libraries when it was computed."""
        return self.making.versions if self.making else {}

    def content_digest(self) -> str:
        """Digest of the arrays' names, types, shapes and bytes, and of the facts."""
        return arrays.digest_of(self.arrays, self.facts)


class Store:
    """A run folder whose finished stages need not run again; without a folder, nothing is kept.

    Use it as a context: it holds a lock on the folder, so that two jobs never write to one.

    Parameters
    ----------
    folder
        The run folder, made where it is missing; None keeps nothing.
    backend
        The description of the backend that computes, for the stages.
    """

    def __init__(self, folder: Path | None, backend: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._backend = backend or {}
        self.stages: dict[str, Stage] = {}
        self._held = contextlib.ExitStack()
        self._fresh = False

    def __enter__(self) -> Store:
        if self.folder is not None:
            self._fresh = not self.folder.exists()
            with files.explained(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
                ours = {LOCK, STAGES, "log.txt", "model.safetensors", "settings.toml", "manifest.json"}
                there = {item.name for item in self.folder.iterdir()}
                if there and not there & ours:
                    msg = f"{str(self.folder)!r} holds other files and is no run folder: give --out a new folder"
                    raise BadInput(msg)
                self._held.enter_context(lock(self.folder))
                leftovers = f".*{files.TEMPORARY}"  # of jobs that were killed: under the lock nobody else writes
                for left in [*self.folder.glob(leftovers), *(self.folder / STAGES).glob(leftovers)]:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def forget(self) -> None:
        """Remove the folder where this job made it: for input that cannot be used, before any long work."""
        if self.folder is not None and self._fresh:
            shutil.rmtree(self.folder, ignore_errors=True)

    def run(
        self,
        name: str,
        version: int,
        inputs: Mapping[str, Any],
        compute: Callable[[Checkpoint], Stage],
        mapped: bool = False,
    ) -> Stage:
        """Give a stage's result, from the folder where it is there for the same inputs, else computed and kept.

        Parameters
        ----------
        name
            Name of the stage.
        version
            Raised by hand whenever the code of the stage changes its results.
        inputs
            Settings, backend and digests of what the stage depends on; JSON can write it.
        compute
            Called where the stage has to run, with what a job that was stopped in it has left.
        mapped
            Leave the arrays in the folder, from where they are read as they are needed.
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
        """Keep a stage that was computed, here or elsewhere; see :meth:`run`."""
        stage = replace(stage, digest=stage.content_digest())
        self._keep(name, key, stage)
        if mapped and self.folder is not None:
            stage = replace(stage, arrays=arrays.mapped(self._place(name) / ARRAYS))
        logger.info("%s: %s", name, seconds_text(_seconds(stage)))
        self.stages[name] = stage
        return stage

    def remove_others(self) -> None:
        """Remove the stages that are no part of this run, such as those of sessions that it was given before."""
        if self.folder is None:
            return
        own = {files.safe_name(name) for name in self.stages}
        for place in (self.folder / STAGES).iterdir():
            if place.is_dir() and place.name not in own:
                logger.info("removed %r from the run folder: it is no stage of this run", place.name)
                shutil.rmtree(place)

    def _place(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / STAGES / files.safe_name(name)

    def has(self, name: str, key: str) -> bool:
        """Whether the folder holds a result of this key, whole as far as its manifest tells."""
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
        except (OSError, ValueError, KeyError, TypeError):  # not there, or damaged: run it again
            return None
        if stage.content_digest() != stage.digest:
            return None
        for array in stage.arrays.values():
            arrays.let_go(array)
        return stage

    def _keep(self, name: str, key: str, stage: Stage) -> None:
        if self.folder is None:
            return
        place = self._place(name)
        part = place.with_name(f".{place.name}.part")
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
    """Key of a stage's result: another version or other inputs have another one."""
    return files.digest_of({"stage": name, "version": version, "inputs": inputs})


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold a folder for this process; the system releases it when the process ends, however it ends.

    Raises
    ------
    BadInput
        Another process holds it.
    """
    from filelock import lock_descriptor, unlock_descriptor

    with files.explained(folder):
        file = (folder / LOCK).open("a")
    with file:
        held = None
        try:
            held = lock_descriptor(file.fileno(), blocking=False)
        except OSError:  # a file system without locks: the files themselves are still written atomically
            logger.warning("%r is on a file system without locks: do not run two jobs on it", str(folder))
        if held is False:
            msg = f"another job is writing to {str(folder)!r}: wait until it ends, or give --out another folder"
            raise BadInput(msg)
        yield
        if held:  # Windows may release a closed file late
            with contextlib.suppress(OSError):
                unlock_descriptor(file.fileno())
