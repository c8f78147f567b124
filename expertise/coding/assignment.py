"""Who may read what, and who reads what: never a text from one's own triad or team."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from expertise.coding.acts import LONGEST_TEXT, clean
from expertise.errors import CodingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Coder:
    """Someone who codes, reading from one perspective in this round.

    `triads` and `teams` are those the coder belongs to or knows. A
    facilitator may open the round together and note its decisions.
    """

    id: str
    perspective: str
    triads: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    facilitator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A text to read, whole or a selected passage; it never changes.

    `coded_by` holds the perspectives that its participant agreed to be read
    by; nobody else gets it. `topics` are shown before the text. A practice
    text is invented and open to everyone. `sha256` is computed.
    """

    id: str
    text: str
    coded_by: frozenset[str] = frozenset()
    triad: str = ""
    team: str = ""
    topics: tuple[str, ...] = ()
    practice: bool = False
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        clean(self.text, f"text {self.id}", LONGEST_TEXT)
        object.__setattr__(self, "sha256", hashlib.sha256(self.text.encode()).hexdigest())


def may_read(coder: Coder, fragment: Fragment) -> bool:
    """Say whether a text may be handed to a coder at all.

    >>> text = Fragment(id="d1", text="…", coded_by=frozenset({"patient"}), triad="7")
    >>> may_read(Coder(id="a", perspective="patient"), text)
    True
    >>> may_read(Coder(id="b", perspective="patient", triads=frozenset({"7"})), text)
    False
    """
    if fragment.practice:
        return True
    own = fragment.triad in coder.triads or fragment.team in coder.teams
    return coder.perspective in fragment.coded_by and not own


def hand_out(
    fragments: Sequence[Fragment], coders: Sequence[Coder], *, readers: int = 2, seed: int = 0
) -> Mapping[str, tuple[str, ...]]:
    """Give every text to several coders, so that each reads about as much and pairs vary.

    Parameters
    ----------
    readers : int
        How many coders read each text: the planned overlap.
    seed : int
        Decides between coders who have equally much to read.

    Returns
    -------
    mapping
        Coder id → ids of the texts, practice texts first and for everyone.

    Raises
    ------
    CodingError
        When a text has fewer possible readers than `readers`.
    """
    order = np.random.default_rng(seed)
    load = dict.fromkeys((coder.id for coder in coders), 0)
    together: dict[frozenset[str], int] = {}
    given: dict[str, list[str]] = {coder.id: [] for coder in coders}
    everyone = [one.id for one in fragments if one.practice]
    scarce = sorted(
        (one for one in fragments if not one.practice),
        key=lambda one: sum(may_read(coder, one) for coder in coders),
    )
    for fragment in scarce:
        able = [coder.id for coder in coders if may_read(coder, fragment)]
        if len(able) < readers:
            raise CodingError(
                f"text {fragment.id!r} may be read by {len(able)} of {len(coders)} coders, "
                f"{readers} are needed; ask for consent, invite a coder, or plan fewer readers"
            )
        chosen: list[str] = []
        while len(chosen) < readers:
            ranks = dict(zip(able, order.permutation(len(able)), strict=True))

            def cost(
                name: str, met: Sequence[str] = tuple(chosen), ranks: Mapping[str, int] = ranks
            ) -> tuple[int, int, int]:
                pairs = sum(together.get(frozenset((name, other)), 0) for other in met)
                return load[name], pairs, ranks[name]

            chosen.append(min((name for name in able if name not in chosen), key=cost))
        for name in chosen:
            load[name] += len(fragment.text)
            given[name].append(fragment.id)
            for other in chosen:
                pair = frozenset((name, other))
                together[pair] = together.get(pair, 0) + 1
    place = {one.id: at for at, one in enumerate(fragments)}
    return {name: (*everyone, *sorted(ids, key=place.__getitem__)) for name, ids in given.items()}
