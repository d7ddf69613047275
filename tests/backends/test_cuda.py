"""The CUDA backend on fakes as strict as a device, for both generations of RAPIDS."""

import contextlib
import json
from dataclasses import replace

import fake_rapids
import numpy as np
import pytest
from click.testing import CliRunner

import bsoid_gpu
from bsoid_gpu.backends import cuda_probe, get_backend
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BackendUnavailable, BadInput, OutOfMemory
from bsoid_gpu.estimators import hdbscan, hdbscan_cuda, hdbscan_tree, umap_cuda
from bsoid_gpu.estimators.base import SILENT, Monitor
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.io.csv_numbers import read_numbers
from bsoid_gpu.run_folder import model_file, stages
from bsoid_gpu.settings.schema import Settings, Validation
from bsoid_gpu.synthetic.sessions import simulate, simulate_session
from bsoid_gpu.workflows.extraction import Extraction

RELEASES = ["23.12", "26.10"]
QUICK = Settings(
    embedding=UmapSettings(epochs=20),
    clusters=HdbscanSettings(smallest=0.01, largest=0.03, step=0.01),
    classifier=PerceptronSettings(max_epochs=6),
    validation=Validation(folds=3),
)
TABLES = (".labels.csv", ".bouts.csv", ".summary.csv", ".transitions.csv")
# transfers in each stage: (to the device, to the host)
FILES, SESSIONS, FITS, EPOCHS = 2, 2, 6, 6
TRANSFERS = {
    # in: a file, its frame numbers, rows beside gaps, and rows to compare sessions by; out: frame numbers, a few
    # numbers each for repairs, whether there are positions, keypoints with positions, frames without the animal and
    # without a good position, missing positions, quality, and body length; and the result: features, threshold, and
    # the compared positions
    "features": (4, 12),
    # in: nothing, the features are there; out: whether rows tie, and the result: scaled, embedding, mean, deviation
    "embedding": (0, 1 + 2 + 2 * SESSIONS),
    # in: the embedding; out: the tree, labels and memberships of the second fit, the embedding for bins without one
    "clusters": (1, 4),
    # in: labels, and the training bins of each fit but the last; out: the check and the scores of each fit, its
    # predictions, and the perceptron: three layers and the scale
    "classifier": (1 + FITS - 1, FITS * (1 + EPOCHS) + FITS + 8),
}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=3, minutes=1.5, fps=30.0, seed=1)


