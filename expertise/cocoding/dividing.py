"""Who reads what: fragments are chosen and divided, and what someone reads already goes first."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import import_module

import pandas as pd

from expertise.coding.assignment import READS, Coder, Fragment, may_read
from expertise.coding.fragments import (
    choose_fragments,
    cut_fragments,
    fragment_text,
    overlaps,
    placed,
)
from expertise.coding.planning import ReadingPlan, begun_by, in_use, plan_reading
from expertise.errors import CodingError
from expertise.narratives.corpus import Corpus
from expertise.words import Note, note

EVENLY = ("perspective", "participant")
Texts = Mapping[str, Fragment]


def divide(
    corpus: Corpus, whole: Texts, coders: Sequence[Coder], work: pd.DataFrame, *,
    readers: int, words: int | None, n: int | None, of: Sequence[str], find: str, seed: int,
) -> ReadingPlan:  # fmt: skip
    """Choose fragments and divide them; see `Circle.plan`.

    Parameters
    ----------
    corpus, whole : Corpus, mapping
        The texts, and each as a fragment by its id.
    coders : sequence of Coder
        Who may be planned.
    work : DataFrame
        `Ledger.work`: what was opened so far.
    """
    texts = enough(whole, coders, readers, of)
    if not (texts or of):
        raise CodingError(
            f"no text may be read by {readers} of {len(coders)} people who code; "
            "add people, ask for consent, or plan fewer readers"
        )
    begun = begun_by(work)
    who = {one.id for one in coders}
    read = {
        document: sum(coder in who and state in READS for coder, state in states.items())
        for document, states in begun.items()
    }
    first = {document for document, count in read.items() if count}
    fitting = _fitting(corpus, whole, set(texts), first, words=words, of=of, find=find)
    taken = overlaps(fitting["document"], in_use(work), whole)
    left = fitting[~fitting["document"].isin(list(taken))]
    if left.empty:
        raise CodingError(
            f"each of the {len(taken)} fragments that fit shares words with one that someone "
            "opened, so these would count twice; plan with the length of before, or other texts"
        )
    chosen = choose_fragments(left, n=n, evenly=EVENLY, first=first, seed=seed)
    made = plan_reading(
        [passage(one, whole) for one in chosen["document"]], coders, readers=readers, seed=seed,
        settings={"words": words, "n": n, "of": list(of), "find": find}, begun=begun,
    )  # fmt: skip
    given = made.table.groupby("document").size().to_dict()
    fewer = sum(0 < max(count, given.get(one, 0)) < readers for one, count in read.items())
    idle = who - set(made.table["coder"])
    could = [whole[one] for one in left["text"].unique()]
    nothing = sum(one.id in idle and any(may_read(one, text) for text in could) for one in coders)
    counts = {
        "few_may_read": 0 if of else len(whole) - len(texts), "overlap": len(taken),
        "fewer_readers": fewer, "nothing_for": nothing,
    }  # fmt: skip
    return replace(made, notes=(*_notes(counts, readers), *made.notes))


def enough(whole: Texts, coders: Sequence[Coder], readers: int, of: Sequence[str]) -> Texts:
    """Return the texts to choose from: those asked for, or those that enough people may read."""
    if of:
        named = {one if one in whole else one.rpartition("#")[0] for one in of}
        return {key: one for key, one in whole.items() if key in named}
    return {
        key: one for key, one in whole.items()
        if sum(may_read(coder, one) for coder in coders) >= readers
    }  # fmt: skip


def passage(document: str, whole: Texts) -> Fragment:
    """Return a fragment by its id, with who may read it."""
    text = whole[placed(document, whole)[0]]
    return replace(text, id=document, text=fragment_text(document, {text.id: text.text}))


def _fitting(
    corpus: Corpus, whole: Texts, texts: set[str], first: set[str], *,
    words: int | None, of: Sequence[str], find: str,
) -> pd.DataFrame:  # fmt: skip
    """Return the fragments that fit: of these texts, or read by someone already."""
    begun = {placed(one, whole)[0] for one in first}
    used = {key: one.text for key, one in whole.items() if of or key in texts | begun}
    about = corpus.table.rename(columns={"document": "text"})[["text", *EVENLY]]
    pieces = cut_fragments(used, words=words, of=of).merge(about, on="text")
    pieces = pieces[pieces["text"].isin(texts) | pieces["document"].isin(first)]
    return choose_fragments(pieces, hits=_hits(corpus, find) if find else None)


def _hits(corpus: Corpus, find: str) -> pd.DataFrame:
    """Return where words stand; the pipeline loads only when someone searches."""
    hits: pd.DataFrame = import_module("expertise.narratives.search").concordance(corpus, find).hits
    return hits


def _notes(counts: Mapping[str, int], readers: int) -> list[Note]:
    return [note(f"coding.{key}", n=n, readers=readers) for key, n in counts.items() if n]
