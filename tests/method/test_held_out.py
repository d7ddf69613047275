import numpy as np

from bsoid_gpu.method import held_out
from bsoid_gpu.settings.schema import Settings, Validation


def test_blocks_are_held_out_completely_and_end_with_their_session():
    part = held_out.blocked_part([250, 0, 120], 100, 0.4, np.random.default_rng(1))
    blocks = np.split(part, [100, 200, 250, 350])
    assert [len(set(block.tolist())) for block in blocks] == [1] * 5
    assert sum(bool(block[0]) for block in blocks) == 2


def test_a_random_part_has_its_share_of_the_bins_but_at_least_one():
    rng = np.random.default_rng(1)
    assert held_out.random_part(1000, 0.2, rng).sum() == 200
    assert held_out.random_part(3, 0.01, rng).sum() == 1


def test_the_parts_of_some_bins_are_those_of_all_bins():
    settings = Settings(validation=Validation(held_out=0.4, folds=2, block_s=10.0))
    everything = held_out.held_out_parts([250, 120], 0.1, settings)
    rows = np.arange(0, 370, 3)
    some = held_out.held_out_parts([250, 120], 0.1, settings, rows)
    assert list(some) == list(everything) == ["random", "blocks", "fold 0", "fold 1"]
    for name, part in some.items():
        assert part.tolist() == everything[name][rows].tolist()


def test_blocks_without_any_of_the_bins_are_not_held_out():
    settings = Settings(validation=Validation(held_out=0.4, folds=0, block_s=10.0))
    blocks = held_out.held_out_parts([300], 0.1, settings)["blocks"]
    assert held_out.held_out_parts([300], 0.1, settings, np.flatnonzero(~blocks)).keys() == {"random"}


def test_random_bins_are_held_out_even_if_none_of_those_of_all_bins_takes_part():
    settings = Settings(validation=Validation(held_out=0.4, folds=0))
    random = held_out.held_out_parts([300], 0.1, settings)["random"]
    assert held_out.held_out_parts([300], 0.1, settings, np.flatnonzero(~random))["random"].sum() == round(0.4 * 180)
