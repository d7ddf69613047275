"""The real wheels of RAPIDS and CuPy, without a GPU: they import, construct estimators and have signatures.

Not named test_*.py, so that it runs only on request: `make contract`.
"""

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import fake_rapids
import numpy as np
import pytest
import record
import uses

from bsoid_gpu.backends import cuda, get_backend
from bsoid_gpu.backends.cuda import CudaBackend
from bsoid_gpu.errors import BackendUnavailable
from bsoid_gpu.estimators import hdbscan_cuda, neighbours_cuda, random_forest, tsne_cuda, umap_cuda
from bsoid_gpu.estimators.base import SILENT
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.tsne import TsneSettings
from bsoid_gpu.estimators.umap import UmapSettings

pytestmark = [pytest.mark.contract, pytest.mark.filterwarnings("ignore")]
RELEASE = "26.10"
FILE = Path(__file__).with_name(f"rapids-{RELEASE}.json")
RECORDED = json.loads(FILE.read_text())
AGAIN = f"record again, python {Path(__file__).with_name('record.py')} wheels {FILE}, and read the difference"
POINTS = np.zeros((50, 3), dtype=np.float32)
NEIGHBOURS = np.zeros((50, 7), dtype=np.float32), np.tile(np.arange(7, dtype=np.int32), (50, 1))


@pytest.fixture
def backend(monkeypatch):
    """The backend on the real libraries, as far as they work without a device; arrays are NumPy's."""
    import cupy

    proof = SimpleNamespace(sum=lambda: SimpleNamespace(get=lambda: 499_500))
    monkeypatch.setattr(cupy, "arange", lambda _: proof)
    monkeypatch.setattr(cuda, "_allocator", cuda._Allocator())  # of this test
    made = CudaBackend()
    assert cupy.cuda.get_allocator() == cupy.get_default_memory_pool().malloc
    made.cupy = np
    monkeypatch.setattr(made, "to_host", lambda values: values)
    monkeypatch.setattr(made, "free_bytes", lambda: 10**12)
    return made


@pytest.fixture
def replaced(monkeypatch):
    """Replaces a method by one that gives a value, or self for None; calls must match its signature, and are kept."""

    def replace(kind, name, value):
        signature, calls = inspect.signature(getattr(kind, name)), []

        def method(*arguments, **keywords):
            calls.append(signature.bind(*arguments, **keywords).arguments)
            return arguments[0] if value is None else value

        monkeypatch.setattr(kind, name, method)
        return calls

    return replace


@pytest.mark.parametrize("name", ["cuml", "cudf", "rmm", "cupy"])
def test_the_record_is_of_the_installed_version(name):
    assert importlib.import_module(name).__version__ == RECORDED["versions"][name], AGAIN


@pytest.mark.parametrize("name", record.FILES)
def test_signatures_match_the_record(name):
    assert record.of_object(record.find(name), record.ATTRIBUTES.get(name, ())) == RECORDED["api"][name], AGAIN


def test_cupy_matches_the_record():
    assert record.of_cupy() == RECORDED["cupy"], AGAIN


def test_the_imports_of_the_backend_are_there_and_warn_of_nothing():
    """The backend hides the warnings of other releases; where this fails, they belong in the stand-ins."""
    code = "import importlib, bsoid_gpu.backends.cuda as cuda; list(map(importlib.import_module, cuda.USED))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert cuda.missing() == []


@pytest.mark.parametrize("start", [None, POINTS], ids=["spectral", "given"])
@pytest.mark.parametrize("repeatable", [True, False])
def test_umap_accepts_the_arguments_of_the_backend(start, repeatable, backend, replaced):
    from cuml.manifold import UMAP

    calls = replaced(UMAP, "fit_transform", POINTS)
    settings = UmapSettings(neighbours=7, epochs=200, repeatable=repeatable)
    data = np.zeros((50, 36), dtype=np.float32)
    umap_cuda.layout_by_cuml(data, NEIGHBOURS, start, settings, 23, backend, SILENT)
    parameters = calls[0]["self"].get_params()
    assert (parameters["n_neighbors"], parameters["n_components"], parameters["n_epochs"]) == (7, 3, 200)
    assert parameters["random_state"] == (23 if repeatable else None)
    assert parameters["init"] == "spectral" if start is None else np.array_equal(parameters["init"], start)
    indices, distances = calls[0]["knn_graph"]
    assert (indices.dtype, distances.dtype) == (np.int64, np.float32)
    assert np.array_equal(indices[:, 0], np.arange(50))


