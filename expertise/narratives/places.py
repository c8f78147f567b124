"""Places in a text: on a list, with a capital or after a preposition, or named as areas are."""

import re
from collections.abc import Iterator

from expertise.narratives.homonyms import lemma
from expertise.narratives.known import in_dictionary, ordinary
from expertise.narratives.patterns import Found
from expertise.narratives.wording import Wording

_AREA = re.compile(r".+(?:wijk|buurt|kwartier|polder|eiland|veen|dorp)$")
_AREA_NOUNS = frozenset({
    "buurt", "wijk", "kwartier", "markt", "polder", "hoek", "dijk", "haven", "brug", "dorp",
    "kade", "plein", "dreef", "veld", "bos", "plas",
})  # fmt: skip
# Kinds of neighbourhood, which are no names.
_KIND = re.compile(
    r"(?:woon|buiten|volks|achterstands|nieuwbouw|probleem|pracht|villa|arbeiders|"
    r"kracht|stads|binnenstads|sloop|kinder|achter|voor|zand|industrie|vakantie|schier|"
    r"vinex|jaren)\w*?(?:wijk|buurt|kwartier|polder|eiland|dorp)"
)
# Endings of places; without capitals and without an article a word that has one is a place.
_TOPONYM = re.compile(
    r".{3,}(?:duin|dam|burg|veen|horst|broek|hoven|huizen|kerke?|drecht|meer|zijl|wolde|"
    r"woude|stede|voorde?|voort|daal|bergen|zand|laar|haven|waard|wijk|sluis|berg|"
    r"kapelle|kerken|hout)"
)
_STREET = re.compile(
    r".{3,}(?:straat|laan|weg|plein|gracht|kade|singel|dijk|steeg|plantsoen|dreef|markt|hof|pad|park)"
)

# "Hengelo (Gld.)": there is another one.
_PROVINCE = re.compile(r" \((?:Gr|Fr|Dr|Ov|Gld|Ut?|N-?H|Z-?H|Zld?|N-?Br?|Lb?)\.?\)", re.IGNORECASE)


class Places(Wording):
    """The places of one text."""

    def find(self) -> Iterator[Found]:
        """Yield places: on a list with a capital or after a preposition, or named as areas are."""
        for i, word in enumerate(self.words):
            length = max(
                self.phrase(i, self.known.places),
                self.phrase(i, self.known.own_places),
                self.phrase(i, self.known.cities),
            )
            before = self.near(i)
            if length and self._is_place(i, length, before):
                end = self.words[i + length - 1].end
                province = _PROVINCE.match(self.text, end)
                yield word.start, province.end() if province else end, "place"
            elif word.cap and not word.first and self._is_quarter(i, before):
                yield word.start, self.words[i + 1].end, "place"
            elif not word.cap and (length := self._street(i)):
                yield word.start, self.words[i + length - 1].end, "address"
            elif self.lower_case and not word.cap and self._small(i, before):
                yield word.start, word.end, "place"
            elif word.cap and not word.first and self._is_area(i, before):
                yield word.start, self.words[self.name_end(i)].end, "place"

    def _is_place(self, i: int, length: int, before: str) -> bool:
        word = self.words[i]
        low = self.text[word.start : self.words[i + length - 1].end].lower()
        if low in self.known.not_names or (
            length == 1 and self.known.is_name(low) and before not in self.known.to_place
        ):
            return False
        doubtful = length == 1 and (word.low in self.known.everyday or in_dictionary(word.low))
        if word.cap or word.text[0] in "'’":
            if word.first and word.low in {"de", "het"} and not self.words[i + length - 1].cap:
                return False
            if word.first:
                return not doubtful or low in self.known.cities
            return (
                not doubtful
                or before in self.known.place_before
                or low in self.known.cities | self.known.own_places
            )
        certain = low in self.known.cities or low in self.known.own_places
        if not self.lower_case and before not in self.known.to_place:
            return False
        if self.lower_case and before in {"in", "uit", "naar", "te"} and self._lives(i):
            return True
        if before in {"in", "uit", "naar"} and self._is_verb_form(low):
            return True
        unknown = length == 1 and len(low) > 5 and not ordinary(low)
        if self.lower_case and not self.dialect and unknown:
            return True
        if length > 1:
            return certain
        return (
            before in self.known.place_before
            and (certain or not doubtful)
            and not (before == "te" and doubtful)
        )

    def _is_verb_form(self, low: str) -> bool:
        """Whether a word is a verb only, which no preposition governs: "leek"."""
        stem = lemma(low)
        return stem != low and stem.endswith("en") and not low.endswith(("en", "s", "e"))

    def _is_quarter(self, i: int, before: str) -> bool:
        """Whether words i and i + 1 are an area such as "Indische Buurt"."""
        after = self.words[i + 1] if i + 1 < len(self.words) else None
        return (
            after is not None
            and after.cap
            and after.low in _AREA_NOUNS
            and self.gap(i + 1) == " "
            and before in {"de", "het", "in", "naar", "op"}
        )

    def _small(self, i: int, before: str) -> bool:
        """Whether a word in small letters is named as places are: "naar kijkduin"."""
        low = self.words[i].low
        if before in {"de", "het", "'t"}:
            listed = low in self.known.own_places or (
                low.endswith(("wijk", "buurt", "kwartier", "zijde")) and not in_dictionary(low)
            )
            lead = self.near(i, 2) in self.known.place_before
            return lead and listed and not _KIND.fullmatch(low)
        return (
            before in self.known.to_place
            and _TOPONYM.fullmatch(low) is not None
            and not in_dictionary(low)
            and not _KIND.fullmatch(low)
        )

    def _lives(self, i: int) -> bool:
        return any(word.low in self.known.lives for word in self.words[max(0, i - 7) : i])

    def _street(self, i: int) -> int:
        """Return how many words from i are a street in small letters: "op de choorstraat"."""
        low = self.words[i].low
        article = self.near(i) in {"de", "het", "'t", "den"}
        lead = self.near(i, 2) if article else self.near(i)
        if lead not in {
            "aan",
            "op",
            "in",
            "langs",
            "naar",
            "van",
            "over",
            "door",
            "uit",
            "bij",
            "via",
        }:
            return 0
        length = self.phrase(i, self.known.streets) if article else 0
        if length > 1 and _STREET.fullmatch(self.words[i + length - 1].low):
            return length
        street = _STREET.fullmatch(low) is not None and not in_dictionary(low)
        return int(street and (low in self.known.streets or not ordinary(low)))

    def _is_area(self, i: int, before: str) -> bool:
        word = self.words[i]
        if self.is_ordinary(i) or word.text.isupper() or len(word.low) < 3:
            return False
        if (
            _AREA.fullmatch(word.low)
            and not self.known.is_name(word.low)
            and not in_dictionary(word.low)
        ):
            return True
        if self.known.is_name(word.low) or word.low in self.known.everyday:
            return False
        if in_dictionary(word.low):
            # A capital within a sentence makes a name of an everyday word: "naar Wenen".
            return before in {"in", "uit", "naar", "te", "vanuit"}
        article = before in {"de", "het", "'t"}
        lead = self.near(i, 2) if article else before
        return lead in self.known.to_place or (article and lead == "op")
