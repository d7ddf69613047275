import numpy as np
import pytest
from moving_animals import pose_of

from bsoid_gpu.behaviours.body import body_length_px, body_of
from bsoid_gpu.io import read_pose


def walking(points, seed=0, frames=400, fps=50.0):
    """Positions of points (forward, right) of a rigid body that walks forward and turns, image with y down."""
    rng = np.random.default_rng(seed)
    heading = np.cumsum(rng.normal(0, 0.05, frames))
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=1)
    right = np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    centre = np.cumsum(2.0 * forward, axis=0)
    points = np.asarray(points, dtype=float)
    position = centre[:, None] + points[:, 0, None] * forward[:, None] + points[:, 1, None] * right[:, None]
    return position + rng.normal(0, 0.2, position.shape)


MOUSE = {
    "nose": (50, 0),
    "left_ear": (35, -12),
    "right_ear": (35, 12),
    "center": (0, 0),
    "left_hip": (-25, -15),
    "right_hip": (-25, 15),
    "tail_base": (-45, 0),
    "tail_tip": (-110, 3),
}


def body(points, **options):
    return body_of([pose_of(walking(list(points.values()), **options), keypoints=tuple(points))])


def test_roles_by_name():
    mouse = body(MOUSE)
    assert (mouse.front, mouse.rear, mouse.axis_from) == ((0,), (6,), "names")
    assert mouse.trunk == (3, 4, 5, 6)
    assert 7 not in mouse.points  # the tip of the tail moves on its own
    assert mouse.front_noun == "nose"
    assert mouse.notes == ()


def test_the_camera_is_above_if_the_named_right_is_clockwise_of_the_heading():
    assert body(MOUSE).view == "above"
    below = {name: (x, -y) for name, (x, y) in MOUSE.items()}
    assert body(below).view == "below"
    assert body(below).right_sign == -1
    assert body({name: MOUSE[name] for name in ("nose", "center", "tail_base")}).view == "assumed above"


def test_without_names_the_axis_is_the_longest_and_leads_when_the_animal_walks():
    unnamed = body({"p1": (-45, 0), "p2": (0, 5), "p3": (50, 0), "p4": (0, -5)})
    assert (unnamed.front, unnamed.rear, unnamed.axis_from) == ((2,), (0,), "data")
    assert "taken from the data" in unnamed.notes[0]
    assert unnamed.front_noun == "front"


def test_an_end_that_has_no_name_is_the_farthest_point():
    half = body({"nose": (50, 0), "p1": (10, 5), "p2": (-40, 0)})
    assert (half.front, half.rear, half.axis_from) == ((0,), (2,), "data")


def test_an_animal_that_moves_in_no_direction_of_its_body_has_no_axis():
    rng = np.random.default_rng(0)
    place = np.cumsum(rng.normal(0, 3, (2000, 2)), axis=0)
    position = place[:, None] + np.array([[20.0, 0.0], [-20.0, 0.0]]) + rng.normal(0, 0.1, (2000, 2, 2))
    body = body_of([pose_of(position, keypoints=("a", "b"))])
    assert (body.front, body.rear, body.axis_from) == ((), (), "none")
    assert "nothing is said about directions" in body.notes[0]
    assert body_length_px([pose_of(position, keypoints=("a", "b"))], body) == pytest.approx(40, abs=0.5)


def test_limbs_without_named_sides_get_them_from_where_they_are():
    points = {"snout": (50, 0), "forepaw1": (20, 15), "forepaw2": (20, -15), "tailbase": (-50, 0)}
    body_ = body(points)
    assert (body_.fore.noun, body_.fore.left, body_.fore.right) == ("forepaws", 2, 1)
    assert body_.view == "assumed above"


def test_points_of_the_arena_and_of_the_tail_are_no_body():
    points = MOUSE | {"corner_1": (500, 0)}
    assert max(body(points).points) == 6
    assert all(8 not in line for line in body(points).skeleton)


