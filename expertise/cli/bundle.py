"""`expertise bundle`: write a study as one file that someone else can run."""

import argparse
from typing import Any

from expertise.cli.secret import add_key, key_if_named
from expertise.reporting.bundle import bundle_study
from expertise.reporting.expected import write_expected


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("bundle", help="write a study as an RO-Crate that can be run")
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.add_argument(
        "--data",
        required=True,
        choices=("travel", "twin"),
        help="whether the data go along, or a synthetic twin while they stay in house",
    )
    parser.add_argument("--out", help="the file (default build/<study>/<study>.crate.zip)")
    add_key(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write the bundle, and the expected results into the study; print where they lie."""
    path = bundle_study(chosen.study, data=chosen.data, out=chosen.out, key=key_if_named(chosen))
    print(f"The expected results lie at {write_expected(chosen.study)}")
    print(f"The bundle lies at {path}; compare it with: expertise reproduce {path}")
    return 0
