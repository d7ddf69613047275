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


def test_a_completed_stage_does_not_run_again(tmp_path):
    runs = []

    def compute(_):
        runs.append(1)
        return stage(1.5)

    for _ in range(2):
        with Store(tmp_path / "run") as store:
            done = store.run("features a/b\n", 1, {"seed": 1}, compute)
            assert done.arrays["x"].tolist() == [1.5] * 3
            assert done.facts == {"note": "a"}
    assert len(runs) == 1
    assert done.resumed


@pytest.mark.parametrize(("version", "inputs"), [(2, {"seed": 1}), (1, {"seed": 2})])
def test_a_stage_with_another_version_or_input_runs_again(tmp_path, version, inputs):
    with Store(tmp_path) as store:
        store.run("a", 1, {"seed": 1}, lambda _: stage(1))
        assert store.run("a", version, inputs, lambda _: stage(2)).arrays["x"][0] == 2


@pytest.mark.parametrize("file", ["arrays.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_damaged_stage_runs_again(tmp_path, file, damage):
    with Store(tmp_path) as store:
        store.run("a", 1, {}, lambda _: stage(1))
        place = tmp_path / "stages" / "a" / file
        content = place.read_bytes()
        place.write_bytes(content.replace(content[-20:], bytes(20)) if damage is None else damage)
        assert store.run("a", 1, {}, lambda _: stage(2)).arrays["x"][0] == 2


def test_a_checkpoint_is_valid_for_one_key_and_removed_with_the_complete_stage(tmp_path, monkeypatch):
    file = tmp_path / "stages" / ".a.checkpoint"

    def interrupted(checkpoint):
        assert checkpoint.read() == {}
        checkpoint.save(lambda: {"x": np.arange(3.0)})
        raise KeyboardInterrupt

    def stop(inputs):
        with Store(tmp_path) as store, pytest.raises(KeyboardInterrupt):
            store.run("a", 1, inputs, interrupted)

    def resumed_from(inputs):
        named = {}

        def compute(checkpoint):
            named.update(checkpoint.read())
            return stage(1)

        with Store(tmp_path) as store:
            store.run("a", 1, inputs, compute)
        return named

    stop({})
    assert not file.exists()  # ten seconds have not passed
    monkeypatch.setattr("bsoid_gpu.run_folder.checkpoint.EVERY_S", 0.0)
    stop({})
    assert file.exists()
    assert resumed_from({})["x"].tolist() == [0, 1, 2]
    assert not file.exists()
    stop({"seed": 1})
    assert resumed_from({"seed": 2}) == {}
    assert not file.exists()
    for damaged in (b"", bytes(100), None):
        stop({"seed": 3})
        complete = file.read_bytes()
        file.write_bytes(complete[:-1] + b"x" if damaged is None else damaged)
        assert resumed_from({"seed": 3}) == {}
        resumed_from({"seed": 4})


def test_leftovers_of_a_killed_job_are_removed(tmp_path):
    with Store(tmp_path) as store:
        store.run("a", 1, {}, lambda _: stage(1))
    (tmp_path / "stages" / ".b.part").mkdir()
    (tmp_path / ".model.part").write_text("half")
    with Store(tmp_path):
        assert [path.name for path in (tmp_path / "stages").iterdir()] == ["a"]
        assert not (tmp_path / ".model.part").exists()


def test_two_jobs_cannot_use_one_folder(tmp_path):
    code = (
        "from pathlib import Path; from bsoid_gpu.run_folder.store import Store\n"
        f"Store(Path({str(tmp_path)!r})).__enter__()"
    )
    with Store(tmp_path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another job is writing" in done.stderr
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0  # the process has released its lock


def test_a_folder_with_other_files_is_refused_and_stays_unchanged(tmp_path):
    (tmp_path / "recording.csv").write_text("mine")
    with pytest.raises(BadInput, match="no run folder"):
        Store(tmp_path).__enter__()
    assert [path.name for path in tmp_path.iterdir()] == ["recording.csv"]


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "disk is full"), (errno.EDQUOT, "quota is used up"), (errno.EROFS, "read-only")],
)
def test_a_failed_write_keeps_the_earlier_file(tmp_path, monkeypatch, number, message):
    file = tmp_path / "a.json"
    files.write_json(file, {"a": 1})

    def full(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match=message):
        files.write_json(file, {"a": 2})
    assert file.read_text() == '{\n "a": 1\n}\n'
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(BadInput, match="choose another output folder"):
            Store(folder).__enter__()


def test_pandas_reads_the_same_table_from_csv(tmp_path):
    table = pd.DataFrame({"a, b": ["x,y", 'q"', "n\nl"], "c": [1.5, np.nan, 0.1], "d": [1, 2, 3]})
    files.write_csv(tmp_path / "t.csv", table)
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "t.csv"), table, check_dtype=False)


def test_a_resumed_stage_has_the_versions_and_machine_that_computed_it(tmp_path, monkeypatch):
    with Store(tmp_path, {"name": "cpu"}) as store:
        made = store.run("a", 1, {}, lambda _: stage(1)).making
    monkeypatch.setattr("bsoid_gpu.machine.versions", lambda: {"bsoid_gpu": "99.0"})
    monkeypatch.setattr("bsoid_gpu.machine.machine", lambda: {"host": "another"})
    with Store(tmp_path, {"name": "cuda"}) as store:
        again = store.run("a", 1, {}, lambda _: stage(1))
        new = store.run("b", 1, {}, lambda _: stage(1)).making
    assert again.resumed
    assert again.making == made
    assert (new.versions, new.machine, new.backend) == ({"bsoid_gpu": "99.0"}, {"host": "another"}, {"name": "cuda"})


def test_stages_of_other_runs_are_removed(tmp_path):
    with Store(tmp_path) as store:
        for name in ("features a", "features b/c"):
            store.run(name, 1, {}, lambda _: stage(1))
    with Store(tmp_path) as store:
        store.run("features b/c", 1, {}, lambda _: stage(1))
        store.remove_others()
        assert [path.name for path in (tmp_path / "stages").iterdir()] == [files.safe_name("features b/c")]


def test_a_stage_that_could_not_be_written_is_written_by_the_next_attempt(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Store(tmp_path) as store:
        with monkeypatch.context() as disk:
            disk.setattr(os, "fsync", full)
            with pytest.raises(BadInput, match="disk is full"):
                store.run("a", 1, {}, lambda _: stage(1))
        store.run("a", 1, {}, lambda _: stage(2))
        assert store.run("a", 1, {}, lambda _: stage(3)).arrays["x"][0] == 2
