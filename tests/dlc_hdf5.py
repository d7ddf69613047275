"""DeepLabCut HDF5 files for tests, written by pandas."""

from __future__ import annotations

import math
import warnings

import dlc
import pandas as pd

COORDS = ("x", "y", "likelihood")
FORMATS = ("table", "fixed")


def frame(values, names=dlc.NAMES, individuals=(), coords=COORDS):
    """Table of (frames, individuals x names, coordinates) as DeepLabCut makes it."""
    levels = [["net"], *([list(individuals)] if individuals else []), list(names), list(coords)]
    titles = ["scorer", *(["individuals"] if individuals else []), "bodyparts", "coords"]
    return pd.DataFrame(
        values.reshape(len(values), math.prod(values.shape[1:])),
        columns=pd.MultiIndex.from_product(levels, names=titles),
    )


def write(path, table, key="df_with_missing", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas and PyTables, on keys and types that they do not like
        table.to_hdf(path, key=key, **options)
    return path
