"""Sessions that are difficult: conditions of animals and cameras, and behaviours that differ in rhythm only."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.ensemble import RandomForestClassifier

from bsoid_gpu.cli.main import main
from bsoid_gpu.synthetic import mouse, tracking
from bsoid_gpu.synthetic.conditions import EASY, HARD
from bsoid_gpu.synthetic.course import course
from bsoid_gpu.synthetic.noise import low_passed
from bsoid_gpu.synthetic.repertoire import SLOW, SLOW_PAIRS, USUAL, Repertoire, TrueBehaviour, with_variants
from bsoid_gpu.synthetic.sessions import simulate, simulate_session

FPS = 20.0


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_camera_by_hand():
    position = np.array([[[350.0, 350.0], [450.0, 350.0], [350.0, 450.0]]])
    np.testing.assert_array_equal(tracking.Camera().image(position), position)
    seen = tracking.Camera(zoom=2.0, squeeze=0.5).image(position)
    np.testing.assert_allclose(seen, [[[700, 700], [800, 700], [700, 900]]])
    seen = tracking.Camera(squeeze=0.5, direction=np.pi / 2).image(position)
    np.testing.assert_allclose(seen, [[[350, 350], [450, 350], [350, 400]]])


def test_noise_has_its_spread_and_its_time_constant():
    noise = low_passed(3.0, 0.5, (200_000,), 20.0, rng())
    assert noise.std() == pytest.approx(3.0, rel=0.05)
    assert np.corrcoef(noise[10:], noise[:-10])[0, 1] == pytest.approx(np.exp(-1), abs=0.03)
    white = low_passed(3.0, 0.0, (200_000,), 20.0, rng())
    assert white.std() == pytest.approx(3.0, rel=0.05)
    assert abs(np.corrcoef(white[1:], white[:-1])[0, 1]) < 0.01
    untouched = rng()
    assert not low_passed(0.0, 0.5, (5, 2), 20.0, untouched).any()
    assert untouched.uniform() == rng().uniform()


def body_px(seed, conditions):
    pose, _ = simulate_session("m", 1200, FPS, rng(seed), conditions=conditions)
    return np.median(np.linalg.norm(pose.position[:, 0, 0] - pose.position[:, 0, 5], axis=-1))


def test_hard_animals_and_cameras_differ():
    hard = [body_px(seed, HARD) for seed in range(8)]
    easy = [body_px(seed, EASY) for seed in range(8)]
    assert max(easy) < 1.2 * min(easy)
    assert max(hard) > 1.5 * min(hard)


def test_a_zoom_is_that_of_the_whole_image():
    one, two = (
        simulate_session("m", 2400, FPS, rng(), conditions=replace(EASY, zoom=(zoom, zoom)))[0] for zoom in (1.0, 2.0)
    )
    np.testing.assert_allclose(two.position, 2 * one.position)
    np.testing.assert_array_equal(two.confidence, one.confidence)


def locomotion(conditions):
    """Share of frames of walking and running at a speed between the two, body lengths per second."""
    states = mouse.behave(12_000, FPS, rng())
    speed = course(states, FPS, rng(1), USUAL, conditions).speed
    moving = np.isin(np.array(mouse.NAMES)[states], ["walk", "run"]) & (speed > 0.5)
    return np.mean((speed[moving] > 1.6) & (speed[moving] < 2.6))


def test_hard_speeds_fill_the_gap_between_walk_and_run():
    assert locomotion(replace(EASY, blend_s=(0.0, 0.0))) == 0
    assert locomotion(replace(HARD, blend_s=(0.0, 0.0))) > 0.1


def test_hard_strokes_and_turns_are_graded_from_bout_to_bout():
    states = mouse.behave(12_000, FPS, rng())
    bouts = np.cumsum(np.diff(states, prepend=states[0]) != 0)
    names = np.array(mouse.NAMES)[states]
    for field, behaviour in (("turn", "turn_left"), ("stroke_px", "groom"), ("rate_hz", "groom")):
        spread = {}
        for conditions in (EASY, HARD):
            values = getattr(course(states, FPS, rng(1), USUAL, conditions), field)
            own = pd.Series(values[names == behaviour]).groupby(bouts[names == behaviour]).median()
            spread[conditions] = own.std() / abs(own.mean())
        assert spread[HARD] > 1.3 * spread[EASY]
        assert 0.1 < spread[HARD] < 0.8


def test_a_long_transition_by_hand():
    states = np.repeat([USUAL.names.index("still"), USUAL.names.index("groom")], 10)
    conditions = replace(EASY, blend_s=(0.4, 0.4 + 1e-9))  # 4 frames at 10 fps, centred between frames 9 and 10
    tuck = course(states, 10.0, rng(), USUAL, conditions).tuck
    np.testing.assert_allclose(tuck[7:13], [0, 0.125, 0.375, 0.625, 0.875, 1], atol=1e-6)
    assert set(tuck[:7]) == {0.0}
    assert set(tuck[13:]) == {1.0}
    short = np.repeat(states[[0, 10, 0]], [10, 2, 10])  # no transition is longer than the shorter of two bouts
    tuck = course(short, 10.0, rng(), USUAL, conditions).tuck
    np.testing.assert_allclose(tuck[8:14], [0, 0.1875, 0.8125, 0.8125, 0.1875, 0], atol=1e-6)
    one_bout = course(states[:10], 10.0, rng(), USUAL, conditions)
    assert not one_bout.tuck.any()


def test_keypoints_that_are_hidden_together_are_held():
    states = np.zeros(6000, dtype=int)
    position = 100 + np.arange(6000)[:, None, None] * np.full((6, 2), 0.05)  # moves in every frame
    conditions = replace(HARD, jitter=(), wander=(0.0, 0.0), hidden_per_s=0.0, face_per_s=0.0)
    seen, likelihood = tracking.track(position, states, FPS, rng(), conditions=conditions)
    hidden = seen != position
    assert (hidden[..., 0] == hidden[..., 1]).all()
    low = hidden[..., 0]
    assert 0.02 < low.mean() < 0.15
    assert not low[0].any()
    assert (seen[1:][low[1:]] == seen[:-1][low[1:]]).all()  # stays where it was
    assert np.median(likelihood[low]) < 0.4
    assert np.median(likelihood[~low]) > 0.98
    together = {tuple(np.flatnonzero(row)) for row in low} - {()}
    assert set(tracking.GROUPS) <= together
    assert min(map(len, together)) == 2


def test_the_errors_of_a_hard_tracker_last():
    position, states = np.full((6000, 6, 2), 350.0), np.zeros(6000, dtype=int)
    lasting = {}
    for conditions in (EASY, HARD):
        visible = replace(conditions, hidden_per_s=0.0, face_per_s=0.0, group_per_s=0.0)
        error = tracking.track(position, states, FPS, rng(), conditions=visible)[0][:, 0, 0] - 350
        lasting[conditions] = np.mean(error[20:] * error[:-20])  # px2, a second apart
    assert lasting[HARD] > 5 * max(lasting[EASY], 0.1)


def test_a_repertoire_with_variants_by_hand():
    pair = [TrueBehaviour("stroll", 1, 1), TrueBehaviour("march", 1, 1)]
    both = with_variants(USUAL, {"walk": pair})
    more = with_variants(USUAL, {"walk": pair}, often={"walk": 3.0})
    # 0.3 becomes 0.9, next to 0.7 of others: (0.45, 0.45, 0.05, ...) / 1.6
    np.testing.assert_allclose(more.follows[0, :4], [0, 0.28125, 0.28125, 0.03125])
    assert both.names[:4] == ("still", "stroll", "march", "run")
    assert both.follows[0, :4].tolist() == [0, 0.15, 0.15, 0.05]
    np.testing.assert_array_equal(both.follows[1], both.follows[2])
    for repertoire in (USUAL, SLOW, both, more):
        np.testing.assert_allclose(repertoire.follows.sum(axis=1), 1)


def quantities(pose):
    """Pair distances, their turns and displacements in each frame: (frames, 36); hidden keypoints are held."""
    position, low = pose.position[:, 0], pose.confidence[:, 0] < 0.6
    last = np.maximum.accumulate(np.where(low, 0, np.arange(len(low))[:, None]))
    position = np.take_along_axis(position, last[..., None], axis=0)
    one, other = np.triu_indices(position.shape[1], 1)
    between = position[:, one] - position[:, other]
    direction = np.arctan2(between[..., 1], between[..., 0])
    turn = (np.diff(direction, axis=0, prepend=direction[:1]) + np.pi) % (2 * np.pi) - np.pi
    displacement = np.linalg.norm(np.diff(position, axis=0, prepend=position[:1]), axis=-1)
    return np.hstack([np.linalg.norm(between, axis=-1), turn, displacement])


def test_a_rhythm_by_hand():
    trot = TrueBehaviour("trot", 10, 10, speed=1.0, turn=20.0, depth=0.5, weave=40.0, rhythm_hz=0.5)
    one = Repertoire((trot,), np.ones((1, 1)))
    steady = replace(EASY, vigour=0.0, blend_s=(0.0, 0.0))
    does = course(np.zeros(80, dtype=int), 10.0, rng(), one, steady)
    for values, least, most in ((does.speed, 0.5, 1.5), (does.weave, -40, 40)):
        assert (values.min(), values.max()) == pytest.approx((least, most), rel=0.06)
        np.testing.assert_allclose(values[20:], values[:-20])  # a cycle is 2 s
        np.testing.assert_allclose(values[10:] + values[:-10], least + most, atol=1e-9)
    assert set(does.turn) == {20.0}
    pixels = mouse.move(
        np.zeros(80, dtype=int), 10.0, mouse.Animal(100.0, 1.0), rng(), repertoire=one, conditions=steady
    )
    spine = pixels[:, 0] - pixels[:, 5]
    turns = np.degrees(np.diff(np.unwrap(np.arctan2(spine[:, 1], spine[:, 0])))) * 10
    assert turns.max() - turns.min() > 60
    assert np.ptp(np.linalg.norm(spine, axis=1)) < 1e-9  # the body stays stiff


def centred(values, width_s):
    """Mean and standard deviation of windows centred on each frame."""
    return pd.DataFrame(values).rolling(2 * round(width_s * FPS / 2) + 1, center=True, min_periods=1)


@pytest.fixture(scope="module")
def rhythms():
    """Two sessions: their features of 100 ms, those of 0.5 and 2 s, and the behaviour, every fifth frame."""
    sessions = []
    for seed in (1, 2):
        pose, behaviour = simulate_session("m", round(1800 * FPS), FPS, rng(seed), repertoire=SLOW)
        values = quantities(pose)
        long = [f(centred(values, s)) for s in (0.5, 2.0) for f in (lambda w: w.mean(), lambda w: w.std(ddof=0))]
        sessions.append((centred(values, 0.1).mean().to_numpy()[::5], np.hstack(long)[::5], behaviour[::5]))
    return sessions


@pytest.mark.parametrize("pair", SLOW_PAIRS)
def test_rhythms_can_be_seen_in_seconds_but_not_in_100_ms(rhythms, pair):
    right = []
    for scale in (0, 1):
        (x, y), (new, truth) = (
            (session[scale][np.isin(session[2], pair)], session[2][np.isin(session[2], pair)]) for session in rhythms
        )
        forest = RandomForestClassifier(50, min_samples_leaf=5, random_state=0).fit(x, y)
        labels = forest.predict(new)
        right.append(np.mean([np.mean(labels[truth == name] == name) for name in pair]))
    assert right[0] < 0.6
    assert right[1] > 0.9


def test_slow_bouts_last_seconds():
    states = mouse.behave(20_000, FPS, rng(), SLOW)
    changes = np.flatnonzero(np.diff(states)) + 1
    durations_s = np.diff(changes) / FPS
    slow = np.isin(np.array(SLOW.names)[states[changes[:-1]]], np.ravel(SLOW_PAIRS))
    assert durations_s[slow].min() >= 4
    assert np.median(durations_s[~slow]) < 2.5


def test_the_command_writes_hard_and_slow_sessions(tmp_path):
    arguments = ["simulate", str(tmp_path / "a"), "--sessions", "1", "--minutes", "3", "--fps", "10"]
    assert CliRunner().invoke(main, [*arguments, "--hard", "--slow"]).exit_code == 0
    truth = pd.read_csv(tmp_path / "a" / "truth" / "mouse1.truth.csv")["behaviour"]
    assert set(truth) >= set(np.ravel(SLOW_PAIRS))
    assert not {"walk", "groom"} & set(truth)
    (same,) = simulate(tmp_path / "b", sessions=1, minutes=3, fps=10, hard=True, slow=True)
    (easy,) = simulate(tmp_path / "c", sessions=1, minutes=3, fps=10, slow=True)
    assert same.read_bytes() == (tmp_path / "a" / "mouse1.csv").read_bytes()
    assert same.read_bytes() != easy.read_bytes()
