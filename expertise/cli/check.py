"""`expertise check`: everything that is wrong with a study, at once."""

import argparse
from typing import Any

from expertise.study import check_study


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("check", help="list every problem of a study at once")
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Print the problems, who was measured when, and what a release will suppress."""
    found = check_study(chosen.study)
    print(found)
    return 1 if found.problems else 0
