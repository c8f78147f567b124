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
from tqdm import tqdm

from expertise.errors import DesignError, FitError, listed, nearest
from expertise.mixed.columns import Array, Codes
from expertise.mixed.deviance import Point
from expertise.mixed.factors import split, stack, vech
from expertise.mixed.fit import MixedFit
from expertise.mixed.linear import remarks
from expertise.mixed.newton import FLOOR
from expertise.mixed.reduction import Prepared, Units, prepare
from expertise.mixed.residual import structure_of
from expertise.mixed.structured import WALL, Search
from expertise.result import Result, tidy_table
from expertise.words import Note, say

_MOST = 60
_PATIENCE = 2.0  # seconds before a bar is shown
_INSIDE = 0.1
_BETTER = 1e-4
_FLAT = 1e-4  # slope of the deviance at which limits are right to seven digits


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
    fit: MixedFit,
    terms: Sequence[str] | None = None,
    conf_level: float | None = None,
    progress: bool = True,
) -> Profiles:
    """Profile the maximum likelihood of a linear mixed model, as lme4's `confint`.

    Variance components are standard deviations and correlations, the
    residual standard deviation among them; then come the residual
    correlation and the log-variances, as `tidy()` names them. A limit at
    the edge of the range (a standard deviation of 0, a correlation of ±1,
    of 0 in continuous time) is that edge.

    Parameters
    ----------
    fit : MixedFit
        A gaussian fit, with a residual structure or without; refitted by
        maximum likelihood for the purpose.
    terms : sequence of str, optional
        Fixed coefficients by name, and "sd" for all standard deviations,
        correlations and residual parameters; everything by default.
    conf_level : float, optional
        That of the fit by default.
    progress : bool
        Show a progress bar.

    Raises
    ------
    DesignError
        For a family that is not profiled here, and for a name that is not a
        fixed coefficient.
    FitError
        Where no optimum is found, or a better one than that of the refit.
    """
    if fit.family != "gaussian":
        raise DesignError(
            f"profile intervals are for gaussian fits, and this one is {fit.family}; "
            "use the parametric bootstrap"
        )
    chosen = [*fit.names, "sd"] if terms is None else list(terms)
    if unknown := [name for name in chosen if name not in (*fit.names, "sd")]:
        raise DesignError(
            f"no fixed coefficient is called {unknown[0]!r}{nearest(unknown[0], fit.names)}; "
            f'there are {listed(fit.names)}, and "sd" for the variance components'
        )
    level = fit.level(conf_level)
    best = _Best.of(fit)
    bound = float(ndtri((1 + level) / 2))
    targets = [_fixed(best, fit.names.index(name), name) for name in chosen if name != "sd"]
    if "sd" in chosen:
        targets += [*_variances(fit, best), *_residual(fit, best)]
    rows = []
    for target in tqdm(targets, desc=say("mixed.profiles"), delay=_PATIENCE, disable=not progress):
        low, high = (limit(target, best.point.deviance, bound, side) for side in (-1, 1))
        rows.append({**target.row, "estimate": target.estimate, "conf_low": low,
                     "conf_high": high, "conf_level": level, "method": "profile"})  # fmt: skip
    return Profiles(table=pd.DataFrame(rows), notes=best.notes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Best:
    """The optimum of the likelihood: the residual parameters phi (k,), and the rest."""

    search: Search
    phi: Array
    units: Units
    point: Point
    notes: tuple[Note, ...]

    @classmethod
    def of(cls, fit: MixedFit) -> "_Best":
        """Refit by maximum likelihood; without a residual structure phi is empty."""
        design, options = fit.design, fit.options
        structure = structure_of(design.frame, len(design.y), options.residual, options.dispersion)
        search = Search(prepare(design, structure.group), structure, reml=False)
        phi, optimum = search.optimum()
        notes = (*design.notes, *remarks(design, optimum), *structure.remarks(phi))
        return cls(
            search=search, phi=phi, units=search.at(phi).reduction.units, point=optimum.point,
            notes=notes,
        )  # fmt: skip

    @property
    def starts(self) -> list[Array]:
        """Where phi begins once something is held: at its edge its slope is 0, so off it too."""
        structure = self.search.structure
        off = [np.append(structure.start[0], self.phi[1:])] if structure.at_edge(self.phi) else []
        return [self.phi, *off]

    def least(self, search: Search, free: Codes, held: Array | None = None) -> float:
        """Return the least deviance over the factors and the free elements of phi, from here."""
        fixed = self.phi if held is None else held

        def surface(values: Array) -> tuple[float, Array]:
            at = fixed.copy()
            at[free] = values
            value, slope = search(at)
            return value, slope[free]

        found = []
        for start in self.starts:
            search.factors = self.point.factors
            found.append(_descend(surface, start[free]))
        return min(found)


def _descend(surface: Callable[[Array], tuple[float, Array]], start: Array) -> float:
    """Return the least value found from here."""
    if not len(start):
        return surface(start)[0]
    found = minimize(surface, start, jac=True, method="BFGS", options={"gtol": _FLAT})
    return float(found.fun)


def limit(target: Target, least: float, bound: float, side: int) -> float:
    """Return where the root of the rise in deviance reaches the bound on one side."""

    def excess(value: float) -> float:
        deviance, what = target.deviance(value), f"{target.row['term']} held at {value:.4g}"
        if deviance >= WALL:
            raise FitError(f"no optimum found with {what}; simplify the model")
        if deviance < least - _BETTER:
            raise FitError(
                f"with {what} the deviance is {least - deviance:.2g} below the best one found, so "
                "the likelihood has several optima; simplify the model"
            )
        return float(np.sqrt(max(deviance - least, 0.0)) - bound)

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


def _fixed(best: _Best, at: int, name: str) -> Target:
    """Profile a fixed coefficient by holding it in the equations of β."""
    units, profile = best.units, best.point.profile
    across = units.X[at]
    estimate = float(units.shift[at] + across @ profile.beta)
    error = float(np.sqrt(profile.sigma2 * across @ profile.covariance @ across))
    keep = null_space(across[None])

    def deviance(value: float) -> float:
        offset = across * (value - units.shift[at]) / (across @ across)
        held = _confined(best.search.prepared, keep, offset)
        search = Search(held, best.search.structure, reml=False)
        return best.least(search, np.arange(len(best.phi)))

    row = {"component": "fixed", "term": name, "group": ""}
    return Target(
        row=row, estimate=estimate, low=-np.inf, high=np.inf, step=1.5 * error, deviance=deviance
    )


def _confined(prepared: Prepared, keep: Array, offset: Array) -> Prepared:
    """Return the columns of a design with β confined to offset + keep γ."""
    X, y = prepared.W[:, :-1], prepared.W[:, -1]
    return replace(prepared, W=np.column_stack([X @ keep, y - X @ offset]))


def _residual(fit: MixedFit, best: _Best) -> Iterator[Target]:
    """Profile a residual correlation and the log-variances by holding each in phi."""
    structure = best.search.structure
    values = structure.natural(best.phi)
    if structure.at_edge(best.phi):
        values[0] = 0.0
    rows = zip(fit.solution.dispersion, structure.edges, strict=True)
    for at, ((name, _, error), (low, high)) in enumerate(rows):

        def deviance(value: float, at: int = at) -> float:
            held = values.copy()
            held[at] = value
            free = np.delete(np.arange(len(held)), at)
            return best.least(best.search, free, structure.inner(held))

        yield Target(
            row={"component": "dispersion", "term": name, "group": ""}, estimate=float(values[at]),
            low=low, high=high, step=0.2 if np.isfinite(low) else 1.5 * error, deviance=deviance,
        )  # fmt: skip


def _variances(fit: MixedFit, best: _Best) -> Iterator[Target]:
    """Profile every standard deviation, correlation and σ."""
    sigma = float(np.sqrt(best.point.profile.sigma2))
    roots = [T @ L for T, L in zip(best.units.Z, best.point.factors, strict=True)]
    for k, term in enumerate(fit.design.random):
        G = sigma**2 * roots[k] @ roots[k].T
        sd = np.sqrt(np.diag(G))
        for a, name in enumerate(term.names):
            yield Target(
                row={"component": "variance", "term": f"sd {name}", "group": term.group},
                estimate=float(sd[a]), low=0.0, high=np.inf, step=max(0.3 * sd[a], 0.05 * sigma),
                deviance=_Held(best, k, (a,)),
            )  # fmt: skip
            for b in range(a):
                yield Target(
                    row={"component": "variance", "term": f"cor {term.names[b]}, {name}",
                         "group": term.group},
                    estimate=float(G[a, b] / max(sd[a] * sd[b], 1e-300)), low=-1.0, high=1.0,
                    step=0.2, deviance=_Held(best, k, (b, a)),
                )  # fmt: skip
    sigma *= float(np.exp(-best.search.structure.lift @ best.phi))
    yield Target(
        row={"component": "variance", "term": "sd", "group": "residual"}, estimate=sigma, low=0.0,
        high=np.inf, step=0.1 * sigma, deviance=_Held(best, 0, ()),
    )  # fmt: skip


class _Held:
    """The best deviance where one standard deviation (a,), correlation (b, a) or σ () is held.

    Free are the other elements of the factors of G in the user's units, log σ
    and phi, with the held coefficients of the term first so that holding is
    exact: an sd is then the first diagonal element, a correlation the
    direction of row two.
    """

    def __init__(self, best: _Best, k: int, held: tuple[int, ...]) -> None:
        self.best, self.held, point = best, held, best.point
        sizes = tuple(map(len, point.factors))
        self.orders = [
            [*held, *(a for a in range(q) if a not in held)] if at == k else list(range(q))
            for at, q in enumerate(sizes)
        ]
        starts = [self._elements(point.factors, phi) for phi in best.starts]
        if any((L.diagonal() <= 1.01 * FLOOR).any() for L in point.factors):
            inside = [
                np.where(np.eye(len(L)) > 0, np.maximum(L, _INSIDE), L) for L in point.factors
            ]
            # A zero variance is a saddle: begin off it too.
            starts += [self._elements(inside, phi) for phi in best.starts]
        self.starts, count = starts, len(stack(point.factors))
        self.scale = np.ones(len(starts[0]))
        least = 1e-3 * point.profile.sigma2**0.5
        self.scale[:count] = np.maximum(abs(starts[-1][:count]), least)
        self.sigma, self.lift = count, best.search.structure.lift
        self.first = sum(q * (q + 1) // 2 for q in sizes[:k])
        free = np.ones(len(self.scale), dtype=bool)
        free[{0: self.sigma, 1: self.first, 2: self.first + 1}[len(held)]] = False
        self.free = np.flatnonzero(free)

    def __call__(self, value: float) -> float:
        """Return the least deviance with the quantity at this value, sought from the optimum."""
        return min(
            _descend(lambda x: self._guarded(x, value), (start / self.scale)[self.free])
            for start in self.starts
        )

    def _elements(self, factors: Sequence[Array], phi: Array) -> Array:
        """Return stacked factors of G in the order wanted, then log σ, then phi."""
        sigma2, roots = self.best.point.profile.sigma2, []
        for T, L, order in zip(self.best.units.Z, factors, self.orders, strict=True):
            G = sigma2 * (T @ L) @ (T @ L).T
            roots.append(np.asarray(np.linalg.cholesky(G[np.ix_(order, order)])))
        return np.array([*stack(roots), 0.5 * np.log(sigma2), *phi])

    def _guarded(self, scaled: Array, value: float) -> tuple[float, Array]:
        """Turn a step that leaves all precision into a very high wall."""
        try:
            return self._at(scaled, value)
        except (FitError, np.linalg.LinAlgError):
            return WALL, np.zeros(len(scaled))

    def _whole(self, free: Array, value: float) -> Array:
        """Return all elements: stacked factors of G, then log σ, then phi."""
        x = np.empty(len(self.scale))
        x[self.free] = free
        match len(self.held):
            case 0:
                x[self.sigma] = np.log(max(value, 1e-8)) + self.lift @ x[self.sigma + 1 :]
            case 1:
                x[self.first] = value
            case 2:
                size = x[self.first + 2]
                x[self.first + 1] = size * value
                x[self.first + 2] = size * np.sqrt(max(1 - value**2, 1e-12))
        return x

    def _at(self, scaled: Array, value: float) -> tuple[float, Array]:
        x = self._whole(scaled * self.scale[self.free], value)
        sigma2 = float(np.exp(2 * np.clip(x[self.sigma], -300, 300)))
        phi, search = x[self.sigma + 1 :], self.best.search
        deviance = search.at(phi)
        factors, links = [], []
        parts = zip(split(x[: self.sigma], deviance.sizes), self.orders, self.best.units.Z,
                    strict=True)  # fmt: skip
        for L, order, T in parts:
            back = np.linalg.inv(T)[:, order]
            Psi = back @ L @ L.T @ back.T / sigma2
            factors.append(np.asarray(np.linalg.cholesky(Psi + np.eye(len(L)) * FLOOR**2)))
            links.append((L, back))
        point = deviance(tuple(factors), sigma2)
        slope = [2 * vech(back.T @ g @ back @ L) / sigma2
                 for g, (L, back) in zip(point.slopes, links, strict=True)]  # fmt: skip
        shrink = sum(float(np.vdot(g, F @ F.T)) for g, F in zip(point.slopes, factors, strict=True))
        by_log_sigma = 2 * (deviance.nu - point.profile.rest / sigma2) - 2 * shrink
        full = np.concatenate([*slope, [by_log_sigma], search.slope(phi, factors, sigma2)])
        if not self.held:  # σ where w is 0 is held, σ at its centre moves with phi
            full[self.sigma + 1 :] += self.lift * full[self.sigma]
        if len(self.held) == 2:  # the free length turns both elements of row two
            along = full[self.first + 1] * value
            along += full[self.first + 2] * np.sqrt(max(1 - value**2, 1e-12))
            full[self.first + 2] = along
        return point.deviance, full[self.free] * self.scale[self.free]
