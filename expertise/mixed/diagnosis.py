"""Looks for what a model does not describe: odd observations, odd groups, groups that decide."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import binom, nbinom, poisson
from tqdm import tqdm

from expertise.errors import DesignError, listed, nearest
from expertise.figures import StoryAxes
from expertise.mixed.columns import Array, Codes
from expertise.mixed.fitted import Fitted
from expertise.mixed.ordinal import Cumulative
from expertise.mixed.panels import draw_panels
from expertise.mixed.posterior import bend_of, independent_rows, posterior_of
from expertise.result import Result, tidy_table
from expertise.words import Note, note, say

MOST_NAMED = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Diagnosis(Result):
    """Residuals, group effects and influence of one fit.

    `residuals` has a row per observation: `fitted`, `residual` (normal if
    the model holds) and `extreme`. `effects` has a row per group and
    coefficient, with `standardized`. `influence` has a row per level of
    `group`: Cook's `distance` of leaving it out, and the change of each
    coefficient; NaN, with a note, where a coefficient rests on that group alone.
    """

    outcome: str
    group: str
    residuals: pd.DataFrame
    effects: pd.DataFrame
    influence: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what was looked at."""
        return say("mixed_use.diagnosis", outcome=self.outcome, group=self.group)

    def tidy(self) -> pd.DataFrame:
        """Return the groups that move the fixed effects most, by Cook's distance."""
        most = self.influence.nlargest(MOST_NAMED, "distance")
        rows = [
            {"term": str(level), "group": self.group, "estimate": distance, "method": "Cook"}
            for level, distance in zip(most["level"], most["distance"], strict=True)
        ]
        return tidy_table(rows)

    def augment(self) -> pd.DataFrame:
        """Return the residuals, a row an observation."""
        return self.residuals

    def plot(self, *, lang: str = "nl") -> StoryAxes:
        """Draw residuals, their Q–Q plot, that of the group effects, and influence by group."""
        return draw_panels(
            self.residuals, self.effects, self.influence,
            outcome=self.outcome, group=self.group, lang=lang,
        )  # fmt: skip


def diagnose(fit: Fitted, group: str | None = None, seed: int = 0) -> Diagnosis:
    """Return residuals, group effects and the influence of each group.

    Parameters
    ----------
    fit : MixedFit
    group : str, optional
        The grouping whose levels are left out one by one; the largest by default.
    seed : int
        Of the randomised quantile residuals of counts and answers.

    Returns
    -------
    Diagnosis

    Notes
    -----
    Residuals are given the group effects: standardised for a gaussian
    outcome (and freed of what rows before them already say, where residuals
    have a structure), randomised quantiles for others (Dunn & Smyth 1996,
    https://doi.org/10.1080/10618600.1996.10474708). An observation is
    extreme where one so far out is expected in fewer than 1 in 20 tables of
    its size. Leaving a group out holds the variances at their estimates,
    which is exact for gaussian fixed effects given them and one step of the
    fit for others (Demidenko & Stukel 2005, https://doi.org/10.1002/sim.1974).
    """
    design = fit.design
    if not design.random:
        raise DesignError("diagnose looks at groups; this model has no random term")
    labels = [term.group for term in design.random]
    if group is not None and group not in labels:
        raise DesignError(
            f"{group!r} is no grouping of the model{nearest(group, labels)}; "
            f"it has {listed(labels)}"
        )
    terms = [term for term in design.random if group in (None, term.group)]
    chosen = max(terms, key=lambda term: term.size)
    residual = _residuals(fit, np.random.default_rng(seed))
    limit = -float(ndtri(0.025 / len(residual)))
    residuals = pd.DataFrame(
        {
            "fitted": fit.augment()["fitted"],
            "residual": residual,
            "extreme": np.abs(residual) > limit,
        }
    )
    distance, change = influence_of(fit, chosen.codes, chosen.size)
    influence = pd.DataFrame({"level": list(chosen.levels), "distance": distance})
    return Diagnosis(
        outcome=design.outcome,
        group=chosen.group,
        residuals=residuals,
        effects=_effects(fit),
        influence=influence.join(pd.DataFrame(change, columns=list(fit.names))),
        notes=_notes(fit, residuals, influence, chosen.group),
    )


