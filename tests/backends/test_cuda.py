"""The CUDA backend on fakes as strict as a device, for both generations of RAPIDS."""

import contextlib
import json
import sys
from dataclasses import replace

import fake_rapids
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from quick import QUICKER, quicker
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_limits

import bsoid_gpu
from bsoid_gpu.backends import cuda_probe, get_backend
from bsoid_gpu.backends.cpu import CpuBackend
from bsoid_gpu.cli.main import main
from bsoid_gpu.errors import BackendUnavailable, BadInput, OutOfMemory
from bsoid_gpu.estimators import hdbscan, hdbscan_cuda, hdbscan_tree, neighbours_cuda, umap
from bsoid_gpu.estimators.base import Monitor
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.perceptron import PerceptronSettings
from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.run_folder import model_file, stages
from bsoid_gpu.settings.schema import Settings, Validation
from bsoid_gpu.synthetic.sessions import simulate, simulate_session
from bsoid_gpu.workflows.extraction import Extraction

RELEASES = ["23.12", "26.10"]
QUICK = Settings(
    embedding=UmapSettings(epochs=20),
    clusters=HdbscanSettings(smallest=0.01, largest=0.03, step=0.01),
    classifier=PerceptronSettings(max_epochs=6),
    validation=Validation(folds=3, stability=False),
)
BY_CUML = HdbscanSettings(tree="cuml")
# transfers in each stage: (to the device, to the host)
FILES, SESSIONS = 2, 2
TRANSFERS = {
    # in: a file, its frame numbers, rows beside gaps, and rows to compare sessions by; out: frame numbers, a few
    # numbers each for repairs, whether there are positions, keypoints with positions, frames without the animal and
    # without a good position, missing positions, quality, and body length; and the result: features, threshold, and
    # the compared positions
    "features": (4, 11),
    # in: distinct rows to search, and for cuML its input and the neighbours; out: the input, candidates with the
    # largest distance of each row, whether rows tie, and the result: scaled, embedding, mean, deviation
    "embedding": {"23.12": (1, 3 + 1 + 2 + 2 * SESSIONS), "26.10": (1 + 3, 3 + 1 + 2 + 2 * SESSIONS)},
    # the tree and the memberships are computed on the host, from what was stored there
    "clusters": (0, 0),
    # in: labels, the bins of all fits, and step sizes; out: the check, all predictions, and two perceptrons, of all
    # bins and of those outside the held-out time blocks: three layers and the scale each
    "classifier": (3, 1 + 1 + 2 * 8),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Products of the stand-ins are many and small: on several threads they take twice as long."""
    with threadpool_limits(1, "blas"):
        yield


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


def test_with_our_own_layout_the_tables_are_those_of_the_cpu(sessions, on_cpu, tmp_path, rapids):
    """The stand-in of the layout's kernels is the kernel of the CPU; all else is computed by the stand-ins."""
    built_on_cpu, folder = on_cpu
    settings = replace(QUICK, embedding=replace(QUICK.embedding, layout="own"))
    run = bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=settings, backend="cuda")
    assert run.model.backend == "cuda"
    np.testing.assert_array_equal(run.features, built_on_cpu.features)
    np.testing.assert_allclose(run.embedding, built_on_cpu.embedding, atol=1e-3)
    for name in ("sweep.csv", "quality.json"):
        assert (tmp_path / "run" / name).read_bytes() == (folder / "run" / name).read_bytes(), name
    assert np.array_equal(run.soft_labels, built_on_cpu.soft_labels)
    bsoid_gpu.predict(tmp_path / "run", sessions[2], out=tmp_path / "labels", backend="cuda")
    here, there = (pd.read_csv(place / "labels" / "mouse3.labels.csv") for place in (folder, tmp_path))
    assert np.mean(here["label"] == there["label"]) >= 0.999
    assert here[["frame", "time_s"]].equals(there[["frame", "time_s"]])
    backend = json.loads((tmp_path / "run" / "manifest.json").read_text())["backend"]
    assert (backend["card"], backend["capability"], backend["driver_cuda"]) == ("Pretend V100", "7.0", "12.4")


