"""The command line `cmi`: one thin module a command; an error speaks to a person and has its own exit code."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; exit 0 all good, 1 some failed, 2 bad input, 3 stale data, 75 another run holds the lock."""
    from cmi_analysis.cli.app import app
    from cmi_analysis.errors import CmiError

    try:
        app()
    except CmiError as error:
        sys.stderr.write(f"Expected: {error.expected}\nFound:    {error.found}\nTo do:    {error.fix}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("Stopped. Finished reports are in place; the next run goes on with the rest.\n")
        sys.exit(130)
