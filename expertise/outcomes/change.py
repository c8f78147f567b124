"""Individual change: who moved by more than the error of the questionnaire."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from expertise.errors import DataError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.rules import (
    RULES,
    Basis,
    cut_off,
    hageman_arrindell_passed,
    slope_index,
)
from expertise.outcomes.tables import Vector, before_after, need_level
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

CLASSES = (
    "improved_crossed", "improved", "no_clear_change", "deteriorated", "deteriorated_crossed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Change(Result):
    """Change of every person under the primary rule, and how far other rules agree.

    `people` has a row a person: before, after, change, index, class,
    beyond_mic. `sensitivity` has a row a rule and class, the primary first;
    `eligible` counts everyone with at least one of the two measurements.
    """

    people: pd.DataFrame
    sensitivity: pd.DataFrame
    primary: str
    threshold: float
    cutoff: float | None
    mic: float | None
    better: str
    eligible: int
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the rule, the change it asks for, and how many people were measured twice."""
        return (
            f"Change beyond {self.threshold:.2f} points ({self.primary}); "
            f"{len(self.people)} of {self.eligible} people measured twice"
        )

    def tidy(self) -> pd.DataFrame:
        """Return the share in each class with Wilson's interval, a row a rule and class."""
        return tidy_table(self.sensitivity.drop(columns="class"))

    def glance(self) -> pd.DataFrame:
        """Return one row: how many eligible, measured twice, beyond the rule and the MIC."""
        worse = self.people["class"].isin(CLASSES[3:]).sum()
        row = {"n_people": self.eligible, "n": len(self.people), "method": self.primary}
        row |= {"improved": int(self.people["class"].isin(CLASSES[:2]).sum())}
        row |= {"deteriorated": int(worse), "threshold": self.threshold, "mic": self.mic}
        if self.mic is not None:
            row["beyond_mic"] = int(self.people["beyond_mic"].sum())
        return pd.DataFrame([row])

    def augment(self) -> pd.DataFrame:
        """Return a row a person."""
        return self.people.copy()

    def describe(self, lang: str = "en") -> pd.DataFrame:
        """Return class, n and share in words for people: never "recovered"."""
        rows = self.sensitivity[self.sensitivity["component"] == "primary"]
        words = [say(f"outcomes.class_{name}", lang) for name in rows["class"]]
        return pd.DataFrame({"class": words, "n": rows["n"], "share": rows["estimate"]})

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw before against after: inside the band lies what may be chance.

        Each person is a point: look at small cells before you release it.
        """
        table = self.people[["before", "after", "class"]]
        n_up = int(table["class"].isin(CLASSES[:2]).sum())
        n_down = int(table["class"].isin(CLASSES[3:]).sum())
        words = {"n": len(table), "up": n_up, "down": n_down}

        def paint(axes: StoryAxes, look: Look) -> None:
            both = table[["before", "after"]].to_numpy()
            ends = np.array([both.min() - 1, both.max() + 1])
            if self.primary == "JT":
                axes.fill_between(
                    ends, ends - self.threshold, ends + self.threshold,
                    color=look.faint, alpha=0.45, linewidth=0,
                )  # fmt: skip
            axes.plot(ends, ends, color=look.text, linewidth=1)
            for slot, marker, names in (
                (1, "o", CLASSES[:2]), (None, ".", CLASSES[2:3]), (2, "v", CLASSES[3:]),
            ):  # fmt: skip
                rows = table[table["class"].isin(names)]
                axes.plot(
                    rows["before"], rows["after"], linestyle="", marker=marker, markersize=5,
                    color=look.color(slot), alpha=0.8,
                )  # fmt: skip
            axes.set(
                xlabel=say("outcomes.before", lang), ylabel=say("outcomes.after", lang),
                xlim=ends, ylim=ends,
            )  # fmt: skip

        return draw(
            paint,
            title=say("outcomes.change_title", lang, **words),
            subtitle=say(f"outcomes.change_sub_{self.better}", lang, **words),
            alt=say("outcomes.change_alt", lang, **words),
            table=table.groupby("class", observed=False).size().rename("n").reset_index(),
            lang=lang,
        )


def reliable_change(
    table: pd.DataFrame,
    *,
    waves: tuple[object, object],
    reliability: float,
    better: str,
    primary: str = "JT",
    others: Sequence[str] = ("EN", "GLN", "HLL", "NK", "HA"),
    reliability_after: float | None = None,
    norm: tuple[float, float] | None = None,
    cutoff: str | float | None = None,
    functional: tuple[float, float] | None = None,
    mic: float | None = None,
    person: str = "participant",
    score: str = "score",
    conf_level: float = 0.95,
) -> Change:
    """Class each person's change under one declared rule, others beside it.

    Parameters
    ----------
    table : DataFrame
        Long: columns `person`, `wave`, `score`; one row a person and wave.
        Other waves are passed over; a column `months` is used to check order.
    waves : (first, last)
        Which two waves to compare.
    reliability : float
        Of the instrument, above 0 and below 1; its source belongs in the report.
    better : {"lower", "higher"}
        Direction of the instrument.
    primary : str
        The declared rule: JT (Jacobson & Truax), EN, GLN, HLL, NK, HA or HLM.
    others : sequence of str
        Rules of the sensitivity table. HLM takes each person's slope from a
        mixed model, so it needs three waves or more (`months`, or numbers in
        `wave`), and calls people changed relative to the mean slope.
    reliability_after : float, optional
        For NK; by default the same as `reliability`.
    norm : (mean, sd), optional
        Of the group the reliability belongs to, in points; by default the
        people here, at the first wave.
    cutoff : {"a", "b", "c"} or float, optional
        Border between two groups; without it no one "crosses".
    functional : (mean, sd), optional
        Of people without the complaint; for cut-offs b and c.
    mic : float, optional
        Minimal important change, in points, shown beside the rule: it answers
        another question (did it matter?) and never replaces it.
    conf_level : float
        Confidence of the rule and of the shares' intervals.

    Returns
    -------
    Change
        Not computed: whether the treatment caused it. Nor does any class mean
        that someone has recovered: it is about this questionnaire only.

    Raises
    ------
    DataError
        Unknown waves or waves out of order, two scores of one person at one
        wave, nobody with two measurements, an error of measurement of zero.

    References
    ----------
    Jacobson & Truax 1991, doi:10.1037/0022-006X.59.1.12.

    Examples
    --------
    >>> scores = pd.DataFrame({
    ...     "participant": ["P1", "P2", "P1", "P2"],
    ...     "wave": [0, 0, 6, 6],
    ...     "score": [32.5, 30.0, 47.5, 31.0],
    ... })
    >>> change = reliable_change(
    ...     scores, waves=(0, 6), reliability=0.8, better="higher", norm=(40, 7.5), others=()
    ... )
    >>> change.augment()["index"].round(2).tolist()
    [3.16, 0.21]
    """
    _check(
        better, primary, others, reliability, reliability_after, conf_level, cutoff, functional, mic
    )
    pairs = before_after(table, waves, person, score)
    people = pairs.dropna(subset=["before", "after"]).reset_index(drop=True)
    if people.empty:
        raise DataError(f"nobody has a score at both waves {listed(waves)}; choose other waves")
    before, after = people["before"].to_numpy(), people["after"].to_numpy()
    if norm is None and len(people) < 2:
        raise DataError("one person has no spread of its own; give norm=(mean, sd)")
    mean, sd = norm or (float(before.mean()), float(before.std(ddof=1)))
    if not sd > 0:
        raise DataError(
            f"the SD at wave {waves[0]!r} is {sd:g}; it must be above 0, or a difference has no "
            "error: give norm=(mean, sd) of a comparable group"
        )
    basis = Basis(
        before=before, after=after, mean=mean, sd=sd, reliability=reliability,
        reliability_after=reliability_after or reliability,
        slopes=slope_index(table, people[person], person, score)
        if "HLM" in (primary, *others) else None,
    )  # fmt: skip
    up = better == "higher"
    cut = cut_off(cutoff, (mean, sd), functional, up) if isinstance(cutoff, str) else cutoff
    rules = list(dict.fromkeys([primary, *others]))
    no_ha = "HA" in rules[1:] and not 0 < basis.difference_reliability <= 1
    if no_ha:
        rules.remove("HA")
    found = {rule: _classes(rule, basis, up, cut, cutoff, functional, conf_level) for rule in rules}
    index, codes = found[primary]
    gain = (after - before) * (1 if up else -1)
    people = people.assign(
        change=after - before,
        index=index,
        **{"class": pd.Categorical.from_codes(codes, list(CLASSES))},
    )
    if mic is not None:
        people["beyond_mic"] = gain >= mic
    return Change(
        people=people,
        sensitivity=_table({rule: codes for rule, (_, codes) in found.items()}, cut, conf_level),
        primary=primary,
        threshold=float(stats.norm.ppf((1 + conf_level) / 2) * np.sqrt(2) * basis.error),
        cutoff=cut,
        mic=mic,
        better=better,
        eligible=len(pairs),
        conf_level=conf_level,
        notes=(*_notes(len(pairs), found, norm), *[note("outcomes.no_ha")] * no_ha),
    )


def _check(
    better: str,
    primary: str,
    others: Sequence[str],
    r: float,
    r_after: float | None,
    conf_level: float,
    cutoff: str | float | None,
    functional: tuple[float, float] | None,
    mic: float | None,
) -> None:
    if better not in ("lower", "higher"):
        raise DataError(f"better is {better!r}; allowed are lower, higher")
    for rule in [primary, *others]:
        if rule not in RULES:
            raise DataError(f"unknown rule {rule!r}; allowed are {listed(RULES)}")
    need_level(conf_level)
    if isinstance(cutoff, str) and cutoff not in ("a", "b", "c"):
        raise DataError(f"unknown cut-off {cutoff!r}; allowed are a, b, c or a number")
    if functional is not None and not functional[1] > 0:
        raise DataError(f"functional has SD {functional[1]:g}; it must be above 0")
    if mic is not None and not mic > 0:
        raise DataError(f"mic is {mic:g}; give a change for the better in points, above 0")
    for value in [r] if r_after is None else [r, r_after]:
        if not 0 < value < 1:
            raise DataError(
                f"reliability is {value:g}; it must lie between 0 and 1, both excluded "
                "(with 1 the error of a difference would be 0)"
            )


def _classes(
    rule: str,
    basis: Basis,
    up: bool,
    cut: float | None,
    cutoff: str | float | None,
    functional: tuple[float, float] | None,
    conf_level: float,
) -> tuple[Vector, np.ndarray]:
    """Return index and class code of every person under one rule."""
    compute, one_sided = RULES[rule]
    index = compute(basis)
    critical = float(stats.norm.ppf(conf_level if one_sided else (1 + conf_level) / 2))
    sign = 1 if up else -1
    gain = sign * index
    codes = np.where(gain > critical, 1, np.where(gain < -critical, 3, 2))
    if cut is not None and cutoff is not None:
        if rule == "HA":
            crossed = hageman_arrindell_passed(basis, cutoff, functional, up, critical)
            back = np.zeros(len(index), dtype=bool)
        else:
            crossed = (sign * basis.before < sign * cut) & (sign * basis.after > sign * cut)
            back = (sign * basis.before >= sign * cut) & (sign * basis.after <= sign * cut)
        codes[(codes == 1) & crossed] = 0
        codes[(codes == 3) & back] = 4
    return index, codes


def _table(found: dict[str, np.ndarray], cut: float | None, conf_level: float) -> pd.DataFrame:
    """Return share and interval of each class under each rule, the primary rule first."""
    shown = range(5) if cut is not None else range(1, 4)
    rows = []
    for place, (rule, codes) in enumerate(found.items()):
        counts = np.bincount(codes, minlength=5)
        for code in shown:
            low, high = proportion_confint(
                counts[code], len(codes), alpha=1 - conf_level, method="wilson"
            )
            rows.append(
                {
                    "component": "primary" if place == 0 else "sensitivity",
                    "term": CLASSES[code].replace("_", " "),
                    "class": CLASSES[code],
                    "estimate": counts[code] / len(codes),
                    "conf_low": low,
                    "conf_high": high,
                    "conf_level": conf_level,
                    "n": int(counts[code]),
                    "n_people": len(codes),
                    "method": rule,
                }
            )
    return pd.DataFrame(rows)


def _notes(
    eligible: int,
    found: dict[str, tuple[Vector, np.ndarray]],
    norm: tuple[float, float] | None,
) -> tuple[Note, ...]:
    twice = len(next(iter(found.values()))[1])
    gains = [int((codes <= 1).sum()) for _, codes in found.values()]
    notes = [note("outcomes.measured_twice", n=twice, of=eligible)]
    if len(found) > 1:
        notes.append(
            note("outcomes.rules_range", low=min(gains), high=max(gains), n=twice, rules=len(found))
        )
    if norm is None:
        notes.append(note("outcomes.own_norm"))
    return tuple(notes)
