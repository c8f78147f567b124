"""Who is missing, when, in which perspective; and what if those who left differ."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from expertise.errors import DataError, DesignError, listed
from expertise.figures import Look, StoryAxes, draw, end_labels, month_ticks
from expertise.mixed.fit import MixedFit, fit_mixed
from expertise.outcomes.tables import need_keys, need_level, numbers, slot_of
from expertise.result import Result, tidy_table
from expertise.words import Note, note, number, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Missingness(Result):
    """How many were measured at each wave, and in which patterns.

    `shares`: perspective, wave, months (places of the waves where these are not
    known), n (expected), measured, share with Wilson's interval. `patterns`:
    perspective, pattern (● measured, ○ missing, in order of the waves), n. `twice`:
    perspective, n, with at least two scores.
    """

    shares: pd.DataFrame
    patterns: pd.DataFrame
    twice: pd.DataFrame
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Count who has at least two measurements, of how many eligible."""
        return (
            f"{int(self.twice['twice'].sum())} of {int(self.twice['n'].sum())} respondents have "
            "at least two measurements"
        )

    def tidy(self) -> pd.DataFrame:
        """Return the share measured, a row a perspective and wave."""
        table = self.shares.rename(columns={"share": "estimate"})
        table = table.drop(columns=["measured", "months"])
        return tidy_table(table.assign(component="measured", conf_level=self.conf_level))

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [{"n": int(self.twice["n"].sum()), "twice": int(self.twice["twice"].sum())}]
        )

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw the share measured by wave, a line a perspective."""
        shares = self.shares
        last = shares[shares["wave"] == shares["wave"].iloc[-1]]
        low, high = (number(100 * x, 0, lang) for x in (last["share"].min(), last["share"].max()))
        kind = "one" if low == high else "range"
        words = {"low": low, "high": high, "n": int(self.twice["n"].sum())}
        waves = shares.drop_duplicates("wave")
        x = waves["months"].to_numpy()
        labels = [str(wave) for wave in waves["wave"]]

        def paint(axes: StoryAxes, look: Look) -> None:
            ends = []
            for name, part in shares.groupby("perspective", sort=False):
                slot = slot_of(name)
                axes.fill_between(x, 100 * part["conf_low"], 100 * part["conf_high"],
                                  color=look.color(slot), alpha=0.15, linewidth=0)  # fmt: skip
                axes.plot(x, 100 * part["share"], **look.style(slot))
                ends.append((x[-1], 100 * part["share"].iloc[-1], str(name), look.color(slot)))
            month_ticks(axes, x, labels, look, lang)
            axes.set(ylim=(0, 102), ylabel="%")
            end_labels(axes, ends)

        return draw(
            paint,
            title=say(f"outcomes.missing_{kind}", lang, **words),
            subtitle=say("outcomes.missing_sub", lang, **words),
            alt=say(f"outcomes.missing_{kind}", lang, **words),
            table=shares,
            lang=lang,
        )


def who_is_missing(
    table: pd.DataFrame,
    *,
    waves: tuple[object, ...] | None = None,
    person: str = "participant",
    score: str = "score",
    conf_level: float = 0.95,
) -> Missingness:
    """Count who was measured, per perspective and wave.

    Everyone with a row in a perspective was expected there at every wave, so
    give rows with an empty score to people who were asked and never answered.

    Parameters
    ----------
    table : DataFrame
        Long: `person`, `wave`, `score`, optionally `perspective` and `months`.
    waves : tuple, optional
        Waves in order of time; by default as they first appear.

    Returns
    -------
    Missingness
        Not computed: why people are missing.

    Raises
    ------
    DataError
        A wave that does not occur, or two scores of one person in one wave.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "participant": [1, 1, 2, 2], "wave": ["T0", "T1"] * 2, "score": [5, 6, 7, None],
    ... })
    >>> who_is_missing(table).patterns[["pattern", "n"]].values.tolist()
    [['●●', 1], ['●○', 1]]
    """
    need_level(conf_level)
    need_keys(table, [person, "wave", *(["perspective"] if "perspective" in table else [])])
    measured = ~np.isnan(numbers(table, score))
    order = list(pd.unique(table["wave"])) if waves is None else list(waves)
    if absent := [wave for wave in order if wave not in set(table["wave"])]:
        raise DataError(
            f"no wave {absent[0]!r} in the table; it has {listed(table['wave'].unique())}"
        )
    data = pd.DataFrame({"person": table[person], "wave": table["wave"], "measured": measured})
    data["perspective"] = table.get("perspective", "all")
    keys = ["perspective", "person", "wave"]
    if (twice := data.duplicated(keys).to_numpy()).any():
        raise DataError(
            f"row {table.index[twice.argmax()]}: a second score of one person in one wave; "
            "keep one row a person, perspective and wave"
        )
    grid = data.pivot(index=["perspective", "person"], columns="wave", values="measured")
    grid = grid.reindex(columns=order).eq(True)
    months = dict(zip(order, range(len(order)), strict=True))
    if "months" in table:
        months = table.groupby("wave", observed=True)["months"].median().to_dict()
    rows = []
    for name in pd.unique(data["perspective"]):
        part = grid.loc[name]
        for wave in order:
            k, n = int(part[wave].sum()), len(part)
            low, high = proportion_confint(k, n, alpha=1 - conf_level, method="wilson")
            rows.append(
                {
                    "perspective": name,
                    "wave": wave,
                    "months": float(months[wave]),
                    "n": n,
                    "measured": k,
                    "share": k / n,
                }
                | {"conf_low": low, "conf_high": high}
            )
    first = pd.unique(data["perspective"])
    marks = grid.apply(lambda row: "".join("●" if x else "○" for x in row), axis=1)
    patterns = marks.groupby(level=0).value_counts().rename("n").loc[list(first)]
    counts = grid.sum(axis=1).ge(2).groupby(level=0).agg(["size", "sum"]).loc[first]
    counts.columns = ["n", "twice"]
    return Missingness(
        shares=pd.DataFrame(rows),
        patterns=patterns.rename_axis(["perspective", "pattern"]).reset_index(),
        twice=counts.rename_axis("perspective").reset_index(),
        conf_level=conf_level,
        notes=(note("outcomes.missing_reasons"),),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class PatternMixture(Result):
    """A mixed model by pattern of dropout, averaged over the patterns.

    `averaged` has a row a fixed effect; `model` is the mixed model with the
    interactions; `share` the part of the people who left.
    """

    averaged: pd.DataFrame
    model: MixedFit
    share: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many left."""
        return f"Pattern mixture: {100 * self.share:.0f} % of the people left before the end"

    def tidy(self) -> pd.DataFrame:
        """Return the effects averaged over those who stayed and those who left."""
        return tidy_table(self.averaged)

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [{"n_people": int(self.averaged["n_people"].iloc[0]), "share": self.share}]
        )


