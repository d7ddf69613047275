"""Damaged files of every format through the command line: each must be read or refused, never end in a traceback.

`python tests/fuzz.py 1000` changes that many files in a random way each and gives them to `bsoid-gpu predict`, some to
`build --dry-run` as well and some to a process of their own. It prints how they ended by format. Inputs that fail are
kept in the folder `fuzz-failures`, with the seed that repeats them: `python tests/fuzz.py 1 SEED`.
"""

from __future__ import annotations

import collections
import faulthandler
import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from click.testing import CliRunner
from pose_formats import FORMATS, FPS, recording
from quick import QUICK
from random_changes import CHANGES, change_bytes

import bsoid_gpu
from bsoid_gpu import files
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main as command
from bsoid_gpu.io import read_pose
from bsoid_gpu.io.arrange import present_tracks
from bsoid_gpu.run_folder.model_file import Model

FAILURES = Path("fuzz-failures")
DONE, REFUSED, CRASHED = 0, 4, -1  # exit codes
DRY_RUN_EACH, PROCESS_EACH = 10, 20  # every 10th file is also planned, every 20th goes to a process of its own
MOST_CHANGES = 3


class Outcome(NamedTuple):
    """How a file ended: its format and changes, the exit code, and what is wrong with that; empty for nothing."""

    name: str
    changes: str
    seed: int
    code: int
    problem: str
    seconds: float


class Fuzz:
    """Files of every format in a folder, and a model for each."""

    def __init__(self, folder: Path, failures: Path = FAILURES) -> None:
        self.folder, self.failures = folder, failures
        built: dict[int, Model] = {}
        for name, form in FORMATS.items():
            own = self.original(name)
            own.mkdir(parents=True)
            form.write(own, form.recording())
            if form.dimensions not in built:
                mice = [replace(recording(1, form.dimensions, 1200, seed), name=f"m{seed}") for seed in (1, 2)]
                built[form.dimensions] = bsoid_gpu.build(mice, fps=FPS, settings=QUICK, backend="cpu").model
            replace(built[form.dimensions], keypoints=form.keypoints).save(own.with_suffix(".safetensors"))

    def original(self, name: str) -> Path:
        """Folder of the file of a format; its model is beside it."""
        return self.folder / "originals" / str(list(FORMATS).index(name))

    def run(self, seed: int) -> Outcome:
        """Change one file and give it to the command."""
        rng = random.Random(seed)
        name = list(FORMATS)[seed % len(FORMATS)]
        with tempfile.TemporaryDirectory(dir=self.folder) as temporary:
            given, out = Path(temporary) / "given", Path(temporary) / "out"
            shutil.copytree(self.original(name), given)
            (path,) = given.iterdir()
            kinds = [rng.choice(CHANGES[path.suffix]) for _ in range(rng.randint(1, MOST_CHANGES))]
            # bytes last: HDF5 itself may crash where it changes a damaged file
            changes = [kind(path, rng) for kind in sorted(kinds, key=lambda kind: kind is change_bytes)]
            started = time.perf_counter()
            model = self.original(name).with_suffix(".safetensors")
            code, problem = checked(model, path, out, in_process=seed % PROCESS_EACH != PROCESS_EACH - 1)
            if not problem and seed % DRY_RUN_EACH == 0:
                problem = plan_problem(path, out.with_name("run"))
            if problem:
                self.keep(given, seed, f"{name}: {'; '.join(changes)}\n{problem}\n")
        return Outcome(name, "; ".join(changes), seed, code, problem, time.perf_counter() - started)

    def keep(self, given: Path, seed: int, problem: str) -> None:
        """Keep an input that fails."""
        kept = self.failures / str(seed)
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(given, kept)
        (kept / "problem.txt").write_text(problem)

    def run_each(self, seeds: Iterable[int]) -> Iterator[Outcome]:
        """Outcomes in a process of their own, which a file may crash."""
        pool = _pool()
        for seed in seeds:
            try:
                yield pool.submit(self.run, seed).result()
            except BrokenProcessPool:
                (temporary,) = self.folder.glob("tmp*")
                self.keep(temporary / "given", seed, "the process crashed")
                shutil.rmtree(temporary)
                yield Outcome(list(FORMATS)[seed % len(FORMATS)], "", seed, CRASHED, "the process crashed", 0.0)
                pool = _pool()
        pool.shutdown()


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=faulthandler.enable)


