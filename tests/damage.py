"""Damaged files for tests of readers."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from bsoid_gpu.errors import BadInput
from bsoid_gpu.pose import Pose

MANY = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The content with a few other bytes, most of the time as long as before."""
    changes = st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1, max_size=8)
    lengths = st.just(len(content)) | st.integers(1, len(content))
    return st.builds(lambda places, length: _changed(content, places)[:length], changes, lengths)


def _changed(content: bytes, places) -> bytes:
    changed = bytearray(content)
    for place, value in places:
        changed[place] = value
    return bytes(changed)


def assert_read_or_refused(parse) -> None:
    """The function, called without arguments, gives a pose or BadInput; any other exception is a bug."""
    try:
        pose = parse()
    except BadInput:
        return
    assert isinstance(pose, Pose)
    assert pose.frames == len(pose.frame_numbers)
