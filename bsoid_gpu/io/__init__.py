"""Files of pose trackers to :class:`bsoid_gpu.pose.Pose`.

A new format is a module with ``READERS``, listed in :mod:`bsoid_gpu.io.formats`.
"""

from bsoid_gpu.io.formats import outline, parse_pose, read_file, read_pose
from bsoid_gpu.io.reader import Outline, Reader
from bsoid_gpu.io.sessions import find_sessions

__all__ = ["Outline", "Reader", "find_sessions", "outline", "parse_pose", "read_file", "read_pose"]
