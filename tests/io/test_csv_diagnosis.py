"""Files that are something else: the message names the cause and the remedy."""

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import dlc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import parse_pose
from bsoid_gpu.io.csv_diagnosis import why_not
from bsoid_gpu.io.deeplabcut_csv import sniff_csv

TEXT = dlc.csv_text(dlc.wander(20))


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, TEXT)
    return file.getvalue()


BINARY = {
    "gzip": (gzip.compress(TEXT.encode()), ["gzip", "unpack"]),
    "bzip2": (bz2.compress(TEXT.encode()), ["bzip2", "unpack"]),
    "xz": (lzma.compress(TEXT.encode()), ["xz", "unpack"]),
    "zip": (zipped("day1.csv"), ["zip", "unpack"]),
    "xlsx": (zipped("[Content_Types].xml"), ["Excel", "as CSV"]),
    "xls": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), ["Excel", "as CSV"]),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(500), ["HDF5", ".h5"]),
    "zeros": (b"scorer,a\n" + bytes(99), ["zero bytes", "'bodyparts'"]),
    "utf-16": (TEXT.encode("utf-16"), ["UTF-16", "UTF-8"]),
    "utf-16-le without a mark": (TEXT.encode("utf-16-le"), ["UTF-16", "UTF-8"]),
    "utf-16-be without a mark": (TEXT.encode("utf-16-be"), ["UTF-16", "UTF-8"]),
    "utf-32": (TEXT.encode("utf-32"), ["UTF-32", "UTF-8"]),
    "latin-1": (TEXT.replace("snout", "Schwänze").encode("latin-1"), ["UTF-8", "line 2", "0xE4"]),
}
SEPARATED = {
    "semicolons": (TEXT.replace(",", ";"), ["separated by ';'", "save it with ','"]),
    "semicolons and decimal commas": (
        TEXT.replace(",", ";").replace(".", ","),
        ["separated by ';' and ',' as the decimal sign", "'.' in the numbers"],
    ),
    "tabs": (TEXT.replace(",", "\t"), ["separated by tabs"]),
    "tabs and decimal commas": (TEXT.replace(",", "\t").replace(".", ","), ["tabs and ',' as the decimal sign"]),
    "spaces": (TEXT.replace("left paw", "paw").replace("right paw", "arm").replace(",", " "), ["separated by spaces"]),
    "quotes around lines": ("".join(f'"{line}"\n' for line in TEXT.splitlines()), ["each line in quotes"]),
}
BORIS = "Observation id,DLC3,,\n,,,\nMedia file(s),,,\nTime,Subject,Behavior,Behavioral category\n1.5,,grooming,\n"
TABLES = {
    "boris": (BORIS, ["behaviours as BORIS writes it"]),
    "boris without its first lines": ("".join(BORIS.splitlines(keepends=True)[3:]), ["BORIS"]),
    "annotations": ("frame,behaviour\n0,rest\n1,walk\n", ["a table of behaviours", "'frame', 'behaviour'"]),
    "annotations of individuals": ("individuals,label\nmouse,rest\n", ["a table of behaviours"]),
    "zeros and ones": ("frame,freezing\n0,1\n1,0\n", ["zeros and ones", "'freezing'"]),
    "skeleton": (",a_b,a_b,a_b\n,length,orientation,likelihood\n0,1.5,20,1\n", ["skeleton"]),
    "skeleton with a scorer": ("scorer,s,s\nbone,a_b,a_b\n,length,orientation\n0,1,2\n", ["skeleton"]),
    "one header row": ("frame,x1,y1,x2,y2\n0,1.5,2,3,4\n", ["one header row ('frame', 'x1', 'y1', 'x2', ...)"]),
    "a second index": (",scorer,a,a\n,bodyparts,b,b\n,coords,x,y\n0,0,1,2\n", ["column before 'scorer'", "deleted"]),
    "no header": ("0,1.5,2\n1,2.5,3\n", ["without a header"]),
    "json": ('{"keypoints": [1, 2]}', ["begins with '{"]),
    "a pointer of Git LFS": ("version https://git-lfs.github.com/spec/v1\noid sha256:1\n", ["git-lfs"]),
    "header rows in another order": ("\n".join(TEXT.splitlines()[2::-1]), ["begin with 'coords', 'bodyparts'"]),
    "nothing": ("\n \n", ["expected the header rows"]),
}


def given_as(name, content):
    return pytest.param(*content, id=name)


@pytest.mark.parametrize(("data", "parts"), [given_as(*item) for item in {**BINARY, **SEPARATED, **TABLES}.items()])
def test_another_file_is_named_with_the_remedy(cpu, data, parts):
    data = data if isinstance(data, bytes) else data.encode()
    with pytest.raises(BadInput) as caught:
        parse_pose(data, Path("m.csv"), 30.0, cpu)
    assert str(caught.value) == f"'m.csv' {why_not(data)}"
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(("data", "parts"), [given_as(*item) for item in TABLES.items()])
def test_what_is_expected_is_said_of_every_other_table(data, parts):
    assert "expected the header rows 'scorer', 'bodyparts', 'coords'" in why_not(data.encode())


@pytest.mark.parametrize("data", [given_as(name, [text]) for name, (text, _) in TABLES.items() if text.strip()])
def test_other_tables_are_not_recognised(tmp_path, data):
    (tmp_path / "m.csv").write_text(data)
    assert sniff_csv(tmp_path / "m.csv") is data.startswith("scorer")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_recording_in_another_encoding_is_recognised(tmp_path, encoding, separator):
    """So that it is refused, not left out of a folder."""
    (tmp_path / "m.csv").write_bytes(TEXT.replace(",", separator).encode(encoding))
    assert sniff_csv(tmp_path / "m.csv")


def test_a_table_without_a_scorer_is_recognised(tmp_path):
    (tmp_path / "m.csv").write_text(TEXT.partition("\n")[2])
    assert sniff_csv(tmp_path / "m.csv")


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("scorer,", '"scorer",').encode(),
        TEXT.encode()[:900],
        TEXT.replace("DLC", "日").encode()[:-1] + "日".encode()[:1],  # ends within a character
        "\n".join(TEXT.splitlines()[1:]).encode(),  # without the scorer, as DLC-live writes it
        TEXT.replace("left paw", "label; event").encode(),
    ],
)
def test_a_table_of_deeplabcut_has_no_reason(data):
    assert why_not(data) == ""


ANY_BEGINNING = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(str.encode),
    st.text('scorebdypati,;"\n\r\t 01.x', max_size=100).map(str.encode),
    st.tuples(st.integers(0, len(TEXT) - 1), st.binary(max_size=4)).map(
        lambda change: TEXT.encode()[: change[0]] + change[1] + TEXT.encode()[change[0] :]
    ),
)


@given(ANY_BEGINNING)
def test_any_bytes_have_one_sentence_or_none(data):
    reason = why_not(data)
    assert "\n" not in reason
    assert not reason or reason.split()[0] in ("is", "has")
