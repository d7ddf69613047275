"""Clips inside of the report page."""

import base64
from fractions import Fraction

import numpy as np
import pytest
from numbered_video import number_in, write_numbered

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose
from bsoid_gpu.views.cameras import SEEN_BODIES
from bsoid_gpu.views.page_clips import page_clip
from bsoid_gpu.views.video_reading import VideoReader
from bsoid_gpu.views.video_writing import video_writer

pytest.importorskip("av")

SIDE, FRAMES = 240, 120


def session(centre=(SIDE / 2, SIDE / 2), frames=FRAMES):
    position = np.zeros((frames, 1, 2, 2)) + np.asarray(centre, dtype=float)[..., None, None, :]
    position[:, 0, 0, 0] -= SIDE / SEEN_BODIES / 2
    position[:, 0, 1, 0] += SIDE / SEEN_BODIES / 2
    return Pose("m", position, np.ones(position.shape[:3]), ("m",), ("a", "b"), 60.0)


def content_of(url):
    kind, _, data = url.partition(",")
    assert kind == "data:video/mp4;base64"
    return base64.b64decode(data, validate=True)


@pytest.fixture
def video(tmp_path):
    path = write_numbered(tmp_path / "m.mp4", np.arange(FRAMES), Fraction(1, 60), width=SIDE, height=SIDE)
    with VideoReader(path) as reader:
        yield reader


def test_a_clip_has_the_frames_and_the_rate_and_plays_in_browsers(video, tmp_path):
    content = content_of(page_clip(video, session(), np.arange(10, 70, 2), Fraction(30)))
    assert content.index(b"moov") < content.index(b"mdat")
    (tmp_path / "clip.mp4").write_bytes(content)
    with VideoReader(tmp_path / "clip.mp4") as clip:
        assert (clip.width, clip.height, clip.average_rate) == (160, 160, 30)
        assert [number_in(frame) for frame in clip.frames(range(30))] == list(range(10, 70, 2))


def test_frames_beyond_the_ends_are_the_nearest_ones(video, tmp_path):
    (tmp_path / "clip.mp4").write_bytes(content_of(page_clip(video, session(), np.arange(-2, 3), Fraction(60))))
    with VideoReader(tmp_path / "clip.mp4") as clip:
        assert [number_in(frame) for frame in clip.frames(range(5))] == [0, 0, 0, 1, 2]


def test_detail_is_given_up_for_size(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (30, SIDE, SIDE, 3), dtype=np.uint8)
    with video_writer(tmp_path / "noise.mp4", SIDE, SIDE, Fraction(60), quality=10) as writer:
        for image in noise:
            writer.write(image)
    with VideoReader(tmp_path / "noise.mp4") as reader:
        numbers = np.arange(30)
        free = content_of(page_clip(reader, session(), numbers, Fraction(30), most_bytes=10**9))
        small = content_of(page_clip(reader, session(), numbers, Fraction(30), most_bytes=15_000))
    assert len(small) <= 15_000 < len(free)


def test_a_clip_follows_the_animal(tmp_path):
    centre = np.stack([np.linspace(40, 200, FRAMES), np.full(FRAMES, 120.0)], axis=1)
    with video_writer(tmp_path / "spot.mp4", SIDE, SIDE, Fraction(60)) as writer:
        for x, y in centre:
            image = np.full((SIDE, SIDE, 3), 40, dtype=np.uint8)
            image[int(y) - 6 : int(y) + 6, int(x) - 6 : int(x) + 6] = 240
            writer.write(image)
    with VideoReader(tmp_path / "spot.mp4") as reader:
        content = content_of(page_clip(reader, session(centre), np.arange(20, 100), Fraction(60)))
    (tmp_path / "clip.mp4").write_bytes(content)
    with VideoReader(tmp_path / "clip.mp4") as clip:
        for frame in clip.frames([20, 40, 60]):
            rows, columns = np.nonzero(frame[:, :, 0] > 180)
            assert abs(rows.mean() - 80) < 3
            assert abs(columns.mean() - 80) < 3


def test_a_clip_without_frames_is_refused(video):
    with pytest.raises(BadInput, match="without frames"):
        page_clip(video, session(), np.arange(0), Fraction(30))
