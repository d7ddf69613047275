"""Random numbers that are the same on every array library, from a counter-based generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any, TypeAlias

    Array: TypeAlias = Any

# independent streams of one seed; epoch e of a fit shuffles with SHUFFLE + e
START, TIES, SAMPLE = 2**31, 2**31 + 1024, 2**31 + 2048
SPLIT, WEIGHTS, SHUFFLE = 0, 1, 2


def permutation(xp: ModuleType, n: int, seed: int, stream: int, device: object = None) -> Array:
    """Random permutation of 0 .. n - 1: (n,) int64."""
    return xp.argsort(_random_words(xp, n, seed, stream, device), stable=True)


def uniform(xp: ModuleType, n: int, seed: int, stream: int, device: object = None) -> Array:
    """Random numbers in [0, 1): (n,) float32, multiples of 2^-24."""
    return xp.astype(_random_words(xp, n, seed, stream, device) >> 40, xp.float32) * 2.0**-24


def _random_words(xp: ModuleType, n: int, seed: int, stream: int, device: object) -> Array:
    """Random 64-bit words: (n,) uint64, all different, and the same from every array library.

    Word i of a stream is the i-th output of SplitMix64 (Steele, Lea & Flood 2014) started from a mix of the
    seed and the stream, both below 2^32.
    """

    def constant(value: int) -> Array:
        return xp.full((1,), value, dtype=xp.uint64, device=device)  # of an array: it wraps without a warning

    def mix(z: Array) -> Array:
        z = (z ^ (z >> 30)) * constant(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> 27)) * constant(0x94D049BB133111EB)
        return z ^ (z >> 31)

    counter = xp.arange(1, n + 1, dtype=xp.uint64, device=device)
    return mix(mix(constant(seed << 32 | stream)) + counter * constant(0x9E3779B97F4A7C15))
