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


def test_arrays_of_any_layout_have_the_same_content_in_a_file(tmp_path):
    whole = np.arange(12.0).reshape(3, 4)
    for name, array in {"transposed": whole.T, "columns": np.asfortranarray(whole), "part": whole[::2, 1:3]}.items():
        (tmp_path / name).write_bytes(arrays.saved({"x": array}))
        assert arrays.loaded(tmp_path / name)[0]["x"].tolist() == array.tolist()
        assert arrays.mapped(tmp_path / name)["x"].tolist() == array.tolist()


def test_the_digest_depends_on_names_types_shapes_and_values_but_not_on_the_order():
    x, y = np.arange(6), np.zeros(2)
    others = [{"x": x.reshape(2, 3)}, {"x": x.reshape(3, 2)}, {"x": x.view(np.uint64)}, {"y": x}, {"x": x + 1}]
    digests = {arrays.digest_of(named) for named in ({"x": x}, *others)}
    assert len(digests | {arrays.digest_of({"x": x}, {"facts": 1})}) == len(others) + 2
    assert arrays.digest_of({"x": x, "y": y}) == arrays.digest_of({"y": y, "x": x})
