"""Which words keep company with a word: in one sentence, near each other, by several people."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from spacy.tokens import Doc

from expertise.errors import DataError
from expertise.narratives.corpus import Corpus
from expertise.narratives.dutch import narrated
from expertise.narratives.many import Pipeline, map_texts
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Collocations(Result):
    """Words near a word, with logDice; `table` has a row per neighbour.

    `table`: word, n_people (who put them together), n (together), total (the
    neighbour anywhere), estimate (logDice, 14 when they are always together).
    """

    lemma: str
    window: int
    n_people: int
    table: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say whose company was counted."""
        return say(
            "narratives.collocations", lemma=self.lemma, window=self.window, people=self.n_people
        )

    def tidy(self) -> pd.DataFrame:
        """Return a row per neighbour: logDice, how often together, how many people."""
        rows = self.table.rename(columns={"word": "term"}).assign(method="logDice")
        return tidy_table(rows[["term", "estimate", "n", "n_people", "method"]])


def neighbours(doc: Doc, lemma: str, window: int) -> dict[str, Any]:
    """Count all lemmas of a doc, and those within `window` words of `lemma` in its sentence."""
    own = narrated(doc)
    every: Counter[str] = Counter()
    near: Counter[str] = Counter()
    for sentence in doc.sents:
        words = [token.lemma_.lower() for token in sentence if token.is_alpha and own[token.i]]
        every.update(words)
        places: set[int] = set()
        for at, word in enumerate(words):
            if word == lemma:
                places.update(range(max(0, at - window), min(len(words), at + window + 1)))
        near.update(words[at] for at in places if words[at] != lemma)
    return {"every": dict(every), "near": dict(near)}


def collocations(
    corpus: Corpus, lemma: str, *, window: int = 5, min_people: int = 2, n_process: int = 1
) -> Collocations:
    """Find the words that keep company with a lemma.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    lemma : str
        The word, as its lemma ("hopen").
    window : int
        How many words before and after it, within the sentence, count as near.
    min_people : int
        Neighbours that fewer people put near it are left out.
    n_process : int
        Processes on this machine.

    Returns
    -------
    Collocations
        With logDice, which does not grow with the corpus: 14 is always
        together, one less is half as often.

    Raises
    ------
    DataError
        When nobody uses the lemma, or `window` is not positive.

    References
    ----------
    P. Rychlý (2008), A lexicographer-friendly association score, RASLAN 2008, 6–9.
    """
    if window < 1:
        raise DataError(f"window is {window}; write a whole number of 1 or more")
    word = lemma.lower()
    counts = map_texts(
        corpus,
        partial(neighbours, lemma=word, window=window),
        pipeline=Pipeline(lexicons=()),
        n_process=n_process,
        progress=False,
    )
    total: Counter[str] = Counter()
    near: Counter[str] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    users = set()
    for narrative in corpus:
        answer = counts[narrative.id]
        total.update(answer["every"])
        near.update(answer["near"])
        for other in answer["near"]:
            people[other].add(narrative.participant)
        if word in answer["every"]:
            users.add(narrative.participant)
    if not users:
        raise DataError(f"no narrator uses the lemma {lemma!r}; look for others with concordance")
    rows = [
        (other, len(people[other]), n, total[other],
         14 + float(np.log2(2 * n / (total[word] + total[other]))))
        for other, n in near.items()
        if len(people[other]) >= min_people
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["word", "n_people", "n", "total", "estimate"])
    table = table.sort_values(["estimate", "word"], ascending=[False, True], ignore_index=True)
    left_out = len(near) - len(table)
    return Collocations(
        lemma=word, window=window, n_people=len(users), table=table,
        notes=(note("narratives.few_people", n=left_out, least=min_people),) * (left_out > 0),
    )  # fmt: skip
