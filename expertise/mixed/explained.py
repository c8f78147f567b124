"""How much is explained, and how alike members of a group are: R² and intraclass correlations.

Reference: Nakagawa, Johnson & Schielzeth (2017), doi:10.1098/rsif.2017.0213.
"""

import numpy as np
import pandas as pd

from expertise.errors import DesignError
from expertise.mixed.columns import Array
from expertise.mixed.fitted import Fitted

_LATENT = {"logit": np.pi**2 / 3, "probit": 1.0}


def r_squared(fit: Fitted) -> dict[str, float]:
    """Return Nakagawa's marginal (fixed effects) and conditional (groups as well) R².

    Random slopes count with their mean variance over the rows (Johnson
    2014). For binary and ordered outcomes the residual is that of the
    latent scale; counts are refused, their residual needs a choice.
    """
    fixed = float(np.var(fit.linear_predictor(groups=False)))
    groups = sum(variance for _, variance in _group_variances(fit))
    total = fixed + groups + _residual(fit)
    return {"marginal": fixed / total, "conditional": (fixed + groups) / total}


def icc(fit: Fitted) -> pd.DataFrame:
    """Return per grouping the share of the variance around the fixed effects: `group`, `estimate`.

    Random slopes count with their mean variance over the rows; terms of one
    grouping are added.
    """
    table = pd.DataFrame(_group_variances(fit), columns=["group", "estimate"])
    table = table.groupby("group", sort=False, as_index=False).sum()
    table["estimate"] /= table["estimate"].sum() + _residual(fit)
    return table


def _group_variances(fit: Fitted) -> list[tuple[str, float]]:
    return [
        (term.group, float(np.einsum("ij,jk,ik->", term.Z, G, term.Z)) / len(term.Z))
        for term, G in zip(fit.design.random, fit.solution.covariances, strict=True)
    ]


def _residual(fit: Fitted) -> float:
    if fit.sigma is not None:
        weights: Array | float = 1.0 if fit.design.weights is None else fit.design.weights
        whitening = fit.solution.whitening
        times = 1.0 if whitening is None else whitening.scale**-2.0
        return float(np.mean(fit.sigma**2 * times / weights))
    if fit.link.name in _LATENT:
        return float(_LATENT[fit.link.name])
    raise DesignError(
        f"the family {fit.family} has no residual variance on the scale of its link; "
        "R² and ICC are given for gaussian, binary and ordered outcomes"
    )
