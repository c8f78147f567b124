"""The words of a text and the company they keep: what stands before, and how it is written."""

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from expertise.narratives.known import known, ordinary

_WORD = re.compile(r"['’][stn]\b[-\w]*|\w+(?:[-'’]\w+)*|&")
_NEAR = re.compile(r"(?:['’]s)?[ ,(\"'‘’“-]{1,3}")
_GENITIVE = re.compile(r"['’]s?$")
# What a sentence may follow; an apostrophe word ('k, 't) may stand between.
_OPENS = re.compile(
    r"(?:^|[.!?…:]|[\n•*–—\"“”‘„(>]|[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f])"
    r"[\s\"'“”‘’„(*–—-]*(?:['’][kts] )?$"
)
_ABBREVIATED = re.compile(
    r"\b(?:d[hr]r?s?|mw|mevr|mej|prof|ing|ir|mr|st|tel|nr|geb|bijv|o\.a|m\.n|d\.d|i\.v\.m|resp|evt)\.\s?$",
    re.IGNORECASE,
)
_PEOPLES = re.compile(
    r".{3,}(?:iërs?|aanse|[lnd]ees|nezen|(?:burg|dam|dorp|veen|berg|stad|wijk)se)"
)
_BETWEEN = frozenset({"van", "de", "der", "den", "des", "het", "'t", "&", "aan", "en"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it stands, in lower case, and how it was written."""

    start: int
    end: int
    text: str
    low: str
    cap: bool
    first: bool


@lru_cache(maxsize=64)
def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of a text; `first` marks those with which a sentence may begin."""
    found = []
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        bare = _GENITIVE.sub("", word) or word
        letter = next((c for c in bare if c.isalpha()), "")
        before = max(0, start - 12)
        first = (
            _OPENS.search(text, before, start) is not None
            and _ABBREVIATED.search(text, before, start) is None
        )
        found.append(
            Word(
                start,
                start + len(bare),
                bare,
                bare.lower().replace("’", "'"),
                letter.isupper(),
                first,
            )
        )
    return tuple(found)


@lru_cache(maxsize=64)
def _manner(text: str) -> tuple[bool, bool, frozenset[str], frozenset[str]]:
    """Return whether a text is without capitals, or in dialect; its small and its raised words."""
    words, lists = words_of(text), known()
    opening = [word for word in words if word.first and word.text[0].isalpha()]
    # Somebody who writes no capitals writes names without them too.
    lower_case = sum(not word.cap for word in opening) > 0.6 * len(opening)
    plain = [word.low for word in words if not word.cap and word.text.isalpha()]
    # In dialect, or another language, an unknown word says little.
    strange = sum(
        not ordinary(low)
        and not any(low in names for names in (lists.names, lists.surnames, lists.places))
        for low in plain
    )
    small = frozenset(word.low for word in words if not word.cap)
    raised = frozenset(word.low for word in words if word.cap and not word.first)
    return lower_case, strange > 0.095 * len(plain), small, raised


@lru_cache(maxsize=64)
def _joined(text: str) -> tuple[bool, ...]:
    """Return for every word whether no more than a comma stands between it and the one before."""
    words = words_of(text)
    gaps = (text[one.end : two.start] for one, two in pairwise(words))
    return (False, *(_NEAR.fullmatch(gap) is not None for gap in gaps))


@lru_cache(maxsize=64)
def _first_words(phrases: frozenset[str]) -> frozenset[str]:
    found = (_WORD.search(phrase) for phrase in phrases)
    return frozenset(_GENITIVE.sub("", word.group()) for word in found if word)


class Wording:
    """A text as words that know their neighbours."""

    def __init__(self, text: str) -> None:
        self.text, self.words, self.known = text, words_of(text), known()
        self.lower_case, self.dialect, self.small, self.raised = _manner(text)
        self.joined = _joined(text)

    def gap(self, i: int) -> str:
        """Return what stands between word i - 1 and word i."""
        return self.text[self.words[i - 1].end : self.words[i].start] if i else "\n"

    def near(self, i: int, back: int = 1) -> str:
        """Return the word before i in lower case, past a comma, bracket or quote at most."""
        if i < back or not all(self.joined[i - back + 1 : i + 1]):
            return ""
        return self.words[i - back].low

    def announced(self, i: int) -> bool:
        """Whether a relation, a role, a title or a verb of naming stands before word i."""
        lists, near = self.known, self.near(i)
        return (
            near in lists.relations
            or near in lists.helpers
            or near in lists.titles
            or near in lists.naming
        )

    def phrase(self, i: int, phrases: frozenset[str]) -> int:
        """Return how many words from i form one of the phrases, the longest; 0 for none."""
        if self.words[i].low not in _first_words(phrases):
            return 0
        for length in (4, 3, 2, 1):
            if i + length <= len(self.words):
                spoken = self.text[self.words[i].start : self.words[i + length - 1].end]
                if spoken.lower().replace("’", "'") in phrases:
                    return length
        return 0

    def name_end(self, i: int) -> int:
        """Return the last of a run of capitals, over "de", "van", "en" and "&" in between."""
        last = i
        while last + 1 < len(self.words):
            step = last + 1
            while (
                step < len(self.words)
                and step - last < 3
                and self.words[step].low in _BETWEEN
                and not self.words[step].cap
            ):
                step += 1
            between = all(
                self.gap(k) in (" ", "-", " & ", "- ")
                for k in range(last + 1, min(step + 1, len(self.words)))
            )
            if step >= len(self.words) or not between or not self.words[step].cap:
                break
            if "en" in {self.words[k].low for k in range(last + 1, step)} and self.known.is_name(
                self.words[step].low
            ):
                break
            last = step
        return last

    def only_opens(self, i: int) -> bool:
        """Whether word i has a capital at the start of a sentence only, and elsewhere none."""
        low = self.words[i].low
        return not self.lower_case and low in self.small and low not in self.raised

    def is_ordinary(self, i: int) -> bool:
        """Whether a capital makes no name of word i: a language, a medicine, an abbreviation."""
        low, lists = self.words[i].low, self.known
        stem = low.split("-")[0]
        return (
            not low[0].isalpha()
            or len(low) < 2
            or any(character.isdigit() for character in low)
            or low in lists.not_names
            or stem in lists.plain
            or low in lists.relations
            or _PEOPLES.fullmatch(low) is not None
            or low in lists.helpers
            or (
                0 < len(stem) < min(5, len(low))
                and self.words[i].text[: len(stem)].isupper()
                and ordinary(low[len(stem) + 1 :])
            )
            or (stem in lists.not_names and ordinary(low[len(stem) + 1 :]))
            or ((low in lists.everyday or low in lists.medical) and low not in lists.common_names)
        )
