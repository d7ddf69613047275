"""Results on their way to a file and back."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from bsoid_gpu.run_folder.codecs import decode, encode


@dataclass
class Part:
    name: str
    values: NDArray[Any]


@dataclass
class Result:
    parts: list[Part]
    scales: dict[str, tuple[NDArray[Any], NDArray[Any]]]
    table: pd.DataFrame
    names: tuple[str, ...]
    share: float | None


@pytest.fixture
def result():
    return Result(
        parts=[Part("b", np.arange(3)), Part("a", np.ones((2, 2), dtype=np.float32)), Part("b", np.zeros(0))],
        scales={"m2": (np.asarray([1.0]), np.asarray([2.0])), "m1": (np.asarray([3.0]), np.asarray([4.0]))},
        table=pd.DataFrame({"size": [3, 2], "chosen": [True, False]}, index=[5, 1]),
        names=("y", "x"),
        share=None,
    )


def test_a_result_is_the_same_after_a_file(result):
    arrays, facts = encode(result)
    again = decode(Result, arrays, json.loads(json.dumps(facts)))
    for part, expected in zip(again.parts, result.parts, strict=True):
        assert part.name == expected.name
        assert part.values.dtype == expected.values.dtype
        assert np.array_equal(part.values, expected.values)
    assert again.scales == result.scales
    assert all(isinstance(scale, tuple) for scale in again.scales.values())
    pd.testing.assert_frame_equal(again.table, result.table)
    assert (again.names, again.share) == (("y", "x"), None)


def test_every_array_is_moved_to_the_host(result):
    moved = []
    arrays, _ = encode(result, lambda array: moved.append(array) or array)
    assert len(moved) == len(arrays) == 7


def test_a_result_that_lacks_an_array_is_refused(result):
    arrays, facts = encode(result)
    for name in arrays:
        with pytest.raises(KeyError):
            decode(Result, {other: array for other, array in arrays.items() if other != name}, facts)
