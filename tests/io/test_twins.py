"""A recording counts once."""

import logging
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import dlc
import numpy as np
import pandas as pd
import pytest

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import find_sessions, twins
from bsoid_gpu.io.session_twins import twin_sentences, twins_among
from bsoid_gpu.io.track_names import track_name
from bsoid_gpu.method.same_track import sample

NET = "DLC_resnet50_openJan1shuffle1_1000"


@pytest.fixture
def messages(caplog):
    """Warnings of the log, with those of lower level on request."""
    logging.getLogger("bsoid_gpu").propagate = True
    caplog.set_level("INFO", "bsoid_gpu")

    def of(level=logging.WARNING):
        return [record.getMessage() for record in caplog.records if record.levelno == level]

    return of


def write_hdf5(path, values, keypoints=dlc.NAMES):
    columns = pd.MultiIndex.from_product(
        [["net"], keypoints, ["x", "y", "likelihood"]], names=["scorer", "bodyparts", "coords"]
    )
    pd.DataFrame(np.asarray(values).reshape(len(values), -1), columns=columns).to_hdf(path, key="df")
    return path


def smoothed(values):
    """A running median of the positions, as DeepLabCut's filter."""
    padded = np.pad(values, ((2, 2), (0, 0), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=0)
    return np.concatenate([np.median(windows, axis=-1)[..., :2], values[..., 2:]], axis=-1)


def names(*paths):
    return [path.name for path in find_sessions(paths)]


@pytest.mark.parametrize(
    ("name", "video", "model", "filtered"),
    [
        ("day1DLC_resnet50_testJan1shuffle1_1000.csv", "day1", "DLC_resnet50_testJan1shuffle1_1000", False),
        ("day1DLC_resnet50_testJan1shuffle1_1000_filtered.h5", "day1", "DLC_resnet50_testJan1shuffle1_1000", True),
        ("day1DLC_resnet50_testJan1shuffle1_1000filtered.csv", "day1", "DLC_resnet50_testJan1shuffle1_1000", True),
        ("mDeepCut_resnet50_openfieldOct30shuffle1_150.h5", "m", "DeepCut_resnet50_openfieldOct30shuffle1_150", False),
        # the name of the task holds DLC_ too
        ("V1DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_49.csv", "V1", "DLC_resnet50_EPM_DLC_BSOIDAug25shuffle1_49", False),
        # and so does that of the video
        ("mouseDLC_day1DLC_resnet50_aJan1shuffle1_1.csv", "mouseDLC_day1", "DLC_resnet50_aJan1shuffle1_1", False),
        ("aDLC_NewNet_bJan1shuffle1_1.csv", "a", "DLC_NewNet_bJan1shuffle1_1", False),
        ("aDLC_HrnetW32_topMay2shuffle3_snapshot_200.csv", "a", "DLC_HrnetW32_topMay2shuffle3_snapshot_200", False),
        ("aDLC_Resnet50_bshuffle1_snapshot_best-150_el.h5", "a", "DLC_Resnet50_bshuffle1_snapshot_best-150_el", False),
        ("e3DLC_dlcrnetms5_pSep24shuffle1_1_el_filtered.csv", "e3", "DLC_dlcrnetms5_pSep24shuffle1_1_el", True),
        ("a_superanimal_quadruped_hrnet_w32_fasterrcnn_resnet50_fpn_v2_before_adapt.h5", "a",
         "_superanimal_quadruped_hrnet_w32_fasterrcnn_resnet50_fpn_v2_before_adapt", False),
        ("180607_004.train_frames=75.rng=0.csv", "180607_004", ".train_frames=75.rng=0", False),
        ("3f859b5c-e73a.right.rng=3.csv", "3f859b5c-e73a.right", ".rng=3", False),
        ("clip.mp4.predictions.slp", "clip", "", False),
        ("clip.predictions.analysis.h5", "clip", "", False),
        ("clip.avi.csv", "clip", "", False),
        ("clip.MP4DLC_resnet50_aJan1shuffle1_1.csv", "clip", "DLC_resnet50_aJan1shuffle1_1", False),
        # animals, doses and seeds of experiments are no trackers
        ("mouse_el.csv", "mouse_el", "", False),
        ("session1DLC.csv", "session1DLC", "", False),
        ("m.dose=5.csv", "m.dose=5", "", False),
        ("sim_seed1.csv", "sim_seed1", "", False),
        ("filtered.csv", "filtered", "", False),
    ],
)  # fmt: skip
def test_parts_of_a_name(name, video, model, filtered):
    parts = track_name(Path(name))
    assert (parts.video, parts.model, parts.filtered, parts.copy) == (video, model, filtered, "")
    assert name.endswith(parts.added)


@pytest.mark.parametrize("copy", [" - Copy", " - Copy (2)", " (1)", "(1)", "_copy", " copy", " copy 2"])
def test_names_of_copies(copy):
    parts = track_name(Path(f"day1{NET}_filtered{copy}.csv"))
    assert parts[:4] == ("day1", NET, True, copy)


@pytest.mark.parametrize("suffixes", [("csv", "csv"), ("h5", "csv"), ("csv", "h5"), ("h5", "h5")])
def test_of_raw_and_filtered_tracks_the_filtered_are_used(tmp_path, messages, suffixes):
    for day in (1, 2):
        values = dlc.wander(60, seed=day)
        for each, suffix, ending in zip((values, smoothed(values)), suffixes, ("", "_filtered"), strict=True):
            path = tmp_path / f"day{day}{NET}{ending}.{suffix}"
            (dlc.write if suffix == "csv" else write_hdf5)(path, each)
    used = [f"day{day}{NET}_filtered.{suffixes[1]}" for day in (1, 2)]
    assert names(tmp_path) == used
    assert len(messages()) == 2
    assert f"'day2' has raw and filtered tracks: the filtered ones ('{used[1]}') are used" in messages()[1]
    assert names(*sorted(tmp_path.iterdir())) == used  # by wildcard
    assert names(tmp_path / f"day1{NET}_filtered.{suffixes[1]}", tmp_path / f"day1{NET}.{suffixes[0]}") == used[:1]


def test_what_deeplabcut_leaves_of_one_video(tmp_path, messages):
    values = dlc.wander(60)
    for ending, each in (("", values), ("_filtered", smoothed(values))):
        dlc.write(tmp_path / f"m{NET}{ending}.csv", each)
        write_hdf5(tmp_path / f"m{NET}{ending}.h5", each)
    assert names(tmp_path) == [f"m{NET}_filtered.csv"]
    raw, other_format = messages()
    assert f"m{NET}.h5" in raw
    assert f"m{NET}_filtered.h5' is left out: files of the same name in another format" in other_format


def test_raw_and_filtered_tracks_of_another_tracker_are_compared(tmp_path, messages):
    values = dlc.wander(600)
    dlc.write(tmp_path / "mouse.csv", values)
    dlc.write(tmp_path / "mouse_filtered.csv", smoothed(values))
    dlc.write(tmp_path / "water.csv", dlc.wander(600, seed=1))
    dlc.write(tmp_path / "water_filtered.csv", dlc.wander(600, seed=2))  # what the mouse drank
    assert names(tmp_path) == ["mouse_filtered.csv", "water.csv", "water_filtered.csv"]
    assert len(messages()) == 1


def test_raw_and_filtered_tracks_in_two_folders(tmp_path, messages):
    for day in (1, 2):
        values = dlc.wander(600, seed=day)
        for folder, ending, each in (("raw", "", values), ("smooth", "_filtered", smoothed(values))):
            (tmp_path / folder).mkdir(exist_ok=True)
            dlc.write(tmp_path / folder / f"day{day}{NET}{ending}.csv", each)
    assert names(tmp_path / "raw", tmp_path / "smooth") == [f"day{day}{NET}_filtered.csv" for day in (1, 2)]
    assert len(messages()) == 2


def test_videos_of_one_name_in_the_folders_of_two_animals(tmp_path, messages):
    for animal, ending in ((1, ""), (2, "_filtered"), (3, "_el")):
        (tmp_path / str(animal)).mkdir()
        dlc.write(tmp_path / str(animal) / f"video{NET}{ending}.csv", dlc.wander(600, seed=animal))
    assert len(names(*(tmp_path / str(animal) for animal in (1, 2, 3)))) == 3
    assert messages() == []


@pytest.mark.parametrize(
    "endings",
    [
        ("DLC_resnet50_aJan1shuffle1_1000", "DLC_resnet50_aJan1shuffle1_2000"),
        ("DLC_resnet50_aJan1shuffle1_1000", "DLC_resnet50_aJan1shuffle2_1000"),
        ("DLC_resnet50_aJan1shuffle1_1000", "DLC_HrnetW32_aJan1shuffle1_snapshot_best-90"),
        ("DLC_dlcrnetms5_aJan1shuffle1_1000_el", "DLC_dlcrnetms5_aJan1shuffle1_1000_bx_filtered"),
        ("_superanimal_topviewmouse_x_before_adapt", "_superanimal_topviewmouse_x_after_adapt"),
        (".rng=0", ".rng=1"),
        (".rng=0", ".rng=1", ".rng=2"),
    ],
)
def test_several_models_of_one_video_leave_a_choice(tmp_path, endings):
    for number, ending in enumerate(endings):
        dlc.write(tmp_path / f"clip{ending}.csv", dlc.wander(40 + number))
        os.utime(tmp_path / f"clip{ending}.csv", (1.7e9, 1.7e9))
    dlc.write(tmp_path / "other.csv", dlc.wander(40, seed=1))
    for paths in ([tmp_path], list(tmp_path.iterdir())):
        with pytest.raises(BadInput, match="'clip' has tracks by several models") as caught:
            find_sessions(paths)
        for number, ending in enumerate(endings):
            assert f"clip{ending}.csv' ({40 + number} frames, 2023-11-1" in str(caught.value)
        wildcard = Path(str(caught.value).rpartition("for example ")[2].strip("'"))
        assert len(names(*wildcard.parent.glob(wildcard.name))) == 1  # the remedy works


def test_models_in_folders_of_their_own(tmp_path):
    for folder, ending in (("a", "DLC_resnet50_tJan1shuffle1_1"), ("b", "DLC_resnet50_tJan1shuffle1_2")):
        (tmp_path / folder).mkdir()
        dlc.write(tmp_path / folder / f"clip{ending}.csv", dlc.wander(600) + (folder == "b"))
    with pytest.raises(BadInput, match="several models"):
        find_sessions([tmp_path / "a", tmp_path / "b"])


def test_many_recordings_with_several_files_are_counted(tmp_path):
    for number in range(8):
        for seed in (0, 1):
            dlc.write(tmp_path / f"clip{number}.rng={seed}.csv", dlc.wander(40, seed=seed + 2 * number))
    with pytest.raises(BadInput, match="3 more recordings have several files") as caught:
        find_sessions([tmp_path])
    assert "'clip4'" in str(caught.value)
    assert "'clip5'" not in str(caught.value)


def test_equal_files_are_used_once(tmp_path, messages):
    path = dlc.write(tmp_path / "m.csv", dlc.wander(60))
    for copy in ("m - Copy", "another animal"):
        shutil.copy(path, tmp_path / f"{copy}.csv")
    assert names(tmp_path) == ["another animal.csv"]  # the first that is no copy by its name
    assert len(messages()) == 2
    assert all("is equal to" in message and "another animal.csv" in message for message in messages())
    assert names(path, tmp_path / "m - Copy.csv") == ["m.csv"]
    assert names(tmp_path / "m - Copy.csv", path) == ["m.csv"]
    (tmp_path / "sub").mkdir()
    shutil.copy(path, tmp_path / "sub" / "m.csv")
    assert find_sessions([path, tmp_path / "sub"]) == [path]
    assert find_sessions([path, path]) == [path]
    assert "given 2 times" in messages()[-1]


@pytest.mark.parametrize("place", [0.01, 0.3, 0.5, 1])
def test_large_files_that_differ_in_one_byte(tmp_path, place):
    text = bytearray(dlc.csv_text(dlc.wander(5000)).encode())
    assert len(text) > 4 * twins.CHUNK_BYTES
    (tmp_path / "a.csv").write_bytes(text)
    at = min(int(place * len(text)), len(text) - 2)
    text[at] = text[at] ^ 1
    (tmp_path / "b.csv").write_bytes(text)
    assert names(tmp_path / "a.csv", tmp_path / "b.csv") == ["a.csv", "b.csv"]


def test_a_copy_that_differs_from_its_original(tmp_path):
    for name in ("m.csv", "m - Copy.csv"):
        dlc.write(tmp_path / name, dlc.wander(60 + len(name)))
    with pytest.raises(BadInput, match=r"differ: .*m\.csv' \(65 frames.*m - Copy\.csv' \(72 frames.*rename one"):
        find_sessions([tmp_path])


def test_numbers_in_parentheses_are_names_where_there_is_no_original(tmp_path, messages):
    for number in (1, 2, 3):
        dlc.write(tmp_path / f"mouse ({number}).csv", dlc.wander(600, seed=number))
    assert len(names(tmp_path)) == 3
    assert messages() == []


def test_csv_and_hdf5_of_one_track(tmp_path, messages):
    values = dlc.wander(60)
    dlc.write(tmp_path / "m.csv", values)
    write_hdf5(tmp_path / "m.h5", values * (1 + 1e-9))
    for paths in ([tmp_path], [tmp_path / "m.h5", tmp_path / "m.csv"], list(tmp_path.iterdir())):
        assert names(*paths) == ["m.csv"]
    assert len(messages()) == 3
    assert all("m.h5' is left out: files of the same name" in message for message in messages())


@pytest.mark.parametrize("change", ["frames", "positions", "missing", "keypoints"])
def test_csv_and_hdf5_that_differ(tmp_path, change):
    values = dlc.wander(60)
    other = values.copy()
    if change == "positions":
        other[30, 0, 0] += 0.01
    elif change == "missing":
        other[30, 0, :2] = np.nan
    dlc.write(tmp_path / f"m{NET}.csv", values)
    write_hdf5(
        tmp_path / f"m{NET}.h5",
        other[:50] if change == "frames" else other,
        (*dlc.NAMES[:3], "nose") if change == "keypoints" else dlc.NAMES,
    )
    with pytest.raises(BadInput, match=r"differ: .*\.csv' \(60 frames, 20.*\.h5' \((50|60) frames, 20"):
        find_sessions([tmp_path])


def test_an_hdf5_file_that_cannot_be_read_is_left_out(tmp_path, messages):
    dlc.write(tmp_path / "m.csv", dlc.wander(60))
    (tmp_path / "m.h5").write_bytes(write_hdf5(tmp_path / "m.h5", dlc.wander(60)).read_bytes()[:3000])
    assert find_sessions([tmp_path / "m.csv", tmp_path / "m.h5"]) == [tmp_path / "m.csv"]
    assert len(messages()) == 1
    assert "cannot be compared" in messages()[0]


def features(name, position):
    """What is compared of a session."""
    track = sample(position, np.ones(position.shape[:2]), np.zeros(position.shape[1]), np.arange(len(position)))
    return SimpleNamespace(name=name, frames=len(position), track=track)


def test_sessions_with_equal_tracks_count_once(messages):
    position = dlc.wander(600)[..., :2]
    sessions = [features("a", position), features("b", position), features("c", position * (1 + 1e-9))]
    assert twins_among(sessions, {"a", "b", "c"}) == {"b", "c"}
    assert ["'b' is left out" in messages()[0], "equal to those of 'a'" in messages()[1]] == [True, True]


def test_sessions_with_nearly_equal_tracks_are_refused():
    position = dlc.wander(600)[..., :2]
    sessions = [features("a", position), features("b", position[::-1]), features("c", position * 2 + 100)]
    expected = r"'a' and 'c' are one recording given twice, scaled by 2 and shifted: .* correlation 1\.0000"
    with pytest.raises(BadInput, match=expected) as caught:
        twins_among(sessions, {"a", "b", "c"})
    assert "'b'" not in str(caught.value)
    with pytest.raises(BadInput, match="given twice: "):  # one is cut short
        twins_among([features("a", position), features("b", position[:500])], {"a", "b"})


def test_animals_of_one_file_may_huddle():
    position = dlc.wander(600)[..., :2]
    huddled = position + np.random.default_rng(0).normal(0, 0.5, position.shape)
    tracks = {name: features(name, each).track for name, each in (("cage_a", position), ("cage_b", huddled))}
    assert twin_sentences(tracks, {"cage"}) == []
    (sentence,) = twin_sentences(tracks, {"cage", "cage_b"})  # a file of its own
    assert sentence.startswith("'cage_a' and 'cage_b' are one recording")


def test_many_pairs_are_counted():
    position = dlc.wander(600)[..., :2]
    tracks = {f"m{i}": features(f"m{i}", position + i).track for i in range(6)}
    sentences = twin_sentences(tracks, tracks)
    assert len(sentences) == 11
    assert sentences[-1] == "5 more pairs are one recording each"


def test_real_files_of_one_track(recordings, messages):
    folder = recordings / "open_field_60hz"  # a CSV and an HDF5 file of clip 1, a CSV file of clip 2
    assert [name[:9] for name in names(folder)] == ["raw_clip1", "raw_clip2"]
    assert len(messages()) == 1
    assert ".h5' is left out" in messages()[0]


def test_real_recordings_are_not_twins(recordings, messages):
    folder = recordings / "elevated_plus_maze_30hz"
    assert len(names(folder)) == 4
    assert messages() == []
