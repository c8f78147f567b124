"""Is it the same question to all? A screen before perspectives are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from scipy.special import chdtrc, ndtri

from expertise.errors import DesignError, listed
from expertise.figures import StoryAxes
from expertise.mixed.fit import fit_mixed
from expertise.result import Result, tidy_table
from expertise.triads.forest import forest
from expertise.triads.tables import Array, check_level, levels, long_rows, two_or_more
from expertise.words import Note, note, say

_MUCH = 0.15  # share at the end of a scale above which differences there cannot be seen


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Screen(Result):
    """Floor, ceiling, omega, and items that one perspective answers unlike the others."""

    table: pd.DataFrame
    statistic: float
    df: float
    p_value: float
    n_people: int
    notes: tuple[Note, ...]

    def heading(self) -> str:
        """Say how many people were screened."""
        return say("triads.screen", people=self.n_people)

    def tidy(self) -> pd.DataFrame:
        """Return `floor` and `ceiling` shares, `omega`, and `item` differences per perspective."""
        return tidy_table(self.table)

    def glance(self) -> pd.DataFrame:
        """Return one row: the likelihood-ratio test of perspective × item."""
        row = {"n_people": self.n_people, "statistic": self.statistic, "df": self.df}
        return pd.DataFrame([row | {"p_value": self.p_value}])

    @property
    def unlike(self) -> pd.DataFrame:
        """Rows of items whose interval leaves zero out: they stand out for a perspective."""
        rows = self.table[self.table["component"] == "item"]
        return rows[(rows["conf_low"] > 0) | (rows["conf_high"] < 0)]

    def plot(self, lang: str = "en", slots: Mapping[str, int] | None = None) -> StoryAxes:
        """Draw how far each item stands from a perspective's own average, with intervals."""
        rows = self.table[self.table["component"] == "item"]
        words = {
            "n": len(self.unlike), "all": len(rows), "people": self.n_people,
            "first": rows["group"].iloc[0].removeprefix("beside "),
        }  # fmt: skip
        key = "some" if words["n"] else "none"
        title = say(f"triads.screen_title_{key}", lang, **words)
        return forest(
            rows.assign(label=rows["term"] + " · " + rows["perspective"]),
            title=title, alt=title, subtitle=say("triads.screen_sub", lang, **words), lang=lang,
            slots=[(slots or {}).get(role) for role in rows["perspective"]],
            zero=say("triads.screen_zero", lang, **words),
        )  # fmt: skip


def same_question(
    table: pd.DataFrame,
    *,
    person: str,
    perspective: str,
    item: str,
    value: str,
    minimum: float,
    maximum: float,
    ordinal: bool,
    conf_level: float = 0.95,
) -> Screen:
    """Screen whether items ask the same of every perspective, before any comparison.

    An item to which naasten give higher answers than their other answers
    foretell may mean something else to them; then a difference of mean
    scores is partly a difference of questions. `wave` may stand for
    `perspective` to screen over time.

    Parameters
    ----------
    table : DataFrame
        Long: one row per person, perspective and item.
    person, perspective, item, value : str
        Columns.
    minimum, maximum : float
        Ends of the item's scale.
    ordinal : bool
        True for ordered categories (a cumulative logit model), False for
        scores that may be added (a linear one).
    conf_level : float

    Returns
    -------
    Screen
        Shares at floor and ceiling with Wilson's interval; McDonald's omega
        of each perspective (one factor, three items or more); per item and
        perspective how far it stands from that perspective's own average,
        beyond the same item for the first perspective (logits or points).

    Raises
    ------
    DataError, DesignError
        One perspective or item only, values outside the scale, and as for `icc`.

    Notes
    -----
    A screen, not a proof of invariance: not computed are thresholds and
    loadings per perspective. McDonald (1999), Test Theory; Zumbo (1999).
    """
    check_level(conf_level)
    rows = long_rows(table, (person, perspective, item), value)
    roles = levels(rows[perspective])
    two_or_more(roles, perspective)
    if rows[item].nunique() < 2:
        raise DesignError(f"column {item!r} holds one item only; a screen compares items")
    if rows[value].min() < minimum or rows[value].max() > maximum:
        raise DesignError(
            f"column {value!r} runs from {rows[value].min():g} to {rows[value].max():g}, outside "
            f"the scale of {minimum:g} to {maximum:g}; correct the values or the scale"
        )
    z = float(ndtri((1 + conf_level) / 2))
    ends = _ends(rows, (perspective, item, value), (minimum, maximum), z)
    out = [row | {"conf_level": conf_level} for row in ends]
    for role in roles:
        wide = rows[rows[perspective] == role].pivot(index=person, columns=item, values=value)
        complete = wide.dropna().to_numpy(dtype=np.float64)
        out.append({"component": "omega", "term": "all items", "perspective": str(role),
                    "estimate": omega(complete), "n_people": len(complete)})  # fmt: skip
    found, test = _unlike(rows, (person, perspective, item, value), ordinal, conf_level)
    whole = pd.concat([pd.DataFrame(out), found], ignore_index=True)
    full = whole["component"].isin(["floor", "ceiling"]) & (whole["estimate"] > _MUCH)
    notes = []
    if full.any():
        names = whole[full]["perspective"] + " " + whole[full]["term"]
        items = listed(dict.fromkeys(names))
        notes.append(note("triads.ends", share=round(100 * _MUCH), items=items))
    notes.append(note("triads.screened"))
    return Screen(
        table=whole, statistic=test[0], df=test[1], p_value=float(chdtrc(test[1], test[0])),
        n_people=rows[person].nunique(), notes=tuple(notes),
    )  # fmt: skip