@pytest.fixture(scope="module")
def on_cpu(sessions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cpu")
    run = bsoid_gpu.build(sessions[:2], fps=30, out=folder / "run", settings=QUICK, backend="cpu")
    bsoid_gpu.predict(run.model, sessions[2], out=folder / "labels", backend="cpu")
    return run, folder


@pytest.fixture(params=RELEASES)
def release(request):
    return request.param


@pytest.fixture
def rapids(release, monkeypatch):
    return install_fakes(monkeypatch, release)


@pytest.fixture
def newest(monkeypatch):
    return install_fakes(monkeypatch, "26.10")


def install_fakes(monkeypatch, release):
    """Fake libraries of the release, and a driver that works."""
    suffix, cuda = {"23.12": ("cu11", (11, 8)), "26.10": ("cu12", (12, 4))}[release]
    packages = [cuda_probe.Package(f"cupy-{suffix.replace('cu', 'cuda')}x", "13.0")]
    packages += [cuda_probe.Package(f"{name}-{suffix}", f"{release}.0") for name in ("cudf", "cuml", "rmm")]
    card = cuda_probe.Device("Pretend V100", (7, 0), 16 * 10**9)
    healthy = cuda_probe.Survey(driver=True, cuda=cuda, devices=(card,), packages=tuple(packages))
    monkeypatch.setattr(cuda_probe, "survey", lambda: healthy)
    return fake_rapids.install(monkeypatch, release)


def test_build_and_predict_write_the_same_tables_as_on_the_cpu(sessions, on_cpu, tmp_path, newest):
    _, folder = on_cpu
    run = bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cuda")
    assert run.model.backend == "cuda"
    for name in ("training.csv", "sweep.csv", "scores.json", "confusion.csv", "quality.json"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / "run" / name).read_bytes(), name
    bsoid_gpu.predict(tmp_path / "run", sessions[2], out=tmp_path / "labels", backend="cuda")
    for end in TABLES:
        ours = tmp_path / "labels" / f"mouse3{end}"
        assert ours.read_bytes() == (folder / "labels" / ours.name).read_bytes()
    backend = json.loads((tmp_path / "run" / "manifest.json").read_text())["backend"]
    assert (backend["card"], backend["capability"], backend["driver_cuda"]) == ("Pretend V100", "7.0", "12.4")


def test_each_stage_transfers_its_arrays_once(sessions, tmp_path, newest, monkeypatch):
    transfers = {}

    def counted(name, function):
        def counting(*arguments):
            before = len(newest.to_device), len(newest.to_host)
            result = function(*arguments)
            transfers.setdefault(name, []).append((len(newest.to_device) - before[0], len(newest.to_host) - before[1]))
            return result

        return counting

    for name in TRANSFERS:
        place, function = (Extraction, "run") if name == "features" else (stages, name)
        monkeypatch.setattr(place, function, counted(name, getattr(place, function)))
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    assert transfers == {name: [TRANSFERS[name]] * (FILES if name == "features" else 1) for name in TRANSFERS}
    assert (
        len(newest.to_device) == 1 + FILES * 4 + 1 + TRANSFERS["classifier"][0]
    )  # the check of the device; all features
    newest.to_device.clear()
    newest.to_host.clear()
    bsoid_gpu.predict(run.model, sessions[2], backend="cuda")
    assert len(newest.to_device) == 8 + 3  # the model: three layers and the scale; the file, its frame numbers, rows
    # the check of the device; frame numbers, repairs, positions, keypoints with positions, frames without the animal
    # and without a good position, missing positions, body length; probabilities, some features, compared positions
    assert len(newest.to_host) == 1 + 8 + 3


def test_a_random_forest_predicts_the_same_on_device_and_host(sessions, tmp_path, rapids):
    """The fake cuML has no forest: scikit-learn fits it, and its trees are moved to the device."""
    settings = replace(QUICK, classifier=RandomForestSettings(trees=10))
    runs = {
        backend: bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend=backend, out=tmp_path / backend)
        for backend in ("cpu", "cuda")
    }
    model = runs["cuda"].model
    assert model.settings.classifier == settings.classifier
    host, device = (bsoid_gpu.predict(model, sessions[2], backend=backend)[0] for backend in ("cpu", "cuda"))
    assert np.array_equal(host.labels, device.labels)
    np.testing.assert_allclose(host.probabilities, device.probabilities, atol=1e-6)


