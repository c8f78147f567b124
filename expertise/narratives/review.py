"""People judge every identifier that was found: a page on their own machine, a small file back."""

import hashlib
import json
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import FileError, listed
from expertise.files.keys import outside_git
from expertise.files.safe import write_atomically
from expertise.files.text import read_text
from expertise.narratives.deidentification import COLUMNS, Deidentified, rewritten
from expertise.narratives.patterns import LABELS
from expertise.words import say

MAX_BYTES = 50_000_000


def review_page(found: Deidentified, path: str | Path, *, lang: str = "nl") -> Path:
    """Write a page on which people judge every span; it works without a network.

    The page holds the original texts: it belongs where only the team can
    read it, and is refused inside a git work tree.

    Parameters
    ----------
    found : Deidentified
        What `deidentify` returned.
    path : path
        Where the page goes, outside every git work tree.
    lang : {"nl", "en"}
        Language of the instructions.

    Returns
    -------
    Path
        The page. Its button saves ``review.json`` for `apply_review`.

    Raises
    ------
    PrivacyError
        When the place is inside a git work tree.
    """
    path = Path(path)
    outside_git(path, "page")
    by_text = dict(iter(found.spans.groupby("document")))
    articles = "".join(
        _article(name, text, by_text.get(name, found.spans.iloc[:0]))
        for name, text in found.originals.items()
    )
    frame = (files("expertise.narratives") / "review.html").read_text("utf-8")
    words = {
        name: escape(say(f"narratives.review_{name}", lang))
        for name in ("title", "help", "word", "missed", "save", "nothing")
    }
    # The page itself fills in how many.
    words["count"] = escape(say("narratives.review_count", lang, n="{n}", all="{all}"))
    return write_atomically(path, frame.format(lang=lang, articles=articles, **words))


def _article(name: str, text: str, spans: pd.DataFrame) -> str:
    pieces, at = [], 0
    for row in spans.itertuples():
        label = escape(LABELS[str(row.kind)], quote=True)
        pieces.append(escape(text[at : row.start]))
        pieces.append(
            f'<mark tabindex="0" role="button" aria-pressed="true" title="{label}" '
            f'data-start="{row.start}" data-end="{row.end}" data-kind="{row.kind}">'
            f"{escape(text[row.start : row.end])}</mark>"
        )
        at = row.end
    body = "".join([*pieces, escape(text[at:])])
    key = escape(name, quote=True)
    return (
        f'<article><h2>{key}</h2><p dir="auto" data-document="{key}" '
        f'data-sha256="{_hash(text)}">{body}</p></article>\n'
    )


def apply_review(found: Deidentified, review: str | Path) -> Deidentified:
    """Return the texts as people judged them: rejected spans stay words, missed ones go.

    Parameters
    ----------
    found : Deidentified
        What `deidentify` returned for the same texts.
    review : path
        The file that the page of `review_page` saved.

    Returns
    -------
    Deidentified
        With ``reviewed`` true. Words that people marked as missed become
        ``[weggelaten]``.

    Raises
    ------
    FileError
        When the file is no review, is of other texts, or leaves spans unjudged.
    """
    path = Path(review)
    judged = _read(path)
    hashes = {name: _hash(text) for name, text in found.originals.items()}
    if judged["texts"] != hashes:
        other = [name for name in hashes if judged["texts"].get(name) != hashes[name]]
        raise FileError(
            f"{path.name} is a review of other texts ({listed(other or judged['texts'])}); "
            "review these on a new page"
        )
    stand_ins = {
        (row.document, row.start, row.end): row.replacement for row in found.spans.itertuples()
    }
    verdicts = {(s["document"], s["start"], s["end"]): s for s in judged["spans"]}
    unjudged = stand_ins.keys() - verdicts.keys()
    if unjudged:
        raise FileError(f"{path.name} leaves {len(unjudged)} spans unjudged; review on a new page")
    rows = [
        {**{name: verdicts[where][name] for name in ("document", "start", "end", "kind")},
         "replacement": stand_ins.get(where, "[weggelaten]")}
        for where in verdicts
        if verdicts[where]["keep"]
    ]  # fmt: skip
    spans = pd.DataFrame(rows, columns=COLUMNS)
    return rewritten(found.originals, _apart(spans, found.originals), reviewed=True)


def _apart(spans: pd.DataFrame, originals: dict[str, str]) -> pd.DataFrame:
    """Return spans in order, an added one cut short where it meets one that was found."""
    kept: list[dict[str, Any]] = []
    order = {name: place for place, name in enumerate(originals)}
    rows = sorted(
        spans.to_dict("records"),
        key=lambda row: (order[row["document"]], row["start"], -row["end"]),
    )
    for row in rows:
        if kept and kept[-1]["document"] == row["document"]:
            row["start"] = max(row["start"], kept[-1]["end"])
        if row["start"] < row["end"] <= len(originals[row["document"]]):
            kept.append(row)
    return pd.DataFrame(kept, columns=COLUMNS).astype({"start": int, "end": int})


def _read(path: Path) -> dict[str, Any]:
    try:
        judged = json.loads(read_text(path, max_bytes=MAX_BYTES).text)
        good = (
            judged["schema"] == 1
            and isinstance(judged["texts"], dict)
            and all(
                isinstance(span["document"], str)
                and span["document"] in judged["texts"]
                and type(span["start"]) is int
                and type(span["end"]) is int
                and 0 <= span["start"] < span["end"]
                and isinstance(span["kind"], str)
                and isinstance(span["keep"], bool)
                for span in judged["spans"]
            )
        )
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError):
        good = False
    if not good:
        raise FileError(f"{path.name} is not a review; save it with the button on the review page")
    return dict(judged)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
