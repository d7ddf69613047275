"""Labelled videos: every frame, every time stamp, and what is said of each frame."""

from fractions import Fraction

import numpy as np
import pytest
from numbered_video import number_in, varying, write_numbered

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose
from bsoid_gpu.views import drawing, labelled_video
from bsoid_gpu.views.labelled_video import BAR_PX, DARK, GAP_PX, GREY, STRIP_PX, Shown, write_labelled_video
from bsoid_gpu.views.video_reading import VideoReader

av = pytest.importorskip("av")

WIDTH, HEIGHT, COUNT = 320, 240, 120
COLOURS = {0: (213, 94, 0), 1: (0, 114, 178)}
FIRST = 10  # frame of the track


def shown(label):
    return Shown(f"{label}  behaviour", "#{:02x}{:02x}{:02x}".format(*COLOURS[label]))


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "m.mp4"
    times = varying(COUNT, first=700, low=900, high=6000)
    return write_numbered(path, times, Fraction(1, 90000), width=WIDTH, height=HEIGHT, b_frames=3)


@pytest.fixture(scope="module")
def session():
    """The track begins late and ends early; 40 to 49 are unsure, 50 to 59 without the animal."""
    numbers = np.concatenate([np.arange(FIRST, 70), np.arange(75, 110)])  # with a gap
    labels = np.where(numbers < 30, 0, 1)
    labels[(numbers >= 40) & (numbers < 60)] = -1
    position = np.tile([[100.0, 100.0], [140.0, 100.0]], (len(numbers), 1, 1, 1))
    position[(numbers >= 50) & (numbers < 60)] = np.nan
    pose = Pose("m", position, np.ones(position.shape[:3]), ("m",), ("a", "b"), 30.0, frame_numbers=numbers)
    return pose, labels, np.full(len(numbers), 0.75)


@pytest.fixture(scope="module")
def result(video, session, tmp_path_factory):
    return write_labelled_video(tmp_path_factory.mktemp("result") / "out.mp4", video, *session, shown)


def expected_colour(number):
    if number < FIRST or 70 <= number < 75 or number >= 110 or 50 <= number < 60:
        return DARK
    return GREY if 40 <= number < 50 else COLOURS[0 if number < 30 else 1]


def stamps(path):
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def test_every_frame_and_time_stamp_is_kept_and_has_the_colour_of_its_label(video, result):
    assert stamps(result.path) == stamps(video)
    assert result.frames == COUNT
    with VideoReader(result.path) as reader:
        assert (reader.width, reader.height) == (WIDTH, HEIGHT + 2 * GAP_PX + STRIP_PX + BAR_PX)
        for number, frame in enumerate(reader.frames(range(COUNT))):
            assert number_in(frame[:HEIGHT]) == number
            colour = expected_colour(number)
            assert np.abs(frame[12:18, 8:16].mean(axis=(0, 1)) - colour).max() < 25, number
            line = frame[HEIGHT + GAP_PX + 4 : HEIGHT + GAP_PX + STRIP_PX - 4, WIDTH // 2 - 1 : WIDTH // 2 + 1]
            assert line.min() > 150  # the moment of the frame, in white
    assert "the last 10 have no track" in result.notes[0]


def test_what_is_written_for_each_frame(session):
    pose, labels, confidence = session
    frames = labelled_video._of_video(COUNT, pose, labels, confidence, shown)
    runs = {5: "no track", 20: "0  behaviour", 35: "1  behaviour", 45: "unsure", 55: "no animal", 72: "no track"}
    assert {number: frames.text[number] for number in runs} == runs
    assert frames.text[115] == "no track"
    assert frames.confidence[[5, 20, 45, 55, 72]].tolist() == [0, 0.75, 0, 0, 0]
    assert frames.rows[[9, 10, 69, 70, 75]].tolist() == [-1, 0, 59, -1, 60]
    for number in range(COUNT):
        assert tuple(frames.colour[number]) == expected_colour(number)


def test_a_session_without_frames_has_no_track():
    pose = Pose("m", np.zeros((0, 1, 1, 2)), np.zeros((0, 1, 1)), ("m",), ("a",), 30.0)
    frames = labelled_video._of_video(3, pose, np.zeros(0, dtype=np.int64), np.zeros(0), shown)
    assert frames.text == ["no track"] * 3


def test_the_ethogram_is_the_whole_session(result):
    with VideoReader(result.path) as reader:
        bar = reader.frame(60)[-BAR_PX // 2]
    for number in (4, 20, 35, 45, 55, 90, 115):
        column = round((number + 0.5) * WIDTH / COUNT)
        assert np.abs(bar[column].astype(int) - expected_colour(number)).max() < 45, number


def test_the_pose_is_where_the_animal_is(tmp_path, video, session, result):
    with_pose = write_labelled_video(tmp_path / "a.mp4", video, *session, shown, [(0, 1)])
    with VideoReader(with_pose.path) as one, VideoReader(result.path) as other:
        for number, expected in ((35, True), (55, False), (5, False)):
            change = np.abs(one.frame(number)[:HEIGHT].astype(int) - other.frame(number)[:HEIGHT]).max(axis=2)
            rows, columns = np.nonzero(change > 60)
            assert bool(len(rows)) == expected
            if expected:
                assert rows.min() > 90
                assert rows.max() < 110
                assert columns.min() > 90
                assert columns.max() < 150


def test_a_pose_at_the_border_or_outside_is_shown_as_far_as_it_is_seen(tmp_path, video, session):
    pose, labels, confidence = session
    position = np.tile([[-20.0, 5.0], [400.0, 300.0]], (pose.frames, 1, 1, 1))
    position[0] = 1e6
    pose = Pose("m", position, pose.confidence, ("m",), ("a", "b"), 30.0, frame_numbers=pose.frame_numbers)
    write_labelled_video(tmp_path / "out.mp4", video, pose, labels, confidence, shown, [(0, 1)])


def test_a_damaged_frame_is_replaced_by_the_one_before_and_said(tmp_path, video, session, monkeypatch):
    frame = VideoReader.frame

    def damaged(self, number):
        if number in (31, 32):
            msg = "damaged"
            raise BadInput(msg)
        return frame(self, number)

    monkeypatch.setattr(VideoReader, "frame", damaged)
    result = write_labelled_video(tmp_path / "out.mp4", video, *session, shown)
    monkeypatch.undo()
    assert stamps(result.path) == stamps(video)
    assert "2 frames of 'm.mp4' are damaged, the first is 31" in result.notes[-1]
    with VideoReader(result.path) as reader:
        assert [number_in(image[:HEIGHT]) for image in reader.frames(range(29, 35))] == [29, 30, 30, 30, 33, 34]


def test_the_video_itself_is_not_overwritten(video, session):
    before = video.read_bytes()
    with pytest.raises(BadInput, match="is the session's video itself"):
        write_labelled_video(video, video, *session, shown)
    assert video.read_bytes() == before


def test_an_interruption_leaves_nothing_behind(tmp_path, video, session, monkeypatch):
    calls = []

    def interrupted(*_, **__):
        calls.append(1)
        if len(calls) == 50:
            raise KeyboardInterrupt
        return np.zeros((15, 15, 3), dtype=np.uint8)

    monkeypatch.setattr(drawing, "text_plate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_labelled_video(tmp_path / "out.mp4", video, *session, shown)
    assert list(tmp_path.iterdir()) == []
