"""The real wheels of RAPIDS and CuPy, without a GPU: they import, construct estimators and have signatures.

Not named test_*.py, so that it runs only on request: `make contract`.
"""

import importlib
import inspect
import json
from pathlib import Path
from types import SimpleNamespace

import fake_rapids
import numpy as np
import pytest
import record
import uses

from bsoid_gpu.backends import get_backend
from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import BackendUnavailable
from bsoid_gpu.estimators import hdbscan_cuda, umap_cuda
from bsoid_gpu.estimators.base import SILENT
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.umap import UmapSettings

pytestmark = [pytest.mark.contract, pytest.mark.filterwarnings("ignore")]
RELEASE = "26.10"
FILE = Path(__file__).with_name(f"rapids-{RELEASE}.json")
RECORDED = json.loads(FILE.read_text())
AGAIN = f"record again, python {Path(__file__).with_name('record.py')} wheels {FILE}, and read the difference"
POINTS = np.zeros((50, 3), dtype=np.float32)


@pytest.fixture
def backend(monkeypatch):
    """The backend on the real libraries, as far as they work without a device; arrays are NumPy's."""
    import cupy

    proof = SimpleNamespace(sum=lambda: SimpleNamespace(get=lambda: 499_500))
    monkeypatch.setattr(cupy, "arange", lambda _: proof)
    made = CudaBackend()
    made.cupy = np
    monkeypatch.setattr(made, "free_bytes", lambda: 10**12)
    return made


@pytest.mark.parametrize("name", ["cuml", "cudf", "rmm", "cupy"])
def test_the_record_is_of_the_installed_version(name):
    assert importlib.import_module(name).__version__ == RECORDED["versions"][name], AGAIN


@pytest.mark.parametrize("name", record.FILES)
def test_signatures_match_the_record(name):
    assert record.of_object(record.find(name)) == RECORDED["api"][name], AGAIN


def test_cupy_matches_the_record():
    assert record.of_cupy() == RECORDED["cupy"], AGAIN


@pytest.mark.parametrize("start", [None, POINTS], ids=["spectral", "given"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_umap_accepts_the_arguments_of_the_backend(start, repeatable, backend, monkeypatch):
    from cuml.manifold import UMAP

    made = []
    monkeypatch.setattr(UMAP, "fit_transform", lambda self, data: (made.append(self), POINTS)[1])
    settings = UmapSettings(neighbours=7, epochs=200, repeatable=repeatable)
    umap_cuda.fit_by_cuml(np.zeros((50, 36)), start, settings, 23, backend, SILENT)
    parameters = made[0].get_params()
    assert (parameters["n_neighbors"], parameters["n_components"], parameters["n_epochs"]) == (7, 3, 200)
    assert parameters["random_state"] == (23 if repeatable else None)
    assert parameters["build_algo"] == ("brute_force_knn" if repeatable else "auto")
    assert parameters["init"] == "spectral" if start is None else np.array_equal(parameters["init"], start)


def test_hdbscan_accepts_the_arguments_of_the_backend(backend, monkeypatch):
    from cuml.cluster import HDBSCAN
    from cuml.cluster.hdbscan import all_points_membership_vectors

    monkeypatch.setattr(HDBSCAN, "fit", lambda self, data: self)
    settings = HdbscanSettings()
    model = hdbscan_cuda.fitted(POINTS, 12, settings.min_samples, settings.selection, backend, prediction_data=True)
    parameters = model.get_params()
    assert (parameters["min_cluster_size"], parameters["min_samples"]) == (12, settings.min_samples)
    assert (parameters["cluster_selection_method"], parameters["prediction_data"]) == (settings.selection, True)
    inspect.signature(all_points_membership_vectors).bind(model, batch_size=100)
    assert not hasattr(model, "single_linkage_tree_")  # before a fit, and without an error that hdbscan is missing


def test_the_stand_ins_offer_nothing_that_the_wheels_do_not(monkeypatch):
    estimators = ("cuml.manifold.UMAP", "cuml.cluster.HDBSCAN")
    functions = ("cupy.asarray", "cupy.array", "cupy.asnumpy", "cupy.ascontiguousarray")
    classes = ("cupy", "cupy.ndarray", "cudf.DataFrame", "cudf.Series", "cupy.cuda.runtime")
    real = {name: record.find(name) for name in (*estimators, *functions, *classes)}
    fake_rapids.install(monkeypatch, RELEASE)
    for name in estimators:
        kinds = [it[:2] for it in record.parameters(record.find(name))]
        assert kinds == [it[:2] for it in record.parameters(real[name])], name
    for name in functions:
        parameters = {it[0] for it in record.parameters(record.find(name))}
        assert parameters <= {it[0] for it in record.parameters(real[name])}, name
    for name in classes:
        offered = {it for it in dir(record.find(name)) if not it.startswith("_")}
        missing = {it for it in offered if not hasattr(real[name], it)}
        assert missing == set(), name


def test_array_api_compat_offers_every_function_of_the_array_code():
    xp = importlib.import_module("array_api_compat.cupy")
    for name, where in uses.array_functions().items():
        first, _, second = name.partition(".")
        assert hasattr(getattr(xp, first, None), second) if second else hasattr(xp, first), f"{name}, used in {where}"


def test_without_a_gpu_the_wheels_raise_and_the_backend_is_unavailable():
    import cupy

    if cupy.cuda.is_available():
        pytest.skip("this machine has a GPU: pytest -m gpu --require-gpu")
    with pytest.raises(RuntimeError):
        cupy.arange(3)
    with pytest.raises(BackendUnavailable):
        get_backend("cuda")
    with pytest.raises(BackendUnavailable, match="does not compute"):
        CudaBackend()
    assert get_backend("auto").name == "cpu"
