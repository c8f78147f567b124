"""`expertise guard`: keep passages of narratives out of what is shared."""

import argparse
from pathlib import Path
from typing import Any

from expertise.cli.secret import add_key, key_of
from expertise.privacy.guard import check_for_quotes, corpus_texts, index_texts, refuse_quotes

INDEX = "guard-index.json"


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("guard", help="refuse files that hold words of a narrative")
    parser.add_argument("files", nargs="*", help="files about to be shared or committed")
    parser.add_argument("--index", default=INDEX, help=f"the index of narratives ({INDEX})")
    parser.add_argument(
        "--corpus", action="append", default=[], help="write the index from this corpus first"
    )
    add_key(parser)
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Check the files; without an index there is nothing to protect."""
    if chosen.corpus:
        texts = [text for folder in chosen.corpus for text in corpus_texts(folder)]
        index_texts(texts, chosen.index, key=key_of(chosen))
        print(f"The index of {len(texts)} narratives lies at {chosen.index}")
    elif not Path(chosen.index).is_file():
        print(f"There is no {chosen.index}: no narratives to keep in, nothing was checked")
        return 0
    found = check_for_quotes(chosen.files, index=chosen.index, key=key_of(chosen))
    refuse_quotes(found)
    print(found)
    return 0
