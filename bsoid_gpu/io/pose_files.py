"""Pose files compared by the positions in them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bsoid_gpu.backends import get_backend
from bsoid_gpu.errors import BadInput
from bsoid_gpu.io import formats
from bsoid_gpu.method import likelihood
from bsoid_gpu.method.same_track import Track, same_tracks, sample

if TYPE_CHECKING:
    from bsoid_gpu.pose import Pose

TOLERANCE = 1e-6  # relative difference of positions that are written with other digits


@dataclass(frozen=True)
class PoseFiles:
    """Reads and compares pose files of ``fps`` frames per second."""

    fps: float

    def read(self, path: Path) -> Pose:
        """All animals and keypoints of a file, on the CPU."""
        return formats.read_pose(path, self.fps, get_backend("cpu"))

    def joined(self, groups: Sequence[list[Path]]) -> list[list[Path]]:
        """Groups of files of one recording; those whose first files have the same tracks are joined."""
        tracks = {i: track for i, group in enumerate(groups) if (track := self._track(group[0])) is not None}
        place = list(tracks)
        joined = {i: list(group) for i, group in enumerate(groups)}
        for match in same_tracks(list(tracks.values()), place):
            first, second = place[match.first], place[match.second]
            if first in joined and second in joined:
                joined[first] += joined.pop(second)
        return list(joined.values())

    def _track(self, path: Path) -> Track | None:
        """Samples of all the animals of a file, or None if it cannot be read."""
        try:
            pose = self.read(path)
        except BadInput:  # reported when the job reads it
            return None
        position = pose.position.reshape(pose.frames, -1, pose.position.shape[-1])
        confidence = pose.confidence.reshape(pose.frames, -1)
        threshold = likelihood.thresholds(confidence, likelihood.present(position))
        return sample(position, confidence, threshold, pose.frame_numbers)

    def differ(self, one: Path, other: Path) -> tuple[bool, str]:
        """Whether the positions of two files differ, and the reason if they cannot be compared."""
        poses = []
        for path in (one, other):
            try:
                poses.append(self.read(path))
            except BadInput as error:
                return False, " ".join(str(error).split())
        expected, pose = poses
        if set(pose.keypoints) != set(expected.keypoints) or len(pose.individuals) != len(expected.individuals):
            return True, ""
        same_names = set(pose.individuals) == set(expected.individuals)  # formats may have their own
        position = pose.select(expected.keypoints, expected.individuals if same_names else ()).position
        if position.shape != expected.position.shape:
            return True, ""
        return not np.allclose(position, expected.position, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True), ""

    def described(self, paths: Sequence[Path]) -> str:
        """Files with their frames and dates, for messages."""
        return ", ".join(f"{str(path)!r} ({self._facts(path)})" for path in paths)

    def _facts(self, path: Path) -> str:
        try:
            facts = f"{self.read(path).frames:,} frames"
        except BadInput:
            facts = "cannot be read"
        with contextlib.suppress(OSError):
            facts += time.strftime(", %Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
        return facts
