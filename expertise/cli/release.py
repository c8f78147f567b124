"""`expertise release`: write the tables of a study that may leave the house."""

import argparse
from typing import Any

from expertise.cli.secret import add_key, key_of
from expertise.reporting.sharing import release_study


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("release", help="write tables without small groups")
    parser.add_argument("study", help="the study folder, for example studies/mijn-studie")
    parser.add_argument(
        "--by", action="append", default=[], help="also split by a column of people, such as team"
    )
    parser.add_argument(
        "--merge", action="store_true", help="put small groups of --by together before hiding"
    )
    add_key(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write results/released-….csv and say what was hidden."""
    released = release_study(chosen.study, by=chosen.by, merge=chosen.merge, key=key_of(chosen))
    print(released)
    return 0
