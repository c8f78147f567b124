"""The Dutch pipeline: sentences, lemmas, speakers and lexicons as spaCy components.

Blank Dutch by default, so that every partner gets the same result without a
download. A trained model is used only when it is named with its version.
"""

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import simplemma
import spacy
from numpy.typing import NDArray
from spacy.attrs import IDX, LEMMA, NORM, SENT_START
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span, Token

from expertise.errors import StudyError
from expertise.narratives.corpus import NARRATOR, speaker_labels
from expertise.narratives.lexicons import list_lexicons, read_lexicon
from expertise.words import Note, note

SPANS = "lexicons"
LONGEST_TEXT = 20_000_000
KEPT = 100_000
SHORT_LINE = 50  # characters; a shorter line ends where its writer ended it
# spaCy takes these words with a full stop for abbreviations; in narratives they end a sentence.
_WORDS = re.compile(
    r"(al|app|bel|best|dat|hand|hert|lat|mand|me|pan|pas|pens|pers|pol|red|rep|top|ver|vol)\.",
    re.IGNORECASE,
)
_NOT_START = np.uint64(2**64 - 1)
_END = re.compile(r"[.!?…\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]+")
_FULL_STOPS = frozenset(".!?")
# The lemma is kept beside the word; a second cache would only take memory.
_LEMMATIZER = simplemma.Lemmatizer(cache_max_size=0)
_CLOSERS = frozenset("\"'”’»)]")


@Language.factory("expertise_sentences")
class Sentences:
    """A sentence splitter for transcripts and careless typing.

    A sentence ends at an end mark, also when no capital follows; at an empty
    line; and at a line end, unless the line looks wrapped: 50 characters or
    more, continued in lower case. Three dots, an emoji and a closing quote end
    a sentence only before something other than a lower-case letter.
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        # spaCy works a flag out once per distinct word; the loop over tokens stays in C.
        self.flag = nlp.vocab.add_flag(_may_end)

    def __call__(self, doc: Doc) -> Doc:
        """Set the sentence starts of a doc."""
        n = len(doc)
        if not n:
            return doc
        begins, line = [0], 0
        for i in np.flatnonzero(doc.to_array(self.flag)[:-1]).tolist():
            mark, after = doc[i].text, i + 1
            follows = doc[after].text
            if mark in _FULL_STOPS and follows[0].isalnum():
                begins.append(after)
            elif "\n" in mark:
                if mark.count("\n") > 1 or not follows[0].islower() or _short(doc, line, i):
                    begins.append(after)
                line = after
            else:
                while follows in _CLOSERS and after + 1 < n and not doc[after - 1].whitespace_:
                    after += 1
                    follows = doc[after].text
                if _ends(mark, after > i + 1, follows):
                    begins.append(after)
        starts = np.full(n, _NOT_START, dtype=np.uint64)
        starts[begins] = 1
        return _with(doc, SENT_START, starts)


def _with(doc: Doc, attribute: int, values: Any) -> Doc:
    return doc.from_array([attribute], values)


def _may_end(word: str) -> bool:
    return "\n" in word or _END.fullmatch(word) is not None


def _ends(mark: str, closed: bool, follows: str) -> bool:
    if not follows[0].isalnum() and (follows.isspace() or _END.fullmatch(follows)):
        return False
    return not follows[0].islower() or (not closed and (mark == "." or "!" in mark or "?" in mark))


def _short(doc: Doc, line: int, i: int) -> bool:
    return bool(doc[i].idx - doc[line].idx < SHORT_LINE)


def lemma_of(word: str) -> str:
    """Return the lemma of a Dutch word, without looking at its sentence.

    Simplemma's dictionary and rules; 95 % of the words in the test sets of
    UD Alpino and UD LassySmall get the lemma that their editors gave.

    >>> lemma_of("vertelde"), lemma_of("opgenomen")
    ('vertellen', 'opnemen')
    """
    return _LEMMATIZER.lemmatize(word, "nl").replace("_", "") or word


@Language.factory("expertise_lemmas")
class Lemmas:
    """A lemmatizer that looks each distinct word up once.

    The lemma is stored as the word's norm: spaCy works a norm out when it
    first meets a word, keeps it beside the word, and forgets it with the word
    at the end of a memory zone.
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name
        vocab: Any = nlp.vocab
        vocab.lex_attr_getters[NORM] = lemma_of
        for lexeme in vocab:
            lexeme.norm_ = lemma_of(lexeme.orth_)

    def __call__(self, doc: Doc) -> Doc:
        """Set the lemmas of a doc."""
        return _with(doc, LEMMA, doc.to_array(NORM)) if len(doc) else doc


