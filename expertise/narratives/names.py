"""Identifiers that only their company gives away: people, places and organisations."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from expertise.narratives.known import Known, in_dictionary, known
from expertise.narratives.patterns import Found

_WORD = re.compile(r"['’][stn]\b[-\w]*|\w+(?:[-'’]\w+)*|&")
_GENITIVE = re.compile(r"['’]s?$")
_OPENS = re.compile(r"(?:^|[.!?…:]|[\n•*–—\"“”‘„(>]|[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f])[\s\"'“”‘’„(*–—-]*(?:['’][kts] )?$")
_PLACE_BEFORE = frozenset("in uit naar te vanuit richting omgeving wijk buurt dorp stad bij tot regio rond rondom om".split())
_TO_PLACE = frozenset("in uit naar te vanuit richting omgeving wijk buurt dorp stad regio plaats langs".split())
_AREA = re.compile(r".+(?:wijk|buurt|kwartier|polder|eiland|veen|dorp)$")
_WORKS = frozenset(
    "werk werkt werkte werkten gewerkt werken werkzaam baan baantje stage dienst loopbaan chauffeur "
    "collega collega's ontslag ontslagen begonnen vrijwilliger vrijwilligerswerk contract aangenomen bedrijf".split()
)
_SCHOOLS = re.compile(
    r".*(?:lyceum|college|school|mavo|havo|ziekenhuis|kliniek|gasthuis|huis|hof|hoeve|praktijk|apotheek"
    r"|transport|schoonmaak|installatie|logistiek|bouw|techniek|kozijnen|zorg|wonen|groep|garage|bakkerij)$"
)
_HEAD = re.compile(
    r".+(?:groep|centrum|school|gemeenschap|kliniek|markt|bar|winkel|praktijk|bedrijf|zorg|vereniging|stichting"
    r"|club|bureau|fabriek|werf|kwekerij|garage|bakkerij|instituut|academie|kantoor|verhuur|handel|beheer)$"
)
_DETERMINER = frozenset("het de ons onze dat dit een 't mijn hun haar zijn".split())
_HAS_NAME = frozenset("heet heette heten".split())


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
            Word(start, start + len(bare), bare, bare.lower().replace("’", "'"), letter.isupper(), first)
        )
    return found


class NameFinder:
    """Finds people, places and organisations in one text.

    Parameters
    ----------
    text : str
        The text.
    listed : iterable of str
        Names that are known to occur, such as those found in other texts of
        the same triad; they count wherever they stand.
    """

    def __init__(self, text: str, listed: Iterable[str] = ()) -> None:
        self.text, self.words, self.known = text, words_of(text), known()
        self.listed = frozenset(name.lower() for name in listed)
        opening = [word for word in self.words if word.first and word.text[0].isalpha()]
        # Somebody who writes no capitals writes names without them too.
        self.lower_case = sum(not word.cap for word in opening) > 0.6 * len(opening)

    def find(self) -> list[Found]:
        """Return start, end and kind of what was found; later finds may overlap earlier ones."""
        return [*self.organisations(), *self.places(), *self.people()]

    def gap(self, i: int) -> str:
        """Return what stands between word i - 1 and word i."""
        return self.text[self.words[i - 1].end : self.words[i].start] if i else "\n"

    def near(self, i: int, back: int = 1) -> str:
        """Return the word before i in lower case, when only a comma, bracket or quote lies between."""
        j = i - back
        if j < 0 or any(
            not re.fullmatch(r"(?:['’]s)?[ ,(\"'‘’“-]{1,3}", self.gap(k)) for k in range(j + 1, i + 1)
        ):
            return ""
        return self.words[j].low

    # People -----------------------------------------------------------------

    def people(self) -> Iterator[Found]:
        """Yield people: after a relation, a role or a title, by a known name, or by a capital."""
        i = 0
        while i < len(self.words):
            if self.is_person(i):
                last = self.extended(i)
                start = self.words[i].start
                yield start, self._with_point(last), "person"
                i = last
            i += 1

    def is_person(self, i: int) -> bool:
        """Whether a person's name begins at word i."""
        word, strong = self.words[i], self.introduced(i)
        if word.low in self.known.interfixes and strong and i + 1 < len(self.words):
            return self.words[i + 1].cap and self.gap(i + 1) == " " and word.low not in {"in", "op", "aan"}
        if strong and word.cap and word.low in self.known.common_names:
            return True
        if word.low in self.known.not_names or not word.text[0].isalpha():
            return False
        if len(word.text) == 1:
            return self._initial(i) and (strong or self._surname_follows(i))
        if word.low in self.listed and (word.cap or self.lower_case or not in_dictionary(word.low)):
            return True
        if not word.cap:
            return self._lower_person(i, strong)
        if word.low in self.known.names and not (word.low in self.known.everyday and not strong):
            return strong or not word.first or not in_dictionary(word.low) or word.low in self.known.common_names
        if word.text.isupper():
            return False
        if strong:
            return word.low not in self.known.heads and not (word.first and in_dictionary(word.low))
        return not word.first and not in_dictionary(word.low) and self.near(i) not in {
            "de", "het", "een", "'t", "den", "deze", "die", "dit", "dat", "bij", "op", *_TO_PLACE,
        } and not _SCHOOLS.fullmatch(word.low)  # fmt: skip

    def introduced(self, i: int) -> bool:
        """Whether the words before i announce a name."""
        one, two = self.near(i), self.near(i, 2)
        lists = self.known
        if one in lists.relations:
            # "mijn man", "haar zus", but not "die man Kerst vierde".
            return True
        if one in lists.helpers or one in lists.titles or one in lists.naming:
            return True
        if one in {"ben", "is", "was"} and (two in {"ik", "naam"} or (one == "is" and two == "naam")):
            return self.words[i].cap or self.known.is_name(self.words[i].low)
        if one in {"ons", "onze", "onzen", "lieve", "beste", "dag", "kleine"}:
            return self.words[i].cap or self.known.is_name(self.words[i].low)
        follows = self.words[i + 1].low if i + 1 < len(self.words) else ""
        return follows in _HAS_NAME and self.words[i].cap and not self.words[i].first

    def _lower_person(self, i: int, strong: bool) -> bool:
        low = self.words[i].low
        if len(low) < 2 or low in self.known.not_lower_names or low in self.known.everyday:
            return False
        if self.known.is_name(low):
            return strong or (self.lower_case and len(low) > 2) or low in self.listed
        named = self.near(i) in (self.known.titles | self.known.helpers | self.known.naming)
        return strong and named and self.lower_case and not in_dictionary(low)

    def extended(self, i: int) -> int:
        """Return the last word of the name that begins at word i: "Ria van der Berg-Jansen"."""
        last = i
        while last + 1 < len(self.words):
            after = last + 1
            if not re.fullmatch(r"\.? ?-?", self.gap(after)) or (
                "." in self.gap(after) and len(self.words[last].text) > 2
            ):
                break
            if self._is_part(after):
                last = after
                continue
            skip = after
            while skip < len(self.words) and self.words[skip].low in self.known.interfixes and skip - after < 3:
                skip += 1
            joined = all(self.gap(k) in (" ", "-") for k in range(after + 1, min(skip + 1, len(self.words))))
            if skip == after or skip >= len(self.words) or not joined or not self._is_surname(skip):
                break
            last = skip
        return last

    def _is_part(self, i: int) -> bool:
        word = self.words[i]
        if word.cap:
            return word.low not in self.known.not_names and (len(word.text) > 1 or self._initial(i))
        return self.lower_case and word.low in self.known.surnames and not in_dictionary(word.low)

    def _is_surname(self, i: int) -> bool:
        word = self.words[i]
        before = self.words[i - 1]
        if word.cap:
            # "Ria van Kwintes" and "Ria uit Oss" are no surnames.
            return word.low not in self.known.organisations and not (
                before.low in {"in", "op", "aan", "te"} and not before.cap
            ) and word.low not in self.known.not_names  # fmt: skip
        return self.lower_case and word.low in self.known.surnames and before.low != "in"

    def _initial(self, i: int) -> bool:
        word = self.words[i]
        return word.cap and self.text[word.end : word.end + 1] == "."

    def _surname_follows(self, i: int) -> bool:
        j = i + 1
        while j < len(self.words) and j - i < 5 and (
            len(self.words[j].text) == 1 or self.words[j].low in self.known.interfixes
        ):
            j += 1
        return j < len(self.words) and self.words[j].cap and not in_dictionary(self.words[j].low)

    def _with_point(self, last: int) -> int:
        end = self.words[last].end
        return end + 1 if len(self.words[last].text) == 1 and self.text[end : end + 1] == "." else end

    # Organisations -----------------------------------------------------------

    def organisations(self) -> Iterator[Found]:
        """Yield teams, names behind a head noun, known names, and employers."""
        for i, word in enumerate(self.words):
            length = self._phrase(i, self.known.organisations)
            if length and (word.cap or not in_dictionary(word.low)):
                yield word.start, self.words[i + length - 1].end, "organisation"
            team = self._phrase(i, self.known.teams)
            if team:
                yield from self._team(i, team)
            head = self._phrase(i, self.known.heads) or self._is_head(i)
            if head:
                last = self._name_after(i + head)
                if last is not None:
                    yield word.start, self.words[last].end, "organisation"
            if self._is_house(i):
                yield word.start, self.words[self._capitals(i + 1)].end, "organisation"
            if word.cap and self._employer(i):
                yield word.start, self.words[self._capitals(i)].end, "organisation"
            if word.cap and i and self.words[i - 1].cap and _SCHOOLS.fullmatch(word.low) and self.gap(i) == " ":
                yield self.words[self._back(i)].start, word.end, "organisation"
            elif word.cap and not word.first and _SCHOOLS.fullmatch(word.low) and not in_dictionary(word.low):
                yield word.start, word.end, "organisation"

    def _is_head(self, i: int) -> int:
        """Return 1 for a compound such as "scholengemeenschap", or letters such as "ROC", before a name."""
        word = self.words[i]
        if i + 1 == len(self.words) or self.known.is_name(self.words[i + 1].low):
            return 0
        letters = word.text.isupper() and 2 <= len(word.text) <= 5 and word.low not in self.known.not_names
        return int(letters or _HEAD.fullmatch(word.low) is not None)

    def _is_house(self, i: int) -> bool:
        """Whether word i is the capital article of a name such as "De Zonnewierde"."""
        word = self.words[i]
        if word.text not in {"De", "Het", "Huize"} or word.first or i + 1 == len(self.words):
            return False
        after = self.words[i + 1]
        named = self.introduced(i) or (i and self.words[i - 1].cap and self.gap(i) == " ")
        return after.cap and self.gap(i + 1) == " " and not named and after.low not in self.known.not_names

    def _team(self, i: int, length: int) -> Iterator[Found]:
        last = self._name_after(i + length)
        if last is not None:
            yield self.words[i].start, self.words[last].end, "organisation"
        elif self._phrase(i, self.known.bare_teams) and self.near(i) in _DETERMINER:
            yield self.words[i - 1].start, self.words[i + length - 1].end, "organisation"

    def _name_after(self, i: int) -> int | None:
        """Return the last word of the name at i: capitals, or "de" and a capital, or a lower-case place."""
        if i >= len(self.words) or not re.fullmatch(r" [\"'‘“]?", self.gap(i)):
            return None
        word = self.words[i]
        article = word.low in {"de", "het", "'t", "van"} and i + 1 < len(self.words)
        if word.cap and word.low not in self.known.not_names and not word.first:
            return self._capitals(i)
        if article and self.words[i + 1].cap and self.gap(i + 1) == " " and word.low != "van":
            return self._capitals(i + 1)
        if self.lower_case and (word.low in self.known.cities or word.low in {"noord", "zuid", "oost", "west"}):
            return i
        return None

    def _capitals(self, i: int) -> int:
        """Return the last of a run of capitals, over "de", "van", "en" and "&" in between."""
        last = i
        while last + 1 < len(self.words):
            step = last + 1
            while step < len(self.words) and step - last < 3 and self.words[step].low in {
                "van", "de", "der", "den", "des", "het", "'t", "&", "aan", "en",
            } and not self.words[step].cap:  # fmt: skip
                step += 1
            between = all(self.gap(k) in (" ", "-", " & ") for k in range(last + 1, min(step + 1, len(self.words))))
            if step >= len(self.words) or not between or not self.words[step].cap:
                break
            if "en" in {self.words[k].low for k in range(last + 1, step)} and self.known.is_name(self.words[step].low):
                break
            last = step
        return last

    def _back(self, i: int) -> int:
        while i and self.words[i - 1].cap and self.gap(i) == " " and not (
            self.words[i - 1].first and in_dictionary(self.words[i - 1].low)
        ):
            i -= 1
        return i

    def _employer(self, i: int) -> bool:
        word = self.words[i]
        if word.first or word.low in self.known.not_names or self.known.is_name(word.low):
            return False
        j = i - 1
        if j >= 0 and self.words[j].low in {"de", "het", "een", "'t"} and self.gap(i) == " ":
            j -= 1
        if j < 0 or self.words[j].low not in {"bij", "voor"}:
            return False
        around = {self.words[k].low for k in range(max(0, j - 6), min(len(self.words), i + 6))}
        return bool(around & _WORKS) or j == i - 2 or not in_dictionary(word.low)

    # Places ------------------------------------------------------------------

    def places(self) -> Iterator[Found]:
        """Yield places: on a list with a capital or after a preposition, or named as areas are."""
        for i, word in enumerate(self.words):
            length = max(
                self._phrase(i, self.known.places),
                self._phrase(i, self.known.own_places),
                self._phrase(i, self.known.cities),
            )
            before = self.near(i)
            if length and self._is_place(i, length, before):
                yield word.start, self.words[i + length - 1].end, "place"
            elif word.cap and not word.first and self._is_area(i, before):
                yield word.start, self.words[self._area_end(i)].end, "place"

    def _is_place(self, i: int, length: int, before: str) -> bool:
        word = self.words[i]
        low = self.text[word.start : self.words[i + length - 1].end].lower()
        if low in self.known.not_names or (length == 1 and self.known.is_name(low) and before not in _TO_PLACE):
            return False
        ordinary = length == 1 and (word.low in self.known.everyday or in_dictionary(word.low))
        if word.cap or word.text[0] in "'’":
            if word.first:
                return not ordinary or low in self.known.cities
            return not ordinary or before in _PLACE_BEFORE or low in self.known.cities | self.known.own_places
        certain = low in self.known.cities or low in self.known.own_places
        if not self.lower_case and before not in _TO_PLACE:
            return False
        if length > 1:
            return certain
        return before in _PLACE_BEFORE and (certain or not ordinary) and not (before == "te" and ordinary)

    def _is_area(self, i: int, before: str) -> bool:
        word = self.words[i]
        if word.low in self.known.not_names or word.text.isupper() or len(word.low) < 3:
            return False
        if _AREA.fullmatch(word.low) and not self.known.is_name(word.low) and not in_dictionary(word.low):
            return True
        if self.known.is_name(word.low) or word.low in self.known.everyday:
            return False
        if in_dictionary(word.low):
            # A capital within a sentence makes a name of an everyday word: "naar Wenen".
            return before in {"in", "uit", "naar", "te", "vanuit"}
        article = before in {"de", "het", "'t"}
        lead = self.near(i, 2) if article else before
        return lead in _TO_PLACE or (article and lead == "op")

    def _area_end(self, i: int) -> int:
        last = i
        while last + 1 < len(self.words) and self.words[last + 1].cap and self.gap(last + 1) == " ":
            last += 1
        return last

    def _phrase(self, i: int, phrases: frozenset[str]) -> int:
        """Return how many words from i form one of the phrases, the longest; 0 for none."""
        for length in (4, 3, 2, 1):
            if i + length <= len(self.words):
                spoken = self.text[self.words[i].start : self.words[i + length - 1].end]
                if spoken.lower().replace("’", "'") in phrases:
                    return length
        return 0
