import hashlib

import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import read_pose
from bsoid_gpu.synthetic import mouse
from bsoid_gpu.synthetic.sessions import simulate, simulate_session


@pytest.fixture(scope="module")
def session():
    """Five minutes at 60 fps: behaviour (frames,) and true positions of the keypoints."""
    rng = np.random.default_rng(0)
    states = mouse.behave(18_000, 60.0, rng)
    return np.array(mouse.NAMES)[states], mouse.move(states, 60.0, mouse.Animal(110.0, 1.0), rng), states


def inner(behaviour, name):
    """Frames inside bouts of a behaviour, away from transitions."""
    same = behaviour == name
    return np.convolve(same, np.ones(25), mode="same") > 24.5


def test_every_behaviour_occurs_for_realistic_times(session):
    behaviour, _, _ = session
    assert set(behaviour) == set(mouse.NAMES)
    assert len(mouse.NAMES) >= 7
    changes = np.flatnonzero(behaviour[1:] != behaviour[:-1])
    durations_s = np.diff(changes) / 60
    assert durations_s.min() >= 0.45
    assert 1.0 < np.median(durations_s) < 3.0


def test_speed_separates_still_walk_and_run(session):
    behaviour, position, _ = session
    speed = np.linalg.norm(np.diff(position[:, 5], axis=0), axis=1) * 60
    mean = {name: speed[inner(behaviour, name)[1:]].mean() for name in ("still", "walk", "run")}
    assert mean["still"] < 5
    assert 60 < mean["walk"] < 200
    assert mean["run"] > 1.8 * mean["walk"]


def test_left_lowers_the_heading_and_right_raises_it(session):
    behaviour, position, _ = session
    axis = position[:, 0] - position[:, 5]
    heading = np.unwrap(np.arctan2(axis[:, 1], axis[:, 0]))
    rate = np.diff(heading, append=heading[-1]) * 60
    assert np.degrees(rate[inner(behaviour, "turn_left")].mean()) < -120
    assert np.degrees(rate[inner(behaviour, "turn_right")].mean()) > 120


def test_a_rear_shortens_the_visible_body(session):
    behaviour, position, _ = session
    length = np.linalg.norm(position[:, 0] - position[:, 5], axis=1)
    assert length[inner(behaviour, "rear")].mean() < 0.7 * length[inner(behaviour, "still")].mean()


def test_grooming_forepaws_stroke_at_the_face(session):
    behaviour, position, _ = session
    groom, still = inner(behaviour, "groom"), inner(behaviour, "still")
    to_snout = np.linalg.norm(position[:, 1] - position[:, 0], axis=1)
    assert to_snout[groom].mean() < 0.6 * to_snout[still].mean()
    path = np.linalg.norm(np.diff(position[:, 1], axis=0, append=position[-1:, 1]), axis=1) * 60
    assert path[groom].mean() > 100


@pytest.mark.parametrize("fps", [10, 29.97, 60, 200])
def test_a_second_is_a_second_at_any_frame_rate(fps):
    rng = np.random.default_rng(3)
    states = mouse.behave(round(300 * fps), fps, rng)
    tail = mouse.move(states, fps, mouse.Animal(110.0, 1.0), rng)[:, 5]
    speed = np.linalg.norm(np.gradient(tail, 1 / fps, axis=0), axis=1)
    behaviour = np.array(mouse.NAMES)[states]
    assert set(behaviour) == set(mouse.NAMES)
    for name, body_lengths_s in (("walk", 1.1), ("run", 3.6)):
        assert np.median(speed[behaviour == name]) == pytest.approx(110 * body_lengths_s, rel=0.15)
    changes = np.flatnonzero(states[1:] != states[:-1])
    assert 1.5 < np.diff(changes).mean() / fps < 3.0


@pytest.mark.parametrize("fps", [10, 29.97, 60, 200])
def test_a_tracker_works_at_any_frame_rate(fps):
    pose, behaviour = simulate_session("m", 900, fps, np.random.default_rng(1))
    assert pose.position.shape == (900, 1, 6, 2)
    assert len(behaviour) == 900
    assert (pose.position >= 0).all()
    assert (pose.position <= mouse.ARENA_PX).all()
    assert (pose.confidence >= 0).all()
    assert (pose.confidence <= 1).all()


