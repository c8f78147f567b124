"""The four panels of a diagnosis: residuals, their quantiles, group effects, influence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from expertise.figures import Look, StoryAxes, draw
from expertise.mixed.columns import Array
from expertise.words import say


def draw_panels(
    residuals: pd.DataFrame,
    effects: pd.DataFrame,
    influence: pd.DataFrame,
    *,
    outcome: str,
    group: str,
    lang: str,
) -> StoryAxes:
    """Draw the tables of a `Diagnosis`; the title counts the rows that lie far out."""
    distance = influence.sort_values("distance", ascending=False)
    n = int(residuals["extreme"].sum())
    key = "mixed_use.title_extreme" if n else "mixed_use.title_calm"
    title = say(key, lang, n=n)
    subtitle = say("mixed_use.diagnosis", lang, outcome=outcome, group=group)

    def paint(axes: Sequence[Any], look: Look) -> None:
        color = look.color(1)
        far = residuals["extreme"].to_numpy()
        axes[0].axhline(0, color=look.text, linewidth=1)
        for mark, marker in ((~far, "o"), (far, "^")):
            axes[0].plot(
                residuals["fitted"][mark], residuals["residual"][mark], marker,
                color=look.color(2) if marker == "^" else color, markersize=4, alpha=0.7,
            )  # fmt: skip
        _quantiles(axes[1], look, residuals["residual"].to_numpy())
        _quantiles(axes[2], look, effects["standardized"].dropna().to_numpy())
        top = distance.head(8).iloc[::-1]
        axes[3].barh(top["level"].astype(str), top["distance"], color=color)
        names = ("residuals", "quantiles", "effects", "influence")
        for panel, name in zip(axes, names, strict=True):
            panel.set_title(say(f"mixed_use.panel_{name}", lang), fontsize=9.5, loc="left")

    return draw(
        paint, title=title, subtitle=subtitle, alt=f"{title}. {subtitle}",
        table=distance.head(20), lang=lang, panels=(2, 2), wide=(6.4, 6.0), phone=(4.0, 12.0),
    )  # fmt: skip


def _quantiles(axes: Any, look: Look, values: Array) -> None:
    ordered = np.sort(values)
    expected = ndtri((np.arange(1, len(ordered) + 1) - 0.5) / len(ordered))
    ends = np.array([expected.min(initial=-1.0), expected.max(initial=1.0)])
    axes.plot(ends, ends, color=look.text, linewidth=1)
    axes.plot(expected, ordered, "o", color=look.color(1), markersize=4, alpha=0.7)
