"""`expertise code`: the page on which people code a study together."""

import argparse
from typing import Any

from expertise.cocoding.circle import Circle, open_circle
from expertise.cocoding.paper import write_papers
from expertise.cocoding.web.serve import how_to_divide_again, make_site, origins_for, serve_study
from expertise.coding.opening import migrate_store


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("code", help="start the page on which people code together")
    parser.add_argument("study", help="the study folder, for example studies/vuurwerkramp")
    parser.add_argument(
        "--coder", action="append", default=[], metavar="NAME:PERSPECTIVE",
        help="add someone, for example 'Samira:patient'; may be repeated",
    )  # fmt: skip
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--host", default="127.0.0.1", help="where the server listens")
    parser.add_argument("--address", help="https://… as people see it, behind a proxy with TLS")
    parser.add_argument("--store", help="postgresql://…; default SQLite in the study's private/")
    parser.add_argument(
        "--migrate", action="store_true", help="bring an older store up to date, after a backup"
    )
    parser.add_argument(
        "--who", action="store_true", help="say how far everyone is, and stop; no server is started"
    )
    parser.add_argument(
        "--invite", action="append", default=[], metavar="NAME",
        help="print a new link for someone, and stop; a server may run meanwhile",
    )  # fmt: skip
    parser.add_argument(
        "--paper", nargs="?", const="", metavar="FOLDER",
        help="write the paper version, a page and PDF a person, and stop; default the study's "
        "private/exports/paper",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Migrate the store, print papers or links, or serve until stopped."""
    if chosen.migrate:
        backup = migrate_store(chosen.store or f"{chosen.study}/private/codings.db")
        print(f"The store is up to date; backup: {backup or 'none was needed'}")
        return 0
    if chosen.who or chosen.invite or chosen.paper is not None:
        circle = open_circle(chosen.study, chosen.store)
        try:
            _beside(circle, chosen)
        finally:
            circle.store.close()
        return 0
    serve_study(
        chosen.study, coders=chosen.coder, port=chosen.port, host=chosen.host,
        address=chosen.address, store=chosen.store,
    )  # fmt: skip
    return 0


def _beside(circle: Circle, chosen: argparse.Namespace) -> None:
    """Do what needs no server: add people, say how far they are, make links and papers."""
    for one in chosen.coder:
        name, _, perspective = one.rpartition(":")
        circle.add(name, perspective)
    if chosen.who:
        print(circle.progress().drop(columns=["coder"]).to_string(index=False))
    if late := how_to_divide_again(circle, chosen.study):
        print(late)
    _, research = make_site(circle, origins_for(chosen.address, chosen.port))
    for name in chosen.invite:
        print(f"{name}: {research.link(circle.named(name))}")
    if chosen.paper is not None:
        folder = chosen.paper or f"{chosen.study}/private/exports/paper"
        for path in write_papers(circle, folder):
            print(f"Written: {path}")
