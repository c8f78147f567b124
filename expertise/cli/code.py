"""`expertise code`: the page on which people code a study together."""

import argparse
from typing import Any

from expertise.cocoding.web.serve import serve_study
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
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Migrate the store, or serve until stopped."""
    if chosen.migrate:
        backup = migrate_store(chosen.store or f"{chosen.study}/private/codings.db")
        print(f"The store is up to date; backup: {backup or 'none was needed'}")
        return 0
    serve_study(
        chosen.study, coders=chosen.coder, port=chosen.port, host=chosen.host,
        address=chosen.address, store=chosen.store,
    )  # fmt: skip
    return 0
