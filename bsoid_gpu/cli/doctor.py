"""The command ``bsoid-gpu doctor``: what works on this machine, and the proof that a GPU computes correctly."""

from __future__ import annotations

import sys

import click

from bsoid_gpu.cli.options import debug

SIZES = "3000,30000,70000"


@click.command(
    epilog="\b\nExamples:\n  bsoid-gpu doctor --backend cuda\n  bsoid-gpu doctor --proof gpu-proof.json\n\n"
    "Exit code 3: a backend does not work, or a comparison failed."
)
@click.option("--backend", type=click.Choice(["cpu", "cuda"]), help="Exit with code 3 if it does not work.")
@click.option(
    "--check/--no-check", default=True, show_default=True, help="Compare cuda with cpu on a small job, if cuda works."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--proof",
    metavar="FILE",
    type=click.Path(path_type=str),
    help="Instead, measure every step of cuda against cpu at several sizes, and write FILE, JSON; may take an hour.",
)
@click.option("--sizes", default=SIZES, show_default=True, metavar="BINS,...", help="Bins of each job of the proof.")
@click.option(
    "--recordings", metavar="DIR", type=click.Path(path_type=str), help="Real recordings, one more job of the proof."
)
@click.option("--fps", help="Frames per second of these recordings.")
@debug
def doctor(
    backend: str | None,
    check: bool,
    as_json: bool,
    proof: str | None,
    sizes: str,
    recordings: str | None,
    fps: str | None,
) -> None:
    """Report which backends work, and what to type for the others."""
    import json

    from bsoid_gpu.doctor import report
    from bsoid_gpu.errors import BackendUnavailable

    if proof is not None:
        passed = _prove(proof, sizes, recordings, fps)
    else:
        examined = report.examine(check=check and backend != "cpu")
        click.echo(json.dumps(examined, indent=1) if as_json else report.report(examined))
        passed = report.works(examined, backend or ("cpu" if examined["self_check"] is None else "cuda"))
    if not passed:
        sys.exit(BackendUnavailable.exit_code)


def _prove(path: str, sizes: str, recordings: str | None, fps: str | None) -> bool:
    """Write the proof, and print its table."""
    from pathlib import Path

    from bsoid_gpu.backends import get_backend
    from bsoid_gpu.backends.cpu import CpuBackend
    from bsoid_gpu.doctor.proof import Plan, prove, sizes_from
    from bsoid_gpu.doctor.proof_table import table

    plan = Plan(sizes=sizes_from(sizes), recordings=Path(recordings) if recordings else None, fps=fps)
    result = prove(Path(path), CpuBackend(), get_backend("cuda"), plan)
    click.echo(table(result), err=True)
    click.echo(path)
    return bool(result["passed"])