def test_each_stage_transfers_its_arrays_once(sessions, tmp_path, rapids, release, monkeypatch):
    transfers = {}

    def counted(name, function):
        def counting(*arguments, **options):
            before = len(rapids.to_device), len(rapids.to_host)
            result = function(*arguments, **options)
            transfers.setdefault(name, []).append((len(rapids.to_device) - before[0], len(rapids.to_host) - before[1]))
            return result

        return counting

    for name in TRANSFERS:
        place, function = (Extraction, "run") if name == "features" else (stages, name)
        monkeypatch.setattr(place, function, counted(name, getattr(place, function)))
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    expected = TRANSFERS | {"embedding": TRANSFERS["embedding"][release]}
    assert transfers == {name: [expected[name]] * (FILES if name == "features" else 1) for name in TRANSFERS}
    # the check of the device; all features
    in_stages = FILES * expected["features"][0] + expected["embedding"][0] + expected["classifier"][0]
    assert len(rapids.to_device) == 1 + in_stages
    rapids.to_device.clear()
    rapids.to_host.clear()
    bsoid_gpu.predict(run.model, sessions[2], backend="cuda")
    assert len(rapids.to_device) == 8 + 3  # the model: three layers and the scale; the file, its frame numbers, rows
    # the check of the device; frame numbers, repairs, positions, keypoints with positions, frames without the animal
    # and without a good position, missing positions; body length; probabilities, some features, compared positions and
    # those to store
    assert len(rapids.to_host) == 1 + 7 + 4


def test_device_arrays_come_from_a_pool(sessions, rapids):
    bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    assert rapids.arrays > 100
    assert rapids.driver_allocations == 0


def test_a_table_of_the_run_is_made_on_the_device(sessions, rapids):
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    rapids.to_host.clear()
    table = run.table()
    assert isinstance(table, sys.modules["cudf"].DataFrame)
    assert not rapids.to_host
    here = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cpu").table()
    there = table.to_pandas()
    assert list(there.columns) == list(here.columns)
    names = [name for name in here.columns if name.startswith(("session", "time", "distance", "turn", "displacement"))]
    pd.testing.assert_frame_equal(there[names], here[names], check_dtype=False)


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


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICKER)
def test_a_preset_runs_on_a_device_and_its_model_predicts_on_both(name, sessions, newest):
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=quicker(name), backend="cuda")
    here, there = (bsoid_gpu.predict(run.model, sessions[2], backend=place)[0] for place in ("cpu", "cuda"))
    assert np.array_equal(here.labels, there.labels)
    np.testing.assert_allclose(here.probabilities, there.probabilities, atol=1e-6)


def test_an_interrupted_classifier_resumes_from_its_checkpoint(sessions, tmp_path, newest, stop_in):
    bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "whole", settings=QUICK, backend="cuda")
    times = stop_in("classifier", 1)
    for ends in (pytest.raises(KeyboardInterrupt), contextlib.nullcontext()):
        with ends:
            bsoid_gpu.build(sessions[:2], fps=30, out=tmp_path / "run", settings=QUICK, backend="cuda")
    assert len(times) == 1  # all fits are one computation, and one checkpoint
    for name in ("training.csv", "scores.json", "confusion.csv"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_build_and_predict_use_only_calls_of_the_release(sessions, tmp_path, rapids, release, caplog):
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=QUICK, backend="cuda")
    assert run.model.labels > 3
    assert len(bsoid_gpu.predict(run.model, sessions[2], backend="cuda")[0].labels) == 2700
    neighbours = round(len(run.features) ** 0.5)
    assert [fit["n_neighbors"] for fit in rapids.arguments_of("cuml.neighbors.NearestNeighbors")] == [neighbours + 32]
    layouts = rapids.arguments_of("cuml.manifold.UMAP")
    expected = {"23.12": [], "26.10": [(QUICK.seed, neighbours)]}  # the older one has no good repeatable layout
    assert [(umap["random_state"], umap["n_neighbors"]) for umap in layouts] == expected[release]
    assert not rapids.arguments_of("cuml.cluster.HDBSCAN")
    assert "cuML" not in caplog.text


def test_cumls_layout_and_tree_on_request(sessions, rapids, release, caplog):
    settings = replace(
        QUICK, embedding=replace(QUICK.embedding, layout="cuml"), clusters=replace(QUICK.clusters, tree="cuml")
    )
    run = bsoid_gpu.build(sessions[:2], fps=30, settings=settings, backend="cuda")
    assert run.model.labels > 3
    (umap,) = rapids.arguments_of("cuml.manifold.UMAP")
    assert umap.get("random_state") == {"23.12": None, "26.10": QUICK.seed}[release]
    started_at_random = isinstance(umap["init"], str) and umap["init"] == "random"
    assert started_at_random == (release == "23.12") == ("takes no initial positions" in caplog.text)
    assert ("another one each time" in caplog.text) == (release == "23.12")
    assert any("another one each time" in warning for warning in run.warnings) == (release == "23.12")
    fits = rapids.arguments_of("cuml.cluster.HDBSCAN")
    assert [fit["min_samples"] for fit in fits] == [10, 10]
    assert [fit["prediction_data"] for fit in fits] == [False, True]


