"""Do two perspectives grow closer? Three questions, each with its own interval."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from expertise.errors import DataError, DesignError, FitError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.mixed.fit import fit_mixed
from expertise.result import Result, tidy_table
from expertise.triads.tables import Array, check_level, levels, long_rows, pair_of, wide_ratings
from expertise.words import Note, interval, note, say

QUESTIONS = ("gap", "agreement", "spread")
_LEAST = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Discrepancy(Result):
    """Change between two waves in mean gap, agreement and spread of differences.

    `changes` has a row a question: on `all pairs` of each wave and on the
    people whose pair is complete at both (`same people`); and `scale`, the
    change of spread by the location–scale model. `waves` has each figure at each wave.
    """

    pair: tuple[Any, Any]
    between: tuple[Any, Any]
    changes: pd.DataFrame
    waves: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the two perspectives and the two waves."""
        return say("triads.discrepancy", **self._words())

    def tidy(self) -> pd.DataFrame:
        """Return the changes, then the figures of each wave."""
        return tidy_table(pd.concat([self.changes, self.waves], ignore_index=True))

    def describe(self, lang: str = "en", labels: Mapping[Any, str] | None = None) -> dict[str, str]:
        """Answer the three questions in words; the words follow the intervals."""
        out = {}
        rows = self.changes[self.changes["group"] == "all pairs"]
        for question, low, high, estimate in zip(
            rows["term"], rows["conf_low"], rows["conf_high"], rows["estimate"], strict=True
        ):
            settled = "open" if low <= 0 <= high else self._direction(question, estimate)
            words = self._words(labels) | {"change": interval(estimate, low, high, lang)}
            out[question] = say(f"triads.{question}_{settled}", lang, **words)
        return out

    def plot(self, lang: str = "en", labels: Mapping[Any, str] | None = None) -> StoryAxes:
        """Draw gap, agreement and spread at each wave, side by side."""
        sentences = self.describe(lang, labels)
        order = list(dict.fromkeys(self.waves["wave"]))

        def paint(axes: Sequence[StoryAxes], look: Look) -> None:
            places = np.arange(len(order))[::-1]
            for at, (panel, question) in enumerate(zip(axes, QUESTIONS, strict=True)):
                rows = self.waves[self.waves["term"] == question]
                panel.hlines(places, rows["conf_low"], rows["conf_high"], color=look.color(1))
                panel.plot(rows["estimate"], places, "o", color=look.color(1))
                names = [textwrap.fill(str(one), 16) for one in order]
                panel.set_yticks(places, names if look.phone or not at else [""] * len(order),
                                 fontsize=9)  # fmt: skip
                panel.set(ylim=(-0.5, len(order) - 0.5))
                panel.grid(True, axis="x")
                panel.grid(False, axis="y")
                panel.set_title(say(f"triads.{question}_name", lang), fontsize=10, loc="left")
                if question != "spread":
                    panel.axvline(0, color=look.text, linewidth=0.8)

        rows = self.changes[
            (self.changes["group"] == "all pairs") & self.changes["term"].isin(QUESTIONS)
        ]
        open_ = int(((rows["conf_low"] <= 0) & (rows["conf_high"] >= 0)).sum())
        title = {3: "none", 0: "all"}.get(open_, "some")
        words = self._words(labels) | {"n": int(rows["n_people"].max())}
        return draw(
            paint,
            title=say(f"triads.discrepancy_title_{title}", lang, **words),
            subtitle=say("triads.discrepancy_sub", lang, **words),
            alt=" ".join(sentences.values()),
            table=self.tidy()[["term", "group", "wave", "estimate", "conf_low", "conf_high"]],
            lang=lang, panels=(1, 3), wide=(7.4, 2.2 + 0.4 * len(order)),
            phone=(4.0, 3.6 + 1.3 * len(order)),
        )  # fmt: skip

    def _words(self, labels: Mapping[Any, str] | None = None) -> dict[str, Any]:
        first, second = ((labels or {}).get(role, str(role)) for role in self.pair)
        start, end = map(str, self.between)
        return {"first": first, "second": second, "start": start, "end": end}

    def _direction(self, question: str, change: float) -> str:
        if question != "gap":  # a change of agreement, spread or scale
            return "more" if change > 0 else "less"
        gaps = self.waves[self.waves["term"] == "gap"].set_index("wave")["estimate"]
        wider = abs(gaps[self.between[1]]) > abs(gaps[self.between[0]])
        return "more" if wider else "less"


