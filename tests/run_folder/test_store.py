import errno
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from bsoid_gpu import files
from bsoid_gpu.errors import BadInput
from bsoid_gpu.run_folder.store import Stage, Store


def stage(value):
    return Stage({"x": np.full(3, value)}, {"note": "a"})


def test_a_finished_stage_does_not_run_again(tmp_path):
    runs = []

    def compute(_):
        runs.append(1)
        return stage(1.5)

    for _ in range(2):
        with Store(tmp_path / "run") as kept:
            done = kept.run("features a/b\n", 1, {"seed": 1}, compute)
            assert done.arrays["x"].tolist() == [1.5] * 3
            assert done.facts == {"note": "a"}
    assert len(runs) == 1
    assert done.resumed


@pytest.mark.parametrize(("version", "inputs"), [(2, {"seed": 1}), (1, {"seed": 2})])
def test_another_version_or_input_runs_again(tmp_path, version, inputs):
    with Store(tmp_path) as kept:
        kept.run("a", 1, {"seed": 1}, lambda _: stage(1))
        assert kept.run("a", version, inputs, lambda _: stage(2)).arrays["x"][0] == 2


@pytest.mark.parametrize("file", ["arrays.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_damaged_stage_runs_again(tmp_path, file, damage):
    with Store(tmp_path) as kept:
        kept.run("a", 1, {}, lambda _: stage(1))
        place = tmp_path / "stages" / "a" / file
        content = place.read_bytes()
        place.write_bytes(content.replace(content[-20:], bytes(20)) if damage is None else damage)
        assert kept.run("a", 1, {}, lambda _: stage(2)).arrays["x"][0] == 2


def test_a_checkpoint_is_of_one_result_and_goes_with_it(tmp_path, monkeypatch):
    left = tmp_path / "stages" / ".a.checkpoint"

    def stopped(checkpoint):
        assert checkpoint.read() == {}
        checkpoint.save(lambda: {"x": np.arange(3.0)})
        raise KeyboardInterrupt

    def stop(inputs):
        with Store(tmp_path) as kept, pytest.raises(KeyboardInterrupt):
            kept.run("a", 1, inputs, stopped)

    def found(inputs):
        told = {}

        def compute(checkpoint):
            told.update(checkpoint.read())
            return stage(1)

        with Store(tmp_path) as kept:
            kept.run("a", 1, inputs, compute)
        return told

    stop({})
    assert not left.exists()  # ten seconds have not gone by
    monkeypatch.setattr("bsoid_gpu.run_folder.checkpoint.EVERY_S", 0.0)
    stop({})
    assert left.exists()
    assert found({})["x"].tolist() == [0, 1, 2]
    assert not left.exists()
    stop({"seed": 1})
    assert found({"seed": 2}) == {}
    assert not left.exists()
    for damaged in (b"", bytes(100), None):
        stop({"seed": 3})
        whole = left.read_bytes()
        left.write_bytes(whole[:-1] + b"x" if damaged is None else damaged)
        assert found({"seed": 3}) == {}
        found({"seed": 4})


def test_leftovers_of_a_killed_job_are_removed(tmp_path):
    with Store(tmp_path) as kept:
        kept.run("a", 1, {}, lambda _: stage(1))
    (tmp_path / "stages" / ".b.part").mkdir()
    (tmp_path / ".model.part").write_text("half")
    with Store(tmp_path):
        assert [path.name for path in (tmp_path / "stages").iterdir()] == ["a"]
        assert not (tmp_path / ".model.part").exists()


def test_two_jobs_on_one_folder(tmp_path):
    code = (
        "from pathlib import Path; from bsoid_gpu.run_folder.store import Store\n"
        f"Store(Path({str(tmp_path)!r})).__enter__()"
    )
    with Store(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another job is writing" in done.stderr
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0  # the lock went with its process


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "recording.csv").write_text("mine")
    with pytest.raises(BadInput, match="no run folder"):
        Store(tmp_path).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["recording.csv"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota is used up"), (errno.EROFS, "read-only")],
)
def test_a_disk_that_takes_no_more_leaves_the_earlier_file(tmp_path, monkeypatch, number, words):
    file = tmp_path / "a.json"
    files.write_json(file, {"a": 1})

    def full(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match=words):
        files.write_json(file, {"a": 2})
    assert file.read_text() == '{\n "a": 1\n}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_path_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(BadInput, match="choose another output folder"):
            Store(folder).__enter__()


def test_csv_as_pandas_reads_it(tmp_path):
    table = pd.DataFrame({"a, b": ["x,y", 'q"', "n\nl"], "c": [1.5, np.nan, 0.1], "d": [1, 2, 3]})
    files.write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), table, check_dtype=False)


def test_a_stage_keeps_the_versions_and_the_machine_of_its_own_making(tmp_path, monkeypatch):
    with Store(tmp_path, {"name": "cpu"}) as kept:
        made = kept.run("a", 1, {}, lambda _: stage(1)).making
    monkeypatch.setattr("bsoid_gpu.machine.versions", lambda: {"bsoid_gpu": "99.0"})
    monkeypatch.setattr("bsoid_gpu.machine.machine", lambda: {"host": "another"})
    with Store(tmp_path, {"name": "cuda"}) as kept:
        again = kept.run("a", 1, {}, lambda _: stage(1))
        new = kept.run("b", 1, {}, lambda _: stage(1)).making
    assert again.resumed
    assert again.making == made
    assert (new.versions, new.machine, new.backend) == ({"bsoid_gpu": "99.0"}, {"host": "another"}, {"name": "cuda"})


def test_stages_that_are_no_part_of_the_run_are_removed(tmp_path):
    with Store(tmp_path) as kept:
        for name in ("features a", "features b/c"):
            kept.run(name, 1, {}, lambda _: stage(1))
    with Store(tmp_path) as kept:
        kept.run("features b/c", 1, {}, lambda _: stage(1))
        kept.remove_others()
        assert [path.name for path in (tmp_path / "stages").iterdir()] == [files.safe_name("features b/c")]