def called(arguments: list[str], *, in_process: bool) -> tuple[int, str]:
    """Exit code and messages of the command; warnings are errors."""
    if not in_process:
        done = subprocess.run(
            [sys.executable, "-m", "bsoid_gpu", *arguments], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        done = CliRunner().invoke(command, arguments)
    output = done.output
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        output += "".join(traceback.format_exception(done.exception))
    return done.exit_code, output


def checked(model: Path, path: Path, out: Path, *, in_process: bool) -> tuple[int, str]:
    """Exit code of a prediction, and what is wrong with how it ended."""
    arguments = ["predict", str(model), str(path), "--fps", f"{FPS:g}", "--out", str(out), "--backend", "cpu"]
    code, output = called(arguments, in_process=in_process)
    return code, message_problem(code, output) or next(folder_problems(code, path, out, model), "")


def plan_problem(path: Path, out: Path) -> str:
    """What is wrong with how a plan for a build ended."""
    arguments = ["build", str(path), "--fps", f"{FPS:g}", "--out", str(out), "--backend", "cpu", "--dry-run"]
    code, output = called(arguments, in_process=True)
    return message_problem(code, output) or ("the plan wrote a folder" if out.exists() else "")


def message_problem(code: int, output: str) -> str:
    if code not in (DONE, REFUSED) or "Traceback" in output or "a bug in bsoid_gpu" in output:
        return f"exit code {code}: {output[-3000:]}"
    return "" if code == DONE or "error: " in output else f"refused without a reason: {output[-500:]}"


def folder_problems(code: int, path: Path, out: Path, model: Path) -> Iterator[str]:
    """What is wrong with the files of a prediction: half-written, not in the manifest, or of other frames."""
    written = [file for file in out.rglob("*") if file.is_file()]
    if code == REFUSED:  # of a single file
        yield from (f"refused, but {file.name!r} is written" for file in written)
        return
    yield from (f"{file.name!r} is half-written" for file in written if file.name.endswith(files.TEMPORARY))
    sessions = json.loads((out / "manifest.json").read_text())["sessions"]
    listed = {name: digest for session in sessions.values() for name, digest in session["files"].items()}
    tables = {file.relative_to(out).as_posix() for file in written if file.suffix in (".csv", ".safetensors")}
    if not listed or set(listed) != tables:
        yield f"the manifest lists {sorted(listed)}, the folder has {sorted(tables)}"
    yield from (
        f"{name!r} has another digest" for name in tables if files.digest((out / name).read_bytes()) != listed.get(name)
    )
    pose = read_pose(path, FPS, CpuBackend(), bsoid_gpu.load_model(model).keypoints)
    tracks = present_tracks(pose.tracks(), CpuBackend())
    for track in tracks:
        table = np.genfromtxt(out / f"{track.name}.labels.csv", delimiter=",", skip_header=1)
        if not np.array_equal(np.atleast_2d(table)[:, 0], track.frame_numbers):
            yield f"{track.name}: {len(table)} labels, {track.frames} frames"
    if len(sessions) != len(tracks):
        yield f"{len(sessions)} sessions of {len(tracks)} animals"


def report(outcomes: list[Outcome]) -> str:
    """Number of files by format and outcome."""
    names = {DONE: "labelled", REFUSED: "refused"}
    counts = collections.Counter(
        (outcome.name, "FAILED" if outcome.problem else names[outcome.code]) for outcome in outcomes
    )
    kinds = ("labelled", "refused", "FAILED")
    rows = [(name, *(counts[name, kind] for kind in kinds)) for name in FORMATS]
    rows.append(("all", *(sum(row[i] for row in rows) for i in (1, 2, 3))))
    lines = [f"{'format':40}" + "".join(f"{kind:>10}" for kind in kinds)]
    lines += [f"{name:40}" + "".join(f"{number:10}" for number in numbers) for name, *numbers in rows]
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    return "\n".join([*lines, f"slowest: {slowest.seconds:.1f} s, seed {slowest.seed}, {slowest.name}"])


def main(number: int = 1000, first: int | None = None) -> int:
    """Fuzz and report; 1 if a file failed."""
    first = random.SystemRandom().randrange(10**9) if first is None else first
    say(f"seeds {first} to {first + number - 1}")
    with tempfile.TemporaryDirectory() as folder:
        fuzz, outcomes = Fuzz(Path(folder)), []
        for outcome in fuzz.run_each(range(first, first + number)):
            outcomes.append(outcome)
            if outcome.problem:
                say(f"FAILED, seed {outcome.seed}, {outcome.name}: {outcome.changes}\n{outcome.problem}")
    say(report(outcomes))
    return int(any(outcome.problem for outcome in outcomes))


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
