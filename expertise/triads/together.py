"""Three can know more than one: how well one, two or all perspectives recover the joint picture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb, factorial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtr, ndtri, stdtrit
from tqdm import tqdm

from expertise.errors import DataError, DesignError, listed
from expertise.figures import StoryAxes
from expertise.result import Result, tidy_table
from expertise.triads.forest import forest
from expertise.triads.tables import Array, check_level, levels, long_rows, two_or_more
from expertise.triads.truescores import Covariances, covariances, given
from expertise.words import Note, note, say

_SAME = 1e-9  # eigenvalues below this share of the largest count as zero
_CELLS = 2_000_000  # scores of all draws that are held at once
_PATIENCE = 10.0  # seconds of work before a progress bar shows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """Scores X (persons, roles, items), missing where not given."""

    X: Array
    roles: tuple[Any, ...]

    @property
    def complete(self) -> bool:
        """Whether every role answered every item about every person."""
        return not np.isnan(self.X).any()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Gain(Result):
    """How well each set of perspectives recovers the mean true score of all declared roles.

    `sets` has a row a set of roles (`term`), `shares` a row a role; `true`
    and `error` (roles, roles) are the covariances of true scores and of the
    error of a mean score.
    """

    sets: pd.DataFrame
    shares: pd.DataFrame
    true: pd.DataFrame
    error: pd.DataFrame
    n_people: int
    n: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say whose picture is recovered, from how many people."""
        return say("triads.gain", roles=listed(self.true.columns), people=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return `recovered` (v) a row a set, then `shapley` and `last` a row a role."""
        return tidy_table(
            pd.concat([self.sets.drop(columns="size"), self.shares], ignore_index=True)
        )

    def glance(self) -> pd.DataFrame:
        """Return one row: sizes, and v of the best single and of all perspectives."""
        ones = self.sets[self.sets["size"] == 1]["estimate"]
        everyone = float(self.sets["estimate"].iloc[-1])
        row = {"n": self.n, "n_people": self.n_people, "best_single": ones.max(), "all": everyone}
        return pd.DataFrame([row])

    def plot(
        self, lang: str = "en", labels: Mapping[Any, str] | None = None,
        slots: Mapping[Any, int] | None = None,
    ) -> StoryAxes:  # fmt: skip
        """Draw one, two, three perspectives, a mark for every set with its name and interval.

        `labels` are words for the roles, `slots` their places in the house's
        colours (by default 1, 2, 3 in the order declared).
        """
        roles = [str(role) for role in self.true.columns]
        named = dict(zip(roles, roles, strict=True)) | {
            str(k): v for k, v in (labels or {}).items()
        }
        places = slots or {role: at + 1 for at, role in enumerate(roles)}
        sets = self.sets.assign(
            label=[
                " + ".join(named[one] for one in term.split(" + ")) for term in self.sets["term"]
            ]
        )
        mean = sets.groupby("size")["estimate"].mean()
        words = {
            "one": f"{mean.iloc[0]:.0%}".rstrip("%"), "all": f"{mean.iloc[-1]:.0%}".rstrip("%"),
            "k": len(roles), "n": self.n_people, "roles": " + ".join(named[one] for one in roles),
        }  # fmt: skip
        settled = self._more_than_one()
        return forest(
            sets, title=say(f"triads.gain_title_{'more' if settled else 'open'}", lang, **words),
            subtitle=say("triads.gain_sub", lang, **words),
            alt=say("triads.gain_alt", lang, **words), lang=lang, shares=True,
            slots=[places.get(term) for term in sets["term"]],
        )  # fmt: skip

    def _more_than_one(self) -> bool:
        """Whether every role adds something when it comes last, by its interval."""
        last = self.shares[self.shares["component"] == "last"]
        return bool((last["conf_low"] > 0.005).all())


def perspectives_gain(
    table: pd.DataFrame,
    person: str,
    perspective: str,
    item: str | None,
    value: str,
    *,
    roles: Sequence[Any],
    error_variance: Mapping[Any, float] | None = None,
    replicates: int = 1000,
    seed: int = 0,
    conf_level: float = 0.95,
    progress: bool = True,
) -> Gain:
    """Say how well one, two or all perspectives recover the picture they form together.

    The target is a person's mean true score over the declared roles: what
    these perspectives would say on average without chance of items or
    moments. No role is the standard. v(S) is the squared correlation of the
    target with its best linear prediction from the mean scores of the roles
    in S; v of nobody is 0. Roles keep their own variances, covariances and
    correlated errors (multivariate generalizability): a perspective that
    merely repeats another, errors included, adds nothing. That is why the
    coefficient for exchangeable informants, which rises with every copy, is
    not used here.

    Parameters
    ----------
    table : DataFrame
        Long: a row per person, perspective and item. Perspectives that did
        not answer are missing at random given those that did.
    person, perspective, value : str
        Columns.
    item : str or None
        Column of the replicates: items of one scale, or occasions without
        change. None only with `error_variance`.
    roles : sequence
        The declared roles: they define the target. Two or more.
    error_variance : mapping, optional
        Error variance of a role's score (squared points) where there are no
        replicates, such as (1 − reliability) × variance; errors are then
        taken as independent between roles.
    replicates, seed, progress
        Persons resampled, for the intervals: of v by its resampled error on
        the scale of log odds, of gains by bias-corrected percentiles (v has
        no scale, so resampling needs no n/(n − 1)).
    conf_level : float

    Returns
    -------
    Gain
        v per set; per role its Shapley share (its gain averaged over all
        orders of asking; the shares add up to v of all) and its gain when
        asked last.

    Raises
    ------
    DesignError
        Without replicates or stated error variance; one role only; no true
        variance in common.
    DataError
        For columns, ids, duplicates or roles that cannot be used.

    Notes
    -----
    Means of items per role do not count (v is about telling persons apart).
    Where answers are missing the covariances come from the EM algorithm on
    role means and on deviations within persons, which is approximate when
    single items are missing. Brennan (2001), chapters 9–10,
    doi:10.1007/978-1-4757-3456-0; Shapley (1953), doi:10.1515/9781400881970-018.
    """
    check_level(conf_level)
    if replicates < 2:
        raise DesignError(f"replicates is {replicates}; draw 2 or more")
    answers, errors, n_rows = _read(table, person, perspective, item, value, roles, error_variance)
    found = covariances(answers.X, errors)
    point = recovered(found.true, found.error)
    if not found.true.mean() > 0:
        raise DesignError("the perspectives share no true differences between persons")
    n = len(answers.X)
    draws = _drawn(
        answers.X, errors, found, np.random.SeedSequence(seed).spawn(replicates), progress
    )
    sets, shares = _tables(answers.roles, point, draws, conf_level, n)
    notes = [note("triads.target", roles=listed(answers.roles))]
    notes += [note("triads.clipped")] * bool(found.clipped)
    if not answers.complete:
        present = given(answers.X).sum(axis=2) > 0
        whole = int(present.all(axis=1).sum())
        notes.append(note("triads.uneven", n=n - whole, people=n))
    if errors is not None:
        notes.append(note("triads.stated_error"))
    names = list(answers.roles)
    return Gain(
        sets=sets, shares=shares, true=pd.DataFrame(found.true, names, names),
        error=pd.DataFrame(found.error, names, names), n_people=n, n=n_rows, notes=tuple(notes),
    )  # fmt: skip


def _read(
    table: pd.DataFrame, person: str, perspective: str, item: str | None, value: str,
    roles: Sequence[Any], error_variance: Mapping[Any, float] | None,
) -> tuple[Answers, Array | None, int]:  # fmt: skip
    names = list(roles)
    if len(names) != len(set(names)):
        raise DesignError(f"roles holds a role twice: {listed(names)}")
    two_or_more(names, perspective)
    if item is None and error_variance is None:
        raise DesignError(
            "without items or occasions (item=) nothing tells error from perspective; "
            "give item=, or error_variance= for each role"
        )
    if item is not None and error_variance is not None:
        raise DesignError("give item= or error_variance=, not both: the data show their own error")
    rows = long_rows(table, [name for name in (person, perspective, item) if name], value)
    absent = [role for role in names if role not in set(rows[perspective])]
    if absent:
        raise DataError(
            f"column {perspective!r} has no answers of {listed(absent)}; "
            f"it has {listed(levels(rows[perspective]))}"
        )
    rows = rows[rows[perspective].isin(names)]
    replicate = rows[item] if item else pd.Series(0, rows.index)
    people, items = pd.factorize(rows[person])[0], pd.factorize(replicate)[0]
    X = np.full((people.max() + 1, len(names), items.max() + 1), np.nan)
    role = rows[perspective].map({name: at for at, name in enumerate(names)}).astype(int)
    X[people, role.to_numpy(), items] = rows[value]
    if item and X.shape[2] < 2:
        raise DesignError(
            f"{item!r} has one level only, so nothing tells error from perspective; "
            "two replicates or more are needed, or error_variance="
        )
    together = given(X).sum(axis=2) > 0
    for a, b in combinations(range(len(names)), 2):
        if (together[:, a] & together[:, b]).sum() < 3:
            raise DesignError(
                f"fewer than 3 people have answers of both {names[a]!r} and {names[b]!r}; "
                "what they share cannot be known"
            )
    errors = None
    if error_variance is not None:
        if set(error_variance) != set(names) or min(error_variance.values()) < 0:
            raise DesignError(
                f"error_variance needs a number of 0 or more for each of {listed(names)}"
            )
        errors = np.diag([float(error_variance[name]) for name in names])
    return Answers(X=X, roles=tuple(names)), errors, len(rows)


def _drawn(
    X: Array, errors: Array | None, found: Covariances,
    seeds: Sequence[np.random.SeedSequence], progress: bool,
) -> dict[tuple[int, ...], Array]:  # fmt: skip
    """Return v (draws,) of every set of roles for persons drawn with replacement."""
    n, every = len(X), []
    picks = np.array([np.random.default_rng(one).integers(n, size=n) for one in seeds])
    parts = np.array_split(picks, max(1, len(picks) * X.size // _CELLS))
    for part in tqdm(parts, desc=say("triads.drawing"), disable=not progress, delay=_PATIENCE):
        again = covariances(X[part], errors, found)
        every.append(recovered(again.true, np.broadcast_to(again.error, again.true.shape)))
    return {chosen: np.concatenate([one[chosen] for one in every]) for chosen in every[0]}


def recovered(true: Array, error: Array) -> dict[tuple[int, ...], Array]:
    """Return v (...,) of every set of roles, small sets first; arrays are (..., roles, roles).

    Where the roles share no true differences there is nothing to recover: v is 0.
    """
    k = true.shape[-1]
    target = true.mean(axis=-1)
    variance = target.mean(axis=-1)
    seen = true + error
    out = {}
    for size in range(1, k + 1):
        for chosen in combinations(range(k), size):
            at = np.array(chosen)
            inverse = np.linalg.pinv(seen[..., at[:, None], at], rcond=_SAME, hermitian=True)
            told = (inverse @ target[..., at, None])[..., 0]
            explained = (target[..., at] * told).sum(axis=-1)
            out[chosen] = np.where(variance > 0, explained / np.where(variance > 0, variance, 1), 0)
    return out


def shapley(v: Mapping[tuple[int, ...], Array], k: int) -> Array:
    """Return each role's gain averaged over all orders of asking, shape (..., k)."""
    everyone = v[tuple(range(k))]
    out = np.zeros((*np.shape(everyone), k))
    for chosen, value in v.items():
        weight = 1 / (k * comb(k - 1, len(chosen) - 1))
        for role in chosen:
            rest = tuple(other for other in chosen if other != role)
            out[..., role] += weight * (value - (v[rest] if rest else 0.0))
    assert (abs(out.sum(axis=-1) - everyone) < 1e-8 * factorial(k)).all()
    return out


def _on_log_odds(value: float, cloud: Array, n: int, conf_level: float) -> tuple[float, float]:
    """Return the interval of a share v from its resampled error on the scale of log odds.

    The interval lies as much lower as resampling puts v too high. With 100 persons a 95 %
    interval covered .94 to .95 in 1,000 simulated studies.
    """
    odds = logit(np.clip(np.append(cloud, value), 1e-9, 1 - 1e-9))
    centre = 2 * odds[-1] - odds[:-1].mean()
    half = stdtrit(n - 1, (1 + conf_level) / 2) * odds[:-1].std(ddof=1)
    return float(expit(centre - half)), float(expit(centre + half))


def _tables(
    roles: tuple[Any, ...], point: dict[tuple[int, ...], Array],
    draws: dict[tuple[int, ...], Array], conf_level: float, n: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    k = len(roles)
    tail = [(1 - conf_level) / 2, (1 + conf_level) / 2]

    def row(component: str, term: str, value: Array | float, cloud: Array) -> dict[str, Any]:
        if component == "recovered":
            low, high = _on_log_odds(float(value), cloud, n, conf_level)
        else:
            # Bias-corrected percentiles: resampling makes gains too large on average.
            below = np.clip(np.mean(cloud < value), 1 / len(cloud), 1 - 1 / len(cloud))
            low, high = np.quantile(cloud, ndtr(2 * ndtri(below) + ndtri(tail)))
        return {
            "component": component, "term": term, "estimate": float(value),
            "conf_low": float(low), "conf_high": float(high), "conf_level": conf_level,
            "n_people": n,
        }  # fmt: skip

    sets = [
        row("recovered", " + ".join(str(roles[at]) for at in chosen), value, draws[chosen])
        | {"size": len(chosen)}
        for chosen, value in point.items()
    ]
    shares, clouds = shapley(point, k), shapley(draws, k)
    everyone = tuple(range(k))
    rows = [row("shapley", str(role), shares[at], clouds[:, at]) for at, role in enumerate(roles)]
    for at, role in enumerate(roles):
        rest = tuple(other for other in everyone if other != at)
        rows.append(
            row("last", str(role), point[everyone] - point[rest], draws[everyone] - draws[rest])
        )
    return pd.DataFrame(sets), pd.DataFrame(rows)