def test_an_interrupted_classifier_resumes_from_its_checkpoint(sessions, on_cpu, tmp_path, newest, stop_in):
    _, folder = on_cpu
    times = stop_in("classifier", 3)
    for ends in (pytest.raises(KeyboardInterrupt), contextlib.nullcontext()):
        with ends:
            bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cuda")
    assert len(times) == FITS
    for name in ("training.csv", "scores.json", "confusion.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / "run" / name).read_bytes(), name


def test_build_and_predict_use_only_calls_of_the_release(sessions, tmp_path, rapids, release, caplog):
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    assert run.model.labels > 3
    assert len(bsoid_gpu.predict(run.model, sessions[2], backend="cuda")[0].labels) == 2700
    (umap,) = rapids.arguments_of("cuml.manifold.UMAP")
    assert umap["random_state"] == QUICK.seed
    assert umap["n_neighbors"] == round(len(run.features) ** 0.5)
    assert umap.get("build_algo") == {"23.12": None, "26.10": "brute_force_knn"}[release]
    started_at_random = isinstance(umap["init"], str) and umap["init"] == "random"
    assert started_at_random == (release == "23.12") == ("takes no initial positions" in caplog.text)
    fits = rapids.arguments_of("cuml.cluster.HDBSCAN")
    assert [fit["min_samples"] for fit in fits] == [10, 10]
    assert [fit["prediction_data"] for fit in fits] == [False, True]


def test_a_model_predicts_the_same_on_the_other_backend(sessions, on_cpu, tmp_path, rapids):
    built_on_cpu, folder = on_cpu
    here = bsoid_gpu.predict(built_on_cpu.model, sessions[2], backend="cpu")[0]
    there = bsoid_gpu.predict(folder / "run" / "model.safetensors", sessions[2], backend="cuda")[0]
    assert np.mean(here.labels == there.labels) >= 0.999
    run = bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cuda")
    loaded = model_file.load_model(tmp_path / "run")
    assert loaded.digest() == run.model.digest()
    back = bsoid_gpu.predict(loaded, sessions[2], backend="cpu")[0]
    forth = bsoid_gpu.predict(loaded, sessions[2], backend="cuda")[0]
    assert np.mean(back.labels == forth.labels) >= 0.999
    np.testing.assert_allclose(back.probabilities, forth.probabilities, atol=1e-5)


BODIES = {
    "plain": b"0,1.5,2\n1,3,-4e-3\n",
    "no newline at the end": b"0,1.5,2\n1,3,4",
    "windows": b"0,1.5,2\r\n1,3,4\r\n",
    "blank lines": b"0,1.5,2\n\n1,3,4\n\n",
    "missing cells": b"0,,2\n1,nan,NaN\n2,NA,3\n",
    "an empty column": b"0,,2\n1,,3\n",
    "whole numbers with a gap": b"0,1,2\n1,,3\n",
    "one row": b"0,1,2\n",
    "text": b"0,1.5,2\n1,oops,4\n",
    "only text": b"0,a,2\n1,b,4\n",
    "true": b"0,true,2\n1,false,4\n",
    "no frame numbers": b",1.5,2\n,3,4\n",
    "an empty row": b"0,1.5,2\n,,\n1,3,4\n",
    "image names": b"a.png,1.5,2\nb.png,3,4\n",
    "a short row": b"0,1.5,2\n1,3\n",
    "a long row": b"0,1.5,2\n1,3,4,5\n",
    "a short row and a long one": b"0,1,2\n1,3\n2,3,4,5\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_table_is_read_or_refused_as_on_the_cpu(body, rapids):
    data, cuda = b"head\nhead\n" + body, get_backend("cuda")
    try:
        expected = read_numbers(data, 2, [1, 2], CpuBackend(), cells=3)
    except ValueError:
        with pytest.raises(ValueError, match=r"cells|numeric"):
            read_numbers(data, 2, [1, 2], cuda, cells=3)
    else:
        numbers = read_numbers(data, 2, [1, 2], cuda, cells=3)
        np.testing.assert_array_equal(numbers.first, expected.first)
        np.testing.assert_array_equal(cuda.to_host(numbers.others), expected.others)


@pytest.mark.parametrize("text", ["", "NaN", "0", "a"])
def test_cells_that_must_be_empty(text, rapids):
    data = f"head\n0,1,2,,\n1,3,4,,{text}\n".encode()
    for backend in (CpuBackend(), get_backend("cuda")):
        if text in ("", "NaN"):
            numbers = read_numbers(data, 1, [2], backend, cells=3, empty=2)
            np.testing.assert_array_equal(numbers.first, [0, 1])
            np.testing.assert_array_equal(backend.to_host(numbers.others), [[2], [4]])
        else:
            with pytest.raises(ValueError, match=r"null|not empty"):
                read_numbers(data, 1, [2], backend, cells=3, empty=2)


def test_a_job_that_exceeds_the_free_memory_stops_before_it_starts(sessions, tmp_path, newest, monkeypatch):
    newest.free_bytes = 10**9
    done = CliRunner().invoke(
        main, ["build", *map(str, sessions[:2]), "--fps", "30", "--out", str(tmp_path / "run"), "--backend", "cuda"]
    )
    assert done.exit_code == OutOfMemory.exit_code
    assert "UMAP of 1,798 bins with 42 neighbours needs about 1.1 GB of device memory; 1.0 GB are free" in done.output
    assert "[embedding] neighbours" in done.output
    assert not newest.arguments_of("cuml.manifold.UMAP")


@pytest.mark.parametrize(
    "error", [MemoryError("std::bad_alloc: out_of_memory"), RuntimeError("cudaErrorMemoryAllocation out of memory")]
)
def test_out_of_memory_errors_name_the_remedy(error, newest):
    newest.fails["cuml.cluster.HDBSCAN.fit"] = error
    cuda = get_backend("cuda")
    with pytest.raises(OutOfMemory, match=r"HDBSCAN of 400 bins needs about .* not enough: give fewer"):
        hdbscan.single_linkage(cuda.asarray(np.zeros((400, 3), dtype=np.float32)), 10, cuda)


def test_other_library_errors_are_not_reported_as_out_of_memory(newest):
    newest.fails["cuml.cluster.HDBSCAN.fit"] = RuntimeError("an illegal memory access was encountered")
    cuda = get_backend("cuda")
    with pytest.raises(RuntimeError, match="illegal"):
        hdbscan.single_linkage(cuda.asarray(np.zeros((400, 3), dtype=np.float32)), 10, cuda)


def test_without_a_seed_cuml_is_not_made_repeatable(newest):
    cuda = get_backend("cuda")
    settings = UmapSettings(neighbours=15, epochs=10, repeatable=False)
    arguments = umap_cuda.arguments(None, settings, 23, cuda, SILENT)
    assert "random_state" not in arguments
    assert "build_algo" not in arguments


def test_little_memory_gives_small_batches(newest):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(8 * place, 1, size=(200, 3)) for place in range(3)]).astype(np.float32)
    cuda, settings = get_backend("cuda"), HdbscanSettings()
    linkage = hdbscan.single_linkage(cuda.asarray(points), 10, cuda)
    assert np.array_equal(linkage, hdbscan.single_linkage(points, 10, CpuBackend()))
    cut = hdbscan_tree.cut(linkage, 50, settings.selection)
    here = hdbscan.membership_vectors(points, cut, 50, settings, CpuBackend())
    for free, batch in ((15 * 10**9, 4096), (1_200_000_000, 4096)):
        newest.free_bytes = free
        there = hdbscan.membership_vectors(cuda.asarray(points), cut, 50, settings, cuda)
        np.testing.assert_allclose(there, here, atol=1e-6)
        assert newest.arguments_of("all_points_membership_vectors")[-1]["batch_size"] == batch


