"""Jobs on one recording, here or in another process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.sessions import Content, Source

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.execution.executors import Executor
    from bsoid_gpu.pose import Pose

R_co = TypeVar("R_co", covariant=True)
R = TypeVar("R")
BYTES_PER_BYTE = 10  # bytes of memory for each byte of a file while it is processed


@dataclass(frozen=True)
class Recording:
    """A recording: its name, and its parts, which are files or poses."""

    name: str
    parts: Sequence[Source]

    def read(self) -> list[Content]:
        """Content of its parts."""
        return [part.read() for part in self.parts]

    def size(self) -> int:
        """Bytes of its parts together."""
        return sum(part.size() for part in self.parts)


class Work(Protocol[R_co]):
    """A job on one recording, which pickle can serialise."""

    @property
    def recording(self) -> Recording:
        """The recording."""
        ...

    def run(self, contents: Sequence[Content]) -> R_co:
        """Run the job.

        Raises
        ------
        BadInput
            The recording cannot be used.
        """
        ...


def attempt(work: Work[R]) -> R | BadInput:
    """Result of the job, or the error of a recording that cannot be used."""
    try:
        return work.run(work.recording.read())
    except BadInput as error:
        return error


def attempt_each(works: Sequence[Work[R]], executor: Executor, backend: Backend) -> Iterator[R | BadInput]:
    """Results of :func:`attempt`, in order; the executor distributes the jobs."""
    largest = max((work.recording.size() for work in works), default=0)
    return executor.run_each(attempt, works, backend, BYTES_PER_BYTE * largest)


def digests_of(contents: Sequence[Content]) -> dict[str, str]:
    """Digest of each part by its name."""
    return {content.name: content.digest() for content in contents}


def tracks_of(
    contents: Sequence[Content], fps: float, backend: Backend, keypoints: Sequence[str], individuals: Sequence[str]
) -> tuple[list[Pose], list[str]]:
    """The sessions in the parts of a recording, and a sentence for each part that cannot be used."""
    tracks, problems = [], []
    for content in contents:
        try:
            tracks += content.tracks(fps, backend, keypoints, individuals)
        except BadInput as error:
            problems.append(str(error))
    return tracks, problems
