"""Which encoder writes a video here: the first of a list that really encodes a frame.

H.264 is played everywhere. PyAV's wheels bring libx264; other builds of FFmpeg may lack it, and list encoders of
graphics cards that this machine does not have. Only a trial tells.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.messages import reason
from bsoid_gpu.log import logger
from bsoid_gpu.views.pyav import pyav

TRIAL_FRAMES = 2


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg and its options.

    ``quality`` is the name of the option that takes a constant quality, and ``offset`` what is added to that of
    libx264, 0 to 51, for about the same picture; without one, a bit rate is set. ``small`` are options that take more
    time for a smaller file.
    """

    name: str
    options: dict[str, str] = field(default_factory=dict)
    quality: str = ""
    offset: int = 0
    small: dict[str, str] = field(default_factory=dict)


VPX = {"b": "0", "deadline": "good", "cpu-used": "5", "row-mt": "1"}
ENCODERS = (
    Encoder("libx264", options={"preset": "veryfast"}, quality="crf", small={"preset": "medium"}),
    Encoder("libopenh264"),
    Encoder("h264_nvenc"),
    Encoder("h264_qsv"),
    Encoder("h264_amf"),
    Encoder("h264_videotoolbox"),
    Encoder("h264_mf"),
    Encoder("h264_v4l2m2m"),
    Encoder("libvpx-vp9", VPX, "crf", 10),
    Encoder("libaom-av1", {"b": "0", "cpu-used": "8", "row-mt": "1", "usage": "realtime"}, "crf", 10),
    Encoder("mpeg4"),
)


@dataclass(frozen=True)
class Format:
    """What is wanted: even width and height in px, times, quality (libx264's crf), and whether it is to be small."""

    width: int
    height: int
    time_base: Fraction
    rate: Fraction
    quality: int
    small: bool = False


def configure(context: Any, encoder: Encoder, wanted: Format) -> None:
    """Set up an encoder that is not open yet."""
    context.width, context.height, context.pix_fmt = wanted.width, wanted.height, "yuv420p"
    context.time_base, context.framerate = wanted.time_base, wanted.rate
    options = encoder.options | (encoder.small if wanted.small else {})
    if encoder.quality:
        options[encoder.quality] = str(wanted.quality + encoder.offset)
    else:  # about what libx264 takes for pictures of cages at this quality
        halvings = (wanted.quality - 23) / 6
        context.bit_rate = max(
            100_000, int(0.1 * wanted.width * wanted.height * min(float(wanted.rate), 60.0) * 2**-halvings)
        )
    context.options = options


@functools.lru_cache(maxsize=32)
def first_that_works(wanted: Format) -> Encoder:
    """The first encoder that encodes a frame of this format; which one is a message in the log.

    Raises
    ------
    BadInput
        None does; the message says why, for each.
    """
    problems: list[str] = []
    for encoder in ENCODERS:
        if not (problem := trial(encoder, wanted)):
            if problems:
                logger.info("videos are written with %s: %s", encoder.name, "; ".join(problems))
            return encoder
        problems.append(f"{encoder.name} {problem}")
    msg = f"no encoder for videos of {wanted.width} x {wanted.height} px works: {'; '.join(problems)}"
    raise BadInput(msg)


def trial(encoder: Encoder, wanted: Format) -> str:
    """Encode two black frames; a clause that says why it did not work, or an empty text."""
    av = pyav()
    if encoder.name not in av.codecs_available:
        return "is not in this build of FFmpeg"
    try:
        context = av.CodecContext.create(encoder.name, "w")
        configure(context, encoder, wanted)
        packets = []
        for number in range(TRIAL_FRAMES):
            frame = av.VideoFrame(wanted.width, wanted.height, "yuv420p")
            for plane, level in zip(frame.planes, (16, 128, 128), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            frame.pts, frame.time_base = round(number / (wanted.rate * wanted.time_base)), wanted.time_base
            packets += context.encode(frame)
        packets += context.encode(None)
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as error:
        return f"does not work ({reason(error)})"
    return "" if any(packet.size for packet in packets) else "gives no frames"
