"""`expertise report`: build a study's two reports, scientific and plain."""

import argparse
from typing import Any

from expertise.errors import listed
from expertise.reporting import build_report


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("report", help="build the report of a study")
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.add_argument(
        "--internal", action="store_true", help="may show persons; the page says so at its head"
    )
    parser.add_argument("--pdf", action="store_true", help="also print tagged PDFs")
    parser.add_argument(
        "--approve", default="", metavar="WHO", help="who read the plain text and agrees with it"
    )
    parser.add_argument("--out", help="folder to write in (default build/<study>)")
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Build the pages, print where they lie, and which sentences must be read again."""
    page = build_report(
        chosen.study,
        audience="internal" if chosen.internal else "released",
        pdf=chosen.pdf,
        out=chosen.out,
        approve=chosen.approve,
    )
    print(f"The report lies at {page.html}")
    if page.summary:
        print(f"The plain summary lies at {page.summary}, the tables at {page.tables}")
    if page.drafted:
        print(f"A first text was written to {page.text}: edit it; it will not be overwritten")
    if page.changed:
        print(
            f"Numbers changed since the text was approved ({listed(page.changed)}): read the "
            "marked sentences again, then use --approve"
        )
    for printed in filter(None, (page.pdf, page.summary_pdf)):
        print(f"The PDF lies at {printed}")
    return 0