def test_a_hidden_keypoint_jumps_and_its_likelihood_drops():
    pose, _ = simulate_session("m", 18_000, 60, np.random.default_rng(2))
    low = pose.confidence[:, 0] < 0.6
    assert 0.01 < low.mean() < 0.12
    moved = np.linalg.norm(np.diff(pose.position[:, 0], axis=0), axis=-1)
    assert np.median(moved[low[1:]]) > 5 * np.median(moved[~low[1:]])


def test_the_same_arguments_give_the_same_files_whatever_their_number(tmp_path, cpu):
    two = simulate(tmp_path / "a", sessions=2, minutes=0.2, fps=29.97, seed=4)
    three = simulate(tmp_path / "b", sessions=3, minutes=0.2, fps=29.97, seed=4)
    for first, second in zip(two, three, strict=False):
        assert first.read_bytes() == second.read_bytes()
    assert two[0].read_bytes() != two[1].read_bytes()
    pose = read_pose(two[0], 29.97, cpu)
    assert pose.keypoints == mouse.KEYPOINTS
    assert pose.frames == 360
    truth = pd.read_csv(tmp_path / "a" / "truth" / "mouse1.truth.csv")
    assert truth["frame"].tolist() == list(range(360))
    assert set(truth["behaviour"]) <= set(mouse.NAMES)


def test_the_sessions_of_a_seed_stay_what_they_were(tmp_path):
    simulate(tmp_path, sessions=2, minutes=0.2, fps=30, seed=0)
    digest = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in tmp_path.rglob("*.csv")}
    assert digest == {
        "mouse1.csv": "258d24c904556fa6",
        "mouse2.csv": "b676bff614d836ec",
        "mouse1.truth.csv": "7779ed8d5fc4bfc7",
        "mouse2.truth.csv": "4a79fc5b215f46c9",
    }


def test_the_header_is_that_of_deeplabcut(tmp_path):
    (path,) = simulate(tmp_path, sessions=1, minutes=0.1, fps=10)
    scorer, parts, coords, first = [line.split(",") for line in path.read_text().splitlines()[:4]]
    assert scorer == ["scorer", *["DLC_simulated"] * 18]
    assert parts == ["bodyparts", *np.repeat(mouse.KEYPOINTS, 3)]
    assert coords == ["coords", *["x", "y", "likelihood"] * 6]
    assert first[0] == "0"
    assert len(first) == 19
    table = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    assert table.shape == (60, 18)
    assert table.notna().all(axis=None)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"sessions": 0}, "--sessions"),
        ({"fps": 9.0}, "frame rate"),
        ({"fps": float("nan")}, "frame rate"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": float("inf")}, "minutes"),
        ({"seed": -1}, "seed"),
    ],
)
def test_numbers_out_of_range(tmp_path, options, text):
    with pytest.raises(BadInput, match=text):
        simulate(tmp_path / "new", **options)
    assert not (tmp_path / "new").exists()


def test_existing_sessions_are_not_overwritten(tmp_path):
    simulate(tmp_path, sessions=1, minutes=0.1)
    before = (tmp_path / "mouse1.csv").read_bytes()
    with pytest.raises(BadInput, match="another folder"):
        simulate(tmp_path, sessions=1, minutes=0.1, seed=1)
    assert (tmp_path / "mouse1.csv").read_bytes() == before


def test_an_existing_truth_is_not_overwritten(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "mouse2.truth.csv").write_text("scored by hand")
    with pytest.raises(BadInput, match=r"mouse2\.truth\.csv: choose another folder"):
        simulate(tmp_path, sessions=2, minutes=0.1)
    assert [path.name for path in tmp_path.iterdir()] == ["truth"]
    assert (tmp_path / "truth" / "mouse2.truth.csv").read_text() == "scored by hand"
