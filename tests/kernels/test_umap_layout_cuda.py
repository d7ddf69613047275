"""The kernels for GPUs without one: run on numba's simulator, and compiled for real devices."""

import os
import pickle
import re
import subprocess
import sys
from types import SimpleNamespace

import numba
import numpy as np
import pytest
from numba import cuda as numba_cuda
from numba.cuda import dispatcher
from numba.cuda.cudadrv.error import NvvmError
from numba.cuda.cudadrv.nvvm import NVVM, LibDevice

from bsoid_gpu.kernels import umap_layout, umap_layout_cuda  # imported without a device
from bsoid_gpu.kernels.fuzzy_graph import Graph, fuzzy_graph
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.kernels.umap_layout import curve

A, B = curve(0.0)
CAPABILITIES = [(6, 0), (7, 0), (9, 0)]  # P100, V100, H100
SIMULATE = """
import pickle, sys
from bsoid_gpu.kernels.umap_layout_cuda import layout
calls = pickle.load(sys.stdin.buffer)
results = [[(epoch, positions.tobytes()) for epoch, positions in layout(*call)] for call in calls]
pickle.dump(results, sys.stdout.buffer)
"""


def simulated(*calls):
    """What layouts on the simulator yield, each called with these arguments; it is chosen before numba is imported."""
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", "-c", SIMULATE],
        input=pickle.dumps(calls),
        stdout=subprocess.PIPE,
        env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
        check=True,
    )
    return pickle.loads(done.stdout)


def on_cpu(*call):
    return [(epoch, positions.tobytes()) for epoch, positions in umap_layout.layout(*call)]


def job(points, dimensions, neighbours, epochs):
    """Initial positions, of which some are equal, and a graph in which the last point has no edges."""
    random = np.random.default_rng(points)
    data = random.standard_normal((points - 1, 5)).astype(np.float32)
    data[:3] = data[3]
    offsets, columns, weights = fuzzy_graph(*nearest(data, neighbours), least=1 / epochs)
    start = random.uniform(0, 10, (points, dimensions)).astype(np.float32)
    start[:3] = start[3]
    return start, Graph(np.append(offsets, offsets[-1]), columns, weights)


def test_positions_in_three_dimensions_are_those_of_the_cpu():
    """More points than blocks, so that the random words of a point follow those of others."""
    call = (*job(130, 3, 8, 3), A, B, 3, 3, 1.0, 7)
    assert simulated((*call, 0, 65)) == [on_cpu(*call)]


def test_positions_do_not_depend_on_threads_or_an_interruption():
    start, graph = job(9, 2, 4, 18)
    call = (graph, A, B, 18, 5, 1.0, 2**32 - 1)
    expected = on_cpu(start, *call)
    assert [epoch for epoch, _ in expected] == [8, 16, 18]
    after_8, after_16, _ = (np.frombuffer(at, dtype=np.float32).reshape(start.shape) for _, at in expected)
    results = simulated((start, *call, 0, 3), (after_8, *call, 8, 9), (after_16, *call, 16, 16))
    assert results == [expected, expected[1:], expected[2:]]


@pytest.mark.slow
def test_positions_of_many_points_after_many_epochs_are_those_of_the_cpu():
    call = (*job(500, 3, 15, 50), A, B, 50, 5, 1.0, 3)
    assert simulated((*call, 0, 100)) == [on_cpu(*call)]


@pytest.mark.gpu
@pytest.mark.parametrize("dimensions", [2, 3])
def test_positions_on_a_device_are_those_of_the_cpu(dimensions, cuda):
    start, *call = (*job(5000, dimensions, 30, 200), A, B, 200, 5, 1.0, 3)
    for threads in (64, 128):
        yielded = umap_layout_cuda.layout(cuda.asarray(start), *call, 0, threads)
        assert [(epoch, cuda.to_host(positions).tobytes()) for epoch, positions in yielded] == on_cpu(start, *call)


@pytest.fixture(params=CAPABILITIES, ids=lambda capability: "{}.{}".format(*capability))
def instructions(request, monkeypatch):
    """Compiles a kernel for a device that need not be there; returns the PTX and the set of its instructions."""
    try:
        NVVM(), LibDevice()
    except (ImportError, RuntimeError, OSError) as error:
        pytest.skip(f"no libnvvm: {error}")
    capability = request.param
    device = SimpleNamespace(compute_capability=capability)
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: device)  # for functions that a kernel calls
    monkeypatch.setattr(numba.core.config, "FORCE_CUDA_CC", capability)  # else numba asks the driver what is possible

    def compiled(kernel, types):
        try:
            ptx, _ = numba_cuda.compile_ptx(kernel.py_func, types, cc=capability)
        except NvvmError as error:
            if "unsupported option" not in str(error):
                raise
            pytest.skip("the libnvvm here is for newer devices: {}.{}".format(*capability))
        assert ".target sm_{}{}\n".format(*capability) in ptx
        return ptx, set(re.findall(r"^\s+(?:@!?%p\d+ )?([a-z][\w.]*)", ptx, re.MULTILINE))

    return compiled


def is_double(instruction):
    return ".f64" in instruction and not instruction.startswith("ld.param")


OF_FIRINGS = {"cvt.rn.f64.s64", "cvt.f64.f32", "mul.f64", "cvt.rzi.s32.f64"}  # double, and exact


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_step_compiles_to_registers_and_the_arithmetic_of_the_cpu(dimensions, instructions):
    i32, i64, u64, f32 = numba.int32, numba.int64, numba.uint64, numba.float32
    positions, arrays = f32[:, ::1], (i32[::1], f32[::1], i64[::1], i64[::1], f32[::1], f32[::1])
    ptx, kinds = instructions(
        umap_layout_cuda._mover(dimensions), (positions, positions, *arrays, f32, i64, i64, i64, u64)
    )
    assert "__local_depot" not in ptx  # memory of a thread
    assert not {kind for kind in kinds if kind.startswith(("call", "fma", "mad.f", "div.f", "sqrt", "ex2"))}
    assert {kind for kind in kinds if is_double(kind)} == OF_FIRINGS
    products = re.findall(r"mul(?:\.rn)?\.f32", ptx)
    assert products.count("mul.rn.f32") == products.count("mul.f32") + dimensions  # squares and clipped ones; the move


def test_counting_compiles(instructions):
    i64 = numba.int64
    _, kinds = instructions(
        umap_layout_cuda._count_samples, (numba.int32[::1], numba.float32[::1], i64[::1], i64, i64[::1])
    )
    assert {kind for kind in kinds if is_double(kind)} == OF_FIRINGS