@pytest.mark.parametrize("layout", ["own", "cuml"])
def test_without_a_seed_neighbours_are_exact_too(layout, rapids, release):
    points = np.random.default_rng(0).normal(size=(400, 6))
    settings = UmapSettings(neighbours=15, epochs=10, repeatable=False, layout=layout)
    cuda = get_backend("cuda")
    umap.fit(cuda.asarray(points), settings, 23, cuda)
    assert [fit["algorithm"] for fit in rapids.arguments_of("cuml.neighbors.NearestNeighbors")] == ["brute"]
    fits = rapids.arguments_of("cuml.manifold.UMAP.fit_transform")
    assert [fit.get("random_state") for fit in rapids.arguments_of("cuml.manifold.UMAP")] == [None] * len(fits)
    assert len(fits) == (layout == "cuml")
    for fit in fits:
        indices, distances = fit["knn_graph"]
        expected = nearest(points.astype(np.float32), 15)
        np.testing.assert_array_equal(cuda.to_host(distances), expected[0])
        np.testing.assert_array_equal(cuda.to_host(indices), expected[1])


def test_each_point_is_its_own_first_neighbour():
    """Points 1, 2 and 3 are equal: of their neighbours at distance 0, two were kept."""
    indices = np.array([[0, 1, 2], [1, 2, 3], [1, 2, 3], [1, 2, 3], [4, 1, 2]])
    distances = np.array([[0, 5, 5], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 4, 4]], dtype=np.float32)
    first = neighbours_cuda.itself_first(distances[:, :2], indices[:, :2])
    assert first[1].tolist() == [[0, 1], [1, 2], [2, 1], [3, 1], [4, 1]]
    first = neighbours_cuda.itself_first(distances, indices)
    assert first[1].tolist() == [[0, 1, 2], [1, 2, 3], [2, 1, 3], [3, 1, 2], [4, 1, 2]]
    assert first[0] is distances


@pytest.mark.parametrize(("section", "text"), [("embedding", "layout = 'cuml'"), ("clusters", "tree = 'cuml'")])
def test_what_only_cuml_has_is_a_warning_on_the_cpu(section, text, sessions):
    part = replace(getattr(QUICK, section), **{text.split()[0]: "cuml"})
    run = bsoid_gpu.build(sessions[:1], fps=30, settings=replace(QUICK, **{section: part}), backend="cpu")
    assert any(f"[{section}] {text} needs a GPU" in warning for warning in run.warnings)


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


def test_a_job_that_exceeds_the_free_memory_stops_before_it_starts(sessions, tmp_path, newest, monkeypatch):
    newest.free_bytes = 10**9
    done = CliRunner().invoke(
        main, ["build", *map(str, sessions[:2]), "--fps", "30", "--out", str(tmp_path / "run"), "--backend", "cuda"]
    )
    assert done.exit_code == OutOfMemory.exit_code
    assert "74 neighbours of 1,798 bins needs about 1.1 GB of device memory; 1.0 GB are free" in done.output
    assert "[embedding] neighbours" in done.output
    assert not newest.arguments_of("cuml.neighbors.NearestNeighbors")


@pytest.mark.parametrize(
    "error", [MemoryError("std::bad_alloc: out_of_memory"), RuntimeError("cudaErrorMemoryAllocation out of memory")]
)
def test_out_of_memory_errors_name_the_remedy(error, newest):
    newest.fails["cuml.cluster.HDBSCAN.fit"] = error
    cuda = get_backend("cuda")
    with pytest.raises(OutOfMemory, match=r"HDBSCAN of 400 bins needs about .* not enough: give fewer"):
        hdbscan.single_linkage(np.zeros((400, 3), dtype=np.float32), BY_CUML, cuda)


def test_other_library_errors_are_not_reported_as_out_of_memory(newest):
    newest.fails["cuml.cluster.HDBSCAN.fit"] = RuntimeError("an illegal memory access was encountered")
    cuda = get_backend("cuda")
    with pytest.raises(RuntimeError, match="illegal"):
        hdbscan.single_linkage(np.zeros((400, 3), dtype=np.float32), BY_CUML, cuda)


def clouds():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(8 * place, 1, size=(200, 3)) for place in range(3)]).astype(np.float32)


def test_cumls_tree_is_near_the_exact_one_and_read_without_the_package_hdbscan(rapids):
    points, cuda = clouds(), get_backend("cuda")
    with pytest.raises(ImportError):
        import hdbscan as _  # noqa: F401 - the stand-ins take it away
    tree, exact = (hdbscan.single_linkage(points, replace(BY_CUML, tree=tree), cuda) for tree in ("cuml", "exact"))
    assert np.array_equal(exact, hdbscan.single_linkage(points, HdbscanSettings(), CpuBackend()))
    assert tree.shape == exact.shape
    difference = np.abs(np.sort(tree[:, 2]) / np.sort(exact[:, 2]) - 1)
    assert 1e-7 < np.max(difference) < 0.2
    labels = [hdbscan_tree.cut(each, 50, "eom").labels for each in (tree, exact)]
    assert adjusted_rand_score(*labels) > 0.99


