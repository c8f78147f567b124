"""Draws estimates with their intervals, a row each, in the colour and marker of a role."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from expertise.figures import Look, StoryAxes, draw

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def forest(
    rows: pd.DataFrame,
    *,
    title: str,
    subtitle: str,
    alt: str,
    lang: str,
    slots: Sequence[int | None] | None = None,
    zero: str = "",
    shares: bool = False,
    columns: Mapping[str, str] | None = None,
) -> StoryAxes:
    """Draw a row of `rows` each: `label estimate conf_low conf_high`, the first on top.

    Parameters
    ----------
    rows : DataFrame
        Also `low` and `high` where a thin line shows a wider range behind the
        interval. A row without an interval shows its estimate only.
    title, subtitle, alt, lang : str
        As in `draw`.
    slots : sequence, optional
        The perspective of each row; None for no single one.
    zero : str
        Name of a line at zero; none without a name.
    shares : bool
        Whether values run from 0 to 1 and are written as percentages.
    columns : mapping, optional
        Heads of the table behind the picture.

    Returns
    -------
    StoryAxes
    """
    rows = rows.reset_index(drop=True)
    places = np.arange(len(rows))[::-1]
    colours = list(slots) if slots is not None else [None] * len(rows)

    def paint(axes: Any, look: Look) -> None:
        if zero:
            axes.axvline(0, color=look.text, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(zero, (0, 1), xycoords=("data", "axes fraction"), xytext=(4, 2),
                          textcoords="offset points", fontsize=9, color=look.text)  # fmt: skip
        if "low" in rows:
            axes.hlines(places, rows["low"], rows["high"], color=look.text, linewidth=1)
        for place, slot, row in zip(places, colours, rows.itertuples(), strict=True):
            color = look.color(slot) if slot else look.text
            axes.hlines(place, row.conf_low, row.conf_high, color=color, alpha=0.4, linewidth=6)
            axes.plot(row.estimate, place, marker=look.role(slot).marker if slot else "o",
                      color=color, markersize=8)  # fmt: skip
        width = 16 if look.phone else 30
        axes.set_yticks(places, [textwrap.fill(str(one), width) for one in rows["label"]],
                        fontsize=9 if look.phone else 10.5)  # fmt: skip
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.grid(True, axis="x")
        axes.grid(False, axis="y")
        if shares:
            ticks = SHARES[::2] if look.phone else SHARES
            axes.set_xticks(ticks, [f"{tick:.0%}" for tick in ticks])
            axes.set_xlim(-0.01, 1.02)

    wanted = ["label", "low", "high", "estimate", "conf_low", "conf_high"]
    table = rows[[name for name in wanted if name in rows]]
    height = 1.9 + 0.36 * len(rows)
    return draw(
        paint, title=title, subtitle=subtitle, alt=alt, lang=lang,
        table=table.rename(columns=dict(columns or {})),
        wide=(6.4, height), phone=(4.0, height + 0.8 + 0.1 * len(rows)),
    )  # fmt: skip
