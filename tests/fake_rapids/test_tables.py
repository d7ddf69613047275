"""Tables of cuDF."""

import numpy as np
import pandas as pd
import pytest


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
