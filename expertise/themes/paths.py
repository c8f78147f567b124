"""How a theme comes and goes over the waves, for people and for perspectives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from expertise.errors import CodingError, listed, nearest
from expertise.figures import Look, StoryAxes, draw, end_labels, month_ticks
from expertise.result import Result, tidy_table
from expertise.themes.counts import count_people
from expertise.themes.told import in_order, percent, read_told, slot_of
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Trajectories(Result):
    """Shares of people with each code over the waves, and who began or stopped telling it.

    Attributes
    ----------
    shares : DataFrame
        As `CodeCounts.table`.
    changes : DataFrame
        code, perspective, wave, next_wave, n_people heard in both, and how
        many of them told it in both (kept), only later (new), only earlier
        (gone) or in neither (silent).
    months : mapping
        Months since the start of each wave, in order.
    """

    shares: pd.DataFrame
    changes: pd.DataFrame
    months: Mapping[Any, float]
    conf_level: float
    n_people: int
    slots: Mapping[str, int] | None
    notes: tuple[Note, ...] = ()

    def heading(self) -> str:
        """Say what was followed."""
        n_codes = self.shares["code"].nunique()
        return say("themes.paths", n_codes=n_codes, n=len(self.months), n_people=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return the share of people by code, perspective and wave."""
        rows = self.shares.drop(columns=["n_told", "n_passages"])
        return tidy_table(rows.assign(conf_level=self.conf_level))

    def glance(self) -> pd.DataFrame:
        """Return one row of totals."""
        return pd.DataFrame([{"n_people": self.n_people, "n_waves": len(self.months)}])

    def augment(self) -> pd.DataFrame:
        """Return who began, kept and stopped telling, between waves."""
        return self.changes.copy()

    def plot(self, code: str, lang: str = "en") -> StoryAxes:
        """Draw one code over the waves, a line a perspective."""
        rows = self.shares[self.shares["code"] == code]
        if rows.empty:
            known = self.shares["code"].unique()
            raise CodingError(f"no code {code!r}; there are {listed(known)}{nearest(code, known)}")
        lines = {
            perspective: rows[rows["perspective"] == perspective]
            .set_index("wave")
            .reindex(self.months)
            for perspective in in_order(rows["perspective"], self.slots)
        }
        x = list(self.months.values())

        def paint(axes: Any, look: Look) -> None:
            ends = []
            for at, (perspective, line) in enumerate(lines.items()):
                style = look.style(slot_of(perspective, self.slots))
                beside = [month + (x[-1] - x[0]) * 0.012 * (at - 1) for month in x]
                axes.vlines(
                    beside, 100 * line["conf_low"], 100 * line["conf_high"], color=style["color"],
                    linewidth=2, alpha=0.45,
                )  # fmt: skip
                axes.plot(beside, 100 * line["estimate"], **style)
                last = line["estimate"].dropna()
                height = 100 * float(last.iloc[-1]) if len(last) else 0.0
                ends.append((x[-1], height, perspective, style["color"]))
            axes.set_ylim(-3, 103)
            axes.set_ylabel(say("themes.share_axis", lang))
            month_ticks(axes, x, [str(wave) for wave in self.months], look, lang)
            end_labels(axes, ends)

        first, last = next(iter(self.months)), list(self.months)[-1]
        change = {
            p: line.at[last, "estimate"] - line.at[first, "estimate"] for p, line in lines.items()
        }
        known = {p: value for p, value in change.items() if value == value}
        moved = max(known, key=lambda p: abs(known[p])) if known else next(iter(lines))
        values = [lines[moved].at[wave, "estimate"] for wave in (first, last)]
        words = {"code": code, "perspective": moved, "wave": first, "later": last}
        words |= {"n": self.n_people, "level": percent(self.conf_level, lang)}
        words |= {"share": percent(values[0], lang), "later_share": percent(values[1], lang)}
        return draw(
            paint, title=say("themes.paths_title", lang, **words),
            alt=say("themes.paths_alt", lang, **words), table=rows, lang=lang,
            subtitle=say("themes.paths_subtitle", lang, **words),
        )  # fmt: skip


def trajectories(
    codings: pd.DataFrame,
    documents: pd.DataFrame,
    *,
    months: Mapping[Any, float],
    codes: Iterable[str] | None = None,
    slots: Mapping[str, int] | None = None,
    conf_level: float = 0.95,
) -> Trajectories:
    """Follow codes over the waves: how many people tell it, and who begins or stops.

    Parameters
    ----------
    months : mapping
        Wave to months since the start.

    Other parameters and errors as for `code_counts`.

    Returns
    -------
    Trajectories
        Changes count only people heard in both waves. No test of change and
        no model of it: people who were heard once weigh in the shares only.

    Examples
    --------
    >>> import pandas as pd
    >>> codings = pd.DataFrame({"document": ["b"], "code": ["hoop"], "start": [0], "end": [9]})
    >>> documents = pd.DataFrame(
    ...     {"document": ["a", "b"], "participant": "P1", "perspective": "patient", "wave": [1, 2]}
    ... )
    >>> trajectories(codings, documents, months={1: 0, 2: 6}).changes.loc[0, "new"]
    np.int64(1)
    """
    order = dict(sorted(months.items(), key=lambda wave: wave[1]))
    told = read_told(codings, documents, order, codes)
    perspectives = in_order(told.documents["perspective"], slots)
    view = told.documents.groupby("participant")["perspective"].first()
    heard = _seen(told.documents, order)
    rows = []
    for code in told.codes:
        tells = _seen(told.passages[told.passages["code"] == code], order).reindex(
            heard.index, fill_value=False
        )
        for wave, later in pairwise(order):
            both = heard[wave] & heard[later]
            for perspective in perspectives:
                who = both & (view == perspective).reindex(heard.index)
                before, after = tells.loc[who, wave], tells.loc[who, later]
                rows.append(
                    {
                        "code": code, "perspective": perspective, "wave": wave, "next_wave": later,
                        "n_people": int(who.sum()), "kept": int((before & after).sum()),
                        "new": int((~before & after).sum()), "gone": int((before & ~after).sum()),
                        "silent": int((~before & ~after).sum()),
                    }
                )  # fmt: skip
    names = [
        "code",
        "perspective",
        "wave",
        "next_wave",
        "n_people",
        "kept",
        "new",
        "gone",
        "silent",
    ]
    once = int((heard.sum(axis=1) < 2).sum())
    return Trajectories(
        shares=count_people(told, perspectives, conf_level),
        changes=pd.DataFrame(rows, columns=names),
        months=order, conf_level=conf_level, slots=slots, n_people=len(heard),
        notes=(note("themes.heard_once", n=once),) if once else (),
    )  # fmt: skip


def _seen(rows: pd.DataFrame, waves: Iterable[Any]) -> pd.DataFrame:
    """Return whether each participant has a row in each wave."""
    seen = rows.groupby(["participant", "wave"]).size().unstack("wave", fill_value=0) > 0
    return seen.reindex(columns=list(waves), fill_value=False)
