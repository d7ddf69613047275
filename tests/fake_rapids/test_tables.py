"""Tables of cuDF."""

import numpy as np
import pandas as pd
import pytest

from fake_rapids.fake_cudf import digit_by_digit


def test_a_table_is_made_from_a_device_array(imported):
    import cudf
    import cupy

    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    frame = cudf.DataFrame(cupy.asarray(values), columns=["a", "b"])
    assert list(frame.columns) == ["a", "b"]
    np.testing.assert_array_equal(frame.to_cupy().get(), values)
    pd.testing.assert_frame_equal(frame.to_pandas(), pd.DataFrame(values, columns=["a", "b"]))
    assert imported.to_host[-1] == values.nbytes
    with pytest.raises(TypeError):
        np.asarray(frame)


def test_the_reader_does_not_round_correctly():
    texts = [f"{number:.17g}" for number in np.random.default_rng(0).uniform(-600, 600, 1000)]
    read, exact = np.array([digit_by_digit(text) for text in texts]), np.array([float(text) for text in texts])
    assert np.mean(read != exact) > 0.3
    np.testing.assert_allclose(read, exact, rtol=1e-14)
    assert [digit_by_digit(text) for text in ("-4e-3", " 12 ", "1.5", "inf")] == [-0.004, 12, 1.5, np.inf]
