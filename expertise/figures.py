"""Figures in one hand: role colours, one statement a figure, alt text and the table behind.

The only room that imports matplotlib. A room hands `draw` a function that
paints on axes; it is painted again for a phone and for the dark page, so
it must take its colours and sizes from the `Look` that it is given.
"""

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.projections import register_projection
from matplotlib.ticker import FuncFormatter, ScalarFormatter

from expertise.result import rounded, table_html
from expertise.words import plain, say

WIDE, PHONE = (6.4, 4.0), (4.0, 4.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """How a perspective looks everywhere: never by colour alone."""

    light: str
    dark: str
    marker: str
    line: str


# Chosen by colour difference for normal, deutan, protan and tritan sight.
ROLES = (
    Role(light="#00636B", dark="#5FC7CF", marker="o", line="-"),
    Role(light="#C2410C", dark="#F59E6C", marker="s", line="--"),
    Role(light="#6B3FA0", dark="#C9A6F2", marker="^", line=":"),
)
NEUTRAL = Role(light="#4B5563", dark="#9CA3AF", marker="D", line="-.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a painter needs to know of the page it paints for."""

    dark: bool = False
    phone: bool = False

    @property
    def text(self) -> str:
        """Colour of words and axes."""
        return "#E5E7EB" if self.dark else "#1F2937"

    @property
    def page(self) -> str:
        """Colour behind the figure."""
        return "#111827" if self.dark else "#FFFFFF"

    @property
    def faint(self) -> str:
        """Colour of the grid and of raw points."""
        return "#374151" if self.dark else "#D1D5DB"

    def color(self, slot: int | None) -> str:
        """Colour of the perspective in slot 1, 2 or 3; a neutral grey for others."""
        role = self.role(slot)
        return role.dark if self.dark else role.light

    def role(self, slot: int | None) -> Role:
        """Marker and line of the perspective in slot 1, 2 or 3."""
        return ROLES[slot - 1] if slot and 1 <= slot <= len(ROLES) else NEUTRAL

    def style(self, slot: int | None) -> dict[str, Any]:
        """Keyword arguments for `Axes.plot`: colour, marker and line of a perspective."""
        role = self.role(slot)
        return {"color": self.color(slot), "marker": role.marker, "linestyle": role.line}


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a figure says, for those who see it and for those who do not."""

    title: str
    subtitle: str
    alt: str
    table: pd.DataFrame
    lang: str
    paint: Callable[..., None]
    panels: tuple[int, int]
    wide: tuple[float, float]
    phone: tuple[float, float]


class StoryAxes(Axes):
    """Matplotlib axes that know their story; in JupyterLab they show with alt text and table."""

    name = "expertise.story"

    @property
    def story(self) -> Story:
        """Title, alt text and the table behind the figure."""
        story: Story = self.figure._story  # type: ignore[union-attr]
        return story

    def __repr__(self) -> str:
        return f"Figure: {self.story.title}"

    def _repr_html_(self) -> str:
        return figure_html(self)


register_projection(StoryAxes)


def draw(
    paint: Callable[..., None],
    *,
    title: str,
    subtitle: str,
    alt: str,
    table: pd.DataFrame,
    lang: str = "en",
    panels: tuple[int, int] = (1, 1),
    wide: tuple[float, float] = WIDE,
    phone: tuple[float, float] = PHONE,
) -> StoryAxes:
    """Draw one statement and return its axes.

    Parameters
    ----------
    paint : callable
        ``paint(axes, look)`` for one panel, ``paint([axes, ...], look)`` for
        several. Called again for other sizes and for dark pages, so it may
        not depend on anything that changes.
    title : str
        The finding in words, not the form.
    subtitle : str
        What was measured, its scale and direction, and n people.
    alt : str
        The finding for those who do not see it.
    table : DataFrame
        The numbers behind the picture; anything not fit to release must not be here.
    lang : {"en", "nl"}
        Language of the words around the figure.
    panels : (rows, columns)
        Grid of panels; on a phone they stand below each other.
    wide, phone : (float, float)
        Size in inches on paper and on a phone.

    Returns
    -------
    StoryAxes
        The first (or only) axes; all are in ``axes.figure.axes``.
    """
    story = Story(
        title=title, subtitle=subtitle, alt=alt, table=table, lang=lang,
        paint=paint, panels=panels, wide=wide, phone=phone,
    )  # fmt: skip
    return _painted(story, Look())


def _painted(story: Story, look: Look) -> StoryAxes:
    rows, columns = story.panels
    if look.phone:
        rows, columns = rows * columns, 1
    size = story.phone if look.phone else story.wide
    with mpl.rc_context(_style(look)):
        figure = Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        figure._story = story  # type: ignore[attr-defined]
        grid = figure.subplots(
            rows, columns, squeeze=False, subplot_kw={"projection": StoryAxes.name}
        )
        axes: list[StoryAxes] = list(grid.flat)
        story.paint(axes[0] if len(axes) == 1 else axes, look)
        for each in axes:
            _numbers(each, story.lang)
        _headline(figure, story, size[0])
    return axes[0]


def _numbers(axes: Axes, lang: str) -> None:
    """Write plain numbers along the axes as the language does."""

    def written(value: float, _place: int | None = None) -> str:
        return plain(round(value, 10), lang)

    for axis in (axes.xaxis, axes.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(FuncFormatter(written))


def _headline(figure: Figure, story: Story, width: float) -> None:
    # About 11 characters an inch at size 12, 14 at size 9.5.
    title = textwrap.fill(story.title, int(width * 9.6))
    subtitle = textwrap.fill(story.subtitle, int(width * 13))
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    if subtitle:
        figure.supxlabel(subtitle, x=0.01, ha="left", fontsize=9.5)


def _style(look: Look) -> Any:
    return {
        "font.size": 11, "axes.titlesize": 11, "figure.facecolor": look.page,
        "axes.facecolor": look.page, "savefig.facecolor": look.page,
        "text.color": look.text, "axes.labelcolor": look.text, "axes.edgecolor": look.text,
        "xtick.color": look.text, "ytick.color": look.text, "axes.titlecolor": look.text,
        "axes.spines.top": False, "axes.spines.right": False,
        "axes.grid": True, "axes.grid.axis": "y", "grid.color": look.faint,
        "grid.linewidth": 0.6, "axes.axisbelow": True, "lines.linewidth": 2.0,
        "lines.markersize": 7, "legend.frameon": False, "text.parse_math": False,
    }  # fmt: skip


def end_labels(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write each line's name at its end, in its colour: no legend to decode.

    Parameters
    ----------
    axes : Axes
        Drawn on; its limits must be final.
    ends : sequence of (x, y, text, colour)
        Where lines end. Names that would overlap are moved apart.
    """
    low, high = axes.get_ylim()
    # Height of a line of text in data units: size 10, 0.68 of the figure for the axes.
    line = 13.0 / 72 / (0.68 * axes.figure.get_figheight()) * (high - low)  # type: ignore[union-attr]
    bottom = float("-inf")
    for x, y, text, color in sorted(ends, key=lambda end: end[1]):
        words = textwrap.fill(text, 14)
        half = line * (words.count("\n") + 1) / 2
        place = max(y, bottom + half)
        bottom = place + half
        axes.annotate(
            words, (x, place), xytext=(8, 0), textcoords="offset points",
            va="center", color=color, fontweight="bold", annotation_clip=False, fontsize=10,
        )  # fmt: skip


def named_line(axes: Axes, y: float, text: str, look: Look) -> None:
    """Draw a horizontal line that means something, with its name on it."""
    axes.axhline(y, color=look.text, linewidth=1, linestyle=(0, (4, 3)))
    axes.annotate(
        text, (0, y), xycoords=("axes fraction", "data"), xytext=(4, 3),
        textcoords="offset points", fontsize=9, color=look.text,
    )  # fmt: skip


def month_ticks(
    axes: Axes, months: Sequence[float], labels: Sequence[str], look: Look, lang: str = "en"
) -> None:
    """Put ticks where the waves are: their names, or months in numbers where names collide."""
    span = max(months) - min(months) or 1
    room = 24 if look.phone else 48
    fits = all(
        (after - before) / span * room > (len(one) + len(other)) / 2 + 1
        for before, after, one, other in zip(months, months[1:], labels, labels[1:], strict=False)
    )
    axes.set_xticks(
        list(months), list(labels) if fits else [plain(month, lang) for month in months]
    )
    if not fits:
        axes.set_xlabel(say("result.months", lang), loc="left", fontsize=10)


def png(axes: Axes, *, dark: bool = False, phone: bool = False, dpi: int = 160) -> bytes:
    """Return the figure as PNG bytes without a clock in them."""
    figure = _painted(axes.story, Look(dark=dark, phone=phone)).figure if isinstance(
        axes, StoryAxes
    ) else axes.figure  # fmt: skip
    out = io.BytesIO()
    figure.savefig(  # type: ignore[union-attr]
        out, format="png", dpi=dpi, metadata={"Software": None}, pil_kwargs={"optimize": True}
    )
    return out.getvalue()


def figure_html(axes: StoryAxes, *, small: bool = False) -> str:
    """Return the figure for a page: wide and phone, light and dark, alt text, table behind.

    A small one is drawn for a phone on every screen and on paper.
    """
    story = axes.story

    def source(dark: bool, phone: bool) -> str:
        return "data:image/png;base64," + base64.b64encode(
            png(axes, dark=dark, phone=phone)
        ).decode("ascii")

    media = {
        "(max-width: 480px) and (prefers-color-scheme: dark)": source(True, True),
        "(max-width: 480px)": source(False, True),
    } if not small else {}  # fmt: skip
    media["(prefers-color-scheme: dark)"] = source(True, small)
    sources = "".join(f'<source media="{query}" srcset="{data}">' for query, data in media.items())
    alt = escape(story.alt, quote=True)
    image = f'<img src="{source(False, small)}" alt="{alt}" style="width: 100%">'
    table = table_html(rounded(story.table, story.lang), story.title)
    behind = say("result.table_behind", story.lang)
    return (
        f'<figure lang="{story.lang}" style="max-width: 42rem"><picture>{sources}{image}</picture>'
        f"<details><summary>{behind}</summary>{table}</details></figure>"
    )
