"""`expertise deidentify`: take out of narratives what would tell who they are about."""

import argparse
from pathlib import Path
from typing import Any

from expertise.errors import FileError
from expertise.files.keys import make_key, outside_git
from expertise.files.tables import read_table
from expertise.narratives.corpus import read_corpus
from expertise.narratives.deidentification import deidentify
from expertise.narratives.review import apply_review, review_page


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "deidentify",
        help="replace names, places, dates and numbers in a corpus",
        description="First run: writes a page on which people judge every find. Second run, with "
        "--review and the file that the page saved: writes the corpus without identifiers.",
    )
    parser.add_argument("corpus", help="the corpus, for example corpora/verhalen")
    parser.add_argument(
        "--out", required=True, metavar="FOLDER",
        help="for the page: outside every repository; with --review: the new corpus",
    )  # fmt: skip
    parser.add_argument("--review", metavar="FILE", help="the review.json that the page saved")
    parser.add_argument(
        "--key", metavar="FILE",
        help="the secret behind the stand-ins, made when it is not there "
        "(default ~/.expertise/CORPUS.key)",
    )  # fmt: skip
    parser.add_argument(
        "--names", metavar="TABLE",
        help="names that are known to occur: name, person and triad; nicknames too",
    )  # fmt: skip
    parser.add_argument(
        "--dates", choices=("shift", "generalise"), default="shift",
        help="move all dates of a triad alike, or keep the year only (default shift)",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(chosen: argparse.Namespace) -> int:
    """Write the page to judge, or the corpus as people judged it."""
    corpus, out = read_corpus(chosen.corpus), Path(chosen.out)
    if chosen.review:
        if (out / "corpus.toml").exists():
            raise FileError(f"{out.name}/ holds a corpus already; choose an empty folder")
    else:
        outside_git(out / "review.html", "page")  # before minutes of work
    names = chosen.names and read_table(chosen.names, allow=("name", "person")).table
    found = deidentify(corpus, key=_key(chosen, corpus.folder), people=names, dates=chosen.dates)
    if chosen.review:
        done = apply_review(found, chosen.review)
        print(done, f"The corpus lies in {done.save(out, corpus)}", sep="\n")
        return 0
    out.mkdir(parents=True, exist_ok=True)
    page = review_page(found, out / "review.html")
    print(found, f"The page lies at {page}. Open it, judge every mark, save, then run:", sep="\n")
    print(f"  expertise deidentify {chosen.corpus} --review review.json --out NEW-FOLDER")
    return 0


def _key(chosen: argparse.Namespace, corpus: Path) -> Path:
    path = Path(chosen.key or Path.home() / ".expertise" / f"{corpus.resolve().name}.key")
    if not path.exists() and not chosen.review:
        if not chosen.key:
            path.parent.mkdir(mode=0o700, exist_ok=True)
        print(f"A new key was made at {make_key(path)}; keep it, and keep it secret")
    return path
