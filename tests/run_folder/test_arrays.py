"""Arrays mapped from a file."""

import mmap

import numpy as np
import pytest

from bsoid_gpu.run_folder import arrays


@pytest.mark.parametrize("advises", [True, False], ids=["madvise", "no madvise"])
def test_a_released_array_has_the_same_content(tmp_path, monkeypatch, advises):
    named = {"x": np.arange(12.0).reshape(3, 4), "n": np.array([True, False])}
    (tmp_path / "arrays").write_bytes(arrays.saved(named))
    if not advises:
        monkeypatch.delattr(mmap, "MADV_DONTNEED")
    mapped = arrays.mapped(tmp_path / "arrays")
    for name, array in named.items():
        arrays.release(mapped[name])
        assert np.array_equal(mapped[name], array)
    arrays.release(named["x"])  # not mapped
