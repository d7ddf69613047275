"""Pictures of animals: squares of a video's frame, poses, lines of text; uint8, RGB."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bsoid_gpu.errors import BadInput
from bsoid_gpu.io.messages import reason
from bsoid_gpu.views.pyav import INSTALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bsoid_gpu.views.cameras import FollowingCamera

    Picture = NDArray[np.uint8]  # (height, width, 3)
    Colour = tuple[int, int, int]
    Box = tuple[int, int, int, int]  # left, top, right, bottom in px, the latter two exclusive

FONTS = ("DejaVuSans.ttf", "Arial.ttf", "arial.ttf", "Helvetica.ttc", "LiberationSans-Regular.ttf")
FLOOR: Colour = (214, 216, 220)
FLOOR_LINES: Colour = (186, 189, 195)
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)
PLATE: Colour = (18, 19, 22)


@functools.cache
def pillow() -> Any:
    """Give the package ``PIL`` with the modules that draw.

    Raises
    ------
    BadInput
        It is not installed; the message says what to type.
    """
    try:
        import PIL
        import PIL.Image
        import PIL.ImageDraw
        import PIL.ImageFont
    except ImportError as error:
        msg = f"pictures need Pillow, which is not installed here ({reason(error)}): {INSTALL}"
        raise BadInput(msg) from error
    return PIL


def rgb(colour: str) -> Colour:
    """Red, green and blue, 0 to 255, of ``#rrggbb``."""
    match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", colour)
    if not match:
        msg = f"the colour is {colour!r}; expected one like '#0072b2'"
        raise BadInput(msg)
    red, green, blue = (int(part, 16) for part in match.groups())
    return red, green, blue


def square_of(part_of: Callable[[Box], Picture], camera: FollowingCamera, frame: int, size: int) -> Any:
    """The square that the camera sees, a Pillow image of ``size`` px.

    Parameters
    ----------
    part_of
        Gives the part of the video's frame in a box (left, top, right, bottom), which may reach beyond its border.
    camera, frame
        What is seen in which frame.
    size
        Side of the result.
    """
    matrix, shift = camera.to_arena(frame, size)
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ matrix.T + shift
    low, high = np.floor(corners.min(axis=0)).astype(int) - 2, np.ceil(corners.max(axis=0)).astype(int) + 2
    part = pillow().Image.fromarray(part_of((int(low[0]), int(low[1]), int(high[0]), int(high[1]))))
    if matrix[0, 1] == 0 and matrix[0, 0] > 0:  # upright, which is faster
        edges = (*(corners[0] - low), *(corners[3] - low))
        return part.resize((size, size), pillow().Image.Resampling.BILINEAR, box=edges)
    coarser = max(1, int(camera.side_px / size))  # else single px of the frame are picked, which flicker
    part = part.reduce(coarser) if coarser > 1 else part
    (a, b), (d, e) = matrix / coarser
    c, f = (shift - low) / coarser
    how = pillow().Image.Transform.AFFINE, (a, b, c, d, e, f)
    return part.transform((size, size), *how, pillow().Image.Resampling.BILINEAR)


def floor(camera: FollowingCamera, frame: int, size: int, spacing_px: float) -> Any:
    """A floor, where there is no video: a Pillow image with lines that stand still, ``spacing_px`` apart."""
    picture = pillow().Image.new("RGB", (size, size), FLOOR)
    draw = pillow().ImageDraw.Draw(picture)
    centre, reach = camera.centre[frame], camera.side_px
    for axis in (0, 1):
        first, last = (int(np.floor((centre[axis] + side * reach) / spacing_px)) for side in (-1, 1))
        for number in range(first, last + 1):
            ends = centre + np.array([[-reach], [reach]])
            ends[:, axis] = number * spacing_px
            draw.line([tuple(point) for point in camera.in_square(frame, ends, size)], fill=FLOOR_LINES, width=1)
    return picture


