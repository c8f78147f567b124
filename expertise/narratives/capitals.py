"""Names that only their capital gives away, or, without capitals, the words before them."""

from collections.abc import Iterator

from expertise.narratives.homonyms import is_verb
from expertise.narratives.known import in_english, ordinary
from expertise.narratives.patterns import Found
from expertise.narratives.wording import Wording

_ARTICLES = frozenset({"de", "het", "'t", "den", "ne", "nen", "een"})
_LEADS = frozenset({"van", "de", "den", "der", "het", "ter", "ten", "te", "'t", "la", "el", "al"})
_PLACE = frozenset({"in", "uit", "naar", "te", "vanuit", "aan", "op", "langs", "richting"})
_ORGANISATION = frozenset({"bij", "via", "voor", "namens", "van"})
_CUES = _PLACE | _ORGANISATION | {"met"}


class Capitals(Wording):
    """The names of one text that stand on no list."""

    def find(self) -> Iterator[Found]:
        """Yield capitals within a sentence, unknown words at its start, and cued small letters."""
        i = 0
        while i < len(self.words):
            if self.words[i].cap and self._stands_out(i):
                last = self.name_end(i)
                yield self._start(i), self.words[last].end, self._kind(i)
                i = last
            elif not self.words[i].cap and self._cued(i):
                yield self._start(i), self.words[i].end, self._kind(i)
            i += 1

    def _stands_out(self, i: int) -> bool:
        word = self.words[i]
        if self.is_ordinary(i):
            return not word.first and self._begins(i)
        if word.text.isupper():
            return len(word.text) < 6 and not word.first and self._kind(i) != "person"
        if word.first:
            known = self.dialect or self.only_opens(i) or ordinary(word.low)
            return len(word.low) > 2 and not known and (self._listed(i) or self._meant(i))
        # A title or a brand: "Paw Patrol", "One Flew Over the Cuckoo's Nest".
        return self._kind(i) != "person" or self._listed(i) or not in_english(word.low)

    def _listed(self, i: int) -> bool:
        """Whether word i is on a list of names or places."""
        low, lists = self.words[i].low, self.known
        return any(low in those for those in (lists.names, lists.surnames, lists.places))

    def _meant(self, i: int) -> bool:
        """Whether an unknown word that opens a sentence is used as a name there or elsewhere."""
        if self.words[i].low in self.raised:
            return True
        if i + 1 >= len(self.words) or self.gap(i + 1) != " ":
            return False
        follows = self.words[i + 1]
        return follows.cap or is_verb(follows.low) or follows.low in self.known.acts

    def _begins(self, i: int) -> bool:
        """Whether an ordinary word begins a name: "Hoog Catharijne", "Van der Horst"."""
        low, lead = self.words[i].low, self.words[i].low in _LEADS
        if low in self.known.not_names and not lead and not self._may_begin(i):
            return False
        after = i + 1
        while lead and after < len(self.words) and self.words[after].low in _LEADS:
            after += 1
        return (
            after < len(self.words)
            and self.gap(after) == " "
            and self.words[after].cap
            and (lead or not self.is_ordinary(after))
        )

    def _may_begin(self, i: int) -> bool:
        """Whether a word that is no name may begin one: "Indische Buurt", "WMO Radar"."""
        word = self.words[i]
        letters = word.text.isupper() and len(word.text) > 1
        article = self.near(i) in _ARTICLES
        cued = (self.near(i, 2) if article else self.near(i)) in _CUES
        return word.low.endswith("se") or (cued and (letters or word.low in self.known.pronouns))

    def _start(self, i: int) -> int:
        """Return where the name at word i begins, with an article that belongs to it."""
        article = {"'t"} if self.words[i].cap else _ARTICLES
        within = self.gap(i) == " " and self.words[i - 1].low in article
        return self.words[i - within].start

    def _cued(self, i: int) -> bool:
        """Whether the words before i announce an unknown word as a name."""
        low, before = self.words[i].low, self.near(i)
        if before in _ARTICLES and self.lower_case:
            cued = self.near(i, 2) in _CUES
        else:
            cued = before == "bij" or (self.lower_case and before in _CUES)
        return (
            cued
            and not self.dialect
            and len(low) > 3
            and low[0].isalpha()
            and low not in self.known.not_names
            and not all(ordinary(part) for part in low.split("-"))
        )

    def _kind(self, i: int) -> str:
        article = self.near(i) in _ARTICLES
        lead = self.near(i, 2) if article else self.near(i)
        if (
            lead in _ORGANISATION
            or (lead in _CUES and self.words[i].text.isupper())
            or (article and lead not in _PLACE)
        ):
            return "organisation"
        return "place" if lead in _PLACE else "person"
