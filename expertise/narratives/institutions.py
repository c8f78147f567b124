"""Institutions in a text: teams, names behind a head noun, known names, and employers."""

import re
from collections.abc import Iterator

from expertise.narratives.homonyms import is_verb
from expertise.narratives.known import in_dictionary, ordinary
from expertise.narratives.patterns import Found
from expertise.narratives.wording import Wording

INSTITUTION = re.compile(
    r".*(?:lyceum|atheneum|dagblad|courant|nieuwsblad|gymnasium|internaat|tehuis|college|school|mavo|havo|ziekenhuis|kliniek|gasthuis|huis|hof|hoeve|praktijk"
    r"|apotheek|transport|schoonmaak|installatie|logistiek|bouw|techniek|kozijnen|zorg|wonen|groep"
    r"|garage|bakkerij|bank|raad|dienst|instituut|academie|universiteit|stichting|fabriek)$"
)
_ALWAYS_NAMED = frozenset({"ggz", "stichting", "basisschool", "zorgboerderij", "café", "hotel"})
_ARTICLES = frozenset({"de", "het", "een"})
_BESIDE = frozenset({"bij", "van", "op", "in", "naar", "via", "voor", "met", "namens"})
# Heads that stand without an article and without a name: "op school", "naar dagbesteding".
_UNNAMED = re.compile(
    r"school|kerk|koor|kantoor|ggz|.*(?:opvang|besteding|zorg|werk|hulp|weer|huis|markt|"
    r"handel|wonen|verband|beheer)"
)
# What a name with a capital may be followed by in small letters: "Zuidpoort kliniek".
_TAIL = frozenset({
    "kliniek", "ziekenhuis", "college", "lyceum", "school", "instituut", "polikliniek",
    "moskee", "apotheek", "kazerne",
})  # fmt: skip
_COMPASS = frozenset({"noord", "zuid", "oost", "west"})
_OF_A_TOWN = re.compile(r".*(?:brandweer|politie|gemeente|parochie|kerk|school|werkplaats|omroep)")
# A name that its owner writes with a capital inside, as firms do.
_INNER_CAPITAL = re.compile(r"[a-zà-ÿ]{2,}[A-ZÀ-Ý][a-zà-ÿ]{2,}")
_HEAD = re.compile(
    r".+(?:zaak|hulp|bescherming|opvang|groep|centrum|school|gemeenschap|kliniek|markt|bar|winkel|praktijk|bedrijf|zorg|vereniging"
    r"|stichting|club|bureau|fabriek|werf|kwekerij|garage|bakkerij|instituut|academie|kantoor|verhuur"
    r"|handel|beheer|zaal|werkplaats|tuin|verband|koor|kerk|gemeente|flat|erij|museum|theater|kring|fonds"
    r"|korps|weer|krant|omroep|huis|hof|werk|welzijn|wonen)$"
)


