"""`expertise reproduce`: run a bundle or a study and say whether the same came out."""

import argparse
from pathlib import Path
from typing import Any

from expertise.reporting.reproduce import reproduce_bundle, reproduce_study


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("reproduce", help="run a bundle and compare every result")
    parser.add_argument("bundle", help="a file that expertise bundle wrote, or a study folder")
    parser.add_argument(
        "--no-notebooks", action="store_true", help="run no code of the bundle, its models only"
    )
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Say what will run, run it, and exit with 1 when something differs."""
    if Path(chosen.bundle).is_dir():
        found = reproduce_study(chosen.bundle)
    else:
        found = reproduce_bundle(chosen.bundle, notebooks=not chosen.no_notebooks, tell=print)
    print(found)
    return 0 if found.ok else 1
