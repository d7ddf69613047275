"""Files of pose trackers to :class:`bsoid_gpu.pose.Pose`.

- From what users give to sessions: `folders` lists the recordings in files and folders, `sessions`, `twins`,
  `session_twins`, `pose_files` and `track_names` see which files are one recording.
- From a file to a pose: `formats` has the registry of readers; `reader` says what a reader is and what it is asked for.
- One module a format, or a few: `deeplabcut_csv` and `deeplabcut_hdf5`, `sleap_labels` and `sleap_analysis`, `jabs`,
  `openpose`, `mmpose`, `alphapose`, `nwb`, `movement`, `anipose`, `freemocap`; `one_point` refuses what has no pose.
- What they share: `hdf5` (no other file, no code), `pandas_hdf5`, `csv_*`, `people` (JSON), `tracks` (fragments),
  `frame_numbers` and `frame_times` (gaps, rates), `messages`; all end in `arrange`, with the rules of every format.
"""

from bsoid_gpu.io.formats import outline, parse_pose, read_file, read_pose
from bsoid_gpu.io.reader import Outline, Reader
from bsoid_gpu.io.sessions import find_sessions

__all__ = ["Outline", "Reader", "find_sessions", "outline", "parse_pose", "read_file", "read_pose"]
