"""Videos whose frames carry their number, in blocks that survive compression."""

from fractions import Fraction

import numpy as np

COLUMNS, ROWS = 4, 4
BITS = 8  # in the lower half; text may cover the upper one
BRIGHT, DARK, PLAIN = 230, 20, 110


def blocks(height, width):
    """Rows and columns of each bit."""
    for bit in range(BITS):
        row, column = divmod(bit, COLUMNS)
        row += ROWS - BITS // COLUMNS
        yield (
            slice(row * height // ROWS, (row + 1) * height // ROWS),
            slice(column * width // COLUMNS, (column + 1) * width // COLUMNS),
        )


def numbered(number, width=160, height=120):
    """A frame with its number, 0 to 255."""
    image = np.full((height, width, 3), PLAIN, dtype=np.uint8)
    for bit, place in enumerate(blocks(height, width)):
        image[place] = BRIGHT if number >> bit & 1 else DARK
    return image


def number_in(image):
    """The number of a frame, from the middle of its blocks."""
    number = 0
    for bit, (rows, columns) in enumerate(blocks(*image.shape[:2])):
        part = image[rows, columns]
        high, wide = part.shape[0] // 4, part.shape[1] // 4
        number |= int(part[high:-high, wide:-wide].mean() > (BRIGHT + DARK) / 2) << bit
    return number


def write_numbered(
    path,
    pts,
    time_base,
    *,
    codec="libx264",
    width=160,
    height=120,
    keyframes=12,
    b_frames=2,
    pixels="yuv420p",
    rotation=0,
    open_groups=False,
):
    """Write a video with frame n at pts[n], by PyAV alone: not with the code that is tested."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.time_base = stream.codec_context.time_base = time_base
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = keyframes, b_frames
        if codec == "libx264":  # B-frames also where the encoder would rather not have them
            parameters = {"b-adapt": 0, "scenecut": 0, "open-gop": int(open_groups)}
            joined = ":".join(f"{key}={value}" for key, value in parameters.items())
            stream.codec_context.options = {"x264-params": joined}
        if rotation:
            stream.set_display_rotation(rotation)
        for number, time in enumerate(pts):
            frame = av.VideoFrame.from_ndarray(numbered(number, width, height), format="rgb24")
            frame.pts, frame.time_base = int(time), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def varying(count, seed=0, first=0, low=200, high=3000):
    """Ascending times with random steps."""
    steps = np.random.default_rng(seed).integers(low, high, count)
    return np.cumsum(steps) - steps[0] + first


def packets_of(path):
    """(pts, keyframe) of the packets, in the order of the file."""
    import av

    with av.open(str(path)) as container:
        return [(packet.pts, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
