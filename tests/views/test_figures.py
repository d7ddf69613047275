"""Figures for a paper."""

import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from bsoid_gpu.behaviours.names import Behaviour, Behaviours
from bsoid_gpu.errors import BadInput
from bsoid_gpu.views.figures import COLUMN_MM, DPI, merged_matrix, row_shares
from bsoid_gpu.workflows.report import report

NAMES = ("accuracy", "clusters", "confusion", "confusion_normalised", "transitions")


def test_merged_labels_are_added():
    counts = np.array([[5, 1, 0], [2, 7, 3], [0, 4, 9]])
    merged = merged_matrix(counts, Behaviours("m", 3, (Behaviour((0, 2), "walk"),)))
    assert merged.tolist() == [[14, 5], [5, 7]]


def test_rows_sum_to_one_or_are_missing():
    shares = row_shares(np.array([[1, 3], [0, 0]]))
    assert shares[0].tolist() == [0.25, 0.75]
    assert np.isnan(shares[1]).all()


def test_figures_are_written_twice_with_the_same_bytes_and_a_size_in_mm(reported):
    pytest.importorskip("matplotlib")
    first, again = reported / "first", reported / "again"
    report(reported / "run", figures=first)
    report(reported / "run", figures=again)
    written = sorted(path.name for path in first.iterdir())
    assert written == sorted(f"{name}.{kind}" for name in NAMES for kind in ("png", "svg"))
    for name in written:
        assert (first / name).read_bytes() == (again / name).read_bytes()
    svg = ET.parse(first / "clusters.svg").getroot()
    assert svg.get("width").endswith("pt")
    assert float(svg.get("width").removesuffix("pt")) == pytest.approx(COLUMN_MM / 25.4 * 72)
    assert "<text" not in (first / "confusion.svg").read_text()  # letters are shapes
    header = (first / "clusters.png").read_bytes()[16:24]
    assert int.from_bytes(header[:4], "big") == pytest.approx(COLUMN_MM / 25.4 * DPI, abs=1)


def test_without_matplotlib_the_message_says_what_to_type(reported, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BadInput, match=r"pip install 'bsoid-gpu\[plots\]'"):
        report(reported / "run", figures=reported / "figures")


def test_a_model_alone_has_no_figures(reported):
    (reported / "mailed").mkdir()
    (reported / "run/model.safetensors").rename(reported / "mailed/model.safetensors")
    with pytest.raises(BadInput, match="figures need the run folder"):
        report(reported / "mailed/model.safetensors", reported / "labels", figures=reported / "figures")