@Language.factory("expertise_lexicons", default_config={"names": None})
class Lexicons:
    """A marker of passages that use the words of a lexicon.

    Matches on lemmas, so that "hoopte" counts as "hopen"; the spans stand in
    ``doc.spans["lexicons"]`` with ``label_`` the lexicon's aspect.
    """

    def __init__(self, nlp: Language, name: str, names: Sequence[str] | None) -> None:
        self.name = name
        phrases: dict[str, tuple[str, ...]] = {}
        for lexicon in list_lexicons() if names is None else names:
            phrases.update(read_lexicon(lexicon).phrases)
        self.matcher = PhraseMatcher(nlp.vocab, attr="LEMMA")
        self.add(nlp, phrases)

    def add(self, nlp: Language, phrases: Mapping[str, Sequence[str]]) -> None:
        """Add phrases under a label of one's own."""
        lemmas = Lemmas(nlp, "lemmas")
        for label, texts in phrases.items():
            self.matcher.add(label, [lemmas(nlp.make_doc(text)) for text in texts])

    def __call__(self, doc: Doc) -> Doc:
        """Mark the spans of the lexicons in a doc."""
        doc.spans[SPANS] = [Span(doc, start, end, label) for label, start, end in self.matcher(doc)]
        return doc


@dataclass(frozen=True, slots=True)
class Turns:
    """Who speaks where in a text, in token numbers, and who narrates."""

    starts: tuple[int, ...]
    speakers: tuple[str, ...]
    roles: tuple[str, ...]

    def at(self, token: int) -> int:
        """Return the number of the turn that a token stands in."""
        return bisect_right(self.starts, token) - 1


@Language.factory("expertise_speakers")
class Speakers:
    """A marker of speaker and role on every token.

    Reads ``doc.user_data["role"]`` (the narrator's perspective) and
    ``doc.user_data["speakers"]`` (label at the start of a line → role, in
    which "narrator" stands for the narrator's own). Without labels every
    word is the narrator's. The label itself belongs to nobody: its role is "".
    """

    def __init__(self, nlp: Language, name: str) -> None:
        self.name = name

    def __call__(self, doc: Doc) -> Doc:
        """Mark the turns of a doc."""
        role = doc.user_data.get("role") or NARRATOR
        speakers = doc.user_data.get("speakers") or {}
        turns = [(0, NARRATOR, role)]
        if speakers:
            begins = doc.to_array([IDX]).ravel()
            for match in speaker_labels(speakers).finditer(doc.text):
                label, said = np.searchsorted(begins, [match.start(), match.end()]).tolist()
                who = match["label"]
                turns.append((label, who, ""))
                turns.append((said, who, role if speakers[who] == NARRATOR else speakers[who]))
        doc.user_data["turns"] = Turns(*map(tuple, zip(*turns, strict=True)))
        return doc


def _turn(token: Token, field: str) -> str:
    turns: Turns | None = token.doc.user_data.get("turns")
    return "" if turns is None else str(getattr(turns, field)[turns.at(token.i)])


Token.set_extension("speaker", getter=lambda token: _turn(token, "speakers"), force=True)
Token.set_extension("role", getter=lambda token: _turn(token, "roles"), force=True)


def narrated(doc: Doc) -> NDArray[np.bool_]:
    """Return which tokens are the narrator's own words, shape (n_tokens,)."""
    turns: Turns | None = doc.user_data.get("turns")
    own = np.ones(len(doc), dtype=bool)
    if turns is not None and len(turns.starts) > 1:
        role = doc.user_data.get("role") or NARRATOR
        bounds = [*turns.starts, len(doc)]
        for start, stop, speaks in zip(bounds, bounds[1:], turns.roles, strict=False):
            own[start:stop] = speaks == role
    return own


