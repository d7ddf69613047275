"""Resources of a job, and the lines that request them in a batch script or a swarm file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bsoid_gpu.errors import raise_all

NO_GPU = "none"
MAX_TASKS = 1000  # of an array: the limit of Slurm and of swarm
SIGNAL_S = 120  # seconds before the time limit at which Slurm sends a job USR1
GB = {"m": 1 / 1024, "g": 1.0, "t": 1024.0}
NAME = r"[\w.+-]+(,[\w.+-]+)*"
TIME = r"\d+(-\d+(:\d+){0,2}|(:\d+){1,2})?"


@dataclass(frozen=True)
class Resources:
    """Resources of a job; empty memory and time are chosen by its size.

    ``gpu`` is the name of a GPU in Slurm, or ``"none"``; ``cpu_partition`` is for jobs without GPU.
    """

    gpu: str = "v100x"
    partition: str = ""
    cpu_partition: str = "norm"
    mem: str = ""
    time: str = ""
    cpus: int = 14
    scratch_gb: int = 10

    def check(self) -> None:
        """Raise :class:`~bsoid_gpu.errors.BadInput` that lists all values a script cannot have."""
        patterns = {
            "--gpu": (self.gpu, r"[\w.-]+", "the name of a GPU in Slurm, for example v100x, or none"),
            "--partition": (self.partition, NAME, "a partition, for example gpu"),
            "--cpu-partition": (self.cpu_partition, NAME, "a partition, for example norm"),
            "--mem": (self.mem, r"\d+[mgtMGT]", "a number with its unit, for example 20g"),
            "--time": (self.time, TIME, "a time in Slurm's format, for example 04:00:00 or 2-00:00:00"),
        }
        problems = [
            f"{option} is {value!r}; expected {expected}"
            for option, (value, pattern, expected) in patterns.items()
            if value and not re.fullmatch(pattern, value, re.ASCII)
        ]
        if self.cpus < 1:
            problems.append(f"--cpus is {self.cpus}; expected 1 or more")
        if self.scratch_gb < 0:
            problems.append(f"--scratch-gb is {self.scratch_gb}; expected 0 (none) or more")
        raise_all(problems)

    @property
    def has_gpu(self) -> bool:
        """Whether a GPU is requested."""
        return self.gpu.lower() != NO_GPU

    @property
    def partition_name(self) -> str:
        """The partition; by default ``gpu`` or that of jobs without GPU."""
        return self.partition or ("gpu" if self.has_gpu else self.cpu_partition)

    @property
    def gres(self) -> str:
        """GPU and scratch, in the format of ``--gres``; empty for neither."""
        requests = [f"gpu:{self.gpu}:1"] if self.has_gpu else []
        return ",".join(requests + ([f"lscratch:{self.scratch_gb}"] if self.scratch_gb else []))

    @property
    def memory_gb(self) -> float:
        """Memory in GB; 0 if it is chosen by the size of the job."""
        return int(self.mem[:-1]) * GB[self.mem[-1].lower()] if self.mem else 0.0

    def sbatch(self, name: str, more: str = "") -> str:
        """Lines of a batch script."""
        lines = [
            f"--job-name=bsoid-{name}",
            f"--partition={self.partition_name}",
            *([f"--gres={self.gres}"] if self.gres else []),
            f"--mem={self.mem} --cpus-per-task={self.cpus} --time={self.time}",
            f"--requeue --signal=B:USR1@{SIGNAL_S} --open-mode=append",
            *([more] if more else []),
        ]
        return "".join(f"#SBATCH {line}\n" for line in lines)

    def swarm(self, modules: tuple[str, ...]) -> str:
        """Lines of a swarm file."""
        lines = [
            f"-g {self.memory_gb:g} -t {self.cpus} -b 1 --time {self.time}",
            f"--partition {self.partition_name}" + (f" --gres={self.gres}" if self.gres else ""),
            *([f"--module {','.join(modules)}"] if modules else []),
        ]
        return "".join(f"#SWARM {line}\n" for line in lines)


def time_text(minutes: float) -> str:
    """A time limit for that many minutes, rounded up to quarters of an hour: ``HH:MM:SS``."""
    quarters = -int(-minutes // 15)
    return f"{quarters // 4:02}:{quarters % 4 * 15:02}:00"
