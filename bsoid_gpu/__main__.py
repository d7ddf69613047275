"""``python -m bsoid_gpu``, and what the console script ``bsoid-gpu`` runs."""

import os

from bsoid_gpu.cli.main import main
from bsoid_gpu.execution import signals


def run() -> None:
    """Run the command line under supervision."""
    # waiting threads sleep: where other jobs share the cores, spinning slows down the very threads they wait for
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # when a job is stopped, Python removes what its workers share, and would warn of that
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    signals.run(main)


if __name__ == "__main__":
    run()
