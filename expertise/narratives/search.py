"""Finds passages: where words, lemmas or patterns stand, who says them, how many people do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pandas as pd
import regex
from spacy.tokens import Doc
from tqdm import tqdm

from expertise.errors import DataError, listed, nearest
from expertise.figures import Look, StoryAxes, draw
from expertise.narratives.corpus import Corpus
from expertise.narratives.dutch import narrated, pipeline_note
from expertise.narratives.many import Pipeline, stream
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

SECONDS = 1.0
KINDS = ("word", "lemma", "pattern")
COLUMNS = (
    "document", "perspective", "wave", "participant", "sentence", "start", "end",
    "sentence_start", "sentence_end",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Concordance(Result):
    """Where something is said and by whom; positions, never the passages themselves.

    `hits` has a row per hit: document, perspective, wave, participant, number
    of the sentence (from 1), and where hit and sentence start and end, in
    code points, so that a widget can show them.
    """

    query: str
    hits: pd.DataFrame
    texts: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how often, in how many texts, by how many people."""
        return say(
            "narratives.hits", query=self.query, n=len(self.hits),
            texts=self.hits["document"].nunique(), people=self.hits["participant"].nunique(),
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return a row per perspective: people who say it (`n_people`), hits (`n`)."""
        by_role = self.hits.groupby("perspective", sort=False)
        hits, people = by_role.size(), by_role["participant"].nunique()
        return tidy_table(
            {"perspective": role, "n": int(hits.get(role, 0)), "n_people": int(people.get(role, 0))}
            for role in self.texts["perspective"].unique()
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: hits, and people who say it."""
        return pd.DataFrame([{"n": len(self.hits), "n_people": self.hits["participant"].nunique()}])

    def augment(self) -> pd.DataFrame:
        """Return the hits, a row each."""
        return self.hits.copy()

    def plot(self, *, lang: str = "en") -> StoryAxes:
        """Draw which share of the people of each perspective say it."""
        told = self.texts.groupby("perspective", sort=False)["participant"].nunique()
        said = self.hits.groupby("perspective")["participant"].nunique()
        table = pd.DataFrame(
            {
                "perspective": told.index,
                "n_people": [int(said.get(role, 0)) for role in told.index],
                "of": told.to_list(),
            }
        )
        share = table["n_people"] / table["of"]

        def paint(axes: StoryAxes, look: Look) -> None:
            for place, part in enumerate(share):
                row = table.iloc[place]
                color = look.color(place + 1 if place < 3 else None)
                axes.barh(place, 100 * part, color=color, height=0.6)
                axes.annotate(
                    f"{row['n_people']} / {row['of']}", (100 * part, place), xytext=(6, 0),
                    textcoords="offset points", va="center", color=look.text,
                )  # fmt: skip
            axes.set_yticks(range(len(table)), table["perspective"].to_list())
            axes.set_xlim(0, 115)
            axes.set_xticks([0, 25, 50, 75, 100], ["0 %", "25 %", "50 %", "75 %", "100 %"])
            axes.invert_yaxis()
            axes.grid(False)

        most = table["perspective"][share.idxmax()] if len(table) and share.max() > 0 else "–"
        return draw(
            paint,
            title=say("narratives.hits_title", lang, query=self.query, role=most),
            subtitle=say("narratives.hits_subtitle", lang, n=int(told.sum())),
            alt=say("narratives.hits_alt", lang, query=self.query, counts=listed(
                f"{row.perspective} {row.n_people}/{row.of}" for row in table.itertuples()
            )),
            table=table,
            lang=lang,
        )  # fmt: skip


def concordance(
    corpus: Corpus,
    query: str,
    *,
    kind: Literal["word", "lemma", "pattern"] = "word",
    narrator_only: bool = True,
    model: str | None = None,
    progress: bool = False,
) -> Concordance:
    """Find where words stand, and who says them.

    Parameters
    ----------
    corpus : Corpus
        The texts.
    query : str
        Words separated by blanks, in which ``*`` stands for any letters and
        ``?`` for one ("hoop*"); or lemmas ("hopen"); or a regular expression.
    kind : {"word", "lemma", "pattern"}
        What `query` is. Capitals do not matter, accents do.
    narrator_only : bool
        Leave out what an interviewer or another speaker says.
    model : str, optional
        A trained model with its version; see `dutch_pipeline`.
    progress : bool
        Show progress.

    Returns
    -------
    Concordance
        Positions in the texts. What the passages mean is for people to say.

    Raises
    ------
    DataError
        When the query is empty, is no valid pattern, or needs more than a
        second for one text.
    """
    if kind not in KINDS:
        raise DataError(f"kind is {kind!r}; allowed are {listed(KINDS)}{nearest(kind, KINDS)}")
    if not query.split():
        raise DataError("the query is empty; write a word, a lemma or a pattern")
    nlp = Pipeline(model=model, lexicons=()).load()
    search = _pattern(query) if kind == "pattern" else _Words(query, kind)
    rows = []
    for narrative, doc in tqdm(stream(nlp, corpus), total=len(corpus), disable=not progress):
        own = narrated(doc)
        sentences = list(doc.sents)
        numbers = {token.i: n for n, sent in enumerate(sentences, 1) for token in sent}
        for first, last, start, end in search(doc):
            if narrator_only and not own[first : last + 1].all():
                continue
            sentence = sentences[numbers[first] - 1]
            rows.append(
                (narrative.id, narrative.role, narrative.wave, narrative.participant,
                 numbers[first], start, end, sentence.start_char, sentence.end_char)
            )  # fmt: skip
    return Concordance(
        query=query,
        hits=pd.DataFrame(rows, columns=COLUMNS),
        texts=corpus.table[["document", "perspective", "participant"]],
        notes=(pipeline_note(nlp), note("narratives.widget")),
    )


# First and last token of a hit, and where it starts and ends in the text.
Hit = tuple[int, int, int, int]


class _Words:
    """Words with wildcards, or lemmas, one after the other."""

    def __init__(self, query: str, kind: str) -> None:
        self.kind = kind
        self.parts = [wildcard(part) for part in query.split()]
        self.cache: list[dict[str, bool]] = [{} for _ in self.parts]

    def __call__(self, doc: Doc) -> Iterator[Hit]:
        spoken = [
            (token.i, (token.lemma_ if self.kind == "lemma" else token.text).casefold())
            for token in doc
            if not token.is_space
        ]
        for at in range(len(spoken) - len(self.parts) + 1):
            if all(self._fits(n, spoken[at + n][1]) for n in range(len(self.parts))):
                first, last = spoken[at][0], spoken[at + len(self.parts) - 1][0]
                end = doc[last]
                yield first, last, doc[first].idx, end.idx + len(end)

    def _fits(self, part: int, word: str) -> bool:
        known = self.cache[part]
        if word not in known:
            known[word] = self.parts[part].fullmatch(word) is not None
        return known[word]


def wildcard(part: str) -> re.Pattern[str]:
    """Return a word with ``*`` and ``?`` as a pattern that never backtracks twice.

    >>> bool(wildcard("hoop*").fullmatch("hoopvol"))
    True
    """
    # Each star takes as little as it can and is never tried again: linear on any word.
    pieces = re.split(r"\*+", part.casefold())
    literal = [re.escape(piece).replace(r"\?", r"\w") for piece in pieces]
    if len(literal) == 1:
        return re.compile(literal[0])
    middle = "".join(rf"(?>\w*?{piece})" for piece in literal[1:-1])
    return re.compile(rf"{literal[0]}{middle}\w*{literal[-1]}")


def _pattern(query: str) -> "_Pattern":
    try:
        return _Pattern(regex.compile(query, regex.IGNORECASE))
    except regex.error as error:
        raise DataError(f"the pattern {query!r} cannot be read: {error}; mend it") from None


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A regular expression of the user's, with a limit on its time."""

    compiled: regex.Pattern[str]

    def __call__(self, doc: Doc) -> Iterator[Hit]:
        try:
            spans = [match.span() for match in self.compiled.finditer(doc.text, timeout=SECONDS)]
        except TimeoutError:
            raise DataError(
                f"the pattern {self.compiled.pattern!r} takes more than {SECONDS:g} second on one "
                "text; write it without nested repetition, such as (a+)+"
            ) from None
        for start, end in spans:
            found = doc.char_span(start, end, alignment_mode="expand") if end > start else None
            if found is not None:
                yield found.start, found.end - 1, start, end
