"""The command line: `expertise <command>`, a file a command, each also a function."""

import argparse
import ast
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.resources import files
from keyword import iskeyword
from typing import Any

from expertise import __version__
from expertise.errors import ExpertiseError

COMMANDS = (
    "new", "check", "report", "simulate", "import", "deidentify", "fragments", "code", "agree",
    "exchange", "release", "withdraw", "guard", "bundle", "reproduce",
)  # fmt: skip


def command(name: str) -> Any:
    """Load the module of a command; only when it is asked for, so that each starts soon."""
    return import_module(f"expertise.cli.{_module(name)}")


def purpose(name: str) -> str:
    """Return what a command is for, from the head of its module, without loading it.

    >>> purpose("check")
    'everything that is wrong with a study, at once'
    """
    source = (files("expertise.cli") / f"{_module(name)}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("`: ")[2].rstrip(".")


def _module(name: str) -> str:
    return f"{name}_" if iskeyword(name) else name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; a known error is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="expertise", description="What do we know together?")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    given = sys.argv[1:] if arguments is None else list(arguments)
    for name in COMMANDS:
        if name in given[:1]:
            command(name).add(commands)
        else:
            commands.add_parser(name, help=purpose(name))
    chosen = parser.parse_args(given)
    try:
        code: int = chosen.run(chosen)
    except ExpertiseError as fault:
        print(f"expertise: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("expertise: stopped; nothing half-written is left behind", file=sys.stderr)
        return 130
    return code
