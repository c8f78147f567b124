"""Sentences as a table of positions: the units that agreement and co-occurrence count."""

import threading
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

import pandas as pd

_TURN = threading.Lock()


@cache
def _pipeline() -> Any:
    """Make the pipeline once, and load it only then: it takes longer than a hundred stories."""
    return import_module("expertise.narratives.dutch").dutch_pipeline(lexicons=[])


def sentence_table(texts: Mapping[str, str]) -> pd.DataFrame:
    """Return where each sentence of each text begins and ends; no words.

    Parameters
    ----------
    texts : mapping
        Document → its text.

    Returns
    -------
    DataFrame
        document, start, end in code points, end exclusive; white space at either side of a
        sentence belongs to none. Sentences are those of `dutch_pipeline`.

    Examples
    --------
    >>> sentence_table({"d1": "Ik hoop. Echt waar."})
      document  start  end
    0       d1      0    8
    1       d1      9   19
    """
    rows = []
    with _TURN:  # the words that a pipeline knows grow as it reads
        for document, text in texts.items():
            for sentence in _pipeline()(text).sents:
                words = sentence.text
                start = sentence.start_char + len(words) - len(words.lstrip())
                if words.strip():
                    rows.append((document, start, start + len(words.strip())))
    return pd.DataFrame(rows, columns=["document", "start", "end"])
