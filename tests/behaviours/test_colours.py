"""Colours of behaviours."""

import numpy as np

from bsoid_gpu.behaviours.colours import UNSURE_COLOUR, colour_of


def rgb(colour):
    return np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])


def test_sixty_colours_differ_from_each_other_and_from_that_of_no_label():
    colours = np.array([rgb(colour_of(number)) for number in range(-1, 60)])
    assert colour_of(-1) == UNSURE_COLOUR
    distance = np.linalg.norm(colours[:, None] - colours[None], axis=2)
    assert distance[~np.eye(len(colours), dtype=bool)].min() > 8


def test_the_formula_of_the_colour_space():
    from bsoid_gpu.behaviours.colours import _hex

    assert _hex(1.0, 0.0, 0.0) == "#ffffff"
    assert _hex(0.627955, 0.224863, 0.125846) == "#ff0000"  # red, by Ottosson (2020)
