"""``python -m bsoid_gpu``, and what the console script ``bsoid-gpu`` runs."""

from bsoid_gpu import supervise
from bsoid_gpu.cli import main


def run() -> None:
    """Run the command line under supervision."""
    supervise.run(main)


if __name__ == "__main__":
    run()
