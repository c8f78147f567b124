"""Names that are everyday words, such as Roos, Storm or Pas: introduced once, then known again."""

from collections.abc import Iterator

import simplemma

from expertise.narratives.known import in_dictionary, known
from expertise.narratives.wording import Wording

_ARTICLES = frozenset({"de", "het", "een", "'t", "'n", "n", "den", "dit", "dat", "die", "deze"})
_AMOUNTS = frozenset({
    "elke", "elk", "iedere", "ieder", "geen", "veel", "weinig", "meer", "vorige", "volgende",
    "woord",
})  # fmt: skip
_WITH = frozenset({"met", "van", "bij", "voor", "tegen", "aan", "naar", "door", "zonder", "dan"})
_ALSO = frozenset({"en", "of", "want", "dus", "maar", "toen", "zei", "vroeg", "dat", "als", ""})
_OF_LANGUAGES = frozenset({
    "sprak", "spreek", "spreekt", "spreken", "gesproken", "in", "het", "leerde",
})  # fmt: skip
_PRONOUNS = frozenset({
    "ik", "je", "jij", "hij", "ze", "zij", "we", "wij", "het", "er", "u", "men", "de", "een",
})  # fmt: skip
_SELF = frozenset({
    ("naam", "is"), ("ik", "ben"), ("ben", "ik"), ("ik", "heet"), ("die", "heet"),
    ("die", "heette"),
})  # fmt: skip


class Homonyms(Wording):
    """The names of one text that are everyday words."""

    def introduced_words(self) -> Iterator[str]:
        """Yield words that are names because a relation, a title or "heet" stands at them."""
        for i, word in enumerate(self.words):
            low, lists = word.low, self.known
            if not low[0].isalpha() or len(low) < 2:
                continue
            if low in lists.helpers or low in lists.interfixes:
                continue
            if (
                self._presented(i)
                or self._paired(i)
                or (self.gap(i) == " " and (self._after_relation(i) or self._after_title(i)))
            ):
                yield low

    def _is_possible(self, i: int) -> bool:
        """Whether a word could be somebody's first or last name."""
        word, lists = self.words[i], self.known
        small = (
            self.lower_case
            and word.low in lists.names
            and not any(word.low in those for those in (lists.everyday, lists.not_lower_names))
            and lemma(word.low) == word.low
        )
        return (
            small
            or word.low in lists.word_names
            or (
                word.cap
                and not word.text.isupper()
                and (word.low in lists.names or word.low in lists.surnames)
            )
        )

    def _after_relation(self, i: int) -> bool:
        near = self.near(i)
        related = near in self.known.relations or near in self.known.helpers
        own = self.near(i, 2) in self.known.determiners or self.words[i].cap
        return related and own and self._is_possible(i) and not self.words[i].first

    def _after_title(self, i: int) -> bool:
        word, lists = self.words[i], self.known
        if self.near(i) not in lists.titles | {"familie", "juf", "meester", "zuster", "broeder"}:
            return False
        noun = word.low not in lists.everyday and lemma(word.low) == word.low
        acts = i + 1 < len(self.words) and self.words[i + 1].low in lists.acts
        small = self.lower_case and word.low in lists.surnames and (noun or acts)
        return self._is_possible(i) or small

    def _presented(self, i: int) -> bool:
        """Whether somebody says what word i is called: "de baas heet wil", "ik ben storm,"."""
        word = self.words[i]
        after = self.gap(i + 1) if i + 1 < len(self.words) else "\n"
        follows = self.words[i + 1].low if after == " " else ""
        if after in {", ", " (", ". "} and self._described(i + 1):
            rare = word.low in self.known.names and word.low not in self.known.everyday
            return word.low in self.known.word_names or (rare and self.lower_case)
        if word.low not in self.known.word_names and not (
            word.low in self.known.names and word.cap and not word.first
        ):
            return False
        ends = not follows or follows in {"en", "maar", "want", "die"}
        self_said = (self.near(i, 2), self.near(i)) in _SELF
        return ends and (self_said or self.near(i) in {"heet", "heette", "heten", "genaamd"})

    def _described(self, i: int) -> bool:
        """Whether the words from i say who somebody is: "dat is mijn behandelaar"."""
        words = [word.low for word in self.words[i : i + 5]]
        while words and words[0] in {
            "dat",
            "is",
            "was",
            "mijn",
            "onze",
            "zijn",
            "haar",
            "de",
            "m'n",
        }:
            words.pop(0)
        return bool(words) and words[0] in self.known.relations | self.known.helpers

    def _paired(self, i: int) -> bool:
        """Whether word i stands beside another first name: "ties en jet"."""
        pair = [self.words[j].low for j in (i - 2, i + 2) if 0 <= j < len(self.words)
                and self.words[(i + j) // 2].low == "en"]  # fmt: skip
        return self._is_first_name(self.words[i].low) and any(map(self._is_first_name, pair))

    def _is_first_name(self, low: str) -> bool:
        lists = self.known
        return low in lists.names and low not in lists.everyday and low not in lists.not_names and (
            low in lists.word_names or lists.is_name(low)
        )  # fmt: skip

    def bare_noun(self, i: int) -> bool:
        """Whether a noun in small letters has no article, as only a name can: "roos had taart"."""
        word = self.words[i]
        if not (self.lower_case and word.low in self.known.count_names):
            return False
        follows = self.words[i + 1].low if i + 1 < len(self.words) else ""
        ends = i + 1 == len(self.words) or self.gap(i + 1) != " "
        return self.near(i) in _WITH | _ALSO and (
            ends or is_verb(follows) or follows in {"en", "van", "of"}
        )

    def stands_as_name(self, i: int) -> bool:
        """Whether word i, a name elsewhere in the text, is that name here too."""
        word = self.words[i]
        near = self.near(i)
        if not self._doubtful(word.low):
            return not self.only_opens(i) and (word.cap or self.lower_case or not self.dialect)
        if self._presented(i) or self._paired(i):
            return True
        if word.cap and not word.first:
            return near not in _ARTICLES | _OF_LANGUAGES
        if not word.cap and not self.lower_case:
            return False
        if near in self.known.titles or self._after_relation(i):
            return True
        if near in self.known.determiners | _ARTICLES | _AMOUNTS:
            return False
        follows = self.words[i + 1].low if i + 1 < len(self.words) else ""
        further = self.words[i + 2].low if i + 2 < len(self.words) else ""
        acts = is_verb(follows) and further not in _PRONOUNS
        if word.low not in self.known.word_names:
            stop = word.low in self.known.everyday or word.low in self.known.not_names
            opens = {"is", "was", "heeft", "had"} if stop else set()
            return word.cap and acts and follows not in opens
        if word.low in self.known.verb_names:
            return acts or (near in _WITH - {"aan", "dan"} and follows not in _PRONOUNS)
        return acts or near in _WITH | _ALSO or is_verb(near)

    def _doubtful(self, low: str) -> bool:
        lists = self.known
        return (
            low in lists.everyday or low in lists.not_names or low in lists.plain
            or (in_dictionary(low) and (low in lists.word_names or low not in lists.names))
        )  # fmt: skip


def lemma(low: str) -> str:
    """Return the lemma of a word in lower case."""
    return str(simplemma.lemmatize(low, lang="nl")).lower()


def is_verb(low: str) -> bool:
    """Whether a word has the form of a verb with a subject: "zwaait", "is", "zei"."""
    stem = lemma(low)
    formed = stem != low and stem.endswith("n") and low.endswith(("t", "de", "te"))
    return formed or low in known().acts
