"""Profile-likelihood intervals: the values that a likelihood-ratio test does not refuse.

Reference: Bates, Mächler, Bolker & Walker (2015), section 5.1,
doi:10.18637/jss.v067.i01.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.linalg import null_space
from scipy.optimize import brentq, minimize
from scipy.special import ndtri

from expertise.errors import DesignError, FitError, listed, nearest
from expertise.mixed.columns import Array
from expertise.mixed.compress import Groups
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.factors import split, stack, vech
from expertise.mixed.fit import MixedFit
from expertise.mixed.newton import FLOOR, minimise
from expertise.mixed.reduction import Reduction, prepare, reduce_rows
from expertise.result import Result, tidy_table
from expertise.words import Note, say

_MOST = 60


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Profiles(Result):
    """Profile intervals of fixed effects, standard deviations and correlations."""

    table: pd.DataFrame
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say what these are."""
        return say("mixed.profiles")

    def tidy(self) -> pd.DataFrame:
        """Return `component term group estimate conf_low conf_high conf_level method`."""
        return tidy_table(self.table)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """One quantity to profile: its row, its estimate, its range, and the best deviance given it."""

    row: dict[str, str]
    estimate: float
    low: float
    high: float
    step: float
    deviance: Callable[[float], float]


def profile_intervals(
    fit: MixedFit, terms: Sequence[str] | None = None, conf_level: float | None = None
) -> Profiles:
    """Profile the maximum likelihood of a linear mixed model, as lme4's `confint`.

    Variance components are standard deviations and correlations, the
    residual standard deviation among them. A limit at the edge of the
    range (a standard deviation of 0, a correlation of ±1) is that edge.

    Parameters
    ----------
    fit : MixedFit
        A gaussian fit with independent residuals; refitted by maximum
        likelihood for the purpose.
    terms : sequence of str, optional
        Fixed coefficients by name, and "sd" for all standard deviations and
        correlations; everything by default.
    conf_level : float, optional
        That of the fit by default.

    Raises
    ------
    DesignError
        For a family or residual structure that is not profiled here, and
        for a name that is not a fixed coefficient.
    """
    if fit.family != "gaussian" or fit.options.residual or fit.options.dispersion:
        raise DesignError(
            "profile intervals are for gaussian fits with independent residuals; "
            "use the parametric bootstrap for others"
        )
    chosen = [*fit.names, "sd"] if terms is None else list(terms)
    if unknown := [name for name in chosen if name not in (*fit.names, "sd")]:
        raise DesignError(
            f"no fixed coefficient is called {unknown[0]!r}{nearest(unknown[0], fit.names)}; "
            f'there are {listed(fit.names)}, and "sd" for the variance components'
        )
    level = fit.level(conf_level)
    best = Deviance(reduce_rows(prepare(fit.design)), reml=False)
    point = minimise(best).point
    bound = float(ndtri((1 + level) / 2))
    targets = [_fixed(best, point, fit.names.index(name), name) for name in chosen if name != "sd"]
    if "sd" in chosen:
        targets += _variances(fit, best, point)
    rows = []
    for target in targets:
        low, high = (_limit(target, point.deviance, bound, side) for side in (-1, 1))
        rows.append({**target.row, "estimate": target.estimate, "conf_low": low,
                     "conf_high": high, "conf_level": level, "method": "profile"})  # fmt: skip
    return Profiles(table=pd.DataFrame(rows), notes=fit.notes)


def _limit(target: Target, least: float, bound: float, side: int) -> float:
    """Return where the root of the rise in deviance reaches the bound on one side."""

    def excess(value: float) -> float:
        return float(np.sqrt(max(target.deviance(value) - least, 0.0)) - bound)

    edge = target.low if side < 0 else target.high
    inner, step = target.estimate, target.step
    for _ in range(_MOST):
        outer = inner + side * step
        if side * (outer - edge) >= 0:
            if excess(edge) <= 0:
                return edge
            outer = edge
        if excess(outer) > 0:
            return float(brentq(excess, inner, outer, xtol=1e-9 * (1 + abs(outer)), rtol=1e-9))
        inner, step = outer, 1.5 * step
    return side * np.inf


def _fixed(best: Deviance, point: Point, at: int, name: str) -> Target:
    """Profile a fixed coefficient by holding it in the equations of β."""
    units = best.reduction.units
    across = units.X[at]
    profile = point.profile
    estimate = float(units.shift[at] + across @ profile.beta)
    error = float(np.sqrt(profile.sigma2 * across @ profile.covariance @ across))
    keep = null_space(across[None])

    def deviance(value: float) -> float:
        held = _held(best.reduction, keep, across * (value - units.shift[at]) / (across @ across))
        return minimise(Deviance(held, reml=False), point.factors).point.deviance

    row = {"component": "fixed", "term": name, "group": ""}
    return Target(
        row=row, estimate=estimate, low=-np.inf, high=np.inf, step=1.5 * error, deviance=deviance
    )


def _held(reduction: Reduction, keep: Array, offset: Array) -> Reduction:
    """Return the reduction with β confined to offset + keep γ."""
    p = reduction.p
    turn = np.zeros((p + 1, p))
    turn[:p, :-1], turn[:p, -1], turn[p, -1] = keep, -offset, 1.0
    first = len(reduction.total) - p - 1
    whole = np.zeros((first + p + 1, first + p))
    whole[:first, :first], whole[first:, first:] = np.eye(first), turn

    def turned(groups: Groups) -> Groups:
        V = groups.V
        split_at = V.shape[2] - p - 1
        return replace(
            groups, V=np.concatenate([V[:, :, :split_at], V[:, :, split_at:] @ turn], axis=2)
        )

    groups = turned(reduction.groups)
    return replace(
        reduction, p=p - 1, total=whole.T @ reduction.total @ whole, groups=groups, every=groups
    )


