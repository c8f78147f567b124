"""How the scores of one scale lie, between the cut-offs of its classes."""

import numpy as np
import pandas as pd

from expertise.errors import DataError
from expertise.figures import Look, StoryAxes, draw
from expertise.instruments.schema import Instrument
from expertise.words import number, say


def plot_scores(scores: pd.Series, instrument: Instrument, name: str, lang: str) -> StoryAxes:
    """Draw a histogram of the scores; the title names the middle half."""
    values = scores.dropna()
    if values.empty:
        raise DataError(
            f"no questionnaire has a score on {name} of {instrument.title}; none to draw"
        )
    scale = instrument.scale(name)
    whole = scale.rule in ("sum", "count")  # but for what was filled in
    counts, edges = np.histogram(values, bins=_edges(values, whole))
    digits = 0 if whole else 2
    quarters = [number(float(values.quantile(q)), digits, lang) for q in (0.25, 0.75)]
    words = {
        "title": instrument.title, "scale": name, "n": len(values), "of": len(scores),
        "low": quarters[0], "high": quarters[1],
    }  # fmt: skip
    inside = [
        (cut, label)
        for cut, label in zip(scale.cuts, scale.classes.get(lang, ())[1:], strict=False)
        if edges[0] < cut <= edges[-1]
    ]

    def paint(axes: StoryAxes, look: Look) -> None:
        axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=look.color(1),
                 edgecolor=look.page, linewidth=0.8)  # fmt: skip
        axes.set_ylim(top=1.5 * counts.max() if inside else None)
        for cut, label in inside:
            axes.axvline(cut, color=look.text, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                label, (cut, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                textcoords="offset points", rotation=90, va="top", fontsize=9, color=look.text,
            )  # fmt: skip
        axes.set(xlabel=instrument.title if name == "total" else name,
                 ylabel=say("instruments.questionnaires", lang))  # fmt: skip

    return draw(
        paint,
        title=say("instruments.middle_half", lang, **words),
        subtitle=say(f"instruments.scores_sub_{scale.better}", lang, **words),
        alt=say("instruments.middle_half", lang, **words),
        table=pd.DataFrame({"from": edges[:-1], "to": edges[1:], "n": counts}),
        lang=lang,
    )


def _edges(values: pd.Series, whole: bool) -> np.ndarray:
    """Return bin edges; sums and counts get bins of a whole width about whole scores."""
    low, high = float(values.min()), float(values.max())
    if not whole:
        return np.linspace(low, high if high > low else low + 1, 21)
    width = max(1, round((high - low) / 25))
    return np.arange(np.floor(low) - 0.5, high + 0.5 + width, width)
