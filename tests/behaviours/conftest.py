"""Sessions of the synthetic mouse."""

import pytest
from moving_animals import simulated


@pytest.fixture(scope="session")
def mice():
    """Four sessions of 4 minutes at 30 fps."""
    return [simulated(seed, 30.0) for seed in range(4)]