def test_the_embedding_is_centred_before_cuml_sees_it(newest):
    """Far from the origin, distances in expanded form lose their digits."""
    points, cuda = clouds(), get_backend("cuda")
    near, far = (hdbscan.single_linkage(points + shift, BY_CUML, cuda) for shift in (0, np.float32(512)))
    np.testing.assert_allclose(np.sort(far[:, 2]), np.sort(near[:, 2]), rtol=1e-3)


@pytest.mark.parametrize(("free", "batch"), [(15 * 10**9, 4096), (1_200_000_000, 4096)])
def test_memberships_by_cuml_are_those_of_its_clusters(free, batch, rapids):
    points, cuda = clouds(), get_backend("cuda")
    cut = hdbscan_tree.cut(hdbscan.single_linkage(points, BY_CUML, cuda), 50, BY_CUML.selection)
    here = hdbscan.membership_vectors(points, cut, 50, HdbscanSettings(), CpuBackend())
    rapids.free_bytes = free
    there = hdbscan.membership_vectors(points, cut, 50, BY_CUML, cuda)
    np.testing.assert_allclose(there, here, atol=1e-3)
    assert rapids.arguments_of("all_points_membership_vectors")[-1]["batch_size"] == batch


class Warnings(Monitor):
    """Collects the warnings of a computation."""

    def __init__(self):
        self.texts = []

    def warning(self, text):
        self.texts.append(text)


def test_memberships_are_those_of_the_first_fit_if_the_second_has_other_clusters(newest, monkeypatch):
    points, cuda, monitor = clouds(), get_backend("cuda"), Warnings()
    moved = points.copy()
    moved[:200] += 8  # the second fit sees two clusters
    cut = hdbscan_tree.cut(hdbscan_tree.single_linkage(points, 10), 50, BY_CUML.selection)
    here = hdbscan.membership_vectors(points, cut, 50, HdbscanSettings(), CpuBackend())
    fitted = hdbscan_cuda.fitted
    monkeypatch.setattr(hdbscan_cuda, "fitted", lambda embedding, *a, **k: fitted(moved, *a, **k))
    there = hdbscan.membership_vectors(points, cut, 50, BY_CUML, cuda, monitor)
    np.testing.assert_allclose(there, here, atol=1e-12)
    assert "other clusters" in monitor.texts[0]


@pytest.mark.parametrize(("variable", "size"), [("1", 1 << 28), ("2.5", 2_500_000_000 // 256 * 256)])
def test_a_memory_pool_of_rmm_starts_on_request_and_once(variable, size, newest, monkeypatch):
    monkeypatch.setenv("BSOID_GPU_RMM_POOL", variable)
    for _ in range(2):
        assert get_backend("cuda").describe()["memory_pool"].startswith("RMM")
    (arguments,) = newest.arguments_of("rmm.reinitialize")
    assert (arguments["pool_allocator"], arguments["initial_pool_size"]) == (True, size)
    assert newest.driver_allocations == 0


def test_a_later_request_does_not_replace_memory_in_use(newest, monkeypatch):
    assert get_backend("cuda").describe()["memory_pool"] == "CuPy"
    monkeypatch.setenv("BSOID_GPU_RMM_POOL", "1")
    assert get_backend("cuda").describe()["memory_pool"] == "CuPy"
    assert not newest.arguments_of("rmm.reinitialize")


def test_a_size_that_is_no_number_is_refused(newest, monkeypatch):
    monkeypatch.setenv("BSOID_GPU_RMM_POOL", "much")
    with pytest.raises(BadInput, match="BSOID_GPU_RMM_POOL=8"):
        get_backend("cuda")


def test_a_device_that_does_not_compute_is_refused(newest, monkeypatch):
    get_backend("cuda")
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
    get_backend("cuda")  # imports them, without their warnings
    newest.to_device.clear()
    newest.to_host.clear()
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
        cudf.DataFrame({"a": array}, nan_as_none=True)
    assert (newest.to_device, newest.to_host) == ([16], [])


def test_poses_in_memory_move_to_the_device(on_cpu, newest):
    run, _ = on_cpu
    pose, _ = simulate_session("mouse", 900, 30.0, np.random.default_rng(3))
    here, there = (bsoid_gpu.predict(run.model, pose, backend=backend)[0] for backend in ("cpu", "cuda"))
    assert np.mean(here.labels == there.labels) >= 0.999
