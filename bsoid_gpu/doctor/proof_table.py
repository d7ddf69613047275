"""A proof as a table to read."""

from __future__ import annotations

from typing import Any

from bsoid_gpu.doctor.proof_record import FAILED

HEADER = ("data", "step", "measured", "bound", "verdict", "seconds", "peak GB", "estimated GB")
NUMBERS = {2, 5, 6, 7}  # columns that are aligned to the right


def table(report: dict[str, Any]) -> str:
    """The rows in columns, the explanation of each failure, and the verdict."""
    cells = [HEADER, *(_cells(row) for row in report["rows"])]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADER))]
    lines = [
        "  ".join(
            text.rjust(width) if column in NUMBERS else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    bad = [row for row in report["rows"] if row["verdict"] == FAILED]
    lines += [f"{FAILED}  {row['data']}: {row['name']}: {row['text']}" for row in bad]
    passed = "all passed" if report["passed"] else f"{len(bad)} failed" if bad else "not complete"
    return "\n".join([*lines, f"{len(report['rows'])} rows, {passed}"])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    bound = "" if row["bound"] is None else f"{row['sense']} {row['bound']:.4g}"
    return (
        row["data"],
        row["name"],
        _number(row["measured"], ".4g"),
        bound,
        row["verdict"],
        _number(row.get("seconds"), ".1f"),
        _number(row.get("peak_gb"), ".2f"),
        _number(row.get("estimated_gb"), ".2f"),
    )


def _number(number: float | None, form: str) -> str:
    return "" if number is None else format(number, form)
