"""A recording that is given twice, in builds and predictions."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from quick import QUICK

import bsoid_gpu
from bsoid_gpu.errors import BadInput
from bsoid_gpu.execution.executors import Executor
from bsoid_gpu.io.sessions import sources
from bsoid_gpu.pose import Pose
from bsoid_gpu.run_folder.stages import features_digest
from bsoid_gpu.run_folder.store import Store
from bsoid_gpu.settings.schema import Input, Settings
from bsoid_gpu.synthetic.sessions import deeplabcut_csv, simulate_session
from bsoid_gpu.workflows.extraction import extract_features
from bsoid_gpu.workflows.predict import predict_files


def session(name, seed, frames=600):
    return simulate_session(name, frames, 30.0, np.random.default_rng(seed))[0]


def moved(pose, name, noise):
    position = pose.position + np.random.default_rng(0).normal(0, noise, pose.position.shape)
    return replace(pose, name=name, position=position)


@pytest.fixture
def warned(caplog):
    logging.getLogger("bsoid_gpu").propagate = True
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


def extracted(poses, cpu, folder, **settings):
    with Store(folder) as store:
        chosen = Settings(input=Input(fps=30.0, **settings))
        sessions, digests = extract_features(sources(poses), chosen, cpu, store, Executor())
        return [session.name for session in sessions], list(digests), features_digest(store)


def test_an_equal_session_is_no_part_of_the_run(cpu, tmp_path, warned):
    first, second = session("a", 1), session("b", 2)
    again = moved(first, "c", 1e-6)
    once = extracted([first, second], cpu, tmp_path / "once")
    twice = extracted([first, second, again], cpu, tmp_path / "run")
    assert once == twice  # nothing that follows depends on it
    assert twice[:2] == (["a", "b"], ["a", "b"])
    assert extracted([first, second, again], cpu, tmp_path / "run") == twice  # resumed
    (message, _) = warned("is left out")
    assert "'c'" in message
    assert "'a'" in message


def test_one_animal_of_a_file_that_is_given_again(cpu, warned):
    first, second = session("a", 1), session("b", 2)
    position = np.concatenate([first.position, second.position], axis=1)
    confidence = np.concatenate([first.confidence, second.confidence], axis=1)
    both = Pose("cage", position, confidence, ("x", "y"), first.keypoints, 30.0)
    names, digests, _ = extracted([both, first], cpu, None)
    assert names == ["cage_x", "cage_y"]
    assert digests == ["cage"]
    names, digests, _ = extracted([first, both], cpu, None)
    assert names == ["a", "cage_y"]
    assert digests == ["a", "cage"]


def test_equal_parts_of_a_recording(cpu):
    first = session("m_1", 1)
    names, digests, _ = extracted([first, replace(first, name="m_2")], cpu, None, group="^(m)_")
    assert names == digests == ["m_1"]


def test_nearly_equal_sessions_are_refused(cpu):
    poses = [session("a", 1), session("b", 2), moved(session("a", 1), "c", 1.0)]
    with pytest.raises(BadInput, match="'a' and 'c' are one recording given twice"):
        extracted(poses, cpu, None)


def test_a_part_of_another_session_is_refused(cpu):
    first = session("a", 1)
    cut = {name: getattr(first, name)[:540] for name in ("position", "confidence", "frame_numbers")}
    part = replace(first, name="c", **cut)
    with pytest.raises(BadInput, match="'a' and 'c' are one recording given twice"):
        extracted([first, session("b", 2), part], cpu, None)


def test_predictions_of_one_recording_are_warned_of_also_when_they_resume(tmp_path, warned):
    model = bsoid_gpu.build([session(f"m{i}", i, 2700) for i in range(2)], fps=30, settings=QUICK, backend="cpu").model
    poses = {"a": session("a", 1), "b": session("b", 2), "c": moved(session("a", 1), "c", 1.0)}
    for name, pose in poses.items():
        (tmp_path / f"{name}.csv").write_bytes(deeplabcut_csv(pose))
    (tmp_path / "d.csv").write_bytes(deeplabcut_csv(poses["b"]))
    out = tmp_path / "out"
    assert predict_files(model, tmp_path / "a.csv", out=out, backend="cpu") == ["a"]
    assert warned("one recording") == []
    for number in (1, 2):
        assert predict_files(model, tmp_path, out=out, backend="cpu") == ["a", "b", "c"]
        assert len(warned("'a' and 'c' are one recording given twice")) == number
        assert len(warned("d.csv' is left out: it is equal to")) == number
    record = json.loads((out / "records" / "a.json").read_text())
    assert record["tracks"]["a"]["shape"] == [60, 6, 2]
    predictions = bsoid_gpu.predict(model, [poses["a"], poses["c"]], backend="cpu")
    assert len(predictions) == 2
    assert len(warned("both are labelled")) == 3


def test_a_record_with_damaged_samples_is_written_again(tmp_path):
    model = bsoid_gpu.build([session(f"m{i}", i, 2700) for i in range(2)], fps=30, settings=QUICK, backend="cpu").model
    predict_files(model, session("a", 1), out=tmp_path, backend="cpu")
    place = tmp_path / "records" / "a.json"
    record = json.loads(place.read_text())
    place.write_text(json.dumps({**record, "tracks": {"a": {"step": 10}}}))
    predict_files(model, session("a", 1), out=tmp_path, backend="cpu")
    assert json.loads(place.read_text()) == record
