"""Frames by their number: exact, whatever the time stamps are."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered_video import BRIGHT, DARK, number_in, numbered, packets_of, varying, write_numbered

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose
from bsoid_gpu.views.video_reading import OUTSIDE, VideoReader, differences

av = pytest.importorskip("av")

COUNT = 72
STEADY = np.arange(COUNT)
CASES = {
    "film.mp4": (STEADY * 1001, Fraction(1, 24000), {}),
    "ntsc.mp4": (STEADY * 1001, Fraction(1, 30000), {}),
    "60.mp4": (STEADY, Fraction(1, 60), {}),
    "60-in-milliseconds.mkv": (np.round(STEADY * 1000 / 60), Fraction(1, 1000), {}),
    "ntsc-from-a-second-on.ts": (STEADY * 3003 + 90000, Fraction(1, 90000), {}),
    "varying.mp4": (varying(COUNT, first=900), Fraction(1, 15360), {}),
    "varying.mkv": (varying(COUNT, low=5, high=90), Fraction(1, 1000), {}),
    "varying.mov": (varying(COUNT, seed=2), Fraction(1, 600), {}),
    "open-groups.mp4": (STEADY, Fraction(1, 30), {"open_groups": True, "b_frames": 3}),
    "one-keyframe.mp4": (STEADY, Fraction(1, 30), {"keyframes": 1000}),
    "all-keyframes.avi": (STEADY, Fraction(1, 30), {"codec": "mjpeg", "pixels": "yuvj420p", "b_frames": 0}),
    "old.avi": (STEADY, Fraction(1, 30), {"codec": "mpeg4", "b_frames": 0}),
    "b-frames-without-times.avi": (STEADY, Fraction(1, 30), {}),
    "no-times.h264": (STEADY, Fraction(1, 30), {}),
    "old.mpg": (STEADY, Fraction(1, 30), {"codec": "mpeg2video"}),
    "web.webm": (varying(COUNT, low=5, high=90), Fraction(1, 1000), {"codec": "libvpx-vp9", "b_frames": 0}),
    "old.wmv": (STEADY, Fraction(1, 30), {"codec": "wmv2", "b_frames": 0}),
}


@pytest.fixture(scope="module", params=CASES)
def case(request, tmp_path_factory):
    pts, time_base, options = CASES[request.param]
    if options.get("codec", "libx264") not in av.codecs_available:
        pytest.skip(f"no encoder {options.get('codec', 'libx264')} here")
    path = write_numbered(tmp_path_factory.mktemp("videos") / request.param, pts, time_base, **options)
    return path, pts * time_base


def test_every_frame_is_exact_in_any_order(case):
    path, _ = case
    rng = np.random.default_rng(0)
    orders = [list(range(COUNT)), rng.permutation(COUNT).tolist(), sorted(rng.integers(0, COUNT, 20).tolist()), [5, 5]]
    with VideoReader(path) as reader:
        assert reader.frame_count == COUNT
        assert (reader.width, reader.height) == (160, 120)
        for order in orders:
            assert [number_in(frame) for frame in reader.frames(order)] == order
    for number in (0, 1, COUNT // 2, COUNT - 1):  # a reader that begins anywhere
        with VideoReader(path) as reader:
            assert number_in(reader.frame(number)) == number


def test_times_are_those_of_the_file(case):
    path, times = case
    with VideoReader(path) as reader:
        if path.suffix in (".h264", ".avi", ".wmv", ".mpg"):  # these have a rate at most
            assert np.all(np.diff(reader.times_s) > 0)
            return
        np.testing.assert_allclose(reader.times_s, (times - times[0]).astype(float), atol=6e-4)  # MKV: milliseconds
        if path.suffix in (".mp4", ".mov", ".ts"):
            exact = [(int(pts) - int(reader.index.pts[0])) * reader.index.time_base for pts in reader.index.pts]
            assert exact == list(times - times[0])


def test_rates_are_exact(tmp_path):
    for name, rate in (("film.mp4", Fraction(24000, 1001)), ("ntsc.mp4", Fraction(30000, 1001)), ("60.mp4", 60)):
        pts, time_base, options = CASES[name]
        with VideoReader(write_numbered(tmp_path / name, pts, time_base, **options)) as reader:
            assert reader.average_rate == rate


def test_the_samples_have_frames_in_another_order_than_they_are_shown(tmp_path):
    """Else the tests above would prove less."""
    for name in ("film.mp4", "varying.mp4", "open-groups.mp4"):
        pts, time_base, options = CASES[name]
        stamps = [time for time, _ in packets_of(write_numbered(tmp_path / name, pts, time_base, **options))]
        assert stamps != sorted(stamps)


def test_seeking_by_number_and_rate_is_wrong_where_this_is_exact(tmp_path):
    """The usual way, time = number / rate, shows another frame for most numbers of a video of varying rate."""
    path = write_numbered(tmp_path / "varying.mp4", varying(COUNT, seed=4, first=4000), Fraction(1, 15360))
    with VideoReader(path) as reader:
        rate = reader.average_rate
        exact = [number_in(frame) for frame in reader.frames(range(COUNT))]
    usual = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for number in range(COUNT):
            wanted = int(number / rate / stream.time_base)
            container.seek(wanted, stream=stream)
            for frame in container.decode(stream):
                if frame.pts >= wanted:
                    break
            usual.append(number_in(frame.to_ndarray(format="rgb24")))
    assert exact == list(range(COUNT))
    assert np.mean(np.array(usual) != np.arange(COUNT)) > 0.5


@settings(max_examples=12)
@given(
    steps=st.lists(st.integers(1, 4000), min_size=20, max_size=40),
    first=st.integers(0, 20000),
    keyframes=st.integers(1, 15),
    b_frames=st.integers(0, 4),
    order=st.randoms(use_true_random=False),
)
def test_any_times_and_groups_are_exact(tmp_path_factory, steps, first, keyframes, b_frames, order):
    path = tmp_path_factory.mktemp("any") / "any.mp4"
    write_numbered(
        path, first + np.cumsum(steps), Fraction(1, 12800), keyframes=keyframes, b_frames=b_frames, width=64, height=64
    )
    numbers = list(range(len(steps)))
    order.shuffle(numbers)
    with VideoReader(path) as reader:
        assert [number_in(frame) for frame in reader.frames(numbers)] == numbers


def test_frames_that_an_edit_list_hides_are_not_counted(tmp_path):
    """The list of the file is changed so that it begins 20 frames later, in the middle of a group."""
    path = write_numbered(tmp_path / "cut.mp4", STEADY, Fraction(1, 30))
    content = bytearray(path.read_bytes())
    place = content.index(b"elst") + 4 + 4 + 4 + 4  # version and flags, number of entries, duration
    media_time = int.from_bytes(content[place : place + 4], "big")
    content[place : place + 4] = (media_time + 20 * 512).to_bytes(4, "big")  # 15360 units of a second
    path.write_bytes(content)
    with av.open(str(path)) as container:
        oracle = [number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert oracle == list(range(20, COUNT))
    with VideoReader(path) as reader:
        assert reader.frame_count == COUNT - 20
        assert [number_in(frame) for frame in reader.frames([30, 0, 51])] == [50, 20, 71]


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_video_of_a_turned_phone_is_upright(tmp_path, degrees):
    if not hasattr(av.video.stream.VideoStream, "set_display_rotation"):
        pytest.skip("this PyAV cannot write a rotation")
    path = write_numbered(tmp_path / "phone.mp4", STEADY[:20], Fraction(1, 30), rotation=degrees)
    with VideoReader(path) as reader:
        assert (reader.width, reader.height) == ((120, 160) if degrees != 180 else (160, 120))
        for number in (0, 7, 19):
            turned = reader.frame(number)
            assert turned.shape == (reader.height, reader.width, 3)
            assert number_in(np.rot90(turned, -degrees // 90)) == number  # it was turned counterclockwise
            part = reader.part(number, (3, 5, 60, 50))
            np.testing.assert_array_equal(part, turned[5:50, 3:60])


@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p", "yuv444p"])
@pytest.mark.parametrize("box", [(0, 0, 160, 120), (11, 7, 52, 99), (10, 6, 50, 40), (101, 61, 160, 120)])
def test_a_part_is_that_of_the_frame(tmp_path, pixels, box):
    path = write_numbered(tmp_path / "v.mp4", STEADY[:6], Fraction(1, 30), pixels=pixels)
    with VideoReader(path) as reader:
        left, top, right, bottom = box
        whole, part = reader.frame(3), reader.part(3, box)
        difference = np.abs(whole[top:bottom, left:right].astype(int) - part)
        assert difference[2:-2, 2:-2].max() <= 1
        assert difference.mean() < 0.5


def test_beyond_the_border_a_part_is_grey(tmp_path):
    with VideoReader(write_numbered(tmp_path / "v.mp4", STEADY[:6], Fraction(1, 30))) as reader:
        part = reader.part(5, (-10, -20, 170, 130))
        assert part.shape == (150, 180, 3)
        np.testing.assert_array_equal(part[20:140, 10:170], reader.frame(5))
        part[20:140, 10:170] = OUTSIDE
        assert np.all(part == OUTSIDE)
        assert np.all(reader.part(5, (500, 500, 510, 505)) == OUTSIDE)


def test_a_frame_beyond_the_end_is_refused(tmp_path):
    path = write_numbered(tmp_path / "short.mp4", STEADY[:6], Fraction(1, 30))
    with VideoReader(path) as reader:
        for number in (6, -1, 1000):
            with pytest.raises(BadInput, match=rf"short\.mp4.*frame {number}.*6 frames"):
                reader.frame(number)
        assert number_in(reader.frame(5)) == 5


def test_a_damaged_frame_is_refused_and_the_others_are_exact(tmp_path):
    options = {"codec": "mjpeg", "pixels": "yuvj420p", "b_frames": 0}
    path = write_numbered(tmp_path / "damaged.mkv", STEADY * 33, Fraction(1, 1000), **options)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        place, size = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size][40]
    start = content.index(b"\xff\xd8", place)
    content[start : start + size] = bytes(size)
    path.write_bytes(content)
    with VideoReader(path) as reader:
        assert reader.frame_count == COUNT
        for _ in range(2):
            with pytest.raises(BadInput, match=r"damaged\.mkv.*frame 40 of 72"):
                reader.frame(40)
            assert [number_in(frame) for frame in reader.frames([39, 41, 71, 0])] == [39, 41, 71, 0]


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_file_that_is_no_video_is_refused_by_name(tmp_path, damage):
    path = write_numbered(tmp_path / "bad.mp4", STEADY[:6], Fraction(1, 30))
    content = path.read_bytes()
    path.write_bytes({"cut": content[: len(content) // 2], "text": b"no video\n" * 100, "empty": b""}[damage])
    with pytest.raises(BadInput, match=r"bad\.mp4"):
        VideoReader(path)
    with pytest.raises(BadInput, match=r"missing\.mp4"):
        VideoReader(tmp_path / "missing.mp4")


def test_a_file_without_video_is_refused(tmp_path):
    path = tmp_path / "sound.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        stream.layout = "mono"
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = 44100, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadInput, match=r"sound\.mp4.*no video"):
        VideoReader(path)


def session(frame_numbers):
    numbers = np.asarray(frame_numbers)
    position = np.zeros((len(numbers), 1, 2, 2))
    return Pose("m", position, np.ones(position.shape[:3]), ("m",), ("a", "b"), 30.0, frame_numbers=numbers)


def test_a_video_with_other_frames_than_the_track_is_said(tmp_path):
    with VideoReader(write_numbered(tmp_path / "v.mp4", STEADY[:6], Fraction(1, 30))) as reader:
        assert differences(reader, session(range(6))) == ""
        assert differences(reader, session([3, 5])) == ""
        longer = differences(reader, session(range(9)))
        assert "6 frames" in longer
        assert "frame 8: 3 of its frames" in longer
        shorter = differences(reader, session(range(4)))
        assert "ends with frame 3" in shorter
        assert "last 2" in shorter


def test_the_numbers_of_the_samples_survive_compression():
    assert [number_in(numbered(number)) for number in range(256)] == list(range(256))
    assert {int(value) for value in np.unique(numbered(77))} >= {BRIGHT, DARK}
