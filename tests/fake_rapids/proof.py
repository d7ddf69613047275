"""The proof of a GPU, on the stand-ins of a release of RAPIDS: that it runs, not that a GPU is right.

    python tests/fake_rapids/proof.py 26.10 proof.json --sizes 600

Seconds are those of the stand-ins, and there is no device memory.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pytest

import fake_rapids
from bsoid_gpu import log
from bsoid_gpu.backends import cuda_probe, get_backend
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.doctor import proof, proof_worker
from bsoid_gpu.doctor.card_memory import NoMemory
from bsoid_gpu.doctor.proof_table import table
from bsoid_gpu.settings import toml
from bsoid_gpu.settings.schema import Settings

WORKER = "--worker"


def machine(release):
    """A machine whose card, driver and packages work."""
    suffix, cuda = {"23.12": ("cu11", (11, 8)), "26.10": ("cu12", (12, 4))}[release]
    packages = [cuda_probe.Package(f"cupy-{suffix.replace('cu', 'cuda')}x", "13.0")]
    packages += [cuda_probe.Package(f"{name}-{suffix}", f"{release}.0") for name in ("cudf", "cuml", "rmm")]
    card = cuda_probe.Device("Pretend V100", (7, 0), 16 * 10**9)
    return cuda_probe.Survey(driver=True, cuda=cuda, devices=(card,), packages=tuple(packages))


def install(patch, release):
    """The stand-ins, on a machine that works; returns their ledger."""
    survey = machine(release)
    patch.setattr(cuda_probe, "survey", lambda: survey)
    return fake_rapids.install(patch, release)


def prove(release, result, sizes, settings=None, allocators=tuple(proof_worker.ALLOCATORS)):
    """The report of the proof; the builds run in processes with the same stand-ins."""
    plan = proof.Plan(
        sizes=proof.sizes_from(sizes),
        settings=settings or Settings(),
        allocators=allocators,
        worker=(sys.executable, __file__, release, WORKER),
        facts={"stand_ins": release},
    )
    return proof.prove(Path(result), CpuBackend(), get_backend("cuda"), plan, NoMemory())


def main(arguments):
    release, rest = arguments[0], arguments[1:]
    with pytest.MonkeyPatch.context() as patch:
        install(patch, release)
        if rest[0] == WORKER:
            proof_worker.main(rest[1:])
            return 0
        parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
        parser.add_argument("result")
        parser.add_argument("--sizes", default="3000")
        parser.add_argument("--config")
        asked = parser.parse_args(rest)
        log.to_stderr()
        report = prove(release, asked.result, asked.sizes, toml.load(asked.config) if asked.config else None)
    sys.stdout.write(f"{table(report)}\n")
    return 0 if report["passed"] else 3


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