def _variances(fit: MixedFit, best: Deviance, point: Point) -> Iterator[Target]:
    """Profile every standard deviation, correlation and σ."""
    sigma = float(np.sqrt(point.profile.sigma2))
    roots = [T @ L for T, L in zip(best.reduction.units.Z, point.factors, strict=True)]
    for k, term in enumerate(fit.design.random):
        G = sigma**2 * roots[k] @ roots[k].T
        sd = np.sqrt(np.diag(G))
        for a, name in enumerate(term.names):
            yield Target(
                row={"component": "variance", "term": f"sd {name}", "group": term.group},
                estimate=float(sd[a]), low=0.0, high=np.inf, step=max(0.3 * sd[a], 0.05 * sigma),
                deviance=_Held(best, point, k, (a,)),
            )  # fmt: skip
            for b in range(a):
                yield Target(
                    row={"component": "variance", "term": f"cor {term.names[b]}, {name}",
                         "group": term.group},
                    estimate=float(G[a, b] / max(sd[a] * sd[b], 1e-300)), low=-1.0, high=1.0,
                    step=0.2, deviance=_Held(best, point, k, (b, a)),
                )  # fmt: skip
    yield Target(
        row={"component": "variance", "term": "sd", "group": "residual"}, estimate=sigma, low=0.0,
        high=np.inf, step=0.1 * sigma, deviance=_Held(best, point, 0, ()),
    )  # fmt: skip


class _Held:
    """The best deviance where one standard deviation (a,), correlation (b, a) or σ () is held.

    Free are the other elements of the factors of G in the user's units, with
    the held coefficients of the term first so that holding is exact: an sd is
    then the first diagonal element, a correlation the direction of row two.
    """

    def __init__(self, best: Deviance, point: Point, k: int, held: tuple[int, ...]) -> None:
        self.best, self.k, self.held = best, k, held
        sizes = best.sizes
        self.orders = [
            [*held, *(a for a in range(q) if a not in held)] if at == k else list(range(q))
            for at, q in enumerate(sizes)
        ]
        sigma2 = point.profile.sigma2
        roots = []
        for T, L, order in zip(best.reduction.units.Z, point.factors, self.orders, strict=True):
            G = sigma2 * (T @ L) @ (T @ L).T
            roots.append(np.asarray(np.linalg.cholesky(G[np.ix_(order, order)])))
        self.scale = np.array([*np.maximum(abs(stack(roots)), 1e-3 * sigma2**0.5), 1.0])
        self.start = np.append(stack(roots), 0.5 * np.log(sigma2))
        self.first = sum(q * (q + 1) // 2 for q in sizes[:k])
        free = np.ones(len(self.start), dtype=bool)
        free[{0: -1, 1: self.first, 2: self.first + 1}[len(held)]] = False
        self.free = np.flatnonzero(free)

    def __call__(self, value: float) -> float:
        """Return the least deviance with the quantity at this value, sought from the optimum."""
        found = minimize(
            self._guarded, self.start[self.free] / self.scale[self.free], args=(value,), jac=True,
            method="BFGS", options={"gtol": 1e-6},
        )  # fmt: skip
        return float(found.fun)

    def _guarded(self, scaled: Array, value: float) -> tuple[float, Array]:
        """Turn a step that leaves all precision into a very high wall."""
        try:
            return self._at(scaled, value)
        except (FitError, np.linalg.LinAlgError):
            return 1e100, np.zeros(len(scaled))

    def _whole(self, free: Array, value: float) -> Array:
        """Return all elements: stacked factors of G, then log σ."""
        x = np.empty(len(self.start))
        x[self.free] = free
        match len(self.held):
            case 0:
                x[-1] = np.log(max(value, 1e-8))
            case 1:
                x[self.first] = value
            case 2:
                size = x[self.first + 2]
                x[self.first + 1] = size * value
                x[self.first + 2] = size * np.sqrt(max(1 - value**2, 1e-12))
        return x

    def _at(self, scaled: Array, value: float) -> tuple[float, Array]:
        x = self._whole(scaled * self.scale[self.free], value)
        sigma2 = float(np.exp(2 * np.clip(x[-1], -300, 300)))
        factors, links = [], []
        parts = zip(split(x[:-1], self.best.sizes), self.orders,
                    self.best.reduction.units.Z, strict=True)  # fmt: skip
        for L, order, T in parts:
            back = np.linalg.inv(T)[:, order]
            Psi = back @ L @ L.T @ back.T / sigma2
            factors.append(np.asarray(np.linalg.cholesky(Psi + np.eye(len(L)) * FLOOR**2)))
            links.append((L, back))
        point = self.best(tuple(factors), sigma2)
        slope = [2 * vech(back.T @ g @ back @ L) / sigma2
                 for g, (L, back) in zip(point.slopes, links, strict=True)]  # fmt: skip
        shrink = sum(float(np.vdot(g, F @ F.T)) for g, F in zip(point.slopes, factors, strict=True))
        nu = self.best.nu
        by_log_sigma = 2 * (nu - point.profile.rest / sigma2) - 2 * shrink
        full = np.append(np.concatenate(slope), by_log_sigma)
        if len(self.held) == 2:  # the free length turns both elements of row two
            along = full[self.first + 1] * value
            along += full[self.first + 2] * np.sqrt(max(1 - value**2, 1e-12))
            full[self.first + 2] = along
        return point.deviance, full[self.free] * self.scale[self.free]
