"""Choosing outcomes together: what each perspective puts first, and how far they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from expertise.errors import DataError, DesignError, FitError, listed
from expertise.figures import Look, StoryAxes, draw
from expertise.outcomes.agree import concordance
from expertise.outcomes.tables import need_keys, need_level, numbers, slot_of
from expertise.result import KEYS, VALUES, Result, tidy_table
from expertise.words import Note, note, say

Order = NDArray[np.int64]
RULES = ("equal voice", "any voice")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Preferences(Result):
    """Worth of each outcome to each perspective, and agreement within and between them.

    `worths`: log worth against the mean of the outcomes, with interval, and
    `share`, the chance of being put first, with its own. `agreement`: Kendall's W and the
    mean Spearman r of two people, within each perspective and "between" them.
    """

    worths: pd.DataFrame
    agreement: pd.DataFrame
    model: str
    conf_level: float
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Name the model, the outcomes and the people."""
        people = int(self.worths.drop_duplicates("perspective")["n_people"].sum())
        return f"{self.model} of {self.worths['term'].nunique()} outcomes by {people} people"

    def tidy(self) -> pd.DataFrame:
        """Return log worths first, then agreement, a row each."""
        worths = self.worths.assign(component="worth", method=self.model)
        agreement = self.agreement.assign(component="agreement")
        rows = [part.dropna(axis=1, how="all") for part in (worths, agreement) if len(part)]
        table = pd.concat(rows, ignore_index=True)
        return tidy_table(table[[c for c in table if c in KEYS + VALUES]])

    def glance(self) -> pd.DataFrame:
        """Return one row that sums the result up."""
        return pd.DataFrame(
            [
                {
                    "outcomes": self.worths["term"].nunique(),
                    "perspectives": self.worths["perspective"].nunique(),
                }
            ]
        )

    def chosen(self, count: int, rule: str = "equal voice") -> pd.DataFrame:
        """Return the chosen set, and how it came about, as a table for the report.

        Parameters
        ----------
        count : int
            How many outcomes to choose (equal voice), or how many from the
            top of each perspective (any voice).
        rule : {"equal voice", "any voice"}
            Equal voice: by the mean over perspectives of the chance to be put
            first, so that a large group does not outvote a small one. Any
            voice: whatever is in the first `count` of at least one.

        Returns
        -------
        DataFrame
            A row an outcome: its place per perspective, mean share, chosen, rule.
        """
        shares = self.worths.pivot(index="term", columns="perspective", values="share")
        if rule not in RULES:
            raise DataError(f"unknown rule {rule!r}; allowed are {listed(RULES)}")
        if not 1 <= count <= len(shares):
            raise DataError(f"count is {count}; there are {len(shares)} outcomes to choose from")
        places = shares.rank(ascending=False, method="min").astype(int)
        mean = shares.mean(axis=1)
        if rule == "equal voice":
            chosen = mean.rank(ascending=False, method="min") <= count
        else:
            chosen = (places <= count).any(axis=1)
        table = places.add_prefix("place_").assign(mean_share=mean, chosen=chosen, rule=rule)
        ordered = table.sort_values("mean_share", ascending=False, kind="stable")
        return ordered.rename_axis("outcome").reset_index().rename_axis(columns=None)

    def plot(self, lang: str = "en") -> StoryAxes:
        """Draw each outcome's chance to be put first, a mark a perspective."""
        groups = list(dict.fromkeys(self.worths["perspective"]))
        groups.sort(key=lambda name: slot_of(name) or 9)
        shares = self.worths.pivot(index="term", columns="perspective", values="share")[groups]
        shares = shares.loc[shares.mean(axis=1).sort_values().index]
        tops = list(dict.fromkeys(shares.idxmax()))
        kind = "one" if len(groups) == 1 else "same" if len(tops) == 1 else "differ"
        people = int(self.worths.drop_duplicates("perspective")["n_people"].sum())
        words = {"top": tops[0], "n": people, "tops": ", ".join(tops)}

        def paint(axes: StoryAxes, look: Look) -> None:
            y = np.arange(len(shares))
            for place, group in enumerate(groups):
                slot, label = slot_of(group), group if len(groups) > 1 else ""
                height = y + 0.14 * ((len(groups) - 1) / 2 - place)
                own = self.worths[self.worths["perspective"] == group].set_index("term")
                ends = 100 * own.loc[shares.index, ["share_low", "share_high"]]
                axes.hlines(height, ends["share_low"], ends["share_high"], color=look.color(slot))
                axes.plot(
                    100 * shares[group], height, linestyle="", color=look.color(slot),
                    marker=look.role(slot).marker,
                )  # fmt: skip
                axes.annotate(
                    label, (100 * shares[group].iloc[-1], height[-1]), xytext=(0, 8 + 7 * place),
                    textcoords="offset points", color=look.color(slot), ha="center",
                    fontweight="bold", fontsize=9,
                )  # fmt: skip
            axes.set_yticks(y, list(shares.index))
            axes.set_ylim(-0.5, len(y) - 0.2)
            axes.set_xlim(left=0)
            axes.set_xlabel(say("outcomes.choice_axis", lang))

        return draw(
            paint,
            title=say(f"outcomes.choice_{kind}", lang, **words),
            subtitle=say("outcomes.choice_sub", lang, **words),
            alt=say(f"outcomes.choice_alt_{kind}", lang, **words),
            table=shares.rename_axis("outcome").reset_index(),
            lang=lang,
        )


