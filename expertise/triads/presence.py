"""Who was asked, who answered, who could not be asked: triads as they are, in counts."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from expertise.errors import DataError, DesignError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.result import Result, tidy_table
from expertise.triads.tables import check_ids, two_or_more
from expertise.words import Note, note, say

STATUS = ("answered", "missing", "refused", "unavailable")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Completeness(Result):
    """Counts of people per role and status, per pair of roles, and per set of roles.

    It holds no rows of persons. A count under `minimum` is missing.
    """

    table: pd.DataFrame
    n_people: int
    minimum: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many people there are."""
        return say("triads.completeness", people=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return `status` per role, `pair` (both answered, and may be combined), `triad`."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: people."""
        return pd.DataFrame([{"n_people": self.n_people, "minimum": self.minimum}])

    def plot(self, lang: str = "en", slots: Mapping[str, int] | None = None) -> StoryAxes:
        """Draw of how many people which perspectives answered; withheld counts say so."""
        rows = self.table[self.table["component"] == "triad"]
        everyone = " + ".join(dict.fromkeys(self.table["perspective"].dropna()))
        whole = rows.loc[rows["term"] == everyone, "estimate"]
        words = {
            "all": self.n_people,
            "n": int(whole.iloc[0]) if len(whole) and whole.notna().iloc[0]
            else say("triads.not_shown", lang) if len(whole) else 0,
        }  # fmt: skip
        counts, few = rows["estimate"], say("triads.not_shown", lang)
        names = [say("triads.nobody", lang) if one == "nobody" else one for one in rows["term"]]
        colours = [(slots or {}).get(one) for one in rows["term"]]
        title = say("triads.presence_title", lang, **words)

        def paint(axes: StoryAxes, look: Look) -> None:
            places = np.arange(len(rows))[::-1]
            for place, count, slot in zip(places, counts, colours, strict=True):
                told = few if np.isnan(count) else f"{count:.0f}"
                axes.barh(place, 0 if np.isnan(count) else count, height=0.5,
                          color=look.color(slot) if slot else look.text)  # fmt: skip
                axes.annotate(told, (0 if np.isnan(count) else count, place), xytext=(6, 0),
                              textcoords="offset points", va="center")  # fmt: skip
            axes.set_yticks(places, [textwrap.fill(name, 18 if look.phone else 34)
                                     for name in names])  # fmt: skip
            axes.set(xlim=(0, self.n_people * 1.05), ylim=(-0.6, len(rows) - 0.4))
            axes.grid(True, axis="x")
            axes.grid(False, axis="y")

        told = [few if np.isnan(count) else f"{count:.0f}" for count in counts]
        return draw(
            paint, title=title, alt=title, subtitle=say("triads.presence_sub", lang, **words),
            table=pd.DataFrame({"term": names, "n": told}), lang=lang,
            wide=(6.4, 1.8 + 0.45 * len(rows)), phone=(4.0, 2.4 + 0.5 * len(rows)),
        )  # fmt: skip


def triad_completeness(
    table: pd.DataFrame,
    *,
    person: str,
    perspective: str,
    status: str,
    roles: Sequence[Any],
    consents: pd.DataFrame | None = None,
    minimum: int = 5,
) -> Completeness:
    """Count who was asked and answered, and which triads are uneven.

    A naaste who does not exist is a finding about a person's life, not a
    hole to fill: nothing is imputed. Refusals are counted and never listed
    or broken down: who refused is nobody's business.

    Parameters
    ----------
    table : DataFrame
        One row per person and perspective.
    person, perspective : str
        Columns.
    status : str
        Column: answered, missing (asked, no answer), refused, unavailable
        (there is no such person, or they could not be asked).
    roles : sequence
        The declared roles. A person without a row for a role counts as not asked.
    consents : DataFrame, optional
        Columns `person`, `first`, `second`, `consent` (bool): whether answers of
        these two roles about this person may be combined. Without a row they
        may not.
    minimum : int
        Smaller counts are withheld; so is the next smallest count of the
        same set where one alone could be computed from the total.

    Returns
    -------
    Completeness

    Raises
    ------
    DataError, DesignError
        Columns, ids, statuses or roles that are unknown; rows that are double.
    """
    for name in (person, perspective, status):
        if name not in table.columns:
            raise DataError(f"the table has no column {name!r}; it has {listed(table.columns)}")
    names = list(roles)
    two_or_more(names, perspective)
    for name in (person, perspective):
        check_ids(table[name])
    if table.duplicated([person, perspective]).any():
        raise DataError(
            f"some rows hold the same {person!r} and {perspective!r}; one row each is allowed"
        )
    for column, allowed in ((status, STATUS), (perspective, names)):
        unknown = set(table[column]) - set(allowed)
        if unknown:
            raise DataError(
                f"column {column!r} holds {listed(sorted(map(str, unknown)))}; "
                f"allowed are {listed(allowed)}"
            )
    if minimum < 1:
        raise DesignError(f"minimum is {minimum}; it is 1 or more")
    wide = table.pivot(index=person, columns=perspective, values=status)
    wide = wide.reindex(columns=names).astype(object)
    wide = wide.where(wide.notna(), "not asked")
    rows = [
        *_statuses(wide, minimum), *_pairs(wide, person, consents, minimum), *_sets(wide, minimum),
    ]  # fmt: skip
    counts = pd.DataFrame(rows)
    notes = [note("triads.never_imputed")]
    if counts["estimate"].isna().any():
        notes.append(note("triads.withheld", minimum=minimum))
    if consents is None:
        notes.append(note("triads.no_consents"))
    return Completeness(table=counts, n_people=len(wide), minimum=minimum, notes=tuple(notes))


def _kept(counts: "pd.Series[int]", minimum: int) -> "pd.Series[float]":
    """Return counts of one total, small ones withheld, never one alone."""
    out = counts.astype(float)
    small = (counts < minimum) & (counts > 0)
    if small.sum() == 1 and (counts > 0).sum() > 1:
        rest = counts[~small & (counts > 0)]
        small[rest.idxmin()] = True
    return out.mask(small)


def _statuses(wide: pd.DataFrame, minimum: int) -> list[dict[str, Any]]:
    out = []
    for role in wide.columns:
        counts = wide[role].value_counts().reindex([*STATUS, "not asked"], fill_value=0)
        for state, count in _kept(counts, minimum).items():
            out.append({"component": "status", "term": str(state), "perspective": str(role),
                        "estimate": count})  # fmt: skip
    return out


def _pairs(
    wide: pd.DataFrame, person: str, consents: pd.DataFrame | None, minimum: int
) -> list[dict[str, Any]]:
    answered = wide == "answered"
    allowed = None
    if consents is not None:
        absent = [name for name in ("person", "first", "second", "consent")
                  if name not in consents.columns]  # fmt: skip
        if absent:
            raise DataError(f"the table of consents has no column {listed(absent)}")
        given = consents[consents["consent"].astype(bool)]
        allowed = {
            (row.person, frozenset((row.first, row.second)))
            for row in given[["person", "first", "second"]].itertuples()
        }
    out = []
    for first, second in combinations(wide.columns, 2):
        both = answered[first] & answered[second]
        pair = f"{first} + {second}"
        counts = {"both answered": both}
        if allowed is not None:
            may = [(who, frozenset((first, second))) in allowed for who in wide.index]
            counts["may be combined"] = both & pd.Series(may, wide.index)
        for term, which in counts.items():
            kept = _kept(which.value_counts().reindex([True, False], fill_value=0), minimum)
            out.append({"component": "pair", "term": term, "group": pair, "estimate": kept[True]})
    return out


def _sets(wide: pd.DataFrame, minimum: int) -> list[dict[str, Any]]:
    answered = wide == "answered"
    sets = answered.apply(
        lambda row: " + ".join(str(role) for role in wide.columns if row[role]) or "nobody", axis=1
    )
    return [
        {"component": "triad", "term": term, "estimate": count}
        for term, count in _kept(sets.value_counts(), minimum).items()
    ]
