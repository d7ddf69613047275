import pytest

from bsoid_gpu.estimators.umap import UmapSettings, resolved


@pytest.mark.parametrize(("bins", "epochs"), [(300, 500), (9_999, 500), (10_000, 500), (10_001, 200), (10**6, 200)])
def test_epochs_follow_the_number_of_bins(bins, epochs):
    assert resolved(UmapSettings(), bins).epochs == epochs
    assert resolved(UmapSettings(epochs=7), bins).epochs == 7


@pytest.mark.parametrize(
    ("bins", "neighbours"), [(306, 17), (307, 18), (10_000, 100), (1023**2, 1023), (1024**2, 1023), (10**7, 1023)]
)
def test_neighbours_are_the_square_root_of_the_number_of_bins(bins, neighbours):
    assert resolved(UmapSettings(), bins).neighbours == neighbours  # 17.49 and 17.52 are rounded
    assert resolved(UmapSettings(neighbours=40), bins).neighbours == 40