def rank_outcomes(
    table: pd.DataFrame,
    *,
    outcome: str = "outcome",
    person: str = "participant",
    pseudo: float = 0.0,
    conf_level: float = 0.95,
) -> Preferences:
    """Fit a Plackett–Luce model to rankings, a model for each perspective.

    Parameters
    ----------
    table : DataFrame
        Long: `person`, `outcome`, `rank` (1 is most important), optionally
        `perspective`. A person may rank only the first few: what they leave
        out counts as below.
    pseudo : float
        Comparisons of every outcome with an imagined average one, won and lost
        as often; above 0 (0.5, say) it gives an estimate where an outcome is
        always first or always last, at the price of some shrinkage.
    conf_level : float
        Of the intervals, by the normal distribution on the log scale.

    Returns
    -------
    Preferences
        Not computed: whether people would choose differently after talking;
        rank again and compare.

    Raises
    ------
    DataError
        A rank that is no whole number from 1, or given twice by one person.
    DesignError
        Outcomes that were never beaten, or never won, so that worth has no end.

    References
    ----------
    Hunter 2004, doi:10.1214/aos/1079120141; Kendall & Babington Smith 1939,
    doi:10.1214/aoms/1177732186.

    Examples
    --------
    >>> table = pd.DataFrame({
    ...     "participant": list("aaabbbccc"), "outcome": ["work", "rest", "friends"] * 3,
    ...     "rank": [1, 2, 3, 3, 1, 2, 2, 3, 1],
    ... })
    >>> rank_outcomes(table).worths["share"].round(3).tolist()
    [0.333, 0.333, 0.333]
    """
    need_keys(table, [person, outcome, *(["perspective"] if "perspective" in table else [])])
    rank = numbers(table, "rank", missing=False)
    if (wrong := (rank < 1) | (rank != np.rint(rank))).any():
        row = int(wrong.argmax())
        raise DataError(
            f"row {table.index[row]}, column 'rank': {rank[row]:g}; ranks are whole numbers from 1"
        )
    group = table["perspective"] if "perspective" in table else pd.Series("all", table.index)
    votes = pd.DataFrame(
        {"group": group, "person": table[person], "outcome": table[outcome], "rank": rank}
    )
    for column in ("rank", "outcome"):
        if (twice := votes.duplicated(["group", "person", column]).to_numpy()).any():
            raise DataError(
                f"row {table.index[twice.argmax()]}, column {column!r}: given twice by one person; "
                "ask for an order without ties, each outcome once"
            )
    names = list(dict.fromkeys(votes["outcome"]))
    codes = votes["outcome"].map({name: k for k, name in enumerate(names)})
    votes = votes.assign(code=codes).sort_values("rank", kind="stable")
    orders = {
        name: [one["code"].to_numpy() for _, one in part.groupby("person", sort=False)]
        for name, part in votes.groupby("group", sort=False)
    }
    return _fitted("Plackett-Luce", orders, names, pseudo, conf_level, len(names))


