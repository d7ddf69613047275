import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bsoid_gpu.cli.main import main
from bsoid_gpu.estimators import hdbscan, perceptron, random_forest, umap
from bsoid_gpu.estimators.base import JobSize
from bsoid_gpu.estimators.hdbscan import HdbscanSettings
from bsoid_gpu.estimators.random_forest import RandomForestSettings
from bsoid_gpu.io import Outline
from bsoid_gpu.settings.schema import Features, Input, Settings, Validation
from bsoid_gpu.synthetic.sessions import simulate
from bsoid_gpu.workflows import cost

SETTINGS = Settings(input=Input(fps=60.0))
ALONE = replace(SETTINGS, validation=Validation(stability=False))  # as the measured jobs were
FILE = Outline(frames=108_000, keypoints=tuple("abcdef"), individuals=1, size=37_000_000)


def test_size_counts_files_bins_and_columns():
    job = cost.size([FILE] * 4, SETTINGS)
    assert (job.files, job.bins, job.training_bins, job.columns) == (4, 72_000, 72_000, 36)
    two_animals = FILE._replace(individuals=2)
    assert cost.size([two_animals], SETTINGS).bins == 36_000


def test_several_time_scales_have_more_columns_which_cost_time_and_memory():
    several = replace(SETTINGS, features=Features(scales_s=(0.5, 2.0)))
    job, wide = cost.size([FILE] * 4, SETTINGS), cost.size([FILE] * 4, several)
    assert wide.columns == 5 * job.columns
    plain, features = cost.on_cpu(job, SETTINGS, 1)[0], cost.on_cpu(wide, several, 1)[0]
    # measured on one core: 0.27 s more for each file of 108,000 frames, whose rows of 18,000 bins take 26 MB
    assert 0.5 < (features.seconds - plain.seconds) / (4 * 0.27) < 2
    assert 26 < features.memory_mb - plain.memory_mb < 80
    assert cost.on_cuda(wide, several)[0].memory_mb > cost.on_cuda(job, SETTINGS)[0].memory_mb
    roles = replace(SETTINGS, features=Features(roles=tuple("abcdef")))
    assert cost.size([FILE], roles).columns == 7


def test_other_models_cost_time_and_memory_side_by_side():
    job = cost.size([FILE] * 4, SETTINGS)

    def other(cores, **changes):
        steps = cost.on_cpu(job, replace(SETTINGS, **changes), cores)
        return next((step for step in steps if step.name == "other models"), None)

    steps = {step.name: step for step in cost.on_cpu(job, SETTINGS, 1)}
    fits = steps["embedding"].seconds + steps["clusters"].seconds + 2 / 13 * steps["classifier"].seconds
    assert other(1).seconds == pytest.approx(fits)  # the second model, which shows the stability
    assert other(1, validation=Validation(stability=False)) is None
    assert other(1, models=5).seconds == pytest.approx(4 * fits)
    assert other(2, models=5).seconds == pytest.approx(2 * fits)
    assert other(8, models=5).seconds < 1.1 * fits
    assert 1.6 < other(2, models=5).memory_mb / other(1, models=5).memory_mb < 2.2
    assert cost.on_cuda(job, SETTINGS)[-1].memory_mb == cost.on_cuda(job, SETTINGS)[1].memory_mb


def test_beyond_the_subsample_only_reading_and_writing_take_longer():
    few, many = (cost.on_cpu(cost.size([FILE] * n, SETTINGS), SETTINGS, 2) for n in (20, 100))
    ratio = {a.name: b.seconds / a.seconds for a, b in zip(few, many, strict=True)}
    assert ratio["embedding"] == ratio["clusters"] == ratio["classifier"] == 1
    assert 3 < ratio["features"] <= 5
    assert 3 < ratio["tables"] <= 5
    assert [step.memory_mb for step in few] == [step.memory_mb for step in many]


def test_more_cores_and_a_faster_machine_take_less_time():
    job = cost.size([FILE] * 4, SETTINGS)

    def seconds(*arguments):
        return sum(step.seconds for step in cost.on_cpu(job, SETTINGS, *arguments))

    assert seconds(1) > seconds(2) > seconds(16) > 0
    assert seconds(2, cost.Speed(2.0, 2.0)) == pytest.approx(seconds(2) / 2)
    assert seconds(2) / 2 < seconds(2, cost.Speed(products=2.0)) < seconds(2)
    assert all(0.05 < speed < 20 for speed in cost.speed())


