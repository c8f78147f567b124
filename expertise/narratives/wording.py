"""The words of a text and the company they keep: what stands before, and how it is written."""

import re
from dataclasses import dataclass

from expertise.narratives.known import known

_WORD = re.compile(r"['’][stn]\b[-\w]*|\w+(?:[-'’]\w+)*|&")
_GENITIVE = re.compile(r"['’]s?$")
# What a sentence may follow; an apostrophe word ('k, 't) may stand between.
_OPENS = re.compile(
    r"(?:^|[.!?…:]|[\n•*–—\"“”‘„(>]|[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f])"
    r"[\s\"'“”‘’„(*–—-]*(?:['’][kts] )?$"
)


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it stands, in lower case, and how it was written."""

    start: int
    end: int
    text: str
    low: str
    cap: bool
    first: bool


def words_of(text: str) -> list[Word]:
    """Return the words of a text; `first` marks those with which a sentence may begin."""
    found = []
    for match in _WORD.finditer(text):
        word, start = match.group(), match.start()
        bare = _GENITIVE.sub("", word) or word
        letter = next((c for c in bare if c.isalpha()), "")
        first = _OPENS.search(text, max(0, start - 12), start) is not None
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
    return found


class Wording:
    """A text as words that know their neighbours."""

    def __init__(self, text: str) -> None:
        self.text, self.words, self.known = text, words_of(text), known()
        opening = [word for word in self.words if word.first and word.text[0].isalpha()]
        # Somebody who writes no capitals writes names without them too.
        self.lower_case = sum(not word.cap for word in opening) > 0.6 * len(opening)

    def gap(self, i: int) -> str:
        """Return what stands between word i - 1 and word i."""
        return self.text[self.words[i - 1].end : self.words[i].start] if i else "\n"

    def near(self, i: int, back: int = 1) -> str:
        """Return the word before i in lower case, past a comma, bracket or quote at most."""
        j = i - back
        if j < 0 or any(
            not re.fullmatch(r"(?:['’]s)?[ ,(\"'‘’“-]{1,3}", self.gap(k))
            for k in range(j + 1, i + 1)
        ):
            return ""
        return self.words[j].low

    def announced(self, i: int) -> bool:
        """Whether a relation, a role, a title or a verb of naming stands before word i."""
        lists = self.known
        return any(
            self.near(i) in words
            for words in (lists.relations, lists.helpers, lists.titles, lists.naming)
        )

    def phrase(self, i: int, phrases: frozenset[str]) -> int:
        """Return how many words from i form one of the phrases, the longest; 0 for none."""
        for length in (4, 3, 2, 1):
            if i + length <= len(self.words):
                spoken = self.text[self.words[i].start : self.words[i + length - 1].end]
                if spoken.lower().replace("’", "'") in phrases:
                    return length
        return 0

    def capitals(self, i: int) -> int:
        """Return the last of a run of capitals from word i."""
        while i + 1 < len(self.words) and self.words[i + 1].cap and self.gap(i + 1) == " ":
            i += 1
        return i
