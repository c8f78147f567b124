"""What stands after a series of acts: codings, and who finished which text."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from expertise.coding.acts import FIELDS, WORK
from expertise.errors import CodingError
from expertise.result import Result
from expertise.words import Note, note, say

FOLDED = ("uuid", "kind", "coder", "round", "document", "code", "value", "target")
OWN = (*WORK, "applied", "approved")
REACHING_BACK = frozenset({"undone", "withdrawn"})
Row = tuple[Any, ...]
KEPT = ("uuid", "document", "sha256", "coder", "perspective", "round",
        "code", "start", "end", "doubted", "counted", "when")  # fmt: skip


class _Labels:
    """Codes that can be renamed and merged afterwards without touching their codings."""

    def __init__(self) -> None:
        self.parent: list[int] = []
        self.name: list[str] = []
        self.now: dict[str, int] = {}

    def of(self, code: str) -> int:
        if code not in self.now:
            self.now[code] = len(self.parent)
            self.parent.append(len(self.parent))
            self.name.append(code)
        return self.now[code]

    def carry(self, old: str, new: str) -> None:
        if old in self.now and old != new:
            self.parent[self.now[old]] = self.of(new)
            del self.now[old]

    def read(self, label: int) -> str:
        while self.parent[label] != label:
            label = self.parent[label]
        return self.name[label]


def undone(rows: Sequence[Row]) -> set[str]:
    """Return the uuids that an undo cancels; undoing an undo brings the first act back."""
    cancelled: set[str] = set()
    for row in reversed(rows):
        if row[1] == "undone" and row[0] not in cancelled:
            cancelled.add(row[-1])
    return cancelled


class Standing:
    """What stands after the acts taken in so far, in the order of the ledger.

    This is the one place that says what acts mean. An act on something that
    does not stand changes nothing; a withdrawal takes everything away that
    went before and follows. Places are positions in `rows`.

    Parameters
    ----------
    rows : sequence of tuple
        The columns `FOLDED`, a row per act.
    """

    def __init__(self, rows: Sequence[Row] = ()) -> None:
        self.rows: list[Row] = []
        self.cancelled: set[str] = set()
        self.gone: set[tuple[str, str]] = set()
        self._begin()
        self.take(rows)

    def _begin(self) -> None:
        self._labels = _Labels()
        self._codings: dict[str, tuple[int, int]] = {}
        self.doubted: set[str] = set()
        self.work: dict[tuple[str, str, str], str] = {}
        self.readings: dict[str, int] = {}
        self.approved: dict[tuple[str, str], str] = {}
        self.revealed = False
        self.joined: set[str] = set()

    def take(self, rows: Sequence[Row]) -> None:
        """Take in acts that came after the last one; only those are folded.

        An undo or a withdrawal changes what went before it: then all are folded anew.
        """
        place = len(self.rows)
        self.rows += rows
        if not REACHING_BACK.isdisjoint(row[1] for row in rows):
            place = 0
            self.cancelled = undone(self.rows)
            self.gone = {(r[4], "") if r[4] else ("", r[2]) for r in self.rows
                         if r[1] == "withdrawn"}  # fmt: skip
            self._begin()
        self._fold(place)

    def _fold(self, first: int) -> None:
        cancelled, labels, codings = self.cancelled, self._labels, self._codings
        for place, row in enumerate(islice(self.rows, first, None), start=first):
            uuid, kind, coder, round_, document, code, value, target = row
            if uuid in cancelled or (self.gone and self._left(kind, coder, document)):
                continue
            if kind == "applied":
                codings[uuid] = (place, labels.of(code))
            elif kind == "removed":
                codings.pop(target, None)
            elif kind == "doubted":
                self.doubted.add(target)
            elif kind in WORK:
                if kind != "opened" or (document, coder, round_) not in self.work:
                    self.work[document, coder, round_] = kind
            elif kind == "recoded":
                if not target:
                    labels.carry(code, value)
                elif target in codings:
                    codings[target] = (codings[target][0], labels.of(value))
            elif kind == "resolved":
                self.readings[uuid] = place
            elif kind == "approved":
                self.approved[target, coder] = value
            elif kind == "revealed":
                self.revealed = True
            elif kind == "joined":
                self.joined.add(coder)

    def _left(self, kind: str, coder: str, document: str) -> bool:
        """Say whether an act is about a withdrawn text, or the own work of who withdrew."""
        return (document, "") in self.gone or (("", coder) in self.gone and kind in OWN)

    def __contains__(self, coding: object) -> bool:
        """Say whether a coding stands."""
        return coding in self._codings

    def codings(self) -> Iterator[tuple[str, int, str]]:
        """Return uuid, place and code, as it is called by now, of every coding that stands."""
        for uuid, (place, label) in self._codings.items():
            yield uuid, place, self._labels.read(label)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Ledger(Result):
    """What stands: `codings`, the `work` on each text, and the `readings` made together.

    Attributes
    ----------
    codings : DataFrame
        One row per standing coding: uuid, document, sha256, coder,
        perspective, round, code, start, end, doubted, counted (its coder
        finished the text in that round), when.
    work : DataFrame
        One row per document, coder and round that was opened: `state` is
        opened, skipped, returned or finished.
    readings : DataFrame
        One row per reading of a passage that the last decision on that
        passage kept: uuid, document, start, end, code, value, target.
    approvals : DataFrame
        One row per reading (`target`) and coder: `value` shown or hidden.
    """

    codings: pd.DataFrame
    work: pd.DataFrame
    readings: pd.DataFrame
    approvals: pd.DataFrame
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how many codings stand."""
        return say(
            "coding.ledger", n=len(self.codings), documents=self.codings["document"].nunique()
        )

    def tidy(self) -> pd.DataFrame:
        """Return the number of counted codings per code and coder."""
        return (
            self.coded().groupby(["code", "coder"], observed=True).size().rename("n").reset_index()
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: codings that stand, that count, and texts by state."""
        states = self.work["state"].value_counts()
        counts = {f"n_{state}": int(states.get(state, 0)) for state in WORK}
        return pd.DataFrame([{"n": len(self.codings), "n_counted": len(self.coded())} | counts])

    def coded(self, round: str | None = None) -> pd.DataFrame:
        """Return the codings that count: those of texts their coder finished in that round."""
        rows = self.codings[self.codings["counted"]]
        return rows if round is None else rows[rows["round"] == round]

    def finished(self, round: str | None = None) -> pd.DataFrame:
        """Return document, coder, round of every finished text: who can be compared where."""
        rows = self.work[self.work["state"] == "finished"]
        rows = rows if round is None else rows[rows["round"] == round]
        return rows[["document", "coder", "round"]].reset_index(drop=True)

    def units(self, codes: Iterable[str], round: str = "alone") -> pd.DataFrame:
        """Return units × coders: does the coder use this code in this text?

        Parameters
        ----------
        codes : iterable of str
            The codes that coders could choose.

        Returns
        -------
        DataFrame
            Index (document, code), one column per coder: 1 used, 0 finished
            without it, NaN missing (not handed out, skipped, returned or not
            finished). Coders and documents without a finished text are absent,
            so that skipping is the same as never having been handed the text.
        """
        done = self.finished(round)
        codes = list(codes)
        documents, coders = sorted(done["document"].unique()), sorted(done["coder"].unique())
        values = np.full((len(documents), len(codes), len(coders)), np.nan)
        at, who = _places(documents, done["document"]), _places(coders, done["coder"])
        values[at, :, who] = 0.0
        used = self.coded(round)
        used = used[used["code"].isin(codes)]
        values[
            _places(documents, used["document"]),
            _places(codes, used["code"]),
            _places(coders, used["coder"]),
        ] = 1.0
        index = pd.MultiIndex.from_product([documents, codes], names=["document", "code"])
        return pd.DataFrame(
            values.reshape(len(index), len(coders)),
            index=index,
            columns=pd.Index(coders, name="coder"),
        )


def _places(order: Sequence[str], values: "pd.Series[str]") -> Any:
    return pd.Index(order).get_indexer(pd.Index(values))


def ledger(acts: pd.DataFrame, *, at: str | None = None) -> Ledger:
    """Fold acts into what stands, now or at an earlier moment.

    Parameters
    ----------
    acts : DataFrame, one row per act
        The columns of `Act`, as `Store.table` and `acts_table` give them;
        any row order, the column `n` orders them.
    at : str, optional
        A moment in ISO 8601, UTC unless it says otherwise: later acts are left out.

    Notes
    -----
    A coding counts only after its coder finished the text (`Ledger.coded`);
    a text that was skipped, returned or left open is missing, never
    "no code".

    Examples
    --------
    >>> from expertise.coding.acts import Act, acts_table
    >>> from uuid import uuid5, NAMESPACE_OID
    >>> def act(n, kind, **more):
    ...     return Act(uuid=str(uuid5(NAMESPACE_OID, str(n))), n=n, kind=kind, coder="a",
    ...                round="alone", document="d1", **more)
    >>> acts = [act(1, "opened"), act(2, "applied", code="hoop", start=0, end=4)]
    >>> len(ledger(acts_table(acts)).coded())
    0
    >>> len(ledger(acts_table([*acts, act(3, "finished")])).coded())
    1
    """
    if not acts["n"].is_monotonic_increasing:
        acts = acts.sort_values("n", kind="stable")
    if at is not None:
        acts = acts[acts["when"] <= _moment(at)]
    rows = list(zip(*(acts[name].tolist() for name in FOLDED), strict=True))
    state = Standing(rows)
    codings = _codings(acts, state)
    work = pd.DataFrame(
        [(*key, value) for key, value in state.work.items()],
        columns=["document", "coder", "round", "state"],
    )
    readings = _readings(acts, state)
    approvals = pd.DataFrame(
        [(*key, value) for key, value in state.approved.items()],
        columns=["target", "coder", "value"],
    )
    open_ = int((work["state"] == "opened").sum())
    notes = (note("coding.open_texts", n=open_),) if open_ else ()
    return Ledger(codings=codings, work=work, readings=readings, approvals=approvals, notes=notes)


def _moment(at: str) -> str:
    """Return a moment as acts write it: UTC, with microseconds."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise CodingError(f"at is {at[:40]!r}; write a moment as 2026-03-01T12:00") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")


def _codings(acts: pd.DataFrame, state: Standing) -> pd.DataFrame:
    standing = list(state.codings())
    done = {key for key, value in state.work.items() if value == "finished"}
    table = acts.iloc[[place for _, place, _ in standing]].reset_index(drop=True)
    about = zip(table["document"], table["coder"], table["round"], strict=True)
    table["counted"] = [key in done for key in about]
    table["code"] = [code for _, _, code in standing]
    table["doubted"] = [uuid in state.doubted for uuid, _, _ in standing]
    kinds = {"code": str, "start": "int64", "end": "int64", "doubted": bool, "counted": bool}
    return table.astype(kinds)[list(KEPT)]


def _readings(acts: pd.DataFrame, state: Standing) -> pd.DataFrame:
    table = acts.iloc[list(state.readings.values())].reset_index(drop=True)
    passage = ["document", "start", "end"]
    last = table.groupby(passage)["target"].transform("last") if len(table) else table["target"]
    keep = ["uuid", "document", "start", "end", "code", "value", "target", "when"]
    return table.loc[table["target"] == last, keep].reset_index(drop=True)


assert set(FOLDED) <= set(FIELDS)
