"""Written videos: complete, playable, with exact times."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered_video import number_in, numbered, varying

from bsoid_gpu.errors import BadInput
from bsoid_gpu.log import logger
from bsoid_gpu.views import encoders
from bsoid_gpu.views.video_reading import VideoReader
from bsoid_gpu.views.video_writing import video_writer

av = pytest.importorskip("av")

RATE = Fraction(30)


def written(path, pts, time_base, *, width=160, height=120):
    with video_writer(path, width, height, RATE, time_base=time_base) as writer:
        for number, time in enumerate(pts):
            writer.write(numbered(number, width, height), int(time))
    return writer


def times(path):
    """Exact times, and the numbers, by PyAV alone."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    return [frame.pts * frame.time_base for frame in frames], [
        number_in(frame.to_ndarray(format="rgb24")) for frame in frames
    ]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".m4v"])
@pytest.mark.parametrize(
    ("pts", "time_base"),
    [
        (np.arange(40), Fraction(1001, 24000)),
        (np.arange(40) * 1001, Fraction(1, 30000)),
        (np.arange(40), Fraction(1, 60)),
        (varying(40, first=12345), Fraction(1, 90000)),
        (np.arange(40) + 7, Fraction(1001, 30000)),
        (varying(40, low=3, high=90), Fraction(1, 1000)),
    ],
)
def test_times_are_exact_and_every_frame_is_there(tmp_path, suffix, pts, time_base):
    path = tmp_path / f"v{suffix}"
    written(path, pts, time_base)
    assert times(path) == ([int(time) * time_base for time in pts], list(range(40)))


@settings(max_examples=8)
@given(
    steps=st.lists(st.integers(1, 100_000), min_size=1, max_size=12),
    denominator=st.sampled_from([24, 600, 1000, 12800, 24000, 90000]),
    first=st.integers(0, 5000),
)
def test_any_times_are_exact(tmp_path_factory, steps, denominator, first):
    path, pts = tmp_path_factory.mktemp("any") / "v.mp4", first + np.cumsum([0, *steps])
    written(path, pts, Fraction(1, denominator), width=64, height=64)
    assert times(path) == ([Fraction(int(time), denominator) for time in pts], list(range(len(pts))))


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60)])
def test_without_times_pictures_follow_at_the_rate(tmp_path, rate):
    with video_writer(tmp_path / "v.mp4", 160, 120, rate) as writer:
        for number in range(30):
            writer.write(numbered(number))
    assert times(tmp_path / "v.mp4")[0] == [number / rate for number in range(30)]
    with VideoReader(tmp_path / "v.mp4") as reader:
        assert reader.average_rate == rate


def test_it_plays_in_browsers(tmp_path):
    """H.264 or another codec of browsers, 4:2:0, even sizes, the index before the frames."""
    path = tmp_path / "v.mp4"
    writer = written(path, np.arange(20), 1 / RATE, width=161, height=121)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (162, 122)
        assert stream.pix_fmt == "yuv420p"
        assert stream.codec_context.name in ("h264", "vp9", "av1")
        frame = next(container.decode(stream)).to_ndarray(format="rgb24")
    assert np.abs(frame[:121, :161].astype(int) - numbered(0, 161, 121)).mean() < 4
    assert writer.encoder in {encoder.name for encoder in encoders.ENCODERS}


def test_colours_survive(tmp_path):
    colours = [(200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 240, 240), (10, 10, 10)]
    with video_writer(tmp_path / "v.mp4", 64, 64, RATE) as writer:
        for colour in colours:
            writer.write(np.full((64, 64, 3), colour, dtype=np.uint8))
    with VideoReader(tmp_path / "v.mp4") as reader:
        for frame, colour in zip(reader.frames(range(5)), colours, strict=True):
            assert np.abs(frame.mean(axis=(0, 1)) - colour).max() < 8


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_or_is_interrupted_leaves_nothing_behind(tmp_path, error):
    (tmp_path / "v.mp4").write_bytes(b"before")

    def interrupted():
        with video_writer(tmp_path / "v.mp4", 160, 120, RATE) as writer:
            for number in range(60):
                writer.write(numbered(number))
            raise error

    with pytest.raises(error):
        interrupted()
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]
    assert (tmp_path / "v.mp4").read_bytes() == b"before"


def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"'v\.gif'.*\.mp4"), video_writer(tmp_path / "v.gif", 8, 8, RATE):
        pass
    with pytest.raises(BadInput, match="cannot write"), video_writer(tmp_path / "no" / "v.mp4", 64, 64, RATE) as writer:
        writer.write(numbered(0, 64, 64))
    with pytest.raises(BadInput, match="without pictures"), video_writer(tmp_path / "v.mp4", 64, 64, RATE):
        pass
    with pytest.raises(BadInput, match="expected 64 x 64"), video_writer(tmp_path / "v.mp4", 64, 64, RATE) as writer:
        writer.write(numbered(0, 64, 60))
    with pytest.raises(BadInput, match="not after"):
        written(tmp_path / "v.mp4", [3, 3], 1 / RATE)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def only(monkeypatch):
    """Leaves some encoders."""

    def leave(*names):
        known = {encoder.name: encoder for encoder in encoders.ENCODERS}
        monkeypatch.setattr(encoders, "ENCODERS", tuple(known.get(name, encoders.Encoder(name)) for name in names))
        encoders.first_that_works.cache_clear()

    yield leave
    encoders.first_that_works.cache_clear()


@pytest.mark.parametrize("name", ["libx264", "libvpx-vp9", "mpeg4"])
def test_the_next_encoder_is_used_where_one_is_missing_or_does_not_open(tmp_path, only, name, caplog):
    if name not in av.codecs_available:
        pytest.skip(f"no {name} here")
    caplog.set_level("INFO", logger.name)
    only("no_such_encoder", "gif", name)  # the second exists, but cannot encode this format
    writer = written(tmp_path / "v.mp4", np.arange(20) * 1001, Fraction(1, 30000))
    assert writer.encoder == name
    assert times(tmp_path / "v.mp4") == ([Fraction(n * 1001, 30000) for n in range(20)], list(range(20)))
    assert f"written with {name}: no_such_encoder is not in this build of FFmpeg; gif does not work" in caplog.text


def test_without_an_encoder_the_reasons_are_named(tmp_path, only):
    only("no_such_encoder", "gif")
    with pytest.raises(BadInput, match=r"no_such_encoder is not .*gif does not work"):
        written(tmp_path / "v.mp4", np.arange(3), 1 / RATE)
    assert list(tmp_path.iterdir()) == []
