"""The CUDA backend on a real device: ``pytest -m gpu --require-gpu``."""

import numpy as np
import pytest

import bsoid_gpu
from bsoid_gpu.doctor import selfcheck
from bsoid_gpu.estimators import hdbscan, umap
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.hdbscan_tree import cut
from bsoid_gpu.estimators.umap import UmapSettings
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.method.session_features import session_features
from bsoid_gpu.settings.schema import Input, Settings
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
            scale = np.abs(here.features).max(axis=0)
            np.testing.assert_allclose(cuda.to_host(there.features) / scale, here.features / scale, atol=1e-9)
            assert (there.quality, there.notes) == (here.quality, here.notes)


def test_the_same_seed_gives_the_same_bytes(cuda):
    scaled = np.random.default_rng(0).normal(size=(3000, 36))
    on_device = cuda.asarray(scaled)
    first, second = (cuda.to_host(umap.fit(on_device, UmapSettings(), 23, cuda)) for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert np.isfinite(first).all()


def test_trees_and_memberships_equal_those_of_the_cpu(clouds, cpu, cuda):
    linkage = hdbscan.single_linkage(cuda.asarray(clouds), 10, cuda)
    on_cpu = hdbscan.single_linkage(clouds, 10, cpu)
    np.testing.assert_allclose(np.sort(linkage[:, 2]), np.sort(on_cpu[:, 2]), rtol=1e-4)
    clusters, settings = cut(linkage, 200, "eom"), HdbscanSettings()
    here, there = (hdbscan.membership_vectors(b.asarray(clouds), clusters, 200, settings, b) for b in (cpu, cuda))
    assert here.shape == there.shape == (len(clouds), 5)
    assert np.mean(np.argmax(here, axis=1) == np.argmax(there, axis=1)) > 0.999


def test_build_repeats_and_its_model_predicts_on_both_backends(sessions, tmp_path, cpu, cuda):
    runs = [bsoid_gpu.build(sessions[:2], fps=60, backend="cuda") for _ in range(2)]
    assert runs[0].model.to_bytes() == runs[1].model.to_bytes()
    assert runs[0].scores["held_out_random"] > 0.8
    runs[0].model.save(tmp_path / "model.safetensors")
    here, there = (
        bsoid_gpu.predict(tmp_path / "model.safetensors", sessions[2], backend=backend)[0]
        for backend in ("cpu", "cuda")
    )
    assert np.mean(here.labels == there.labels) >= 0.999


def test_the_backend_describes_its_device(cuda):
    description = cuda.describe()
    assert float(description["memory_gb"]) > 1
    assert float(description["capability"]) >= 6.0
    assert description["card"]
