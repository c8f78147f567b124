"""The command line: `expertise <command>`, a file a command, each also a function."""

import argparse
import sys
from collections.abc import Sequence

from expertise import __version__
from expertise.cli import (
    bundle,
    check,
    guard,
    new,
    release,
    report,
    reproduce,
    simulate,
    withdraw,
)
from expertise.errors import ExpertiseError

COMMANDS = (new, check, report, simulate, release, withdraw, guard, bundle, reproduce)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a known error is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="expertise", description="What do we know together?")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    try:
        code: int = chosen.run(chosen)
    except ExpertiseError as fault:
        print(f"expertise: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("expertise: stopped; nothing half-written is left behind", file=sys.stderr)
        return 130
    return code