def _ends(
    rows: pd.DataFrame, names: tuple[str, str, str], ends: tuple[float, float], z: float
) -> list[dict[str, Any]]:
    perspective, item, value = names
    out = []
    for (role, one), part in rows.groupby([perspective, item], observed=True):
        n = len(part)
        for component, end in zip(("floor", "ceiling"), ends, strict=True):
            p = float((part[value] == end).mean())
            middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
            half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
            out.append({"component": component, "term": str(one), "perspective": str(role),
                        "estimate": p, "conf_low": middle - half, "conf_high": middle + half,
                        "n_people": n})  # fmt: skip
    return out


def omega(x: Array) -> float:
    """Return McDonald's omega of complete answers x (n, items), one factor by least squares.

    Missing with under three items or rows, or an item that does not vary.
    """
    if x.shape[1] < 3 or len(x) < 3 or (x.std(axis=0) == 0).any():
        return float("nan")
    S = np.cov(x.T)
    sd = np.sqrt(np.diag(S))
    R = S / np.outer(sd, sd)
    rows, columns = np.tril_indices(len(R), -1)

    def gaps(loading: Array) -> Array:
        return np.asarray(R[rows, columns] - loading[rows] * loading[columns])

    values, vectors = np.linalg.eigh(R)
    start = vectors[:, -1] * np.sqrt(max(values[-1] - 1, 0.1)) * np.sign(vectors[:, -1].sum())
    loading = least_squares(gaps, start).x * sd
    common = float(loading.sum() ** 2)
    return common / (common + float((np.diag(S) - loading**2).sum()))


def _unlike(
    rows: pd.DataFrame, names: tuple[str, str, str, str], ordinal: bool, conf_level: float
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Return item × perspective differences, and the likelihood-ratio test of all of them."""
    person, perspective, item, value = names
    roles, items = levels(rows[perspective]), levels(rows[item])
    frame = pd.DataFrame({
        "person": rows[person].astype(str), "y": rows[value],
        "role": pd.Categorical(rows[perspective].astype(str), [str(role) for role in roles]),
        "item": pd.Categorical(rows[item].astype(str), [str(one) for one in items]),
    })  # fmt: skip
    if ordinal:
        frame["y"] = pd.Categorical(rows[value], sorted(rows[value].unique()), ordered=True)
    more: dict[str, Any] = {"family": "cumulative"} if ordinal else {"reml": False}
    both = (frame.groupby("person")["role"].nunique() > 1).any()
    random = "(1 | person) + (1 | person:role)" if both else "(1 | person)"
    whole = fit_mixed(f"y ~ item * role + {random}", frame, conf_level=conf_level, **more)
    less = fit_mixed(f"y ~ item + role + {random}", frame, **more)
    grid = pd.MultiIndex.from_product([range(len(roles)), range(len(items))])
    at = pd.DataFrame({
        "role": pd.Categorical.from_codes(grid.get_level_values(0), frame["role"].cat.categories),
        "item": pd.Categorical.from_codes(grid.get_level_values(1), frame["item"].cat.categories),
    })  # fmt: skip
    X = whole.design.fixed_matrix(at).reshape(len(roles), len(items), -1)
    own = X - X.mean(axis=1, keepdims=True)
    L = (own[1:] - own[0]).reshape(-1, X.shape[2])
    found = whole.estimates(L, conf_level)
    found["component"] = "item"
    found["term"] = [str(one) for _ in roles[1:] for one in items]
    found["perspective"] = [str(role) for role in roles[1:] for _ in items]
    found["group"] = f"beside {roles[0]}"
    df = float((len(roles) - 1) * (len(items) - 1))
    return found, (2 * (whole.log_likelihood - less.log_likelihood), df)
