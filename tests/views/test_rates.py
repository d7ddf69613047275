"""Frame rates as fractions."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.views.rates import exact_rate


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (23.976, Fraction(24000, 1001)),
        (23.98, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (30000 / 1001, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (24.0, 24),
        (30.0, 30),
        (60, 60),
        (12.5, Fraction(25, 2)),
        (33.333333333, Fraction(100, 3)),
    ],
)
def test_a_decimal_number_stands_for_a_rate(fps, rate):
    assert exact_rate(fps) == rate


@given(st.floats(1.0, 1000.0))
def test_the_rate_is_near_the_number(fps):
    assert abs(float(exact_rate(fps)) / fps - 1) < 1e-3
