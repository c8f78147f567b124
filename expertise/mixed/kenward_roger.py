"""Kenward and Roger's adjusted covariance and degrees of freedom.

Defined here for covariances that are linear in their parameters, as in
pbkrtest; anything else is refused by `fit_mixed`.

References
----------
Kenward & Roger (1997), doi:10.2307/2533558. Halekoh & Højsgaard (2014),
doi:10.18637/jss.v059.i09.
"""

from dataclasses import dataclass

import numpy as np

from expertise.mixed.columns import Array
from expertise.mixed.deviance import Deviance, Point
from expertise.mixed.fitted import wald
from expertise.mixed.information import measure
from expertise.mixed.roots import root_of

_TRIFLE = 5e-6  # of a group's information: what a variance at zero is lifted to


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KenwardRoger:
    """Adjusted covariance of β (p, p), the plain one, and how it moves with the parameters.

    `slopes` (s, p, p) are ΦP_iΦ, `uncertainty` (s, s) the covariance W of
    the covariance parameters.
    """

    covariance: Array
    plain: Array
    slopes: Array
    uncertainty: Array
    method: str = "kenward-roger"

    def df(self, L: Array) -> float:
        """Return the denominator degrees of freedom of one combination."""
        return self._scaled(L[None])[1]

    def joint(self, L: Array, estimate: Array) -> tuple[float, float]:
        """Return the scaled F and its denominator degrees of freedom."""
        scale, df = self._scaled(L)
        return scale * wald(L, estimate, self.covariance), df

    def _scaled(self, L: Array) -> tuple[float, float]:
        q = len(L)
        core = np.linalg.inv(L @ self.plain @ L.T)
        turned = np.einsum("ab,bi,sij,cj->sac", core, L, self.slopes, L)
        traces = np.trace(turned, axis1=1, axis2=2)
        A1 = float(traces @ self.uncertainty @ traces)
        A2 = float(np.einsum("st,sab,tba->", self.uncertainty, turned, turned))
        B = (A1 + 6 * A2) / (2 * q)
        g = ((q + 1) * A1 - (q + 4) * A2) / ((q + 2) * A2)
        c1, c2, c3 = np.array([g, q - g, q + 2 - g]) / (3 * q + 2 * (1 - g))
        V0, V1, V2 = 1 + c1 * B, 1 - c2 * B, 1 - c3 * B
        above = 1 - A2 / q
        ratio = 1.0 if abs(above) < 1e-10 and abs(V1) < 1e-10 else above / V1
        rho = ratio**2 * (0.0 if abs(V0) < 1e-10 else V0) / V2 / q
        df = 4 + (q + 2) / (q * rho - 1)
        scale = 1.0 if abs(df - 2) < 0.01 else df * above / (df - 2)
        return float(scale), float(df)


def by_kenward_roger(deviance: Deviance, point: Point) -> KenwardRoger:
    """Adjust the covariance, in the user's columns.

    The covariance parameters are the elements of G = σ²Ψ and σ² itself; the
    direction of σ² is H less what the others make of it.
    """
    point = _lifted(deviance, point)
    information, T = measure(deviance, point, by_factors=False), deviance.reduction.units.X
    psi, Phi, sigma2 = information.psi, point.profile.covariance, point.profile.sigma2
    XHX = np.linalg.inv(Phi)
    expected = _extended(information.traces, information.trace, deviance.nu, psi)
    once = np.concatenate([information.once, [XHX - np.tensordot(psi, information.once, 1)]])
    across = information.once - np.tensordot(information.twice, psi, ((1,), (0,)))
    corner = (
        XHX
        - 2 * np.tensordot(psi, information.once, 1)
        + np.einsum("i,j,ijab->ab", psi, psi, information.twice)
    )
    r = len(psi)
    twice = np.empty((r + 1, r + 1, *XHX.shape))
    twice[:r, :r] = information.twice
    twice[:r, r], twice[r, :r] = across, across.transpose(0, 2, 1)
    twice[r, r] = corner
    W = 2 * np.linalg.inv(expected)
    gap = twice - np.einsum("iab,bc,jcd->ijad", once, Phi, once)
    adjust = Phi @ np.einsum("ij,ijab->ab", W, gap) @ Phi
    plain = sigma2 * T @ Phi @ T.T
    covariance = plain + 2 * sigma2 * T @ ((adjust + adjust.T) / 2) @ T.T
    slopes = np.einsum("ab,sbc,dc->sad", T @ Phi, once, T @ Phi)
    return KenwardRoger(
        covariance=covariance, plain=plain, slopes=slopes, uncertainty=np.asarray(sigma2**2 * W)
    )


def _lifted(deviance: Deviance, point: Point) -> Point:
    """Return the point with variances at zero a trifle above it.

    Traces by Ψ lose digits as 1e-16 / Ψ² where Ψ nears zero, and change by Ψ times
    the rows of a group where it leaves it: between the two about five digits are right.
    """
    reduction, factors = deviance.reduction, []
    for L, place in zip(point.factors, reduction.blocks.places, strict=True):
        least = (_TRIFLE * place.size / reduction.n) ** 0.5
        axes, size, _ = np.linalg.svd(L)
        lifted = axes * np.maximum(size, least)
        factors.append(L if size.min() > least else root_of(lifted @ lifted.T))
    same = all(a is b for a, b in zip(factors, point.factors, strict=True))
    return point if same else deviance(factors)


def _extended(matrix: Array, vector: Array, total: float, psi: Array) -> Array:
    """Add the direction of σ²: H = I + Σ ψ ∂, so I = H − Σ ψ ∂."""
    side = vector - matrix @ psi
    corner = total - 2 * psi @ vector + psi @ matrix @ psi
    return np.block([[matrix, side[:, None]], [side[None], np.array([[corner]])]])
