"""How hard texts are to read: Flesch's reading ease as Douma fitted it to Dutch."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from spacy.tokens import Doc

from expertise.errors import DataError
from expertise.narratives.corpus import Corpus
from expertise.narratives.dutch import narrated
from expertise.narratives.many import Pipeline, map_texts
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

# Vowels that sound as one; a diaeresis begins a new syllable ("zee-ën", "na-ïef").
_SYLLABLE = re.compile(
    "[ëïöü]?(?:eeuw|ieuw|oei|aai|ooi|eau|ij|aa|ee|oo|uu|ie|oe|eu|ui|ei|au|ou"
    "|[aeiouyàáâäèéêìíîòóôùúû])|[ëïöü]"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Readability(Result):
    """Reading ease per perspective, averaged over people; `texts` has a row per text.

    `texts`: document, perspective, participant, words, sentences, syllables,
    reading_ease (higher is easier).
    """

    texts: pd.DataFrame
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what the score is."""
        return say("narratives.readability", n=len(self.texts))

    def tidy(self) -> pd.DataFrame:
        """Return a row per perspective: mean over people, with its interval."""
        rows = []
        for role, texts in self.texts.groupby("perspective", sort=False):
            each = texts.groupby("participant")["reading_ease"].mean()
            reach = np.nan
            if len(each) > 1:
                quantile = stats.t.ppf((1 + self.conf_level) / 2, len(each) - 1)
                reach = float(quantile * each.std() / np.sqrt(len(each)))
            mean = float(each.mean())
            rows.append({
                "perspective": role, "estimate": mean, "conf_low": mean - reach,
                "conf_high": mean + reach, "conf_level": self.conf_level,
                "n": len(texts), "n_people": len(each), "method": "Flesch–Douma",
            })  # fmt: skip
        return tidy_table(rows)

    def augment(self) -> pd.DataFrame:
        """Return the texts, a row each."""
        return self.texts.copy()


def measures(doc: Doc) -> dict[str, int]:
    """Count the narrator's words, sentences and syllables."""
    own = narrated(doc)
    words = [token for token in doc if own[token.i] and token.is_alpha]
    sentences = {token.sent.start for token in words}
    return {
        "words": len(words),
        "sentences": len(sentences),
        "syllables": sum(syllables(token.lower_) for token in words),
    }


def syllables(word: str) -> int:
    """Count the syllables of a Dutch word by its vowels; at least one.

    >>> [syllables(word) for word in ("ziekenhuis", "meeuw", "zeeën", "opgenomen", "nieuwe")]
    [3, 1, 2, 4, 2]
    """
    return max(1, len(_SYLLABLE.findall(word)))


def readability(corpus: Corpus, *, conf_level: float = 0.95, n_process: int = 1) -> Readability:
    """Measure how easy the narrators' texts are to read.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    conf_level : float
        Confidence of the intervals, between 0 and 1.
    n_process : int
        Processes on this machine.

    Returns
    -------
    Readability
        Reading ease = 206.84 − 77 · syllables per word − 0.93 · words per
        sentence; for prose 0 (very hard) to 100 (very easy). It looks at
        lengths only: not at what is told, and not fairly at spoken language,
        where somebody else put the full stops. Texts without words are left
        out, with a note.

    Raises
    ------
    DataError
        When `conf_level` is out of range.

    References
    ----------
    W. H. Douma (1960), De leesbaarheid van landbouwbladen, Bulletin 17,
    Landbouwhogeschool Wageningen.
    """
    if not 0 < conf_level < 1:
        raise DataError(f"conf_level is {conf_level}; write a number between 0 and 1, such as 0.95")
    counts = map_texts(
        corpus, measures, pipeline=Pipeline(lexicons=()), n_process=n_process, progress=False
    )
    rows = [
        {"document": narrative.id, "perspective": narrative.role,
         "participant": narrative.participant, **counts[narrative.id]}
        for narrative in corpus
        if counts[narrative.id]["words"]
    ]  # fmt: skip
    names = ["document", "perspective", "participant", "words", "sentences", "syllables"]
    texts = pd.DataFrame(rows, columns=names)
    texts["reading_ease"] = (
        206.84
        - 77 * texts["syllables"] / texts["words"]
        - 0.93 * texts["words"] / texts["sentences"]
    )
    empty = len(corpus) - len(texts)
    notes = (note("narratives.no_words", n=empty),) * (empty > 0)
    return Readability(texts=texts, conf_level=conf_level, notes=notes)
