from types import SimpleNamespace

import numpy as np
import pytest

from bsoid_gpu.estimators import hdbscan_tree

# 10 is the root; 11 and 12 are its parts, 13 and 14 those of 11
PARTS = SimpleNamespace(parent=np.array([10, 10, 11, 11]), child=np.array([11, 12, 13, 14]))


@pytest.mark.parametrize(
    ("scores", "selected"),
    [
        pytest.param({11: 3.0, 12: 1.0, 13: 1.0, 14: 1.5}, [11, 12], id="a cluster outweighs its parts"),
        pytest.param({11: 2.0, 12: 1.0, 13: 1.0, 14: 1.5}, [12, 13, 14], id="the parts outweigh it"),
        pytest.param({11: 2.5, 12: 1.0, 13: 1.0, 14: 1.5}, [11, 12], id="of equals the larger one"),
        pytest.param({11: 2.0, 12: -1e-7, 13: 2.5, 14: -1e-7}, [12, 13, 14], id="a rounded 0 is no loss"),
    ],
)
def test_the_clusters_with_the_most_mass_are_selected(scores, selected):
    assert hdbscan_tree._most_mass(PARTS, {10: 9.0, **scores}).tolist() == selected


def test_a_lattice_is_cut_though_its_clusters_have_no_mass(cpu):
    points = np.stack(np.meshgrid(*[np.arange(9.0)] * 3), -1).reshape(-1, 3).astype(np.float32)
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), 5, "eom")
    assert sorted(set(cut.labels.tolist()) - {-1}) == list(range(len(cut.selected)))
