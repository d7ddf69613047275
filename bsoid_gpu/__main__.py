"""``python -m bsoid_gpu``."""

from bsoid_gpu.cli import main

main()
