"""Grid movies: the right frames in the right cells, aligned at the first frame of the bout."""

from fractions import Fraction

import numpy as np
import pytest
from numbered_video import number_in, write_numbered

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose
from bsoid_gpu.views import drawing
from bsoid_gpu.views.cameras import SEEN_BODIES
from bsoid_gpu.views.grid_cells import PLAIN, Cell, GridBout, GridStyle, clock
from bsoid_gpu.views.grid_movies import COLUMNS, GAP_PX, TITLE_PX, GridTitle, title_bouts, write_grid_movie
from bsoid_gpu.views.video_reading import VideoReader

pytest.importorskip("av")

FRAMES, SIDE = 200, 160
BODY_PX = SIDE / SEEN_BODIES  # the camera sees the whole frame
COLOUR = (230, 159, 0)
STYLE = GridStyle(cell_px=SIDE, overlay=False, before_s=0.5, after_s=2.0, tail_s=0.25)


def session(name="m", fps=30.0, frames=FRAMES):
    """An animal that stands in the middle of the picture."""
    position = np.full((frames, 1, 2, 2), SIDE / 2)
    position[:, 0, 0, 0] -= BODY_PX / 2
    position[:, 0, 1, 0] += BODY_PX / 2
    return Pose(name, position, np.ones(position.shape[:3]), (name,), ("snout", "tail"), fps)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("videos") / "m.mp4"
    write_numbered(path, np.arange(FRAMES) * 1001, Fraction(1, 30000), width=SIDE, height=SIDE, keyframes=40)
    with VideoReader(path) as reader:
        return path, reader.index


def bout(start, stop, pose=None):
    return GridBout(pose or session(), start, stop, 0.9, BODY_PX)


def shown(cell, pictures):
    cells = [cell.picture(number) for number in range(pictures)]
    cell.close()
    return cells


