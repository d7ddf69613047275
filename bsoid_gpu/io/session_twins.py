"""Sessions that are one recording, by their tracks: after reading, when their names show nothing."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bsoid_gpu.errors import raise_all
from bsoid_gpu.log import logger
from bsoid_gpu.method.same_track import Match, Track, same_tracks
from bsoid_gpu.method.session_features import SessionFeatures

SAME_SCALE, SAME_PLACE = 0.02, 0.05  # smaller differences in scale and place are not worth a word
MAX_PROBLEMS = 10


def twins_among(sessions: Sequence[SessionFeatures], sources: Collection[str]) -> set[str]:
    """Names of sessions to leave out, since their tracks are equal to those of an earlier one; warnings name both.

    Parameters
    ----------
    sessions
        Sessions of a build.
    sources
        Names of the files; a session is named after its file, or after it and an individual.

    Raises
    ------
    BadInput
        Sessions that are nearly equal: which one is better, the user knows.
    """
    left_out: set[str] = set()
    problems: list[str] = []
    for match in same_tracks([session.track for session in sessions], [source_of(s.name, sources) for s in sessions]):
        first, second = sessions[match.first], sessions[match.second]
        if {first.name, second.name} & left_out:
            continue
        if match.equal and first.frames == second.frames:
            left_out.add(second.name)
            logger.warning("%r is left out: its positions are equal to those of %r; a recording counts once",
                           second.name, first.name)  # fmt: skip
        else:
            problems.append(
                f"{_sentence(first.name, second.name, match)}: held-out accuracy would mean nothing; give one of them"
            )
    raise_all(_shortened(problems))
    return left_out


def twin_sentences(tracks: dict[str, Track], sources: Collection[str]) -> list[str]:
    """A sentence for every two of the named sessions that are one recording."""
    names = list(tracks)
    matches = same_tracks(list(tracks.values()), [source_of(name, sources) for name in names])
    return _shortened([_sentence(names[match.first], names[match.second], match) for match in matches])


def source_of(session: str, sources: Collection[str]) -> str:
    """Name of the file of a session."""
    fitting = [name for name in sources if session == name or session.startswith(f"{name}_")]
    return max(fitting, key=len, default=session)


def _sentence(first: str, second: str, match: Match) -> str:
    how = []
    if abs(match.scale - 1) > SAME_SCALE:
        how.append(f"scaled by {match.scale:.3g}")
    if match.shift > SAME_PLACE:
        how.append("shifted")
    changed = f", {' and '.join(how)}" if how else ""
    return (
        f"{first!r} and {second!r} are one recording given twice{changed}: their positions have correlation "
        f"{match.correlation:.4f}"
    )


def _shortened(sentences: list[str]) -> list[str]:
    more = len(sentences) - MAX_PROBLEMS
    return [*sentences[:MAX_PROBLEMS], f"{more} more pairs are one recording each"] if more > 0 else sentences