class Institutions(Wording):
    """The institutions of one text."""

    def find(self) -> Iterator[Found]:
        """Yield teams, names behind a head noun, known names, and employers."""
        for i, word in enumerate(self.words):
            length = self.phrase(i, self.known.organisations)
            if length and (length > 1 or word.cap or not in_dictionary(word.low)):
                article = self.lower_case and self.near(i) in {"de", "het"} and self.gap(i) == " "
                start = self.words[i - 1].start if article else word.start
                yield start, self.words[i + length - 1].end, "organisation"
            team = self.phrase(i, self.known.teams) or int(word.low.endswith("team"))
            if team:
                yield from self._team(i, team)
            head = self.phrase(i, self.known.heads) or self._is_head(i)
            if head:
                last = self._name_after(i + head, bare=self._is_bare(i))
                if last is not None:
                    yield word.start, self.words[last].end, "organisation"
            if _INNER_CAPITAL.fullmatch(word.text) and word.low not in self.known.not_names:
                yield word.start, word.end, "organisation"
            if word.cap and not word.first and self._has_tail(i):
                yield word.start, self.words[i + 1].end, "organisation"
            if self._is_house(i):
                yield word.start, self.words[self.name_end(i + 1)].end, "organisation"
            if word.cap and self._employer(i):
                yield word.start, self.words[self.name_end(i)].end, "organisation"
            if (
                word.cap
                and i
                and self.words[i - 1].cap
                and INSTITUTION.fullmatch(word.low)
                and self.gap(i) == " "
            ):
                yield self.words[self._back(i)].start, word.end, "organisation"
            elif self.lower_case and INSTITUTION.fullmatch(word.low) and self._owned(i):
                yield self.words[self._owner_start(i)].start, word.end, "organisation"
            elif (
                word.cap
                and not word.first
                and INSTITUTION.fullmatch(word.low)
                and not in_dictionary(word.low)
                and not self.is_ordinary(i)
            ):
                yield word.start, word.end, "organisation"

    def _owned(self, i: int) -> bool:
        """Whether a surname in small letters stands before a firm: "wesselink transport"."""
        owner = self.near(i)
        named = owner in self.known.surnames and not in_dictionary(owner)
        first = self.near(i, 2)
        led = first in _BESIDE | _ARTICLES or first in self.known.names
        return led and named and self.gap(i) == " "

    def _owner_start(self, i: int) -> int:
        start = i - 1
        first = self.near(start)
        if first in self.known.names and first not in self.known.everyday:
            start -= 1
        return start - (self.near(start) in {"de", "het"})

    def _has_tail(self, i: int) -> bool:
        after = self.words[i + 1] if i + 1 < len(self.words) and self.gap(i + 1) == " " else None
        low = self.words[i].low
        named = not in_dictionary(low) and not self.is_ordinary(i) and not self.known.is_name(low)
        return after is not None and after.low in _TAIL and not after.cap and named

    def _is_bare(self, i: int) -> bool:
        """Whether a head has no article, so that a name must follow: "bij bloemenzaak de roos"."""
        low = self.words[i].low
        headed = low in self.known.heads or (len(low) > 8 and _HEAD.fullmatch(low) is not None)
        led = self.near(i) in _BESIDE or self.gap(i) == ", "
        return led and headed and not _UNNAMED.fullmatch(low)

    def _is_head(self, i: int) -> int:
        """Return 1 for "scholengemeenschap", or letters such as "ROC", before a name."""
        word = self.words[i]
        if i + 1 == len(self.words) or self.known.is_name(self.words[i + 1].low):
            return 0
        letters = (
            word.text.isupper()
            and 2 <= len(word.text) <= 5
            and word.low not in self.known.not_names
        )
        return int(letters or _HEAD.fullmatch(word.low) is not None)

    def _is_house(self, i: int) -> bool:
        """Whether word i is the capital article of a name such as "De Zonnewierde"."""
        word = self.words[i]
        if word.text not in {"De", "Het", "Huize"} or word.first or i + 1 == len(self.words):
            return False
        after = self.words[i + 1]
        named = self.announced(i) or (i and self.words[i - 1].cap and self.gap(i) == " ")
        return (
            after.cap
            and self.gap(i + 1) == " "
            and not named
            and after.low not in self.known.not_names
        )

    def _team(self, i: int, length: int) -> Iterator[Found]:
        last = self._name_after(i + length)
        if last is not None:
            yield self.words[i].start, self.words[last].end, "organisation"
        elif self.phrase(i, self.known.bare_teams) and self.near(i) in self.known.determiners:
            yield self.words[i - 1].start, self.words[i + length - 1].end, "organisation"

    def _name_after(self, i: int, *, bare: bool = False) -> int | None:
        """Return the last word of the name at i: capitals, "de" and a capital, or a city."""
        if i >= len(self.words) or not re.fullmatch(r" [\"'‘“]?", self.gap(i)):
            return None
        word, head = self.words[i], self.words[i - 1].low
        after = self.words[i + 1] if i + 1 < len(self.words) and self.gap(i + 1) == " " else None
        if word.cap and word.low not in self.known.not_names and not word.first:
            return self.name_end(i)
        article = word.low in {"de", "het", "'t"}
        within = word.low in {"van", "op"} and _OF_A_TOWN.fullmatch(head)
        if after and after.cap and (article or within):
            return self.name_end(i + 1)
        if not self.lower_case:
            return None
        if after and article and (bare or head in _ALWAYS_NAMED or not ordinary(after.low)):
            return i + 1
        if bare and article is False and self._may_name(i):
            return self._joined(i)
        strange = word.low in self.known.surnames or (not self.dialect and len(word.low) > 3)
        listed = word.low in self.known.cities | self.known.own_places | _COMPASS
        surname = word.low in self.known.surnames and not in_dictionary(word.low)
        strange = strange and (bare or surname or not ordinary(word.low))
        return i if listed or (strange and word.low not in self.known.everyday) else None

    def _may_name(self, i: int) -> bool:
        """Whether a word in small letters after a bare head is its name: "kapsalon knip"."""
        low, lists = self.words[i].low, self.known
        grammar = low in lists.everyday or low in lists.interfixes or low in lists.place_before
        return not grammar and not is_verb(low) and low[0].isalpha() and len(low) > 2

    def _joined(self, i: int) -> int:
        """Return the last word of a name with "en": "knip en krul"."""
        pair = i + 2 < len(self.words) and self.words[i + 1].low == "en"
        return (
            i + 2
            if pair and self._may_name(i + 2) and not self.known.is_name(self.words[i + 2].low)
            else i
        )

    def _back(self, i: int) -> int:
        while (
            i
            and self.words[i - 1].cap
            and self.gap(i) == " "
            and not (self.words[i - 1].first and in_dictionary(self.words[i - 1].low))
        ):
            i -= 1
        article = i and self.words[i - 1].text in {"De", "Het"} and self.gap(i) == " "
        return i - 1 if article else i

    def _employer(self, i: int) -> bool:
        word = self.words[i]
        brand = word.low in self.known.brands
        if word.first or (word.low in self.known.not_names and not brand):
            return False
        if self.known.is_name(word.low):
            return False
        j = i - 1
        if j >= 0 and self.words[j].low in {"de", "het", "een", "'t"} and self.gap(i) == " ":
            j -= 1
        if j < 0 or self.words[j].low not in {"bij", "voor"}:
            return False
        around = {self.words[k].low for k in range(max(0, j - 6), min(len(self.words), i + 6))}
        works = bool(around & self.known.works)
        return works or (not brand and (j == i - 2 or not in_dictionary(word.low)))
