"""Parts of the messages of readers."""

from __future__ import annotations

from collections.abc import Sequence


def reason(error: Exception) -> str:
    """The first line of what an error says, or its type."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def listed(items: Sequence[object], most: int = 5, separator: str = ", ") -> str:
    """The first of some items, and how many more there are."""
    more = f" and {len(items) - most:,} more" if len(items) > most else ""
    return separator.join(map(str, items[:most])) + more
