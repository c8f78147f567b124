"""The paper version: per person a welcome, the word list, and fragments with numbered sentences."""

import re
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pandas as pd

from expertise.cocoding.circle import Circle
from expertise.cocoding.people import Member
from expertise.cocoding.web.app import Site
from expertise.coding.assignment import Fragment, may_read
from expertise.coding.paper import numbered_sentences, sheet_code
from expertise.errors import CodingError, FileError
from expertise.files.safe import write_atomically


def sheets(circle: Circle, who: Member) -> list[Fragment]:
    """Return the fragments that someone gets on paper: what is on their desk, practice apart."""
    desk = circle.handle(who.coder.id, {"kind": "sync"})["desk"]
    by_id = {one.id: one for one in circle.fragments}
    return [by_id[one["document"]] for one in desk["texts"] if not one["practice"]]


def paper_page(site: Site, who: Member, css: str = "") -> str:
    """Return someone's paper as a page; with `css` it needs no other file.

    Raises
    ------
    CodingError
        When there is no text that they may read.
    """
    circle = site.circle
    found = sheets(circle, who)
    if not found:
        raise CodingError(f"there is nothing to print for {who.name!r}: no text is theirs to read")
    places = numbered_sentences({one.id: one.text for one in found})
    parts = [
        {"topics": one.topics, "sentences": [one.text[a:b] for a, b in places[one.id]],
         "breaks": _breaks(one.text, places[one.id]), "sheet": sheet_code(one.id, places[one.id])}
        for one in found
    ]  # fmt: skip
    answer = site.page("paper.html", name=who.name, parts=parts, cards=circle.book.cards(), css=css)
    return bytes(answer.body).decode()


def write_papers(circle: Circle, folder: str | Path, names: tuple[str, ...] = ()) -> list[Path]:
    """Write a page, and a PDF where Chromium is installed, for everyone who codes.

    Parameters
    ----------
    folder : path
        Keep it as safe as the study: the papers hold the narratives' words.
        In ``private/exports`` a withdrawal deletes them.
    names : tuple of str
        For whom; all by default.

    Raises
    ------
    CodingError
        When nobody of these names codes, or nothing may be read by them.
    """
    site = Site(circle, ("http://localhost",))
    css = (files("expertise.cocoding.web") / "static" / "paper.css").read_text("utf-8")
    people = [one for one in circle.members.values()
              if (one.name in names if names else not one.coder.facilitator)]  # fmt: skip
    if not people:
        raise CodingError("there is nobody to print for; add people with --coder NAME:PERSPECTIVE")
    Path(folder).mkdir(parents=True, exist_ok=True)
    written = []
    for at, one in enumerate(people, 1):
        slug = re.sub(r"\W+", "-", one.name.casefold()).strip("-")[:40]
        page = Path(folder) / f"{at:02}-{slug}.html"
        written.append(write_atomically(page, paper_page(site, one, css)))
        try:
            written.append(print_page(page, page.with_suffix(".pdf")))
        except FileError:
            continue  # no Chromium here: the page can be printed from any browser
    return written


def print_page(html: Path, pdf: Path) -> Path:
    """Print a page with Chromium; what that needs loads only then, not with the server."""
    printed: Path = import_module("expertise.reporting.pdf").print_page(html, pdf)
    return printed


def shown_to(helper: Member, fragment: Fragment) -> bool:
    """Say whether who enters a paper may see the words of a text, or its numbers only."""
    return may_read(helper.coder, fragment)


def entered_codings(circle: Circle, coder: str, document: str) -> list[str]:
    """Return the ids of the codings that stand and were entered from someone's paper."""
    acts = circle.store.after(coder=coder, document=document)
    from_paper = {act.uuid for act in acts if act.kind == "applied" and act.entered_by}
    codings: pd.DataFrame = circle.ledger().codings
    return [uuid for uuid in codings["uuid"] if uuid in from_paper]


def _breaks(text: str, places: list[tuple[int, int]]) -> set[int]:
    """Return the numbers of sentences before which a new paragraph begins."""
    return {
        at + 1 for at in range(1, len(places)) if "\n" in text[places[at - 1][1] : places[at][0]]
    }
