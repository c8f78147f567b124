"""Where coders read differently, and the readings they keep: a minority's as well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from expertise.coding.folding import Ledger
from expertise.result import Result
from expertise.words import Note, say

SHARED_FIRST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stretch of text that someone coded, with who chose what; coders are ids.

    `holders` maps each code to the coders who chose it, `readers` are all who
    finished the text. `difference` is the share of pairs of readers whose
    sets of codes differ, 0 when all chose the same.
    """

    document: str
    start: int
    end: int
    holders: Mapping[str, tuple[str, ...]]
    readers: tuple[str, ...]

    @property
    def difference(self) -> float:
        """Return the share of pairs of readers who chose differently."""
        chosen = [
            frozenset(code for code, names in self.holders.items() if reader in names)
            for reader in self.readers
        ]
        pairs = [(a, b) for i, a in enumerate(chosen) for b in chosen[i + 1 :]]
        return sum(a != b for a, b in pairs) / len(pairs) if pairs else 0.0


def passages(found: Ledger, round: str = "alone") -> tuple[Passage, ...]:
    """Return the passages that two or more finished: three shared ones, then by difference.

    Codings of one text that overlap form one passage.
    """
    readers = (
        found.finished(round).groupby("document")["coder"].agg(lambda c: tuple(sorted(set(c))))
    )
    several = readers[readers.map(len) >= 2]
    coded = found.coded(round)
    coded = coded[coded["document"].isin(several.index)].sort_values(["document", "start", "end"])
    reach = coded.groupby("document")["end"].cummax().groupby(coded["document"]).shift(fill_value=0)
    new = (coded["start"] >= reach) | (coded["document"] != coded["document"].shift())
    result = []
    for _, rows in coded.groupby(new.cumsum()):
        document = rows["document"].iloc[0]
        holders = {
            str(code): tuple(sorted(set(part["coder"]))) for code, part in rows.groupby("code")
        }
        result.append(Passage(document=document, start=int(rows["start"].min()),
                              end=int(rows["end"].max()), holders=holders,
                              readers=several[document]))  # fmt: skip
    result.sort(key=lambda one: (-one.difference, one.document, one.start))
    shared = [one for one in result if one.difference == 0]
    return (*shared[:SHARED_FIRST], *(one for one in result if one not in shared[:SHARED_FIRST]))


def shown_perspectives(
    holders: Sequence[str], perspectives: Mapping[str, str], said_yes: frozenset[str]
) -> tuple[str, ...]:
    """Return the perspectives of those who hold a reading, unless it is a lone holder's secret.

    >>> shown_perspectives(["a"], {"a": "patient"}, frozenset())
    ()
    >>> shown_perspectives(["a", "b"], {"a": "patient", "b": "naaste"}, frozenset())
    ('naaste', 'patient')
    """
    if len(holders) < 2 and not set(holders) <= said_yes:
        return ()
    return tuple(sorted({perspectives[name] for name in holders}))


def said_yes(found: Ledger, targets: Sequence[str]) -> frozenset[str]:
    """Return the coders who let their perspective be seen with one of these codings or readings."""
    rows = found.approvals[found.approvals["target"].isin(list(targets))]
    last = rows.drop_duplicates("coder", keep="last")
    return frozenset(last.loc[last["value"] == "shown", "coder"])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Readings(Result):
    """The readings that were kept, each a result of its own.

    Attributes
    ----------
    table : DataFrame
        One row per reading: uuid, document, start, end, code, wording, choice
        (one, both, later), minority (fewer than half of the readers of that
        text hold it), perspective (empty for a lone holder who did not say
        yes), approved (every holder approved the wording).
    """

    table: pd.DataFrame
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say how many readings were kept."""
        minority = int(self.table["minority"].sum())
        return say("coding.readings", n=len(self.table), minority=minority)

    def tidy(self) -> pd.DataFrame:
        """Return one row per reading, without words of a narrative."""
        columns = {"choice": "method"}
        return self.table.rename(columns=columns)[["perspective", "code", "document", "method"]]


def kept_readings(found: Ledger, wordings: Mapping[str, str]) -> Readings:
    """Return every reading that the group kept, with its wording and perspective.

    Parameters
    ----------
    wordings : mapping
        Id of each reading → its words, as the store's records of kind
        "reading" hold them.
    """
    alone, finished = found.coded("alone"), found.finished("alone")
    perspectives = dict(zip(alone["coder"], alone["perspective"], strict=True))
    rows = []
    for reading in found.readings.itertuples():
        same = alone[
            (alone["document"] == reading.document)
            & (alone["code"] == reading.code)
            & (alone["start"] < reading.end)
            & (alone["end"] > reading.start)
        ]
        holders = sorted(set(same["coder"]))
        readers = finished.loc[finished["document"] == reading.document, "coder"].nunique()
        given = found.approvals.loc[found.approvals["target"] == reading.uuid, "coder"]
        yes = said_yes(found, [reading.uuid, *same["uuid"]])
        rows.append({
            "uuid": reading.uuid, "document": reading.document,
            "start": reading.start, "end": reading.end,
            "code": reading.code, "wording": wordings.get(reading.uuid, ""),
            "choice": reading.value, "minority": 0 < len(holders) < readers / 2,
            "perspective": ", ".join(shown_perspectives(holders, perspectives, yes)),
            "approved": bool(holders) and set(holders) <= set(given),
        })  # fmt: skip
    columns = ["uuid", "document", "start", "end", "code", "wording", "choice", "minority",
               "perspective", "approved"]  # fmt: skip
    return Readings(table=pd.DataFrame(rows, columns=columns))


def kept_by_passage(readings: Readings) -> dict[tuple[str, int, int], list[dict[str, Any]]]:
    """Return document, start and end → what was kept there, as a page shows it."""
    kept: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for one in readings.table[readings.table["code"] != ""].itertuples():
        kept.setdefault((one.document, one.start, one.end), []).append(
            {"uuid": one.uuid, "code": one.code, "wording": one.wording,
             "approved": one.approved, "shown": bool(one.perspective)}
        )  # fmt: skip
    return kept
