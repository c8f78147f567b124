"""What lies before one coder: their own acts, the round, the state of each text."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from expertise.coding.acts import Act
from expertise.coding.assignment import Coder, Fragment
from expertise.coding.folding import FOLDED, Row, Standing
from expertise.errors import CodingError
from expertise.words import say

row: Callable[[Act], Row] = attrgetter(*FOLDED)


@dataclass(slots=True)
class Desk:
    """The acts that a coder may know of, and what follows from them.

    `acts` are the coder's own and those that concern everyone, `perspectives`
    those from which the coder read in each round; `take` adds new ones.
    """

    coder: Coder
    fragments: Mapping[str, Fragment]
    lang: str
    acts: list[Act] = field(default_factory=list)
    by_id: dict[str, Act] = field(default_factory=dict)
    standing: Standing = field(default_factory=Standing)
    perspectives: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, new: Sequence[Act]) -> None:
        """Add acts that came after the last one."""
        self.acts.extend(new)
        self.by_id.update((act.uuid, act) for act in new)
        self.standing.take(list(map(row, new)))
        for act in new:
            if act.coder == self.coder.id:
                self.perspectives[act.round].add(act.perspective)

    @property
    def live(self) -> list[Act]:
        """Return the acts that no undo cancels."""
        return [act for act in self.acts if act.uuid not in self.standing.cancelled]

    @property
    def n(self) -> int:
        """Return the place of the last act."""
        return self.acts[-1].n if self.acts else 0

    def since(self, n: int) -> list[Act]:
        """Return the acts after a place."""
        return self.acts[bisect_right(self.acts, n, key=attrgetter("n")) :]

    def marks(self) -> Counter[str]:
        """Return how many own codings stand in each text."""
        return Counter(self.acts[place].document for _, place, _ in self.standing.codings())

    @property
    def revealed(self) -> bool:
        """Say whether the facilitator opened the round together."""
        return self.standing.revealed

    @property
    def joined(self) -> bool:
        """Say whether this coder looks at what others chose; alone is over then."""
        return self.coder.id in self.standing.joined

    @property
    def stage(self) -> str:
        """Return the round that the coder is in."""
        if self.joined:
            return "together"
        return "practice" if self.to_practise() else "alone"

    def check_present(self) -> None:
        """Refuse a coder who withdrew."""
        if ("", self.coder.id) in self.standing.gone:
            raise self.no("left")

    def to_practise(self) -> bool:
        """Say whether a practice text waits that was neither finished nor set aside."""
        done = ("finished", "skipped", "returned")
        return any(one.practice and self.state(one) not in done for one in self.fragments.values())

    def round(self, fragment: Fragment) -> str:
        """Return the round in which an act on this text is made now."""
        if fragment.practice:
            return "practice"
        return "together" if self.joined else "alone"

    def state(self, fragment: Fragment) -> str:
        """Return returned, finished, skipped, opened, or nothing, for the round of now."""
        me = self.coder.id
        rounds = ("practice", "alone", "together")
        if any(self.standing.work.get((fragment.id, me, r)) == "returned" for r in rounds):
            return "returned"
        return self.standing.work.get((fragment.id, me, self.round(fragment)), "")

    def fragment(self, document: str) -> Fragment:
        """Return a text that was handed to this coder and is still here."""
        if self.withdrawn(document) or document not in self.fragments:
            raise self.no("not_handed_out")
        if self.state(self.fragments[document]) == "returned":
            raise self.no("returned")
        return self.fragments[document]

    def withdrawn(self, document: str) -> bool:
        """Say whether a text was withdrawn."""
        return (document, "") in self.standing.gone

    def own(self, target: str) -> Act:
        """Return an act of this coder."""
        act = self.by_id.get(target)
        if act is None or act.coder != self.coder.id:
            raise self.no("not_yours")
        return act

    def no(self, key: str, **values: Any) -> CodingError:
        """Return a refusal in the coder's language."""
        return CodingError(say(f"coding.{key}", self.lang, **values))