def test_a_cell_shows_exactly_the_frames_around_the_onset(video):
    cell = Cell(bout(80, 100), COLOUR, STYLE, Fraction(30), video)
    pictures = shown(cell, cell.pictures)
    assert cell.pictures == round((0.5 + 20 / 30 + 0.25) * 30)
    assert [number_in(picture) for picture in pictures] == list(range(65, 65 + cell.pictures))
    for number, picture in zip(range(65, 200), pictures, strict=False):
        assert tuple(picture[SIDE // 2, 1]) == (COLOUR if 80 <= number < 100 else PLAIN)


def test_a_session_of_another_rate_is_shown_by_its_time(video):
    slow = Cell(bout(80, 100), COLOUR, STYLE, Fraction(60), video)  # 30 frames/s in a movie of 60
    assert [number_in(p) for p in shown(slow, slow.pictures)][30:50:2] == list(range(80, 90))
    fast = Cell(bout(80, 120, session(fps=60.0)), COLOUR, STYLE, Fraction(30), video)
    assert [number_in(p) for p in shown(fast, fast.pictures)][15:25] == list(range(80, 100, 2))


def test_a_long_bout_is_cut_and_after_a_short_one_the_last_picture_stays_darker(video):
    assert Cell(bout(20, 190), COLOUR, STYLE, Fraction(30), video).pictures == 75
    cell = Cell(bout(80, 83), COLOUR, STYLE, Fraction(30), video)
    *_, last, after, later = shown(cell, cell.pictures + 2)
    assert after.mean() < 0.5 * last.mean()
    np.testing.assert_array_equal(after, later)


def test_at_the_ends_of_the_video_its_first_and_last_frames_stay(video):
    cell = Cell(bout(3, 8), COLOUR, STYLE, Fraction(30), video)
    assert [number_in(picture) for picture in shown(cell, 20)][:18] == [*[0] * 12, 0, 1, 2, 3, 4, 5]
    cell = Cell(bout(195, 200), COLOUR, STYLE, Fraction(30), video)
    assert [number_in(picture) for picture in shown(cell, cell.pictures)][-4:] == [199] * 4


def test_a_damaged_frame_leaves_the_one_before(video, monkeypatch, caplog):
    cell = Cell(bout(80, 100), COLOUR, STYLE, Fraction(30), video)
    decode = VideoReader._decoded_frame

    def damaged(self, number):
        if number == 85:
            msg = "frame 85 is damaged"
            raise BadInput(msg)
        return decode(self, number)

    monkeypatch.setattr(VideoReader, "_decoded_frame", damaged)
    numbers = [number_in(picture) for picture in shown(cell, cell.pictures)]
    assert numbers[18:23] == [83, 84, 84, 86, 87]
    assert "frame 85 is damaged" in caplog.text


@pytest.mark.parametrize("count", [1, 5, 16, 20])
def test_a_movie_has_a_cell_for_each_bout_up_to_the_limit(tmp_path, video, count):
    path = tmp_path / "07-walk.mp4"
    bouts = [bout(20 + 8 * number, 24 + 8 * number) for number in range(count)]
    movie = write_grid_movie(path, GridTitle(7, "walk", "#e69f00", count), bouts, {"m": video}, STYLE)
    cells = min(count, 16)
    assert movie.cells == cells
    assert movie.pictures == round((0.5 + 4 / 30 + 0.25) * 30)
    columns = min(COLUMNS, int(np.ceil(np.sqrt(cells))))
    with VideoReader(path) as reader:
        assert reader.average_rate == 30
        assert reader.frame_count == movie.pictures
        picture = reader.frame(17)  # two frames after the onset
        rows = -(-cells // columns)
        assert reader.height == TITLE_PX + rows * (SIDE + GAP_PX) - GAP_PX
        left = (reader.width - columns * (SIDE + GAP_PX) + GAP_PX) // 2
        for place in range(cells):
            row, column = divmod(place, columns)
            y, x = TITLE_PX + row * (SIDE + GAP_PX), left + column * (SIDE + GAP_PX)
            assert number_in(picture[y : y + SIDE, x : x + SIDE]) == 22 + 8 * place
    assert [path.name for path in tmp_path.iterdir()] == ["07-walk.mp4"]


def test_a_session_without_video_shows_the_pose_alone(tmp_path, video):
    title = GridTitle(0, "rest", "#0072b2", 2)
    style = GridStyle(cell_px=SIDE, overlay=False, skeleton=[(0, 1)], front=[0], rear=[1], view="egocentric")
    bouts = [bout(80, 90), bout(80, 90, session("without"))]
    write_grid_movie(tmp_path / "v.mp4", title, bouts, {"m": video}, style)
    with VideoReader(tmp_path / "v.mp4") as reader:
        picture = reader.frame(15)
    left = (picture.shape[1] - 2 * SIDE - GAP_PX) // 2 + SIDE + GAP_PX
    right = picture[TITLE_PX:, left : left + SIDE].astype(int)
    near = np.abs(right[60:100, 20:140] - drawing.FLOOR).max(axis=2) < 12
    assert 0.8 < near.mean() < 0.99  # the floor
    blue = right[:, :, 2] - right[:, :, 0] > 60
    rows, columns = np.nonzero(blue[10:-10, 10:-10])
    assert len(rows) > 100
    assert np.ptp(rows) > 5 * np.ptp(columns)  # the animal lies across the arena, and stands upright in the cell


def test_a_behaviour_without_bouts_has_no_movie(tmp_path):
    with pytest.raises(BadInput, match="behaviour 3 has no bouts"):
        write_grid_movie(tmp_path / "v.mp4", GridTitle(3, "x", "#0072b2", 0), [], {}, STYLE)


def test_the_title_says_how_many_bouts_there_are_and_that_they_are_few():
    assert title_bouts(1, 1, 16) == "only 1 bout"
    assert title_bouts(5, 5, 16) == "only 5 bouts"
    assert title_bouts(1234, 16, 16) == "16 of 1,234 bouts"
    assert title_bouts(16, 16, 16) == "16 of 16 bouts"


def test_times_for_people():
    assert [clock(time) for time in (0, 7.25, 59.96, 62.5, 3723.04)] == [
        "0:00.0",
        "0:07.2",
        "1:00.0",
        "1:02.5",
        "1:02:03.0",
    ]
    assert clock(-1.5) == "-0:01.5"
