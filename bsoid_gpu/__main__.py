"""``python -m bsoid_gpu``, and what the console script ``bsoid-gpu`` runs."""

import os

from bsoid_gpu.cli.main import main
from bsoid_gpu.execution import signals


def run() -> None:
    """Run the command line under supervision."""
    # threads that wait for others sleep: spinning, they take the cores from those they wait for where others work too
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # what workers share is removed when a job is stopped, and nobody needs to be warned of it in Python's words
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    signals.run(main)


if __name__ == "__main__":
    run()