def pattern_mixture(
    table: pd.DataFrame,
    *,
    outcome: str,
    fixed: str,
    random: str,
    dropout: str,
    person: str = "participant",
    reml: bool = True,
    conf_level: float = 0.95,
) -> PatternMixture:
    """Let those who left early have a course of their own, then average.

    Parameters
    ----------
    table : DataFrame
        A row a measurement.
    fixed, random : str
        Parts of a mixed-model formula, such as ``"time * arm"`` and
        ``"(time | participant)"``.
    dropout : str
        Column of 0 (stayed) and 1 (left early), constant within a person.
    reml : bool
        Restricted or plain maximum likelihood.
    conf_level : float
        Of the intervals, which also carry the uncertainty of the share that left.

    Returns
    -------
    PatternMixture
        Not computed: what happened after people left; each course is taken
        to go on as it was.

    Raises
    ------
    DataError
        `dropout` is not 0 or 1, or changes within a person.
    DesignError
        Nobody left, or everybody did.

    References
    ----------
    Hedeker & Gibbons 1997, doi:10.1037/1082-989X.2.1.64.

    Examples
    --------
    >>> rng = np.random.default_rng(3)
    >>> person, time = np.repeat(range(40), 3), np.tile([0, 1, 2], 40)
    >>> made = pd.DataFrame({"participant": person, "time": time, "left": person % 4 == 0})
    >>> y = rng.normal(size=40)[person] + time + rng.normal(size=120)
    >>> found = pattern_mixture(made.assign(left=made["left"] * 1, y=y), outcome="y",
    ...                         fixed="time", random="(1 | participant)", dropout="left")
    >>> found.share
    0.25
    """
    need_level(conf_level)
    need_keys(table, [dropout, person])
    left = numbers(table, dropout, missing=False)
    if (wrong := ~np.isin(left, (0, 1))).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column {dropout!r}: {left[row]:g}; allowed are 0, 1"
        )
    own = table.groupby(person)[dropout].agg(["min", "max"])
    if (own["min"] != own["max"]).any():
        raise DataError(f"column {dropout!r} changes within a person; it is one value a person")
    share, n = float(own["max"].mean()), len(own)
    if not 0 < share < 1:
        raise DesignError(
            f"{100 * share:.0f} % of the people left; there are no two patterns to mix"
        )
    formula = f"{outcome} ~ ({fixed}) * {dropout} + {random}"
    model = fit_mixed(formula, table, reml=reml, conf_level=conf_level)
    names = list(model.names)
    base = [name for name in names if dropout not in name.split(":")]
    partner = [
        dropout if name == "(Intercept)" else next(x for x in names if _pair(x, dropout) == name)
        for name in base
    ]
    own_, other = ([names.index(x) for x in part] for part in (base, partner))
    pick = np.zeros((len(base), len(names)))
    pick[np.arange(len(base)), own_] = 1
    pick[np.arange(len(base)), other] = share
    estimate = pick @ model.beta
    variance = np.einsum("ij,jk,ik->i", pick, model.cov_beta, pick)
    error = np.sqrt(variance + model.beta[other] ** 2 * share * (1 - share) / n)
    half = stats.norm.ppf((1 + conf_level) / 2) * error
    averaged = pd.DataFrame(
        {
            "component": "fixed", "term": base, "estimate": estimate, "std_error": error,
            "conf_low": estimate - half, "conf_high": estimate + half, "conf_level": conf_level,
            "n": len(model.design.y), "n_people": n, "method": "averaged over patterns",
        }
    )  # fmt: skip
    return PatternMixture(
        averaged=averaged,
        model=model,
        share=share,
        notes=(*model.notes, note("outcomes.pattern_goes_on")),
    )


def _pair(name: str, dropout: str) -> str:
    """Return an interaction's name without its dropout part."""
    parts = name.split(":")
    return ":".join(part for part in parts if part != dropout) if dropout in parts[1:] else ""