class Warnings(Monitor):
    """Collects the warnings of a computation."""

    def __init__(self):
        self.texts = []

    def warning(self, text):
        self.texts.append(text)


def test_memberships_are_those_of_the_first_fit_if_the_second_has_other_clusters(newest, monkeypatch):
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.normal(8 * place, 1, size=(200, 3)) for place in range(3)]).astype(np.float32)
    cuda, settings = get_backend("cuda"), HdbscanSettings()
    moved = points.copy()
    moved[:200] += 8  # the second fit sees two clusters
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), 50, settings.selection)
    here = hdbscan.membership_vectors(points, cut, 50, settings, CpuBackend())
    fitted, monitor = hdbscan_cuda.fitted, Warnings()
    monkeypatch.setattr(hdbscan_cuda, "fitted", lambda embedding, *a, **k: fitted(cuda.asarray(moved), *a, **k))
    there = hdbscan.membership_vectors(cuda.asarray(points), cut, 50, settings, cuda, monitor)
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert "other clusters" in monitor.texts[0]


@pytest.mark.parametrize(("variable", "size"), [("1", None), ("2.5", 2_500_000_000)])
def test_a_memory_pool_starts_only_on_request(variable, size, newest, monkeypatch):
    get_backend("cuda")
    assert not newest.arguments_of("rmm.reinitialize")
    monkeypatch.setenv("BSOID_GPU_RMM_POOL", variable)
    assert get_backend("cuda").describe()["memory_pool"].startswith("RMM")
    (arguments,) = newest.arguments_of("rmm.reinitialize")
    assert (arguments["pool_allocator"], arguments["initial_pool_size"]) == (True, size)
    monkeypatch.setenv("BSOID_GPU_RMM_POOL", "much")
    with pytest.raises(BadInput, match="BSOID_GPU_RMM_POOL=8"):
        get_backend("cuda")


def test_a_device_that_does_not_compute_is_refused(newest, monkeypatch):
    import cupy

    monkeypatch.setattr(cupy, "arange", lambda n: cupy.asarray(np.zeros(n)))
    with pytest.raises(BackendUnavailable, match="computes wrongly"):
        get_backend("cuda")

    def broken(n):
        msg = "cudaErrorUnknown"
        raise RuntimeError(msg)

    monkeypatch.setattr(cupy, "arange", broken)
    with pytest.raises(BackendUnavailable, match="cudaErrorUnknown"):
        get_backend("cuda")


def test_the_fakes_are_strict(newest):
    """They refuse what CuPy refuses, and what makes CuPy wait for the device silently."""
    import cudf
    import cupy
    from cuml.manifold import UMAP

    array = cupy.asarray([1.0, 2.0])
    for conversion in (np.asarray, float, bool, list):
        with pytest.raises(TypeError):
            conversion(array)
    for mix in (lambda: array + np.ones(2), lambda: np.ones(2) + array, lambda: cupy.concatenate([array, np.ones(2)])):
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(TypeError):
        UMAP(connectivity="knn")
    with pytest.raises(TypeError):
        cudf.read_csv("file.csv", low_memory=True)
    assert (newest.to_device, newest.to_host) == ([16], [])


def test_poses_in_memory_move_to_the_device(on_cpu, newest):
    run, _ = on_cpu
    pose, _ = simulate_session("mouse", 900, 30.0, np.random.default_rng(3))
    here, there = (bsoid_gpu.predict(run.model, pose, backend=backend)[0] for backend in ("cpu", "cuda"))
    assert np.mean(here.labels == there.labels) >= 0.999