def draw_pose(
    image: Any,
    points: NDArray[np.float64],
    skeleton: Sequence[Sequence[int]],
    colour: Colour,
    width: int = 2,
    front: Sequence[int] = (),
) -> None:
    """Draw lines between keypoints, and the keypoints, in place; those that are missing are left out.

    Parameters
    ----------
    image
        Pillow image.
    points
        (keypoints, 2) px of the image, NaN where they are missing.
    skeleton
        Pairs of indices of keypoints.
    colour
        Of lines and keypoints; both have a dark edge, so that they show on any background.
    width
        Of the lines in px.
    front
        Indices of the keypoints at the front of the body, which are white.
    """
    draw = pillow().ImageDraw.Draw(image)
    there = [bool(np.isfinite(point).all()) for point in points]
    at = [tuple(point) for point in points.tolist()]
    lines = [(at[one], at[other]) for one, other in skeleton if there[one] and there[other]]
    for stroke, fill in ((width + 2, BLACK), (width, colour)):
        for line in lines:
            draw.line(line, fill=fill, width=stroke)
    reach = width + 0.5
    for number, (x, y) in enumerate(at):
        if there[number]:
            fill = WHITE if number in front else colour
            draw.ellipse((x - reach, y - reach, x + reach, y + reach), fill=fill, outline=BLACK)


@functools.cache
def font(size: int) -> Any:
    """A font with many letters where the system has one, else Pillow's own."""
    for name in FONTS:
        try:
            return pillow().ImageFont.truetype(name, size)
        except OSError:
            continue
    return pillow().ImageFont.load_default(size)


@functools.lru_cache(maxsize=4096)
def text_plate(text: str, size: int, colour: Colour = WHITE, width: int = 0, background: Colour = PLATE) -> Picture:
    """A line of text on a plate of its own colour: (height, width, 3); read only.

    Parameters
    ----------
    text
        What is written; control characters are left out.
    size
        Of the letters, px.
    colour, background
        Of the text and the plate.
    width
        Widest that the plate may be, px; longer texts are shortened with an ellipsis. 0: as wide as needed.
    """
    text = "".join(letter for letter in text if letter.isprintable())
    letters, margin = font(size), max(2, size // 4)
    if width:
        whole = text
        while text and letters.getlength(text) > width - 2 * margin:
            whole = whole[:-1]
            text = f"{whole.rstrip()}…" if whole else ""
    ascent, descent = letters.getmetrics()
    shape = (max(1, int(np.ceil(letters.getlength(text)))) + 2 * margin, ascent + descent + 2)
    image = pillow().Image.new("RGB", shape, background)
    pillow().ImageDraw.Draw(image).text((margin, 1), text, font=letters, fill=colour)
    plate = np.array(image)
    plate.flags.writeable = False
    return plate


def numbered(number: int, name: str) -> str:
    """Number and name of a behaviour; a name that is its number is not repeated."""
    return name if name == f"label {number}" else f"{number}  {name}"


def put(picture: Picture, part: Picture, x: int, y: int, opacity: float = 1.0) -> None:
    """Lay a part over a picture, in place, with its upper left corner at x, y; what is outside is cut off."""
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + part.shape[1], picture.shape[1]), min(y + part.shape[0], picture.shape[0])
    if right <= left or bottom <= top:
        return
    part = part[top - y : bottom - y, left - x : right - x]
    target = picture[top:bottom, left:right]
    target[:] = part if opacity >= 1 else np.rint(target * (1 - opacity) + part * opacity).astype(np.uint8)


def put_border(picture: Picture, colour: Colour, width: int) -> None:
    """Colour the border of a picture, in place."""
    for edge in (picture[:width], picture[-width:], picture[:, :width], picture[:, -width:]):
        edge[:] = colour


def faded(picture: Picture, share: float = 0.4) -> Picture:
    """The picture, darker: what is left of its brightness is ``share``."""
    return (picture * np.float32(share)).astype(np.uint8)