def test_body_length_is_the_distance_of_front_and_rear():
    pose = pose_of(walking(list(MOUSE.values())), keypoints=tuple(MOUSE))
    assert body_length_px([pose, pose], body_of([pose])) == pytest.approx(95, abs=1)
    still = pose_of(np.zeros((10, 2, 2)), keypoints=("nose", "tail_base"))
    assert body_length_px([still], body_of([still])) == 1.0


def test_skeleton_of_a_mouse_by_hand():
    lines = body(MOUSE).skeleton
    # nose to centre to tail base; ears to the nose, hips to the tail base, the tip of the tail behind
    assert set(lines) == {(0, 3), (3, 6), (0, 1), (0, 2), (4, 6), (5, 6), (6, 7)}


@pytest.mark.parametrize("count", [2, 3, 7, 30])
@pytest.mark.parametrize("space", [2, 3])
def test_any_number_of_points_has_a_skeleton_that_is_a_tree(count, space):
    rng = np.random.default_rng(count)
    position = rng.normal(0, 30, (1, count, space)) + np.cumsum(rng.normal(0, 1, (300, 1, space)), axis=0)
    lines = body_of([pose_of(position, keypoints=tuple(f"p{i}" for i in range(count)))]).skeleton
    assert len(lines) == count - 1
    reached = {0}
    for _ in lines:
        reached |= {i for line in lines if reached & set(line) for i in line}
    assert reached == set(range(count))


def test_3d_has_no_camera_side():
    position = np.concatenate([walking(list(MOUSE.values())), np.zeros((400, 8, 1))], axis=2)
    body = body_of([pose_of(position, keypoints=tuple(MOUSE))])
    assert (body.view, body.right_sign, body.front) == ("none", 1, (0,))


@pytest.mark.parametrize(
    ("file", "front", "rear", "view"),
    [
        ("open_field_60hz/raw_clip2DLC*.csv", "Snout", "Butt/Proximal Tail", "below"),
        ("elevated_plus_maze_30hz/Video1*.csv", "Snout/Head", "Tailbase", "assumed above"),
        ("freezing_50hz/demo1_tracking.csv", "Nose", "Tailbase", "above"),
        ("ugly/demo5_tracking.csv", "Nose", "Tailbase", "above"),
    ],
)
def test_real_recordings(recordings, cpu, file, front, rear, view):
    (path,) = recordings.glob(file)
    pose = read_pose(path, 50.0, cpu)
    body = body_of([pose])
    assert [pose.keypoints[i] for i in (*body.front, *body.rear)] == [front, rear]
    assert body.view == view


def test_a_fly_has_legs_and_wings(recordings, cpu):
    pose = read_pose(recordings / "formats/sleap/predictions.analysis.h5", 25.0, cpu).tracks()[0]
    body = body_of([pose])
    names = pose.keypoints
    assert [names[i] for i in (*body.front, *body.rear)] == ["head", "abdomen"]
    assert (body.fore.noun, body.hind.noun, body.other.noun) == ("forelegs", "hindlegs", "wings")
    assert {names[i] for i in body.other.keypoints} == {"wingL", "wingR"}


def test_a_middle_by_name_is_on_the_axis_though_the_body_is_curved():
    points = {"nose": (50, 0), "mid_back": (0, 22), "tail_base": (-45, 0)}
    assert set(body(points).skeleton) == {(0, 1), (1, 2)}


def test_paws_alone_have_no_front():
    points = {"paw1LH_top": (-20, -10), "paw2LF_top": (20, -10), "paw3RF_top": (20, 10), "paw4RH_top": (-20, 10)}
    paws = body(points)
    assert (paws.front, paws.rear, paws.axis_from) == ((), (), "none")
    assert paws.trunk == paws.points == (0, 1, 2, 3)


def test_legs_are_no_trunk_where_the_body_has_a_middle():
    fly = {"head": (20, 0), "thorax": (0, 0), "abdomen": (-25, 0), "hindlegL": (-20, -20), "hindlegR": (-20, 20)}
    assert body(fly).trunk == (1, 2)
    mouse = {"nose": (50, 0), "hindpaw_left": (-20, -15), "hindpaw_right": (-20, 15), "tail_base": (-40, 0)}
    assert body(mouse).trunk == (1, 2, 3)