def influence_of(fit: Fitted, codes: Codes, size: int) -> tuple[Array, Array]:
    """Return Cook's distance (size,) of leaving each group out, and what β loses (size, p)."""
    known, bend = posterior_of(fit), bend_of(fit, np.arange(len(fit.design.y)))
    (X, Z), p = independent_rows(fit), fit.design.X.shape[1]
    order = np.argsort(codes, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(codes, minlength=size))[:-1])
    terms = fit.design.random
    directions = [
        known.direction([columns[own] for columns in Z], [term.codes[own] for term in terms])
        for own in groups
    ]
    # V⁻¹X is the weight times X less what the group effects take up.
    slopes = [
        bend.weight[own, None] * (X[own] + a @ known.moves[:, :p])
        for own, a in zip(groups, directions, strict=True)
    ]
    information = sum(X[own].T @ slope for own, slope in zip(groups, slopes, strict=True))
    covariance = np.linalg.inv(information)
    change = np.zeros((size, p))
    every = zip(groups, directions, slopes, strict=True)
    for at, (own, a, slope) in enumerate(tqdm(every, total=size, disable=size < 500)):
        w = bend.weight[own]
        if _carries(covariance, X[own].T @ slope):
            change[at] = np.nan
            continue
        inner = a @ np.array([known.solve(row) for row in a]).T
        left = np.diag(w) - w[:, None] * inner * w - slope @ covariance @ slope.T
        change[at] = covariance @ slope.T @ np.linalg.lstsq(left, bend.pull[own], rcond=1e-10)[0]
    return np.einsum("gi,ij,gj->g", change, information, change) / p, change


def _carries(covariance: NDArray[Any], own: NDArray[Any]) -> bool:
    """Whether a coefficient cannot be estimated once a group's own information is gone."""
    root = np.linalg.cholesky(covariance)
    return bool(np.linalg.eigvalsh(root.T @ own @ root)[-1] > 1 - 1e-8)


def _residuals(fit: Fitted, rng: np.random.Generator) -> Array:
    design, eta = fit.design, fit.linear_predictor()
    y, mean = design.y, fit.link.inverse(eta)
    if fit.family == "gaussian":
        bend = bend_of(fit, np.arange(len(y)))
        return bend.pull / np.sqrt(bend.weight)
    if fit.family == "cumulative":
        assert fit.solution.thresholds is not None
        whole = Cumulative(y.astype(np.intp), len(fit.solution.thresholds), fit.link.name)
        below = np.cumsum(whole.chances(eta, fit.solution.thresholds), axis=1)
        high = below[np.arange(len(y)), y.astype(np.intp)]
        low = np.where(y > 0, below[np.arange(len(y)), y.astype(np.intp) - 1], 0.0)
    else:
        theta = fit.solution.dispersion[0][1] if fit.family == "negative-binomial" else np.inf
        if fit.family == "binomial":
            known = binom(1 if design.trials is None else design.trials, mean)
        elif np.isfinite(theta):
            known = nbinom(theta, theta / (theta + mean))
        else:
            known = poisson(mean)
        low, high = known.cdf(y - 1), known.cdf(y)
    return np.asarray(ndtri(np.clip(rng.uniform(low, high), 1e-300, 1 - 1e-16)))


def _effects(fit: Fitted) -> pd.DataFrame:
    """Return the group effects with each one standardised by the spread that the model gives it."""
    table = fit.random_effects()
    spread = [
        (np.diag(G) - np.diagonal(own, axis1=1, axis2=2)).clip(0).ravel()
        for G, own in zip(fit.solution.covariances, fit.solution.mode_covariances, strict=True)
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        standardized = table["estimate"] / np.sqrt(np.concatenate(spread))
    return table.assign(standardized=standardized.where(np.isfinite(standardized)))


def _notes(
    fit: Fitted, residuals: pd.DataFrame, influence: pd.DataFrame, group: str
) -> tuple[Note, ...]:
    notes = [remark for remark in fit.notes if remark.key not in ("mixed.reference", "mixed.event")]
    extreme = residuals[residuals["extreme"]]
    if len(extreme):
        most = extreme["residual"].abs().sort_values(ascending=False).index
        notes.append(note("mixed_use.extreme", n=len(extreme), rows=listed(most, MOST_NAMED)))
    alone = influence[influence["distance"].isna()]
    if len(alone):
        names = listed(alone["level"], MOST_NAMED)
        notes.append(note("mixed_use.carries", group=group, levels=names))
    weighty = influence[influence["distance"] > 1]
    if len(weighty):
        names = listed(weighty.nlargest(len(weighty), "distance")["level"], MOST_NAMED)
        notes.append(note("mixed_use.weighty", group=group, levels=names))
    return tuple(notes)
