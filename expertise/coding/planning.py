"""A plan of who reads what: looked at as a table, then stored."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from expertise.coding.acts import Record
from expertise.coding.assignment import Coder, Fragment, hand_out
from expertise.coding.fragments import overlaps, placed
from expertise.coding.store import Store
from expertise.errors import CodingError
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

PLAN, MADE = "plan", "plan-made"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class ReadingPlan(Result):
    """Who reads which fragments; shows counts, never a text.

    Attributes
    ----------
    table : DataFrame
        One row per fragment and reader: document, words, coder, perspective.
    settings : mapping
        How it was made: what was asked for, readers, seed.
    """

    table: pd.DataFrame
    settings: Mapping[str, object]
    notes: tuple[Note, ...] = ()

    def heading(self, lang: str = "en") -> str:
        """Say how much there is to read."""
        words = self.table.groupby("coder")["words"].sum()
        return say(
            "coding.plan", lang, n=self.table["document"].nunique(),
            readers=self.settings["readers"], coders=len(words),
            low=int(words.min()), high=int(words.max()),
        )  # fmt: skip

    def tidy(self) -> pd.DataFrame:
        """Return how many fragments (`n`) each coder reads."""
        counts = self.table.groupby(["perspective", "coder"], sort=False).size()
        return tidy_table(counts.rename("n").reset_index())

    def glance(self) -> pd.DataFrame:
        """Return one row: readings, and people who read."""
        return pd.DataFrame([{"n": len(self.table), "n_people": self.table["coder"].nunique()}])

    def augment(self) -> pd.DataFrame:
        """Return a row per fragment: words, readers, and the perspectives that read it."""
        return self.table.groupby("document", sort=False, as_index=False).agg(
            words=("words", "first"), readers=("coder", "size"),
            perspectives=("perspective", lambda of: ", ".join(sorted(set(of)))),
        )  # fmt: skip


def plan_reading(
    fragments: Sequence[Fragment], coders: Sequence[Coder], *, readers: int = 2, seed: int = 0,
    settings: Mapping[str, object] | None = None,
    begun: Mapping[str, Mapping[str, str]] | None = None,
) -> ReadingPlan:  # fmt: skip
    """Divide fragments over coders with a planned overlap; see `hand_out`.

    Parameters
    ----------
    readers : int
        How many coders read each fragment.
    settings : mapping, optional
        How the fragments were chosen; kept with the plan.
    begun : mapping, optional
        From `begun_by`: who reads a fragment already is among its readers.

    Raises
    ------
    CodingError
        When a fragment that nobody began has fewer possible readers than `readers`.

    Examples
    --------
    >>> text = Fragment(id="d1", text="Ik zie weer licht.", coded_by=frozenset({"patient"}))
    >>> coders = [Coder(id="a", perspective="patient"), Coder(id="b", perspective="patient")]
    >>> plan_reading([text], coders).augment()
      document  words  readers perspectives
    0       d1      4        2      patient
    """
    real = {one.id: one for one in fragments if not one.practice}
    perspective = {one.id: one.perspective for one in coders}
    given = hand_out(list(real.values()), coders, readers=readers, seed=seed, begun=begun)
    rows = [
        (document, len(real[document].text.split()), coder, perspective[coder])
        for coder, ids in given.items() for document in ids
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["document", "words", "coder", "perspective"])
    everyone = table.groupby("document")["perspective"].nunique()
    alike = int((everyone < min(readers, len(set(perspective.values())))).sum())
    notes = (note("coding.one_sided", n=alike),) if alike else ()
    order = {document: at for at, document in enumerate(real)}
    return ReadingPlan(
        table=table.sort_values("document", key=lambda of: of.map(order), kind="stable",
                                ignore_index=True),
        settings=dict(settings or {}) | {"readers": readers, "seed": seed}, notes=notes,
    )  # fmt: skip


def keep_plan(store: Store, plan: ReadingPlan, opened: pd.DataFrame, *, by: str) -> None:
    """Store a plan, a record per coder; what someone opened before stays theirs.

    It takes the place of an earlier plan for everyone.

    Parameters
    ----------
    opened : DataFrame
        `Ledger.work`: what was opened so far.

    Raises
    ------
    CodingError
        When a fragment shares words with another one that someone opened:
        these would count as two texts.
    """
    for one, other in overlaps(plan.table["document"], in_use(opened)).items():
        raise CodingError(
            f"fragment {one!r} shares words with {other!r}, which someone opened, so these would "
            "count twice; plan anew, with the length of before or other texts"
        )
    begun = opened[opened["round"] == "alone"].groupby("coder")["document"].agg(list).to_dict()
    given = plan.table.groupby("coder", sort=False)["document"].agg(list).to_dict()
    for coder in dict.fromkeys([*given, *store.records(PLAN)]):
        ids = dict.fromkeys([*begun.get(coder, ()), *given.get(coder, ())])
        _put(
            store,
            Record(kind=PLAN, key=str(coder), body=json.dumps(list(ids)), coder=str(coder)),
            by,
        )
    _put(store, Record(kind=MADE, key="alone", body=json.dumps(dict(plan.settings))), by)


def in_use(opened: pd.DataFrame) -> list[str]:
    """Return what somebody opened and did not give back, from `Ledger.work`."""
    mine = (opened["round"] == "alone") & (opened["state"] != "returned")
    return sorted(opened.loc[mine, "document"].unique())


def begun_by(opened: pd.DataFrame) -> dict[str, dict[str, str]]:
    """Return fragment → coder → state of what was opened alone, from `Ledger.work`."""
    found: dict[str, dict[str, str]] = {}
    for one in opened[opened["round"] == "alone"].itertuples():
        found.setdefault(one.document, {})[one.coder] = one.state
    return found


def settings_of_plan(store: Store) -> dict[str, Any]:
    """Return how the plan that stands was made; nothing when there is none."""
    record = store.record(MADE, "alone")
    return dict(json.loads(record.body)) if record else {}


def planned(store: Store, coder: str | None = None) -> list[str] | None:
    """Return the documents planned for a coder, or for anyone; None when nothing was planned."""
    kept = store.records(PLAN, None if coder is None else [coder])
    if not kept:
        return None
    return list(dict.fromkeys(one for record in kept.values() for one in json.loads(record.body)))


def fragments_of(store: Store, texts: Iterable[str]) -> list[str]:
    """Return the fragments of some texts that the store knows: planned, or worked on."""
    wanted = set(texts)
    known = {*(planned(store) or ()), *(act.document for act in store.after())}
    return sorted(one for one in known - wanted if placed(one, ())[0] in wanted)


def _put(store: Store, record: Record, by: str) -> None:
    old = store.record(record.kind, record.key)
    version = old.version if old else 0
    store.put(
        Record(kind=record.kind, key=record.key, body=record.body, version=version,
               coder=record.coder), by=by,
    )  # fmt: skip
