"""Functions that take most of the time of a build, by cProfile.

    python benchmarks/profile_build.py SESSIONS FPS RESULT.txt

Only the main thread is profiled: what other threads do counts as waiting for a lock, and the time of compiled
functions counts for their callers. A build of the first session compiles and is not counted.
"""

import cProfile
import io
import platform
import pstats
import sys
import tempfile
from pathlib import Path

import bsoid_gpu
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.machine import cores, versions

MAX_FUNCTIONS = 45
HERE = Executor(workers=1)  # the features of all recordings are computed in the profiled process


def main() -> None:
    sessions, fps, result = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    first = sorted(Path(sessions).glob("*.csv"))[0]
    bsoid_gpu.build([first], fps=fps, backend="cpu")
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as out, profile:
        bsoid_gpu.build(sessions, fps=fps, out=Path(out) / "run", backend="cpu", executor=HERE)
    text = io.StringIO()
    pstats.Stats(profile, stream=text).strip_dirs().sort_stats("tottime").print_stats(MAX_FUNCTIONS)
    libraries = ", ".join(f"{name} {version}" for name, version in versions().items())
    result.parent.mkdir(parents=True, exist_ok=True)
    result.write_text(f"{platform.machine()}, {cores()} cores; {libraries}\n{text.getvalue()}")


if __name__ == "__main__":
    main()
