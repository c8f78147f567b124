"""`expertise report`: run a study's notebook and write its page."""

import argparse
from typing import Any

from expertise.reporting import build_report


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("report", help="build the report of a study")
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.add_argument(
        "--internal", action="store_true", help="may show persons; the page says so at its head"
    )
    parser.add_argument("--pdf", action="store_true", help="also print a tagged PDF")
    parser.add_argument("--out", help="folder to write in (default build/<study>)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Build the page and print where it lies."""
    page = build_report(
        chosen.study,
        audience="internal" if chosen.internal else "released",
        pdf=chosen.pdf,
        out=chosen.out,
    )
    print(f"The report lies at {page.html}")
    if page.pdf:
        print(f"The PDF lies at {page.pdf}")
    return 0