@pytest.mark.parametrize("repeatable", [True, False])
def test_tsne_accepts_the_arguments_of_the_backend(repeatable, backend, replaced):
    from cuml.manifold import TSNE

    calls = replaced(TSNE, "fit_transform", POINTS[:, :2])
    settings = TsneSettings(dimensions=2, perplexity=9.0, iterations=400, repeatable=repeatable)
    tsne_cuda.embedding_by_cuml(POINTS, settings, 23, backend, SILENT)
    parameters = calls[0]["self"].get_params()
    assert (parameters["n_components"], parameters["n_neighbors"], parameters["max_iter"]) == (2, 29, 400)
    assert (parameters["init"], parameters["learning_rate_method"]) == ("pca", "none")
    assert parameters["random_state"] == (23 if repeatable else None)


def test_nearest_neighbors_accepts_the_arguments_of_the_backend(backend, replaced):
    from cuml.neighbors import NearestNeighbors

    rows = np.random.default_rng(0).normal(0, 1, (50, 4)).astype(np.float32)
    away = np.sqrt(((rows[:, None] - rows[None]) ** 2).sum(axis=-1))
    order = np.argsort(away, axis=1)
    fits = replaced(NearestNeighbors, "fit", None)
    replaced(NearestNeighbors, "kneighbors", (np.take_along_axis(away, order, axis=1), order))
    _, indices = neighbours_cuda.nearest_by_cuml(rows, 7, backend, SILENT)
    assert np.array_equal(indices, order[:, :7])
    parameters = fits[0]["self"].get_params()
    assert (parameters["algorithm"], parameters["metric"]) == ("brute", "euclidean")
    assert parameters["n_neighbors"] >= 7


def test_hdbscan_accepts_the_arguments_of_the_backend(backend, replaced):
    from cuml.cluster import HDBSCAN
    from cuml.cluster.hdbscan import all_points_membership_vectors

    replaced(HDBSCAN, "fit", None)
    settings = HdbscanSettings()
    model = hdbscan_cuda.fitted(POINTS, 12, settings.min_samples, settings.selection, backend, prediction_data=True)
    parameters = model.get_params()
    assert (parameters["min_cluster_size"], parameters["min_samples"]) == (12, settings.min_samples)
    assert (parameters["cluster_selection_method"], parameters["prediction_data"]) == (settings.selection, True)
    inspect.signature(all_points_membership_vectors).bind(model, batch_size=100)
    assert model._single_linkage_tree is None  # before a fit
    assert not hasattr(model, "single_linkage_tree_")


def test_the_forest_accepts_the_arguments_of_the_backend(backend, replaced):
    from cuml.ensemble import RandomForestClassifier

    fits = replaced(RandomForestClassifier, "fit", None)
    replaced(RandomForestClassifier, "as_sklearn", "a forest")
    settings = random_forest.RandomForestSettings()
    assert random_forest._by_cuml(POINTS, np.zeros(50, dtype=int), settings, 23, backend) == "a forest"
    parameters = fits[0]["self"].get_params()
    assert (parameters["n_estimators"], parameters["random_state"]) == (settings.trees, 23)


def test_the_stand_ins_offer_nothing_that_the_wheels_do_not(monkeypatch):
    estimators = ("cuml.manifold.UMAP", "cuml.manifold.TSNE", "cuml.cluster.HDBSCAN", "cuml.neighbors.NearestNeighbors")
    functions = ("cupy.asarray", "cupy.array", "cupy.asnumpy", "cupy.ascontiguousarray")
    classes = ("cupy", "cupy.ndarray", "cudf.DataFrame", "cupy.cuda.runtime")
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
