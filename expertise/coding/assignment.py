"""Who may read what, and who reads what: never a text from one's own triad or team."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from expertise.coding.acts import LONGEST_TEXT, clean
from expertise.errors import CodingError

READS = frozenset({"opened", "finished"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Coder:
    """Someone who codes, reading from one perspective in this round.

    `triads` and `teams` are those the coder belongs to or knows, `declined`
    the topics they would rather not read about, where that is known. A
    facilitator may open the round together and note its decisions.
    """

    id: str
    perspective: str
    triads: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
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
    rather_not = coder.declined & set(fragment.topics)
    return coder.perspective in fragment.coded_by and not own and not rather_not


def hand_out(
    fragments: Sequence[Fragment], coders: Sequence[Coder], *, readers: int = 2, seed: int = 0,
    begun: Mapping[str, Mapping[str, str]] | None = None,
) -> Mapping[str, tuple[str, ...]]:  # fmt: skip
    """Give every text to several coders of several perspectives; each reads about as much.

    Among coders who are not more than this text ahead of who has least, a
    perspective that does not read the text yet goes first; then who has
    least, then pairs that met least.

    Parameters
    ----------
    readers : int
        How many coders read each text: the planned overlap.
    seed : int
        Decides between coders who have equally much to read.
    begun : mapping, optional
        Text → coder → opened, finished, skipped or returned. Who reads a text
        keeps it, who put it aside does not get it again, and it gets as many
        other readers as it lacks, or as there are.

    Returns
    -------
    mapping
        Coder id → ids of the texts, practice texts first and for everyone.

    Raises
    ------
    CodingError
        When a text that nobody began has fewer possible readers than `readers`.
    """
    so_far = begun or {}
    order = np.random.default_rng(seed)
    load = dict.fromkeys((coder.id for coder in coders), 0)
    together: Counter[frozenset[str]] = Counter()
    given: dict[str, list[str]] = {name: [] for name in load}
    real = [one for one in fragments if not one.practice]
    reads = {
        text.id: [who for who in coders if so_far.get(text.id, {}).get(who.id) in READS]
        for text in real
    }
    for text in real:
        for coder in reads[text.id]:
            load[coder.id] += len(text.text)
    for fragment in sorted(real, key=lambda one: sum(may_read(coder, one) for coder in coders)):
        state, chosen = so_far.get(fragment.id, {}), [*reads[fragment.id]]
        others = [one for one in coders if one.id not in state and may_read(one, fragment)]
        able = [*chosen, *others]
        if len(able) < readers and not state:
            raise CodingError(
                f"text {fragment.id!r} may be read by {len(able)} of {len(coders)} coders, "
                f"{readers} are needed; ask for consent, invite a coder, or plan fewer readers"
            )
        for _ in range(len(chosen), min(readers, len(able))):
            ranks = dict(zip(able, order.permutation(len(able)), strict=True))
            met = Counter(one.perspective for one in chosen)
            least = min(load[one.id] for one in able if one not in chosen)
            costs = {
                one: (
                    load[one.id] > least + len(fragment.text),
                    met[one.perspective],
                    load[one.id],
                    sum(together[frozenset((one.id, other.id))] for other in chosen),
                    ranks[one],
                )
                for one in able if one not in chosen
            }  # fmt: skip
            chosen.append(min(costs, key=costs.__getitem__))
        for one in chosen:
            load[one.id] += 0 if one in reads[fragment.id] else len(fragment.text)
            given[one.id].append(fragment.id)
        together.update(frozenset((a.id, b.id)) for a, b in combinations(chosen, 2))
    everyone = [one.id for one in fragments if one.practice]
    place = {one.id: at for at, one in enumerate(fragments)}
    return {name: (*everyone, *sorted(ids, key=place.__getitem__)) for name, ids in given.items()}
