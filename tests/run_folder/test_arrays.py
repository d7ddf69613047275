"""Arrays that are mapped from a file."""

import mmap

import numpy as np
import pytest

from bsoid_gpu.run_folder import arrays


@pytest.mark.parametrize("advises", [True, False], ids=["advice", "a system without"])
def test_a_mapped_array_that_was_taken_out_of_memory_reads_the_same(tmp_path, monkeypatch, advises):
    named = {"x": np.arange(12.0).reshape(3, 4), "n": np.array([True, False])}
    (tmp_path / "arrays").write_bytes(arrays.saved(named))
    if not advises:
        monkeypatch.delattr(mmap, "MADV_DONTNEED")
    mapped = arrays.mapped(tmp_path / "arrays")
    for name, array in named.items():
        arrays.let_go(mapped[name])
        assert np.array_equal(mapped[name], array)
    arrays.let_go(named["x"])  # which is in no file
