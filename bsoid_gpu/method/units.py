"""The unit of lengths in the features: px, or the body length of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from bsoid_gpu.method.training_range import ONE_PLACE_PX, body_length
from bsoid_gpu.settings.schema import PX

if TYPE_CHECKING:
    from bsoid_gpu.backends.protocol import Backend
    from bsoid_gpu.method.preprocess import Filtered
    from bsoid_gpu.settings.schema import Features
    from bsoid_gpu.typing import Array


def units_px(sessions: Sequence[Filtered], settings: Features, backend: Backend) -> dict[str, float]:
    """Length in px of the unit of each recording.

    With ``lengths = "body"`` the body length over all frames of its sessions; 1 if the animal has no size.
    """
    by_recording: dict[str, list[Array]] = {}
    for session in sessions:
        by_recording.setdefault(session.recording, []).extend(session.parts)
    if settings.lengths == PX:
        return dict.fromkeys(by_recording, 1.0)
    return {name: _unit_px(parts, backend) for name, parts in by_recording.items()}


def _unit_px(parts: Sequence[Array], backend: Backend) -> float:
    if not parts:
        return 1.0
    xp = array_namespace(parts[0])
    length_px = float(backend.to_host(body_length(xp.concat(list(parts)))))
    return length_px if length_px >= ONE_PLACE_PX else 1.0


def in_unit(position: Array, unit_px: float) -> Array:
    """Positions in px in the unit of lengths."""
    return position if unit_px == 1.0 else position / unit_px
