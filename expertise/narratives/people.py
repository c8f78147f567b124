"""People in a text: by a relation, a role or a title before them, a known name, or a capital."""

import re
from collections.abc import Iterable, Iterator

from expertise.narratives.homonyms import Homonyms, lemma
from expertise.narratives.institutions import INSTITUTION
from expertise.narratives.known import in_dictionary
from expertise.narratives.patterns import Found

_HAS_NAME = frozenset({"heet", "heette", "heten"})
_GREETINGS = frozenset(
    {"hee", "hé", "hey", "hoi", "hallo", "ha", "dag", "lieve", "beste", "yo", "he"}
)
_ARTICLES = frozenset({"de", "het", "een", "'t", "den", "deze", "die", "dit", "dat", "bij", "op"})


class People(Homonyms):
    """The people of one text.

    Parameters
    ----------
    text : str
        The text.
    listed : iterable of str
        Names that are known to occur, such as those found in other texts of
        the same triad; they count wherever they stand.
    """

    def __init__(self, text: str, listed: Iterable[str] = ()) -> None:
        super().__init__(text)
        self.listed = frozenset(name.lower() for name in listed)

    def find(self) -> Iterator[Found]:
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
            return (
                self.words[i + 1].cap
                and self.gap(i + 1) == " "
                and word.low not in {"in", "op", "aan"}
            )
        if word.low in self.listed and (len(word.low) > 1 or word.cap):
            return self.stands_as_name(i)
        certain = strong or self._enumerated(i)
        if certain and word.cap and word.low in self.known.common_names:
            return True
        if self._raised_name(i) or self.bare_noun(i) or self._greeted(i):
            return True
        if word.low in self.known.not_names or not word.text[0].isalpha():
            return False
        if word.low in self.known.plain and not strong:
            return False
        if self.only_opens(i) and not (strong and word.cap):
            return False
        if len(word.text) == 1:
            return self._initial(i) and (strong or self._surname_follows(i))
        if not word.cap:
            return self._lower_person(i, strong)
        if word.low in self.known.names and not (word.low in self.known.everyday and not strong):
            return (
                strong
                or self._acts(i)
                or not word.first
                or not in_dictionary(word.low)
                or word.low in self.known.common_names
            )
        if word.text.isupper():
            return False
        if strong:
            return word.low not in self.known.heads and not (word.first and in_dictionary(word.low))
        return (
            not word.first
            and not in_dictionary(word.low)
            and not self.is_ordinary(i)
            and self.near(i) not in _ARTICLES | self.known.to_place
            and not INSTITUTION.fullmatch(word.low)
        )

    def _greeted(self, i: int) -> bool:
        return (
            self.near(i) in _GREETINGS
            and self.words[i - 1].first
            and self.gap(i) in (" ", ", ")
            and self.words[i].low in self.known.names
            and self.words[i].low not in self.known.everyday
            and self.words[i].low not in self.known.plain
        )

    def _raised_name(self, i: int) -> bool:
        """Whether a capital within a sentence makes a name of a word: "kijk, Wil, de brug"."""
        word, lists = self.words[i], self.known
        return (
            word.cap
            and not word.first
            and not word.text.isupper()
            and word.low in lists.word_names
            and word.low not in lists.calendar
            and self.near(i) not in _ARTICLES
        )

    def _acts(self, i: int) -> bool:
        """Whether word i does what only people do, without an article: "Roos zei"."""
        after = i + 1
        return after < len(self.words) and (
            self.words[after].low in self.known.acts or self.gap(after) == " ("
        )

    def _enumerated(self, i: int) -> bool:
        """Whether word i stands in a row that has a name: "Jos, Mia, Frans en ik"."""
        for j in range(i, max(i - 5, 0), -1):
            if self.gap(j) != ", " or not self.words[j - 1].cap:
                return False
            if self.known.is_name(self.words[j - 1].low):
                return True
        return False

    def introduced(self, i: int) -> bool:
        """Whether the words before i announce a name."""
        one, two = self.near(i), self.near(i, 2)
        if self.announced(i):
            return True
        if one in {"ben", "is", "was"} and (
            two in {"ik", "naam"} or (one == "is" and two == "naam")
        ):
            return self.words[i].cap or self.known.is_name(self.words[i].low)
        if one in {"ons", "onze", "onzen", "lieve", "beste", "dag", "kleine"}:
            return self.words[i].cap or self.known.is_name(self.words[i].low)
        if one == "van" and two in self.known.relations and self.lower_case:
            return self.known.is_name(self.words[i].low)
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
            while (
                skip < len(self.words)
                and self.words[skip].low in self.known.interfixes
                and skip - after < 3
            ):
                skip += 1
            joined = all(
                self.gap(k) in (" ", "-") for k in range(after + 1, min(skip + 1, len(self.words)))
            )
            if skip == after or skip >= len(self.words) or not joined or not self._is_surname(skip):
                break
            last = skip
        return last

    def _is_part(self, i: int) -> bool:
        word = self.words[i]
        if word.cap:
            return word.low not in self.known.not_names and (len(word.text) > 1 or self._initial(i))
        if not self.lower_case or word.low not in self.known.surnames:
            return False
        noun = word.low not in self.known.everyday and lemma(word.low) == word.low
        return noun or not in_dictionary(word.low)

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
        while (
            j < len(self.words)
            and j - i < 5
            and (len(self.words[j].text) == 1 or self.words[j].low in self.known.interfixes)
        ):
            j += 1
        return j < len(self.words) and self.words[j].cap and not in_dictionary(self.words[j].low)

    def _with_point(self, last: int) -> int:
        end = self.words[last].end
        return (
            end + 1 if len(self.words[last].text) == 1 and self.text[end : end + 1] == "." else end
        )
