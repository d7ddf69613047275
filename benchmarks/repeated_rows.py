"""Seconds of the exact nearest neighbours where a share of the rows repeats an earlier one.

    python benchmarks/repeated_rows.py RESULT.json [--rows 24000] [--neighbours 268] [--repeats 3]

Rows are random numbers. Either the repeated rows, in random places, are all equal to the first row, as where a tracker
reports one pose for an empty arena; or they are in stretches of 50 equal rows each, as where an animal sleeps. Seconds
are medians after one search that compiles.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from measuring import circumstances, timed, write
from numpy.typing import NDArray

from bsoid_gpu.kernels.neighbours import nearest
from bsoid_gpu.machine import cores

COLUMNS = 36  # those of six keypoints
SHARES = (0.0, 0.3, 0.6)
STRETCH = 50  # rows: 5 s of bins
WARM_UP_ROWS = 3_000


def one_row(rows: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows of which a share, in random places, repeats the first one."""
    chosen = 1 + rng.permutation(len(rows) - 1)[: round(share * len(rows))]
    repeated = rows.copy()
    repeated[chosen] = rows[0]
    return repeated


def stretches(rows: NDArray[np.float32], share: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows of which about a share repeats the one before, in stretches of equal rows; each has its own row."""
    number = round(share * len(rows) / (STRETCH - 1))
    source = np.arange(len(rows))
    for start in STRETCH * rng.permutation(len(rows) // STRETCH)[:number]:
        source[start : start + STRETCH] = start
    return rows[source]


KINDS = {"one row": one_row, "stretches of one pose": stretches}


def measured(rows: NDArray[np.float32], neighbours: int, threads: int, repeats: int) -> dict[str, Any]:
    """Seconds of each kind and share; without repeated rows both kinds are the same rows."""
    report: dict[str, Any] = {}
    for kind, repeat in KINDS.items():
        report[kind] = {}
        for share in SHARES:
            points = repeat(rows, share, np.random.default_rng(1))
            _, seconds = timed(nearest, points, neighbours, threads, repeats=repeats)
            different = len(np.unique(points, axis=0))
            report[kind][f"{share:.0%}"] = {"seconds": seconds, "different_rows": different}
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("result", type=Path)
    parser.add_argument("--rows", type=int, default=24_000)
    parser.add_argument("--neighbours", type=int, default=268)
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args()
    rows = np.random.default_rng(0).standard_normal((a.rows, COLUMNS), dtype=np.float32)
    report = {
        "what": __doc__.splitlines()[0],
        **circumstances(),
        "load_before": round(psutil.getloadavg()[0], 2),
        "rows": a.rows,
        "columns": COLUMNS,
        "neighbours": a.neighbours,
        "stretch_rows": STRETCH,
        "threads": cores(),
        "warm_up": f"one search of {min(WARM_UP_ROWS, a.rows):,} rows",
        "repeats": a.repeats,
    }
    nearest(rows[:WARM_UP_ROWS], min(a.neighbours, WARM_UP_ROWS, a.rows), cores())
    report["repeated_rows"] = measured(rows, a.neighbours, cores(), a.repeats)
    write(report, a.result)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
