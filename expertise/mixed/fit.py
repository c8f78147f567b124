"""Fits a mixed model: the one door to the linear, generalized and ordinal engines."""

from dataclasses import dataclass, replace

import pandas as pd
from numpy.typing import ArrayLike

from expertise.errors import DesignError, listed
from expertise.figures import StoryAxes
from expertise.mixed.description import Labels, describe
from expertise.mixed.design import Design, build_design
from expertise.mixed.diagnosis import Diagnosis, diagnose
from expertise.mixed.fitted import Fitted, Solution, checked_level
from expertise.mixed.glmm import fit_generalized, without_intercept
from expertise.mixed.linear import fit_linear
from expertise.mixed.links import Link, choose_link
from expertise.mixed.plots import plot_fit
from expertise.mixed.residual import columns_needed, structure_of
from expertise.mixed.structured import fit_structured

DF_METHODS = ("satterthwaite", "kenward-roger", "normal", "auto")
_SMALL = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked of a fit beside its formula and its data."""

    reml: bool
    df: str
    residual: str | None
    dispersion: str | None
    quadrature: int
    seed: int | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class MixedFit(Fitted):
    """A fitted mixed model; made by `fit_mixed`."""

    options: Options

    @property
    def model(self) -> str:
        """The formula, and what was asked of the residuals."""
        asked = {name: getattr(self.options, name) for name in ("residual", "dispersion")}
        named = [f"{name} {text}" for name, text in asked.items() if text]
        return " · ".join([self.design.formula.text, *named])

    def describe(
        self, lang: str = "nl", term: str | None = None, labels: Labels | None = None
    ) -> str:
        """Say model and main result in one plain paragraph; see `describe`."""
        return describe(self, lang, term, labels)

    def diagnose(self, group: str | None = None, seed: int = 0) -> Diagnosis:
        """Look at residuals, group effects and the influence of each group; see `diagnose`."""
        return diagnose(self, group, seed)

    def plot(
        self, x: str | None = None, by: str | None = None, *, lang: str = "nl", raw: bool = True
    ) -> StoryAxes:
        """Draw the expected outcome over a number or between levels; see `plot_fit`."""
        return plot_fit(self, x, by, lang=lang, raw=raw)


def fit_mixed(
    formula: str,
    data: pd.DataFrame,
    *,
    family: str = "gaussian",
    link: str | None = None,
    reml: bool | None = None,
    df: str = "satterthwaite",
    precision_weights: str | ArrayLike | None = None,
    offset: str | ArrayLike | None = None,
    trials: str | ArrayLike | None = None,
    residual: str | None = None,
    dispersion: str | None = None,
    quadrature: int = 1,
    conf_level: float = 0.95,
    seed: int | None = None,
) -> MixedFit:
    """Fit a mixed-effects model.

    Parameters
    ----------
    formula : str
        lme4's language, such as ``score ~ wave * arm + (wave | person)``; see
        `parse_formula`. Nothing in it is run as code.
    data : DataFrame
        One row per observation. Rows with missing values are left out,
        counted and named in `notes`; strings become factors in sorted order.
    family : {"gaussian", "binomial", "poisson", "negative-binomial", "cumulative"}
    link : str, optional
        The family's own by default; "probit" for binomial and cumulative.
    reml : bool, optional
        Restricted maximum likelihood; True by default for gaussian, an
        error for other families.
    df : {"satterthwaite", "kenward-roger", "normal", "auto"}
        Degrees of freedom and standard errors of gaussian fixed effects;
        "auto" is Kenward–Roger up to 3,000 rows where it is defined, else
        Satterthwaite. Other families use the normal distribution.
    precision_weights, offset, trials : str or array (n,), optional
        A column, or a value per row. The residual variance is σ² over the
        weight; y counts successes out of trials.
    residual : str, optional
        ``"ar1(wave | person)"`` or ``"car1(months | person)"`` (gaussian).
    dispersion : str, optional
        Log-linear residual variance such as ``"~ perspective"`` or
        ``"~ week"`` (gaussian).
    quadrature : int
        Points of adaptive quadrature for one grouping; 1 is Laplace.
    conf_level : float
        Level of all intervals.
    seed : int, optional
        For what is later drawn from the fit (bootstrap); fitting draws nothing.

    Returns
    -------
    MixedFit

    Raises
    ------
    FormulaError, DesignError, DataError
        What cannot be read or identified, in one sentence.
    FitError
        Where no optimum is found; starting values are never a result.

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> table = pd.DataFrame(
    ...     {"y": [1.0, 2, 4, 3, 5, 7, 4, 6], "g": list("aabbccdd"), "t": [0, 1] * 4})
    >>> fit = fit_mixed("y ~ t + (1 | g)", table)
    >>> fit.beta.round(6).tolist()
    [3.5, 1.0]
    """
    options = Options(
        reml=family == "gaussian" if reml is None else reml, df=df, residual=residual,
        dispersion=dispersion, quadrature=quadrature, seed=seed,
    )  # fmt: skip
    design = build_design(
        formula, data, family=family, weights=precision_weights, offset=offset, trials=trials,
        extra=columns_needed(residual, dispersion),
    )  # fmt: skip
    if family == "cumulative":
        design = without_intercept(design)
    return _fitted(design, choose_link(family, link), checked_level(conf_level), options)


def refit(fit: MixedFit, *, reml: bool) -> MixedFit:
    """Fit the same design again by REML or by maximum likelihood."""
    df = "satterthwaite" if fit.options.df == "kenward-roger" and not reml else fit.options.df
    options = replace(fit.options, reml=reml, df=df)
    return _fitted(fit.design, fit.link, fit.conf_level, options)


def _fitted(design: Design, link: Link, conf_level: float, options: Options) -> MixedFit:
    solution = solve(design, link, options)
    return MixedFit(
        design=design, solution=solution, link=link, conf_level=conf_level, options=options,
        notes=(*design.notes, *solution.notes),
    )  # fmt: skip


def solve(design: Design, link: Link, options: Options) -> Solution:
    """Hand a design to the engine of its family."""
    if options.df not in DF_METHODS:
        raise DesignError(f"unknown df {options.df!r}; allowed are {listed(DF_METHODS)}")
    structured = options.residual is not None or options.dispersion is not None
    if design.family != "gaussian":
        if options.reml:
            raise DesignError(
                f"reml=True is for the family gaussian; {design.family} is fitted by ML"
            )
        if structured or options.df == "kenward-roger":
            raise DesignError(
                "residual=, dispersion= and Kenward–Roger's method are for the family gaussian, "
                f"not for {design.family}"
            )
        return fit_generalized(design, link, options.quadrature)
    if options.quadrature != 1:
        raise DesignError(
            f"quadrature={options.quadrature!r} is for other families; the likelihood of a "
            "gaussian model is exact without it"
        )
    linear = options.reml and not structured
    if options.df == "kenward-roger" and not linear:
        raise DesignError(
            "Kenward–Roger's method is defined for REML and covariances that are linear in their "
            'parameters; use df="satterthwaite" with reml=False, residual= or dispersion='
        )
    df = options.df
    if df == "auto":
        df = "kenward-roger" if linear and len(design.y) <= _SMALL else "satterthwaite"
    if structured:
        structure = structure_of(design.frame, len(design.y), options.residual, options.dispersion)
        return fit_structured(design, structure, reml=options.reml, df=df)
    if not design.random:
        raise DesignError(
            f"the formula {design.formula.text!r} has no random term such as (1 | person); "
            "use ordinary regression (statsmodels), or residual="
        )
    return fit_linear(design, reml=options.reml, df=df)