def dutch_pipeline(
    model: str | None = None,
    *,
    lexicons: Sequence[str] | None = None,
    phrases: Mapping[str, Sequence[str]] | None = None,
) -> Language:
    """Return a spaCy pipeline for Dutch narratives.

    Parameters
    ----------
    model : str, optional
        A trained model with its version, ``"nl_core_news_sm==3.8.0"``. By
        default blank Dutch, which needs no download and gives every partner
        the same result.
    lexicons : sequence of str, optional
        Names from `list_lexicons()`; by default all of them.
    phrases : mapping of str to sequence of str, optional
        Phrases of your own by label, matched on their lemmas.

    Returns
    -------
    spacy.language.Language
        Components ``expertise_sentences``, ``expertise_lemmas`` (blank Dutch
        only), ``expertise_speakers`` and ``expertise_lexicons``. Every token
        has ``token._.speaker`` and ``token._.role``; passages with a
        lexicon's words stand in ``doc.spans["lexicons"]``. Blank Dutch gives
        no parts of speech and no syntax.

    Raises
    ------
    StudyError
        When a model is named without its version, is not installed, or has
        another version; when a lexicon is unknown.

    References
    ----------
    A. Barbaresi, simplemma (2023), doi:10.5281/zenodo.4673264.

    Examples
    --------
    >>> doc = dutch_pipeline()("ik hoopte op hulp. die kwam niet")
    >>> [len(sentence) for sentence in doc.sents], doc[1].lemma_
    ([5, 3], 'hopen')
    """
    nlp = _blank() if model is None else _trained(model)
    nlp.max_length = LONGEST_TEXT
    if model is None:
        nlp.add_pipe("expertise_sentences")
        nlp.add_pipe("expertise_lemmas")
    nlp.add_pipe("expertise_speakers")
    marker: Any = nlp.add_pipe(
        "expertise_lexicons", config={"names": None if lexicons is None else list(lexicons)}
    )
    marker.add(nlp, phrases or {})
    return nlp


class _Affixes:
    """A search of the tokeniser that need not look at a word of letters: it has no affix."""

    def __init__(self, search: Any, nothing: Any) -> None:
        self.search, self.nothing = search, nothing
        # Here spaCy looks for the pattern when it writes a pipeline down.
        self.__self__ = search.__self__

    def __call__(self, word: str) -> Any:
        return self.nothing if word.isalpha() else self.search(word)


def _blank() -> Language:
    nlp = spacy.blank("nl")
    tokenizer: Any = nlp.tokenizer
    tokenizer.prefix_search = _Affixes(tokenizer.prefix_search, None)
    tokenizer.suffix_search = _Affixes(tokenizer.suffix_search, None)
    tokenizer.infix_finditer = _Affixes(tokenizer.infix_finditer, ())
    tokenizer.url_match = _Affixes(tokenizer.url_match, None)
    # spaCy remembers how 10,000 words are cut; a corpus has more.
    tokenizer.max_cache_size = KEPT
    tokenizer.rules = {
        form: rule for form, rule in tokenizer.rules.items() if not _WORDS.fullmatch(form)
    }
    return nlp


def _trained(model: str) -> Language:
    name, _, wanted = model.partition("==")
    if not wanted:
        raise StudyError(
            f"the model {model!r} has no version; name it as {name}==x.y.z, so that partners "
            "get the same result"
        )
    try:
        nlp = spacy.load(name)
    except OSError as cause:
        raise StudyError(
            f"the model {name!r} is not installed; install {model}, or leave model out to use "
            "blank Dutch"
        ) from cause
    if nlp.meta["version"] != wanted:
        raise StudyError(
            f"the model {name!r} is installed in version {nlp.meta['version']}, but {wanted} "
            "is asked for; install that version, or name the one you have"
        )
    return nlp


def pipeline_note(nlp: Language) -> Note:
    """Return the note that says which pipeline read the texts."""
    if "expertise_lemmas" in nlp.pipe_names:
        return note("narratives.blank", simplemma=version("simplemma"), spacy=version("spacy"))
    return note("narratives.trained", model=nlp.meta["name"], version=nlp.meta["version"])
