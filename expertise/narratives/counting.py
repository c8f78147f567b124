"""Counts of words per text: the narrator's own, people before words."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import numpy as np
import pandas as pd
from spacy.tokens import Doc

from expertise.errors import DataError, listed, nearest
from expertise.narratives.corpus import Corpus
from expertise.narratives.dutch import narrated
from expertise.narratives.many import Pipeline, map_texts

BY = ("lemma", "word")


def words_in(doc: Doc, by: str) -> dict[str, int]:
    """Count the narrator's own words in a doc, in lower case, without signs and numbers."""
    own = narrated(doc)
    spoken = (
        (token.lemma_ if by == "lemma" else token.text).lower()
        for token in doc
        if own[token.i] and token.is_alpha
    )
    return dict(Counter(spoken))


def count_words(
    corpus: Corpus, *, by: str = "lemma", n_process: int = 1, progress: bool = False
) -> pd.DataFrame:
    """Count words per text.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    by : {"lemma", "word"}
        What counts as the same word.
    n_process, progress
        As in `map_texts`.

    Returns
    -------
    DataFrame
        A row per text and word: document, participant, perspective, wave,
        word, n. Only words that the narrator says, in lower case.

    Raises
    ------
    DataError
        When `by` is neither lemma nor word.
    """
    if by not in BY:
        raise DataError(f"by is {by!r}; allowed are {listed(BY)}{nearest(by, BY)}")
    count: Callable[[Doc], dict[str, int]] = partial(words_in, by=by)
    counts = map_texts(
        corpus, count, pipeline=Pipeline(lexicons=()), n_process=n_process, progress=progress
    )
    rows = [
        (narrative.id, narrative.participant, narrative.role, narrative.wave, word, n)
        for narrative in corpus
        for word, n in counts[narrative.id].items()
    ]
    columns = ["document", "participant", "perspective", "wave", "word", "n"]
    return pd.DataFrame(rows, columns=columns).astype({"n": np.int64})
