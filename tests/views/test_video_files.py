"""The video of a session by the names of files."""

import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.views.video_files import GivenVideos, given_videos, video_names, video_of


def touched(folder, *names):
    folder.mkdir(exist_ok=True, parents=True)
    for name in names:
        (folder / name).write_bytes(b"")
    return [folder / name for name in names]


@pytest.mark.parametrize(
    ("session", "video"),
    [
        ("mouse1", "mouse1.mp4"),
        ("mouse1DLC_resnet50_openfieldJan1shuffle1_200000", "mouse1.avi"),
        ("mouse1DLC_resnet50_openfieldJan1shuffle1_200000_filtered", "mouse1.MP4"),
        ("mouse1DeepCut_resnet50_openfieldJan1shuffle1_200000", "mouse1.mov"),
        ("m3v1DLC_dlcrnet_ms5_pigsJan1shuffle1_100000_el_filtered_pig2", "m3v1.mp4"),
        ("mouse1_superanimal_quadruped_hrnet_w32", "mouse1.mkv"),
        ("mouse1.mp4.predictions", "mouse1.mp4"),
        ("labels.v001.000_mouse1.analysis", "mouse1.webm"),
        ("cage.2024-01-05", "cage.2024-01-05.m4v"),
        ("Mouse1", "mouse1.wmv"),
    ],
)
def test_a_video_has_the_name_that_trackers_add_to(tmp_path, session, video):
    (path,) = touched(tmp_path, video)
    touched(tmp_path, "other.mp4", "mouse10.mp4", "mouse.mp4", "notes.txt")
    assert video_of(session, given_videos([tmp_path])) == (path, "")
    assert video_of(session, GivenVideos(), beside=tmp_path) == (path, "")


@pytest.mark.parametrize(
    "video",
    [
        "mouse1DLC_resnet50_openfieldJan1shuffle1_200000_labeled.mp4",
        "mouse1DLC_resnet50_openfieldJan1shuffle1_200000_filtered_p60_labeled.mp4",
        "mouse1_labeled.mp4",
        "mouse1_labelled.mp4",
        "mouse11.mp4",
        "mouse.mp4",
        "mouse1.mp4.txt",
        "._mouse1.mp4",
    ],
)
def test_other_videos_are_not_taken_for_it(tmp_path, video):
    touched(tmp_path, video)
    path, reason = video_of("mouse1", GivenVideos(files=(tmp_path / video,)), beside=tmp_path)
    assert (path, reason != "") == (None, True)


def test_several_videos_of_one_name_are_a_choice_of_the_user(tmp_path):
    first, second = touched(tmp_path, "mouse1.avi", "mouse1.mp4")
    path, reason = video_of("mouse1", given_videos([tmp_path]))
    assert path is None
    assert "2 videos" in reason
    assert str(first) in reason
    assert str(second) in reason
    assert "SESSION=FILE" in reason
    assert video_of("mouse1", given_videos([tmp_path, f"mouse1={second}"])) == (second, "")


def test_a_file_given_twice_is_one_video(tmp_path):
    (path,) = touched(tmp_path, "mouse1.mp4")
    assert video_of("mouse1", given_videos([tmp_path, path])).path == path


def test_an_exact_name_comes_before_one_of_another_case_and_given_ones_before_those_beside(tmp_path):
    touched(tmp_path / "beside", "a.mp4")
    lower, upper = touched(tmp_path / "given", "a.avi", "A.mp4")
    assert video_of("a", given_videos([tmp_path / "given"]), beside=tmp_path / "beside").path == lower
    assert video_of("A", given_videos([tmp_path / "given"])).path == upper


def test_an_animal_has_the_video_of_its_pose_file(tmp_path):
    (path,) = touched(tmp_path, "box.mp4")
    assert video_of("box_rat1", given_videos([tmp_path])).path is None
    assert video_of("box_rat1", given_videos([tmp_path]), recordings=["box"]).path == path


def test_without_a_match_the_reason_names_what_there_is(tmp_path):
    touched(tmp_path, "other.mp4")
    reason = video_of("mouse1DLC_resnet50_xJan1shuffle1_2", given_videos([tmp_path])).reason
    assert "'mouse1'" in reason
    assert "'other.mp4'" in reason
    assert "no video is given" in video_of("mouse1", GivenVideos()).reason
    assert video_of("mouse1", GivenVideos(), beside=tmp_path / "gone").path is None


def test_all_problems_of_what_is_given_are_reported_together(tmp_path):
    touched(tmp_path / "project" / "videos", "a.mp4")
    (text,) = touched(tmp_path, "a.txt")
    with pytest.raises(BadInput) as error:
        given_videos([tmp_path / "missing.mp4", text, tmp_path / "project", "mouse1=nowhere.mp4"])
    message = str(error.value)
    for part in ("missing.mp4", "a.txt", "videos", "nowhere.mp4"):
        assert part in message


def test_names_are_listed_from_the_likeliest_on():
    assert video_names(["aDLC_resnet50_xJan1shuffle1_2"]) == ["a", "aDLC_resnet50_xJan1shuffle1_2"]
