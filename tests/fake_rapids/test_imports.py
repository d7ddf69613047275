"""Imports and device memory."""

import sys

import pytest

import fake_rapids


def test_libraries_warn_when_they_are_imported(rapids):
    for name, category in (("cupy", DeprecationWarning), ("cudf", FutureWarning), ("cuml", UserWarning)):
        with pytest.warns(category):
            __import__(name)
        __import__(name)  # once


@pytest.mark.filterwarnings("ignore")
def test_nothing_is_imported_before_it_is_asked_for(imported):
    assert "cuml.neighbors" in sys.modules
    with pytest.MonkeyPatch.context() as patch:
        fake_rapids.install(patch, "23.12")
        assert not {name.split(".")[0] for name in sys.modules} & {"cupy", "cudf", "cuml", "rmm"}
        with pytest.raises(ModuleNotFoundError):
            import cuml.dask  # noqa: F401
    assert "cuml.neighbors" in sys.modules


@pytest.mark.filterwarnings("ignore")
def test_the_import_of_cudf_gives_cupys_allocations_to_rmm(rapids):
    import cupy

    ours = cupy.get_default_memory_pool().malloc
    assert cupy.cuda.get_allocator() == ours
    cupy.zeros(3)
    assert rapids.driver_allocations == 0
    import cudf  # noqa: F401
    from rmm.allocators.cupy import rmm_cupy_allocator

    assert cupy.cuda.get_allocator() == rmm_cupy_allocator
    a = cupy.zeros(3)
    assert rapids.driver_allocations == 1
    assert (a + a)[1:].shape == (2,)  # a sum is a new array, a slice is none
    assert rapids.driver_allocations == 2
    cupy.cuda.set_allocator(ours)
    cupy.zeros(3)
    assert (rapids.driver_allocations, rapids.arrays) == (2, 4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("release", ["26.10"])
def test_the_import_of_cuml_gives_them_to_rmm_again(rapids):
    import cudf  # noqa: F401
    import cupy

    ours = cupy.get_default_memory_pool().malloc
    cupy.cuda.set_allocator(ours)
    import cuml  # noqa: F401

    assert cupy.cuda.get_allocator() != ours


@pytest.mark.filterwarnings("ignore")
def test_a_pool_of_rmm_starts_once_and_before_any_array(rapids):
    import cudf  # noqa: F401
    import cupy
    import rmm

    rmm.reinitialize(pool_allocator=True)
    assert rapids.free_bytes == 7 * 10**9  # without a size, half of the card
    cupy.zeros(3)
    assert rapids.driver_allocations == 0
    with pytest.raises(RuntimeError, match="memory in use"):
        rmm.reinitialize(pool_allocator=True, initial_pool_size=10**9)


@pytest.mark.filterwarnings("ignore")
def test_a_pool_of_rmm_cannot_replace_memory_in_use(rapids):
    import cupy
    import rmm

    cupy.zeros(3)
    with pytest.raises(RuntimeError, match="memory in use"):
        rmm.reinitialize(pool_allocator=True, initial_pool_size=10**9)
