"""Commands as users type them."""

from click.testing import CliRunner

from bsoid_gpu.cli.main import main


def run(*arguments):
    """Output of a command that succeeds."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*arguments):
    """Message of a command that is refused."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    assert result.exit_code in (2, 4), result.output
    assert "Traceback" not in result.output
    return result.stderr
