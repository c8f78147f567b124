"""Names that only their capital gives away, or, without capitals, the words before them."""

from collections.abc import Iterator

from expertise.narratives.known import ordinary
from expertise.narratives.patterns import Found
from expertise.narratives.wording import Wording

_ARTICLES = frozenset({"de", "het", "'t", "den"})
_PLACE = frozenset({"in", "uit", "naar", "te", "vanuit", "aan", "op", "langs", "richting"})
_ORGANISATION = frozenset({"bij", "via", "voor", "namens"})


class Capitals(Wording):
    """The names of one text that stand on no list."""

    def find(self) -> Iterator[Found]:
        """Yield capitals within a sentence, unknown words at its start, and cued small letters."""
        i = 0
        while i < len(self.words):
            if self.words[i].cap and self._stands_out(i):
                last = self.name_end(i)
                yield self.words[i].start, self.words[last].end, self._kind(i)
                i = last
            elif self.lower_case and not self.words[i].cap and self._cued(i):
                yield self.words[i].start, self.words[i].end, self._kind(i)
            i += 1

    def _stands_out(self, i: int) -> bool:
        word = self.words[i]
        if self.is_ordinary(i):
            # "Hoog Catharijne", "Radio Mart": an ordinary word begins a name.
            follows = i + 1 < len(self.words) and self.gap(i + 1) == " "
            begins = not word.first and word.low not in self.known.not_names and follows
            return begins and self.words[i + 1].cap and not self.is_ordinary(i + 1)
        if word.text.isupper():
            return len(word.text) < 6 and not word.first and self._kind(i) == "organisation"
        return not word.first or (not self.dialect and len(word.low) > 2 and not ordinary(word.low))

    def _cued(self, i: int) -> bool:
        low = self.words[i].low
        return (
            not self.dialect
            and self.near(i) in _PLACE | _ORGANISATION | {"met"}
            and len(low) > 3
            and low.isalpha()
            and not ordinary(low)
            and low not in self.known.not_names
        )

    def _kind(self, i: int) -> str:
        article = self.near(i) in _ARTICLES
        lead = self.near(i, 2) if article else self.near(i)
        if lead in _ORGANISATION or (article and lead not in _PLACE):
            return "organisation"
        return "place" if lead in _PLACE else "person"