def discrepancy(
    table: pd.DataFrame,
    *,
    pair: Sequence[Any],
    person: str,
    perspective: str,
    wave: str,
    value: str,
    between: Sequence[Any] | None = None,
    replicates: int = 2000,
    seed: int = 0,
    conf_level: float = 0.95,
) -> Discrepancy:
    """Ask whether two perspectives grow closer, in three separate questions.

    Does the mean gap close (first − second, in points)? Does agreement
    grow (change of ICC(A,1))? Does the spread of differences shrink (log of
    the ratio of their SDs: −0.69 is half as wide)? Each can hold without
    the others: a gap can close on average while pairs drift apart. The
    third is answered twice: by the SDs as they are, and by a location–scale
    model (variance log-linear in the wave, a person's differences correlated
    over waves), which lets people who miss a wave count for the others.

    Parameters
    ----------
    table : DataFrame
        Long: one row per person, perspective and wave.
    pair : (first, second)
        Two perspectives.
    person, perspective, wave, value : str
        Columns.
    between : (start, end), optional
        Two waves; the first and the last (in the order of a categorical
        column, else sorted) by default.
    replicates, seed
        People resampled with all their waves, so that the three changes
        rest on the same people.
    conf_level : float

    Returns
    -------
    Discrepancy
        Changes on all pairs there are, and as a check on those complete at
        both waves. Percentile intervals; for the location–scale model those
        of its normal approximation.

    Raises
    ------
    DataError, DesignError
        Perspectives or waves that are not there, fewer than five pairs at a
        wave, and as for `icc`.

    Notes
    -----
    Not computed: why perspectives differ. A difference is no error of
    either. Pairs missing at a wave are taken as missing at random.
    McGraw & Wong (1996), doi:10.1037/1082-989X.1.1.30; Hedeker, Mermelstein &
    Demirtas (2008), doi:10.1111/j.1541-0420.2007.00924.x (location–scale).
    """
    check_level(conf_level)
    if replicates < 2:
        raise DesignError(f"replicates is {replicates}; draw 2 or more")
    rows = long_rows(table, (person, perspective, wave), value)
    order = levels(rows[wave])
    ends = _ends(order, between, wave)
    people = sorted(rows[person].unique(), key=str)
    cube = np.full((len(people), len(order), 2), np.nan)
    for at, name in enumerate(order):
        wide = wide_ratings(rows[rows[wave] == name], person, perspective, value)
        if len(pair_of(wide, pair, perspective)) < _LEAST:
            raise DesignError(
                f"fewer than {_LEAST} people have answers of both {pair[0]!r} and {pair[1]!r} "
                f"at {wave} {name!r}; leave that wave out"
            )
        cube[:, at] = wide.reindex(people)[list(pair)].to_numpy()
    cube[np.isnan(cube).any(axis=2)] = np.nan
    cube = cube[~np.isnan(cube).all(axis=(1, 2))]
    _check_varies(cube, order, pair, wave)
    start, end = (order.index(one) for one in ends)
    both = cube[~np.isnan(cube[:, [start, end]]).any(axis=(1, 2))]
    changes = []
    for group, part in (("all pairs", cube), ("same people", both)):
        if len(part) >= _LEAST:
            found = _resampled(part, replicates, seed)
            changes += _rows(
                found[:, end] - found[:, start], conf_level, "change", group, len(part)
            )
    scale, notes = _scale(cube, start, end, conf_level)
    changes += scale
    found = _resampled(cube, replicates, seed)
    waves = [
        row | {"wave": name}
        for at, name in enumerate(order)
        for row in _rows(found[:, at], conf_level, "level", "all pairs",
                         int((~np.isnan(cube[:, at, 0])).sum()))
    ]  # fmt: skip
    table_ = pd.DataFrame(waves)
    log = table_["term"] == "spread"
    table_.loc[log, ["estimate", "conf_low", "conf_high"]] = np.exp(
        table_.loc[log, ["estimate", "conf_low", "conf_high"]]
    )
    return Discrepancy(
        pair=(pair[0], pair[1]), between=(ends[0], ends[1]), changes=pd.DataFrame(changes),
        waves=table_, notes=(note("triads.same_people", n=len(both), people=len(cube)), *notes),
    )  # fmt: skip


