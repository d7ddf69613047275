"""The commands that write movies, and films in the page."""

import base64
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from commands import refused, run
from numbered_video import number_in, write_numbered
from page_reading import data_of

from bsoid_gpu.behaviours.names_file import load_names
from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger
from bsoid_gpu.run_folder.labelled import load_session
from bsoid_gpu.run_folder.model_file import load_model
from bsoid_gpu.views.grid_cells import GridStyle
from bsoid_gpu.views.video_files import given_videos
from bsoid_gpu.views.video_reading import VideoReader
from bsoid_gpu.workflows import movies
from bsoid_gpu.workflows.films import with_films
from bsoid_gpu.workflows.labelled_sessions import with_names
from bsoid_gpu.workflows.naming import Change, change_names
from bsoid_gpu.workflows.session_videos import pose_files

pytest.importorskip("av")

SMALL = GridStyle(cells=4, cell_px=80, after_s=0.5, before_s=0.2)


@pytest.fixture
def video(reported):
    """A video of the first session, the number of the frame modulo 256 in each."""
    frames = load_session(reported / "run/labels", "mouse0").pose.frames
    (reported / "videos").mkdir()
    path = reported / "videos/mouse0.mp4"
    return write_numbered(path, np.arange(frames) * 1001, Fraction(1, 30000), width=64, height=64, keyframes=60)


def test_every_behaviour_with_bouts_has_a_movie_and_the_table_lists_its_cells(reported, video, caplog):
    caplog.set_level("INFO", logger.name)
    change_names(reported / "run", [Change(0, "name", "walk"), Change(2, "hidden", True)], [([3, 4], "groom")])
    out = movies.clips(reported / "run", None, reported / "out", videos=[video.parent], style=SMALL)
    table = pd.read_csv(out / "clips.csv")
    names = load_names(reported / "run/behaviours.toml", *_model(reported))
    tables = [pd.read_csv(reported / f"run/labels/mouse{i}.labels.csv") for i in range(2)]
    present = {names.of(label).number for one in tables for label in one["label"] if label >= 0} - {2}
    assert set(table["behaviour"]) == present
    assert sorted(path.name for path in out.iterdir()) == sorted([*table["movie"].unique(), "clips.csv"])
    assert table.loc[table["behaviour"] == 0, "movie"].unique().tolist() == ["00-walk.mp4"]
    assert table.loc[table["behaviour"] == 3, "name"].unique().tolist() == ["groom"]
    assert table.groupby("movie")["cell"].max().max() == 4
    for row in table.itertuples():
        labels = tables[int(row.session[-1])].set_index("frame")["label"]
        inside = {names.of(label).number for label in labels[row.start_frame : row.stop_frame - 1]}
        assert inside == {row.behaviour}
        assert (row.session == "mouse0") == (row.video == str(video))
    for movie in table["movie"].unique():
        with VideoReader(out / movie) as reader:
            assert reader.average_rate == 30
    if missing := {one.number for one in names.behaviours} - present - {2}:
        assert f"label {min(missing)}: no bouts in these sessions" in caplog.text
    assert "1 of 2 sessions show the pose alone, without a video; the first: mouse1: no video" in caplog.text


def _model(reported):
    model = load_model(reported / "run")
    return model.digest(), model.labels


def test_the_commands_write_what_is_asked_for(reported, video):
    out = reported / "movies"
    assert run("clips", reported / "run", "--out", out, "--behaviours", "0", "--cells", 2).strip() == str(out)
    assert sorted(path.name for path in out.iterdir()) == ["00.mp4", "clips.csv"]
    target = reported / "new/folder/labelled.mp4"
    options = ("--session", "mouse0", "--video", video, "--out", target, "--skeleton")
    assert run("video", reported / "run", *options).strip() == str(target)
    session = load_session(reported / "run/labels", "mouse0")
    with VideoReader(target) as reader, VideoReader(video) as before:
        assert reader.frame_count == session.pose.frames
        np.testing.assert_allclose(reader.times_s, before.times_s, atol=1e-12)


def test_what_cannot_be_shown_is_refused(reported, video):
    folder, out = reported / "run", reported / "out"
    assert "no label 99" in refused("clips", folder, "--out", out, "--behaviours", "99")
    assert "--behaviours 3,7" in refused("clips", folder, "--out", out, "--behaviours", "walk")
    assert "1 to 64" in refused("clips", folder, "--out", out, "--cells", 0)
    assert "does not exist" in refused("clips", folder, "--out", out, "--videos", reported / "nowhere")
    for name, file, part in (("mouse9", video, "did you mean"), ("mouse0", reported / "no.mp4", "no.mp4")):
        assert part in refused("video", folder, "--session", name, "--video", file, "--out", out / "v.mp4")
    assert not list(reported.glob("out/*.mp4"))


def test_a_video_that_cannot_be_read_is_a_warning_and_the_pose_is_shown(reported, video, caplog):
    video.write_bytes(b"no video")
    out = movies.clips(reported / "run", None, reported / "out", videos=[video], behaviours=[0], style=SMALL)
    assert "mouse0.mp4" in caplog.text
    assert pd.read_csv(out / "clips.csv")["video"].isna().all()


def test_the_part_of_a_session_around_a_bout_is_enough(reported):
    pose = load_session(reported / "run/labels", "mouse0").pose
    part = movies.around(pose, 300, 330, GridStyle())
    assert part.frame_numbers[0] == 300 - 45
    assert part.frame_numbers[-1] == 330 + 45 - 1
    np.testing.assert_array_equal(part.position, pose.position[part.frame_numbers])


def test_the_pose_file_of_an_animal_is_known(reported):
    labelled = with_names(reported / "run")
    assert pose_files(labelled) == {"mouse0": ["mouse0"], "mouse1": ["mouse1"]}


def test_films_show_the_frames_of_the_clips_of_the_page(reported, video, tmp_path):
    clips = data_of(reported / "run/report.html")["clips"]
    labelled = with_names(reported / "run")
    filmed = with_films(labelled, clips, given_videos([video]), page_bytes=120_000)
    with_film = [clip for clip in filmed if clip["video"]]
    assert with_film
    assert {clip["session"] for clip in with_film} == {0}
    assert {clip["label"] for clip in with_film} == {clip["label"] for clip in clips if clip["session"] == 0}
    assert sum(len(clip["video"]) for clip in with_film) < 120_000 * 1.5
    for before, after in zip(clips, filmed, strict=True):
        assert {**after, "video": None} == before
    for clip in with_film[:3]:
        (tmp_path / "film.mp4").write_bytes(base64.b64decode(clip["video"].partition(",")[2]))
        with VideoReader(tmp_path / "film.mp4") as reader:
            assert reader.frame_count == clip["position"]["shape"][0]
            assert float(reader.average_rate) == pytest.approx(clip["fps"])


def test_the_sample_video_carries_its_numbers(video):
    with VideoReader(video) as reader:
        assert number_in(reader.frame(300)) == 300 % 256
        with pytest.raises(BadInput):
            reader.frame(reader.frame_count)