def test_no_time_is_estimated_for_a_gpu():
    job = cost.size([FILE] * 4, SETTINGS)
    report = cost.report(cost.on_cuda(job, SETTINGS), job)
    assert "time on a GPU has not been measured" in report
    assert "GB" in report


def test_the_report_names_the_subsample():
    job = cost.size([FILE] * 4, replace(SETTINGS, max_training_bins=10_000))
    report = cost.report(cost.on_cpu(job, SETTINGS, 2), job)
    assert "a subsample of 10,000 is embedded" in report
    assert "it compiles" in report


def test_dry_run_writes_nothing(tmp_path):
    simulate(tmp_path / "sessions", sessions=2, minutes=1.5, fps=30.0, seed=1)
    out = tmp_path / "run"
    done = CliRunner().invoke(
        main, ["build", str(tmp_path / "sessions"), "--fps", "30", "--out", str(out), "--dry-run", "--backend", "cpu"]
    )
    assert done.exit_code == 0, done.stderr
    assert "embedding" in done.stdout
    assert not out.exists()


MEASURED = json.loads((Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "scale.json").read_text())
# largest mean of |log(planned / measured)| of each stage over the measured jobs
LARGEST_ERROR = {"features": 0.33, "embedding": 0.1, "clusters": 0.2, "classifier": 0.25}
CONSTANTS = [
    (cost, "PARSE_S"), (cost, "WORKERS_START_S"), (cost, "TABLE_S"), (umap, "EPOCH_S"), (umap, "BIN_S"),
    (umap, "NEIGHBOUR_S"), (umap, "EVENT_S"), (umap, "PAIR_S"), (hdbscan, "START_S"), (hdbscan, "TREE_S"),
    (perceptron, "WEIGHT_S"),
]  # fmt: skip


def estimates_are_near():
    """Whether the estimates of the measured jobs are near the measurements."""
    errors = {stage: [] for stage in LARGEST_ERROR}
    for job in MEASURED["jobs"].values():
        steps = cost.on_cpu(cost.Size(**job["size"]), ALONE, MEASURED["machine"]["cores"])
        without_page = [step.seconds for step in steps if step.name != "labels, page"]  # as measured
        total = sum(without_page) / job["build_median_s"]
        memory = max(step.memory_mb for step in steps) / job["build_peak_memory_mb"]
        least = 0.8 if job["bins"] < 10_000 else 0.85  # short jobs are noisy
        if not (least < total < 1.25 and 0.85 < memory < 1.2):
            return False
        for step in steps:
            if step.name in errors:
                errors[step.name].append(abs(math.log(step.seconds / job["stages_median_s"][step.name])))
    return all(sum(errors[stage]) / len(errors[stage]) < largest for stage, largest in LARGEST_ERROR.items())


def test_estimates_are_near_the_measurements():
    assert estimates_are_near()


@pytest.mark.parametrize("factor", [10.0, 0.1])
@pytest.mark.parametrize(("module", "constant"), CONSTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_constant_wrong_by_a_factor_of_ten_is_detected(module, constant, factor, monkeypatch):
    monkeypatch.setattr(module, constant, factor * getattr(module, constant))
    assert not estimates_are_near()


def test_the_reference_is_a_core_of_these_years():
    products_s, steps_s = cost.REFERENCE_S
    operations = 4 * 2 * 512**3  # of four products of matrices
    comparisons = 2**16 * 16  # of a sort by merging
    assert 20e9 < operations / products_s < 300e9
    assert 1e-9 < steps_s / comparisons < 20e-9


# measured, fits to 36 columns and 30 labels: bins, seconds on one core of the reference machine, MB
FORESTS = [(300, 0.22, 2.5), (5_000, 3.2, 29.6), (20_000, 16.6, 88.5), (60_000, 54.6, 188.0)]
HDBSCANS_MB = [(36_000, 41.0), (144_000, 158.0)]


@pytest.mark.parametrize(("bins", "seconds", "megabytes"), FORESTS)
def test_the_cost_of_a_forest_is_near_the_measured_one(bins, seconds, megabytes):
    expected = random_forest.cost(JobSize(bins, 36, 30), RandomForestSettings())
    assert 0.5 < expected.serial_s / seconds < 2
    assert 0.4 < expected.host_bytes / 1e6 / megabytes < 2


@pytest.mark.parametrize(("bins", "megabytes"), HDBSCANS_MB)
def test_the_memory_of_hdbscan_is_near_the_measured_one(bins, megabytes):
    assert 0.5 < hdbscan.cost(JobSize(bins, 36, 30), HdbscanSettings()).host_bytes / 1e6 / megabytes < 2