def _check_varies(cube: Array, order: list[Any], pair: Sequence[Any], wave: str) -> None:
    """Refuse a wave at which all differences are the same: it has no spread to compare."""
    for at, name in enumerate(order):
        if np.nanstd(cube[:, at, 0] - cube[:, at, 1]) == 0:
            raise DesignError(
                f"all differences between {pair[0]!r} and {pair[1]!r} at {wave} {name!r} are the "
                "same; their spread cannot be compared, so leave that wave out"
            )


def _ends(order: list[Any], between: Sequence[Any] | None, wave: str) -> tuple[Any, Any]:
    if len(order) < 2:
        raise DesignError(f"column {wave!r} holds one wave only; a change needs two")
    if between is None:
        return order[0], order[-1]
    if len(between) != 2 or between[0] == between[1]:
        raise DesignError(f"between is two different waves, not {tuple(between)!r}")
    for one in between:
        if one not in order:
            raise DataError(f"column {wave!r} has no wave {one!r}; it has {listed(order)}")
    return between[0], between[1]


def _resampled(cube: Array, replicates: int, seed: int) -> Array:
    """Return each figure at each wave, shape (1 + replicates, waves, 3), the data first.

    Of two raters ICC(A,1) needs the variance of means and of differences,
    and the mean difference.
    """
    n = len(cube)
    seeds = np.random.SeedSequence(seed).spawn(replicates)
    draws = [np.random.default_rng(one).integers(n, size=n) for one in seeds]
    picks = np.array([np.arange(n), *draws])
    gap, difference = _moments((cube[:, :, 0] - cube[:, :, 1])[picks])
    middle = _moments(cube.mean(axis=2)[picks])[1]
    pairs = (~np.isnan(cube[:, :, 0]))[picks].sum(axis=1)
    msr, mse, bias = 2 * middle, difference / 2, gap**2
    with np.errstate(divide="ignore", invalid="ignore"):
        agreement = (msr - mse) / (msr + mse + bias - 2 * mse / pairs)
        spread = np.log(difference) / 2
    return np.stack([gap, agreement, spread], axis=-1)


def _moments(x: Array) -> tuple[Array, Array]:
    """Return means and variances over axis 1 of what is there; missing under three values."""
    there = ~np.isnan(x)
    n = np.where(there.sum(axis=1) < 3, np.nan, there.sum(axis=1))
    mean = np.where(there, x, 0.0).sum(axis=1) / n
    rest = np.where(there, x - mean[:, None], 0.0)
    return mean, (rest**2).sum(axis=1) / (n - 1)


def _rows(
    found: Array, conf_level: float, component: str, group: str, n: int
) -> list[dict[str, Any]]:
    tail = [(1 - conf_level) / 2, (1 + conf_level) / 2]
    low, high = np.nanquantile(np.where(np.isfinite(found[1:]), found[1:], np.nan), tail, axis=0)
    return [
        {"component": component, "term": question, "group": group, "estimate": float(found[0, at]),
         "conf_low": float(low[at]), "conf_high": float(high[at]), "conf_level": conf_level,
         "n_people": n, "method": "persons resampled"}
        for at, question in enumerate(QUESTIONS)
    ]  # fmt: skip


def _scale(
    cube: Array, start: int, end: int, conf_level: float
) -> tuple[list[dict[str, Any]], tuple[Note, ...]]:
    """Return the change of log SD by the location–scale model, or the note why not."""
    person, wave = np.nonzero(~np.isnan(cube[:, :, 0]))
    order = [start, end, *(at for at in range(cube.shape[1]) if at not in (start, end))]
    table = pd.DataFrame({
        "difference": cube[person, wave, 0] - cube[person, wave, 1], "person": person.astype(str),
        "wave": pd.Categorical([f"w{at}" for at in wave], [f"w{at}" for at in order]),
        "place": wave.astype(float),
    })  # fmt: skip
    alike = "ar1(place | person)" if table["person"].duplicated().any() else None
    try:
        fit = fit_mixed(
            "difference ~ wave", table, dispersion="~ wave", residual=alike, df="normal"
        )
    except (DesignError, FitError):
        return [], (note("triads.no_scale"),)
    rows = {term: (value, error) for term, value, error in fit.solution.dispersion}
    estimate, error = (x / 2 for x in rows[f"log variance: wavew{end}"])  # of an SD, not a variance
    half = float(ndtri((1 + conf_level) / 2)) * error
    return [
        {"component": "change", "term": "scale", "group": "all pairs", "estimate": estimate,
         "conf_low": estimate - half, "conf_high": estimate + half, "conf_level": conf_level,
         "n_people": len(cube), "method": "location-scale"}
    ], ()  # fmt: skip