def compare_outcomes(
    table: pd.DataFrame,
    *,
    preferred: str = "preferred",
    other: str = "other",
    person: str = "participant",
    pseudo: float = 0.0,
    conf_level: float = 0.95,
) -> Preferences:
    """Fit a Bradley–Terry model to choices between two, a model for each perspective.

    Parameters
    ----------
    table : DataFrame
        A row a choice: `person`, `preferred`, `other`, optionally `perspective`.
    pseudo, conf_level : float
        As for `rank_outcomes`.

    Returns
    -------
    Preferences
        Choices of one person count as independent; agreement is not computed.

    Raises
    ------
    DataError
        A choice between an outcome and itself, or an empty cell.
    DesignError
        Outcomes that were never beaten, or never won.

    References
    ----------
    Bradley & Terry 1952, doi:10.1093/biomet/39.3-4.324.

    Examples
    --------
    >>> choices = pd.DataFrame({
    ...     "participant": range(4), "preferred": ["rest", "rest", "rest", "work"],
    ...     "other": ["work", "work", "work", "rest"],
    ... })
    >>> compare_outcomes(choices).worths["share"].round(2).tolist()
    [0.75, 0.25]
    """
    groups = ["perspective"] if "perspective" in table else []
    need_keys(table, [preferred, other, person, *groups])
    if (wrong := table[preferred] == table[other]).any():
        raise DataError(
            f"row {table.index[wrong.to_numpy().argmax()]}: not a choice between two different "
            "outcomes; leave out choices that were not made"
        )
    names = list(dict.fromkeys(table[[preferred, other]].to_numpy().ravel()))
    where = {name: k for k, name in enumerate(names)}
    group = table["perspective"] if "perspective" in table else pd.Series("all", table.index)
    pairs = np.column_stack([table[preferred].map(where), table[other].map(where)])
    orders = {name: list(pairs[(group == name).to_numpy()]) for name in pd.unique(group)}
    people = table.groupby(group)[person].nunique().to_dict()
    return _fitted("Bradley-Terry", orders, names, pseudo, conf_level, 2, people)


def _fitted(
    model: str,
    orders: dict[str, list[Order]],
    names: Sequence[str],
    pseudo: float,
    conf_level: float,
    full: int,
    people: dict[str, int] | None = None,
) -> Preferences:
    if len(names) < 2:
        raise DesignError("one outcome cannot be ranked; give at least two")
    need_level(conf_level)
    quantile = float(stats.norm.ppf((1 + conf_level) / 2))
    rows = []
    for group, votes in orders.items():
        worth, cov = _plackett_luce(votes, len(names), pseudo, names, group, whole=full > 2)
        error = np.sqrt(np.diag(cov))
        rows.append(
            pd.DataFrame(
                {
                    "perspective": group,
                    "term": names,
                    "estimate": worth,
                    "std_error": error,
                    "conf_low": worth - quantile * error,
                    "conf_high": worth + quantile * error,
                    "conf_level": conf_level,
                    "n_people": people[group] if people else len(votes),
                }
            ).join(_shares(worth, cov, quantile))
        )
    short = sum(len(order) < full for votes in orders.values() for order in votes)
    notes = [note("outcomes.choice_pseudo", pseudo=f"{pseudo:g}")] * (pseudo > 0)
    notes += [note("outcomes.choice_partial", n=short)] * (short > 0)
    return Preferences(
        worths=pd.concat(rows, ignore_index=True),
        agreement=concordance(orders, len(names), conf_level) if full > 2 else pd.DataFrame(),
        model=model,
        conf_level=conf_level,
        notes=tuple(notes),
    )


