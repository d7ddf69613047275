"""The CUDA backend on a real device: ``pytest -m gpu --require-gpu``."""

import sys
from dataclasses import replace

import numpy as np
import pytest

import bsoid_gpu
from bsoid_gpu.doctor import comparisons, selfcheck, tolerances
from bsoid_gpu.doctor.job import run
from bsoid_gpu.estimators import hdbscan, umap
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.estimators.umap_cuda import repeats_well
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.settings.schema import Input, Settings, Validation
from bsoid_gpu.synthetic.sessions import simulate

pytestmark = pytest.mark.gpu
RECORDINGS = {"open_field_60hz": 60.0, "elevated_plus_maze_30hz": 30.0, "freezing_50hz": 50.0}


@pytest.fixture(scope="module")
def sessions(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("sessions"), sessions=3, minutes=3, fps=60.0, seed=1)


@pytest.fixture(scope="module")
def clouds():
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(8 * place, 1, size=(700, 3)) for place in range(5)]).astype(np.float32)


@pytest.fixture
def _no_hdbscan(monkeypatch):
    """The package hdbscan cannot be imported, as where RAPIDS alone is installed."""
    monkeypatch.setitem(sys.modules, "hdbscan", None)


def test_selfcheck_passes(cpu, cuda):
    results = selfcheck.check(cpu, cuda)
    assert all(result.passed for result in results), [result.text for result in results]


@pytest.mark.parametrize("folder", RECORDINGS)
def test_features_and_quality_of_real_recordings_equal_those_of_the_cpu(folder, recordings, cpu, cuda):
    if not (recordings / folder).is_dir():
        pytest.skip(f"no recordings in {recordings / folder}")
    settings = Settings(input=Input(fps=RECORDINGS[folder]))
    for source in sources(recordings / folder):
        for here, there in zip(
            *(
                session_features(source.read().tracks(settings.input.fps, b), settings.input.fps, settings, b)
                for b in (cpu, cuda)
            ),
            strict=True,
        ):
            result = comparisons.features(here.features, cuda.to_host(there.features))
            assert result.passed, result.text
            assert (there.quality, there.notes) == (here.quality, here.notes)


@pytest.mark.parametrize("number", [55, 300])  # cuML selects more than 256 in another way
def test_neighbours_are_exact_also_among_repeated_rows(number, cuda):
    rows = np.random.default_rng(0).normal(size=(4000, 36)).astype(np.float32)
    rows[3000:3100], rows[3100:] = rows[0], rows[:900]
    for there, here in zip(umap.exact_neighbours(rows, number, cuda), nearest(rows, number), strict=True):
        np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize("layout", ["own", "cuml"])
def test_the_same_seed_gives_the_same_bytes(layout, cuda):
    if layout == "cuml" and not repeats_well(cuda):
        pytest.skip("cuML repeats no seed before release 26.02")
    on_device = cuda.asarray(np.random.default_rng(0).normal(size=(3000, 36)))
    settings = UmapSettings(layout=layout)
    first, second, other = (cuda.to_host(umap.fit(on_device, settings, seed, cuda)) for seed in (23, 23, 24))
    assert first.tobytes() == second.tobytes() != other.tobytes()
    assert np.isfinite(first).all()


@pytest.mark.usefixtures("_no_hdbscan")
def test_the_exact_tree_and_its_memberships_are_those_of_the_cpu(clouds, cpu, cuda):
    here, there = (hdbscan.fit(clouds, HdbscanSettings(), 0, backend) for backend in (cpu, cuda))
    np.testing.assert_array_equal(there.hard, here.hard)
    np.testing.assert_array_equal(there.membership, here.membership)
    assert there.sweep == here.sweep


@pytest.mark.usefixtures("_no_hdbscan")
def test_the_tree_of_cuml_is_close_to_the_exact_one_and_not_the_same(clouds, cpu, cuda):
    approximate = HdbscanSettings(tree="cuml")
    exact, linkage = (hdbscan.single_linkage(clouds, approximate, backend) for backend in (cpu, cuda))
    result = comparisons.heights(exact, linkage)
    assert result.passed, result.text
    assert result.measured > tolerances.EQUAL_HEIGHTS.value, "these are not the float32 distances of cuML"
    here, there = (hdbscan.fit(clouds, approximate, 0, backend) for backend in (cpu, cuda))
    assert here.membership.shape == there.membership.shape == (len(clouds), 5)
    result = comparisons.memberships("", *(np.argmax(fitted.membership, axis=1) for fitted in (here, there)))
    assert result.passed, result.text


def test_build_repeats_and_its_model_predicts_on_both_backends(sessions, tmp_path, cpu, cuda):
    settings = Settings(validation=Validation(stability=False))
    runs = [bsoid_gpu.build(sessions[:2], fps=60, settings=settings, backend="cuda") for _ in range(2)]
    assert runs[0].model.to_bytes() == runs[1].model.to_bytes()
    assert runs[0].scores["held_out_random"] > 0.8
    runs[0].model.save(tmp_path / "model.safetensors")
    here, there = (
        bsoid_gpu.predict(tmp_path / "model.safetensors", sessions[2], backend=backend)[0].labels
        for backend in ("cpu", "cuda")
    )
    result = comparisons.equal_labels("", here, there, "frames")
    assert result.passed, result.text


def test_our_own_layout_is_as_good_as_on_the_cpu(cpu, cuda):
    settings = replace(selfcheck.SETTINGS, embedding=UmapSettings(layout="own"))
    results = selfcheck.compare(run(selfcheck.recordings(settings=settings), cpu), cuda)
    assert all(result.passed for result in results), [result.text for result in results]


def test_the_backend_describes_its_device(cuda):
    description = cuda.describe()
    assert float(description["memory_gb"]) > 1
    assert float(description["capability"]) >= 6.0
    assert description["card"]
