"""Suggest passages that may deserve a code, and say why; people accept or refuse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.agreement.codings import meet, read_codings
from expertise.errors import CodingError, listed
from expertise.result import Result, tidy_table
from expertise.suggestions.learning import (
    Array,
    Encoder,
    folded_scores,
    learned_scores,
    right_in_first,
)
from expertise.words import Note, note, say

LEAST = 5
PASSAGE = ["document", "start", "end", "code"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Suggestions(Result):
    """Passages that may deserve a code, with how well the model did; shows places, never words.

    Attributes
    ----------
    table : DataFrame
        document, start, end, code, score (between 0 and 1, not a chance that people would
        agree with), near: up to three ids of the coded passages that are most alike.
    in_first_three, common_in_first_three : float
        Share of coded sentences with a right code among the first three, in documents that the
        model had not seen; and the same when one always names the three most used codes.
    n_sentences, n_documents : int
        Coded sentences and documents that this rests on.
    """

    table: pd.DataFrame
    in_first_three: float
    common_in_first_three: float
    n_sentences: int
    n_documents: int
    method: str
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how good the model is before what it suggests."""
        return say(
            "suggestions.heading", share=f"{self.in_first_three:.0%}",
            common=f"{self.common_in_first_three:.0%}", n=self.n_sentences,
            documents=self.n_documents, found=len(self.table),
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return the quality on documents that were not seen: the model's, and without one."""
        shares = {self.method: self.in_first_three, "most used": self.common_in_first_three}
        return tidy_table(
            {"term": "right in first three", "estimate": share, "n": self.n_sentences,
             "method": method} for method, share in shares.items()
        )  # fmt: skip

    def augment(self) -> pd.DataFrame:
        """Return the suggestions."""
        return self.table.copy()


def suggest_codes(
    texts: Mapping[str, str], sentences: pd.DataFrame, codings: pd.DataFrame, *,
    round: str, finished: pd.DataFrame, decided: pd.DataFrame | None = None,
    encoder: Encoder | None = None, most: int = 20, seed: int = 1,
) -> Suggestions:  # fmt: skip
    """Suggest sentences that may deserve a code, learned from this study's codings only.

    Parameters
    ----------
    texts : mapping
        Document → its text.
    sentences : DataFrame
        document, start, end.
    codings : DataFrame
        uuid, document, coder, code, start, end.
    round : str
        The round that the coders are in; anything but "together" is refused, so that people
        read for themselves first.
    finished : DataFrame
        document, coder: the model learns from these documents, and suggests in all.
    decided : DataFrame, optional
        document, start, end, code: suggestions that were taken or turned down (acts with the
        value "suggested", and of the kind "refused"); they do not come back.
    encoder : callable, optional
        From `sentence_encoder`; without it, words and characters alone.
    most : int
        Suggestions at most.
    seed : int
        Deals documents over five folds.

    Returns
    -------
    Suggestions
        Accepting one is an act: "apply" with `suggested`; so is "refuse".

    Raises
    ------
    CodingError
        Outside the round together, or with fewer than five finished documents or no codings.
    """
    if round != "together":
        raise CodingError(
            f"there are no suggestions in the round {round!r}; people read first, and see them "
            "in the round together"
        )
    done = sorted(set(finished["document"]))
    if len(done) < LEAST:
        raise CodingError(
            f"{len(done)} documents are finished; suggestions need at least {LEAST} to learn from"
        )
    lengths = pd.Series({name: len(text) for name, text in texts.items()})
    found = read_codings(codings, lengths, finished)
    place, unit, passage = meet(
        sentences, "sentences", found.documents, (found.document, found.start, found.end)
    )
    rows = sentences.sort_values(["document", "start"], kind="stable").reset_index(drop=True)
    words = [
        texts[d][s:e] for d, s, e in rows[["document", "start", "end"]].itertuples(index=False)
    ]
    marks = np.zeros((len(rows), len(found.codes)), dtype=int)
    marks[unit, found.code[passage]] = 1
    if not marks.any():
        raise CodingError(f"no codings in {listed(done)}; suggestions learn from codings")
    known = rows["document"].isin(done).to_numpy()
    learned = [text for text, out in zip(words, known, strict=True) if out]
    unseen = folded_scores(learned, marks[known], place[known], encoder=encoder, seed=seed)
    scores = learned_scores(learned, marks[known], words, encoder)
    # What the model says of sentences it learned from is what it says without their document.
    scores[known] = unseen
    table = _best(rows, scores, marks, list(found.codes), decided, most)
    common = np.tile(marks[known].sum(axis=0), (int(known.sum()), 1))
    right, usual = right_in_first(unseen, marks[known]), right_in_first(common, marks[known])
    no_better = (note("suggestions.no_better"),) if right <= usual else ()
    return Suggestions(
        table=table.assign(near=_nearest(table, texts, codings)),
        in_first_three=right, common_in_first_three=usual,
        n_sentences=int(marks[known].any(axis=1).sum()), n_documents=len(done),
        method="TF-IDF" if encoder is None else "TF-IDF + encoder",
        notes=(*no_better, note("suggestions.people_decide")),
    )  # fmt: skip


def _best(
    rows: pd.DataFrame, scores: Array, marks: Array, codes: Sequence[str],
    decided: pd.DataFrame | None, most: int,
) -> pd.DataFrame:  # fmt: skip
    """Return the highest scores where nobody used the code and nobody decided about it."""
    at, code = np.nonzero(marks == 0)
    table = rows.loc[at, ["document", "start", "end"]].reset_index(drop=True)
    table["code"] = np.array(codes, dtype=object)[code]
    table["score"] = scores[at, code]
    if decided is not None and len(decided):
        gone = pd.MultiIndex.from_frame(decided[PASSAGE].astype(object))
        table = table[~pd.MultiIndex.from_frame(table[PASSAGE].astype(object)).isin(gone)]
    return table.nlargest(most, "score").reset_index(drop=True)


def _nearest(
    table: pd.DataFrame, texts: Mapping[str, str], codings: pd.DataFrame, near: int = 3
) -> list[tuple[str, ...]]:
    """Return for each suggestion the ids of the passages with its code that share most words."""
    bags = [
        (row.code, row.uuid, set(texts[row.document][row.start : row.end].casefold().split()))
        for row in codings.itertuples()
    ]
    found = []
    for row in table.itertuples():
        mine = set(texts[row.document][row.start : row.end].casefold().split())
        alike = [(-len(mine & bag) / len(mine | bag), uuid) for code, uuid, bag in bags
                 if code == row.code]  # fmt: skip
        found.append(tuple(uuid for _, uuid in sorted(alike)[:near]))
    return found