def _shares(worth: NDArray[np.float64], cov: NDArray[np.float64], quantile: float) -> pd.DataFrame:
    """Return each outcome's chance to be put first, its interval on the logit scale."""
    share = np.exp(worth - worth.max())
    share /= share.sum()
    # logit(share) is the log worth less the log of the summed worths of the others.
    slope = np.eye(len(worth)) - np.where(np.eye(len(worth)), 0, share) / (1 - share)[:, None]
    half = quantile * np.sqrt(np.einsum("ij,jk,ik->i", slope, cov, slope))
    middle = np.log(share / (1 - share))
    low, high = (1 / (1 + np.exp(-(middle + sign * half))) for sign in (-1, 1))
    return pd.DataFrame({"share": share, "share_low": low, "share_high": high})


def _plackett_luce(
    orders: list[Order], k: int, pseudo: float, names: Sequence[str], group: str, whole: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return log worths that sum to 0 and their covariance, by Newton's method."""
    stages = _stages(orders, k, whole)
    _check_connected(stages, k, pseudo, names, group)
    theta: NDArray[np.float64] = np.zeros(k)
    for _ in range(100):
        slope, information = _derivatives(theta, stages, k, pseudo)
        # Without pseudo votes only differences are known: fix the sum.
        step = np.linalg.solve(information + (0 if pseudo else 1 / k), slope)
        theta += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    else:
        raise FitError(f"the worths of {group!r} did not converge; try pseudo=0.5")
    centre = np.eye(k) - 1 / k
    return centre @ theta, centre @ np.linalg.pinv(information) @ centre


Stages = list[tuple[int, Order]]


def _stages(orders: list[Order], k: int, whole: bool) -> Stages:
    """Return each choice made: who was put first, out of which outcomes."""
    stages = []
    for order in orders:
        rest = np.setdiff1d(np.arange(k), order) if whole else np.array([], dtype=int)
        left = np.concatenate([order, rest]).astype(int)
        stages += [(int(left[i]), left[i:]) for i in range(len(order)) if len(left) - i > 1]
    return stages


def _derivatives(
    theta: NDArray[np.float64], stages: Stages, k: int, pseudo: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    slope, information = np.zeros(k), np.zeros((k, k))
    for first, left in stages:
        p = np.exp(theta[left] - theta[left].max())
        p /= p.sum()
        slope[first] += 1
        slope[left] -= p
        information[np.ix_(left, left)] += np.diag(p) - np.outer(p, p)
    # Won and lost `pseudo` times against an imagined outcome of log worth 0.
    p = 1 / (1 + np.exp(-theta))
    slope += pseudo * (1 - 2 * p)
    information += np.diag(2 * pseudo * p * (1 - p))
    return slope, information


def _check_connected(
    stages: Stages, k: int, pseudo: float, names: Sequence[str], group: str
) -> None:
    """Refuse a set that was never beaten by the rest: its worth would be infinite (Ford 1957)."""
    if pseudo < 0:
        raise DataError(f"pseudo is {pseudo:g}; it must be 0 or more")
    if pseudo:
        return
    reach = np.eye(k, dtype=bool)
    for first, left in stages:
        reach[first, left] = True
    for _ in range(k):
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    apart = ~(reach & reach.T)
    if apart.any():
        i, j = np.argwhere(apart)[0]
        raise DesignError(
            f"among {group!r} the votes never go both ways between {names[i]!r} and {names[j]!r}, "
            "not even by way of others, so one's worth has no end; pass pseudo=0.5"
        )
