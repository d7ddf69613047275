"""Pose: where each keypoint of each animal was in each frame of one recording."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace
from array_api_compat import device as device_of

from bsoid_gpu.errors import raise_all
from bsoid_gpu.files import file_name_problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bsoid_gpu.typing import Array


@dataclass(frozen=True, eq=False)
class Pose:
    """Tracked keypoints of one recording.

    Parameters
    ----------
    name
        The session's name; outputs are named after it.
    position
        (frames, individuals, keypoints, space) float64, px; NaN where the tracker gave no position.
    confidence
        (frames, individuals, keypoints) float64, the tracker's likelihood; 0 where the position is missing,
        1 where the tracker gave no likelihood at all.
    individuals, keypoints
        Their names, unique, in the order of the axes.
    fps
        Frames per second of the camera.
    source
        The file that the pose was read from.
    notes
        What the reader repaired or assumed, in sentences.
    frame_numbers
        (frames,) int64 on the host, the numbers of the frames in the video, ascending; by default from 0 on.
        Numbers that are left out are gaps: no window and no bout spans them.
    start_s
        Time of frame 0, in seconds.

    Raises
    ------
    BadInput
        Names, shapes or values that cannot be used; all problems are reported together.
    """

    name: str
    position: Array
    confidence: Array
    individuals: tuple[str, ...]
    keypoints: tuple[str, ...]
    fps: float
    source: str = ""
    notes: tuple[str, ...] = ()
    frame_numbers: NDArray[np.int64] = None  # type: ignore[assignment]  # set below
    start_s: float = 0.0

    def __post_init__(self) -> None:
        if self.frame_numbers is None and hasattr(self.position, "shape"):
            object.__setattr__(self, "frame_numbers", np.arange(self.position.shape[0] if self.position.shape else 0))
        raise_all(self._problems(), heading=f"{self.name}: the pose cannot be used:")
        for name in ("position", "confidence"):
            values = getattr(self, name)
            xp = array_namespace(values)
            object.__setattr__(self, name, xp.astype(values, xp.float64, copy=False))
        for name in ("individuals", "keypoints"):
            object.__setattr__(self, name, tuple(getattr(self, name)))

    def _problems(self) -> list[str]:
        problems = file_name_problems(self.name)
        arrays = {"positions": self.position, "confidences": self.confidence}
        not_arrays = [
            f"{what} are of type {type(array).__name__}; expected an array"
            for what, array in arrays.items()
            if not hasattr(array, "shape")
        ]
        problems += not_arrays or self._shape_problems()
        return problems if not_arrays else problems + self._value_problems()

    def _value_problems(self) -> list[str]:
        """Values that no step can use; only NumPy arrays are checked, which users pass."""
        if not (isinstance(self.position, np.ndarray) and isinstance(self.confidence, np.ndarray)):
            return []
        numeric = {"positions": self.position, "confidences": self.confidence}
        problems = [
            f"{what} are of type {array.dtype}; expected numbers"
            for what, array in numeric.items()
            if array.dtype.kind not in "fiu"
        ]
        if problems:
            return problems
        infinite = int(np.sum(np.isinf(self.position).any(axis=-1)))
        if infinite:
            problems.append(f"{infinite} positions are infinite; expected numbers, or NaN for a missing position")
        seen = ~np.isnan(self.position).any(axis=-1)
        unknown = int(np.sum(seen & ~np.isfinite(self.confidence)))
        if unknown:
            problems.append(
                f"{unknown} positions have a confidence of NaN or infinity; expected 0 to 1 (1 without likelihoods)"
            )
        return problems

    def _shape_problems(self) -> list[str]:
        problems = []
        shape = tuple(self.position.shape)
        if not shape:
            return ["positions are a single number; expected (frames, individuals, keypoints, 2 or 3)"]
        if len(shape) != 4 or shape[3] not in (2, 3):
            problems.append(f"positions have shape {shape}; expected (frames, individuals, keypoints, 2 or 3)")
        elif shape[1:3] != (len(self.individuals), len(self.keypoints)):
            problems.append(
                f"positions have shape {shape}; expected {len(self.individuals)} individuals "
                f"and {len(self.keypoints)} keypoints"
            )
        if tuple(self.confidence.shape) != shape[:3]:
            problems.append(f"confidences have shape {tuple(self.confidence.shape)}; expected {shape[:3]}")
        problems += self._frame_problems()
        for what, names in (("keypoint", self.keypoints), ("individual", self.individuals)):
            repeated = sorted({name for name in names if names.count(name) > 1})
            problems += [f"{what} {name!r} occurs {names.count(name)} times; names must be unique" for name in repeated]
        if not (isinstance(self.fps, int | float) and math.isfinite(self.fps) and self.fps > 0):
            problems.append(f"fps is {self.fps!r}; expected frames per second, a number above 0")
        return problems

    def _frame_problems(self) -> list[str]:
        """A sentence for each reason why the frame numbers or the start cannot be used."""
        numbers = np.asarray(self.frame_numbers)
        problems = []
        if numbers.shape != tuple(self.position.shape[:1]) or numbers.dtype.kind not in "iu":
            problems.append(
                f"the frame numbers have shape {numbers.shape} and type {numbers.dtype}; expected a whole number for "
                f"each of {self.position.shape[0]} frames"
            )
        elif np.any(np.diff(numbers) < 1):
            problems.append("the frame numbers do not rise; expected ascending numbers, each once")
        if not math.isfinite(self.start_s):
            problems.append(f"the start is {self.start_s!r}; expected the time of frame 0 in seconds")
        return problems

    @property
    def frames(self) -> int:
        """Number of frames, which is that of the rows of the file."""
        return int(self.position.shape[0])

    def select(self, keypoints: Sequence[str] = (), individuals: Sequence[str] = ()) -> Pose:
        """Pose of the named keypoints and individuals, in that order; without names, of all.

        Raises
        ------
        BadInput
            An unknown name; the message suggests similar ones.
        """
        problems = [unknown_keypoint(name, self.keypoints) for name in keypoints if name not in self.keypoints]
        problems += [
            unknown_name("individual", name, self.individuals) for name in individuals if name not in self.individuals
        ]
        raise_all(problems)
        pose = self._taken("keypoints", keypoints, axis=2) if keypoints else self
        return pose._taken("individuals", individuals, axis=1) if individuals else pose

    def _taken(self, what: str, names: Sequence[str], axis: int) -> Pose:
        xp = array_namespace(self.position)
        order = [getattr(self, what).index(name) for name in names]
        indices = xp.asarray(order, dtype=xp.int64, device=device_of(self.position))
        changed: dict[str, Any] = {
            name: xp.take(getattr(self, name), indices, axis=axis) for name in ("position", "confidence")
        }
        changed[what] = tuple(names)
        return replace(self, **changed)

    def tracks(self) -> list[Pose]:
        """One pose per individual, named ``session_individual`` if there are several."""
        if len(self.individuals) == 1:
            return [self]
        return [
            replace(
                self,
                name=f"{self.name}_{individual.replace('/', '_')}",  # outputs are named after it
                position=self.position[:, i : i + 1, ...],
                confidence=self.confidence[:, i : i + 1, ...],
                individuals=(individual,),
            )
            for i, individual in enumerate(self.individuals)
        ]


def unknown_keypoint(name: str, known: Sequence[str]) -> str:
    """Message for an unknown keypoint: names of similar spelling, and all names."""
    return unknown_name("keypoint", name, known)


def unknown_name(kind: str, name: str, known: Sequence[str]) -> str:
    """Message for an unknown keypoint or individual: names of similar spelling, and all names."""
    lower = {other.lower(): other for other in known}
    similar = [lower[match] for match in difflib.get_close_matches(name.lower(), lower, n=3)]
    hint = f"did you mean {' or '.join(map(repr, similar))}? " if similar else ""
    return f"no {kind} is named {name!r}; {hint}the {kind}s are {', '.join(map(repr, known))}"
