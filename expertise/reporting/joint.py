"""Joint display: the number, the passage and a verdict made by people, a row a theme or outcome."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from expertise.errors import DataError, PrivacyError, StudyError, listed, nearest
from expertise.mixed.fit import MixedFit
from expertise.narratives.corpus import Corpus
from expertise.result import table_html
from expertise.words import interval, say

VERDICTS = ("convergent", "complementary", "dissonant", "silent")
# Who may see a quote, from the narrowest circle to the widest.
CIRCLES = ("nobody", "inside", "council", "public")
BOUNDS = ("conf_low", "conf_high")
Circle = Literal["inside", "council", "public"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A passage as it would be shown.

    `quote_to` is the widest circle its teller agreed to; `reviewer` names who
    read it for what could identify someone. `perspective` is the teller's.
    """

    document: str
    perspective: str
    text: str = field(repr=False)
    quote_to: str
    reviewer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRow:
    """A theme or outcome: what was measured, what was told, and what people make of both.

    `verdict` is convergent, complementary, dissonant or silent; `by` says who
    judged, and `why` in their words. Without a number or a quote the verdict
    can only be silent or empty (still to be judged).
    """

    name: str
    estimate: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None
    n_people: int | None = None
    said: str = ""
    quotes: tuple[Quote, ...] = ()
    verdict: str = ""
    by: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class JointDisplay:
    """Rows that were checked for one circle of readers.

    `repr` holds document ids and no passage, so that a notebook does not keep
    them; `html()` is the display with its passages, for a page of that circle.
    """

    rows: tuple[JointRow, ...]
    circle: Circle
    lang: str

    def table(self, *, passages: bool = False) -> pd.DataFrame:
        """Return the display in words, a row a theme; passages only when asked for."""
        heads = [say(f"joint.{key}", self.lang) for key in ("theme", "number", "told", "verdict")]
        return pd.DataFrame(
            [
                [one.name, self._number(one), self._told(one, passages), self._verdict(one)]
                for one in self.rows
            ],
            columns=heads,
        )

    def html(self) -> str:
        """Return the display with its passages as an HTML table; all text is escaped."""
        return table_html(self.table(passages=True), say("joint.caption", self.lang))

    def _number(self, row: JointRow) -> str:
        if row.estimate is None or row.conf_low is None or row.conf_high is None:
            return say("joint.no_number", self.lang)
        size = interval(row.estimate, row.conf_low, row.conf_high, self.lang)
        people = say("result.people", self.lang, n=row.n_people) if row.n_people else ""
        return "; ".join(part for part in (row.said, size, people) if part)

    def _told(self, row: JointRow, passages: bool) -> str:
        if not row.quotes:
            return say("joint.no_quote", self.lang)
        if passages:
            return " ".join(f"“{one.text}” ({one.perspective})" for one in row.quotes)
        return ", ".join(f"{one.document} ({one.perspective})" for one in row.quotes)

    def _verdict(self, row: JointRow) -> str:
        if not row.verdict:
            return say("joint.open", self.lang)
        judged = say("joint.judged", self.lang, by=row.by)
        word = say(f"joint.{row.verdict}", self.lang)
        return f"{word} {judged}" + (f": {row.why}" if row.why else "")

    def __repr__(self) -> str:
        return f"{say('joint.caption', self.lang)}\n{self.table().to_string(index=False)}"

    def _repr_html_(self) -> str:
        return table_html(self.table(), say("joint.caption", self.lang))


def joint_display(
    rows: Iterable[JointRow],
    *,
    circle: Circle = "public",
    minimum: int = 10,
    lang: str = "nl",
) -> JointDisplay:
    """Set numbers and passages side by side, with the verdict that people gave.

    The library proposes no verdict: whether a number and a story agree is for
    people to say, and their names or group stand beside it.

    Parameters
    ----------
    rows : iterable of JointRow
        Themes or outcomes.
    circle : {"inside", "council", "public"}
        Who will see it. A quote is shown when its teller agreed to this circle
        or a wider one.
    minimum : int
        The smallest number of people behind a number, outside the house.
    lang : {"nl", "en"}
        Language of the words around.

    Returns
    -------
    JointDisplay

    Raises
    ------
    PrivacyError
        A quote without consent for this circle, or, outside the house, one
        that nobody reviewed, or a number of too few people.
    DataError
        An unknown verdict, a verdict without a judge, a verdict other than
        silent where one side is missing, half an interval.

    References
    ----------
    Guetterman, Fetters & Creswell 2015, doi:10.1370/afm.1865.

    Examples
    --------
    >>> row = JointRow(name="hoop", estimate=2.0, conf_low=1.0, conf_high=3.0, n_people=80,
    ...                verdict="silent", by="cliëntenraad")
    >>> joint_display([row], lang="en").table().iloc[0, 3]
    'silent (judged by cliëntenraad)'
    """
    if circle not in CIRCLES[1:]:
        raise DataError(f"circle is {circle!r}; allowed are {listed(CIRCLES[1:])}")
    kept = tuple(rows)
    for row in kept:
        _check_verdict(row)
        if circle != "inside" and row.n_people is not None and row.n_people < minimum:
            raise PrivacyError(
                f"row {row.name!r}: its number is of fewer than {minimum} people; merge groups"
            )
        for quote in row.quotes:
            _check_quote(row, quote, circle)
    return JointDisplay(rows=kept, circle=circle, lang=lang)


def quote_passage(
    corpus: Corpus, document: str, start: int, end: int, *, reviewer: str = ""
) -> Quote:
    """Take a passage from a corpus with the consent that its teller gave.

    Parameters
    ----------
    corpus : Corpus
        Texts whose use was agreed to; others are not in it.
    document : str
        Id of the text.
    start, end : int
        Positions in code points, the end not included.
    reviewer : str
        Who read the passage for what could identify someone.

    Returns
    -------
    Quote
        `joint_display` refuses it for a wider circle than its teller agreed to.

    Raises
    ------
    StudyError
        The corpus has no such text.
    DataError
        The positions do not lie in the text.
    """
    told = corpus[document]
    if not 0 <= start < end <= len(told.text):
        raise DataError(
            f"passage {start} to {end} does not lie in {document!r}, which has "
            f"{len(told.text)} characters; give positions in code points"
        )
    return Quote(
        document=document, perspective=told.role, text=told.text[start:end],
        quote_to=told.quote_to, reviewer=reviewer,
    )  # fmt: skip


def number_of(table: pd.DataFrame, **where: str) -> dict[str, Any]:
    """Take the number of a joint row from the one row of a tidy table with these keys.

    Parameters
    ----------
    table : DataFrame
        From `tidy()` or `changes()`: a difference, or the share of people in a class.
    **where
        Column and value, such as ``perspective="naaste", wave="m24"``.

    Returns
    -------
    dict
        estimate, conf_low, conf_high, and n_people where the table has it.

    Raises
    ------
    DataError
        An unknown column, or not exactly one row.

    Examples
    --------
    >>> table = pd.DataFrame([("a", 1.0, 0.5, 1.5)], columns=["term", "estimate", *BOUNDS])
    >>> JointRow(name="hoop", **number_of(table, term="a")).conf_high
    1.5
    """
    here = table
    for name, value in where.items():
        if name not in here:
            raise DataError(f"the table has no column {name!r}; it has {listed(here.columns)}")
        here = here[here[name].astype(str) == value]
    if len(here) != 1:
        wanted = listed(f"{name} = {value}" for name, value in where.items())
        raise DataError(f"{len(here)} rows have {wanted}; name columns until one row is left")
    kept = here.iloc[0].reindex(["estimate", *BOUNDS, "n_people"]).dropna()
    return {str(name): int(value) if name == "n_people" else float(value)
            for name, value in kept.items()}  # fmt: skip


def _check_verdict(row: JointRow) -> None:
    where = f"row {row.name!r}"
    bounds = (row.estimate, row.conf_low, row.conf_high)
    if any(one is None for one in bounds) and any(one is not None for one in bounds):
        raise DataError(f"{where}: a number needs estimate, conf_low and conf_high; give all three")
    if not row.verdict:
        return
    if row.verdict not in VERDICTS:
        raise DataError(
            f"{where}: unknown verdict {row.verdict!r}{nearest(row.verdict, VERDICTS)}; "
            f"allowed are {listed(VERDICTS)}"
        )
    if not row.by:
        raise DataError(f"{where}: a verdict is made by people; say in by who judged")
    if row.verdict != "silent" and (row.estimate is None or not row.quotes):
        raise DataError(
            f"{where}: {row.verdict!r} needs a number and a passage; where one is missing the "
            "verdict is 'silent'"
        )


def _check_quote(row: JointRow, quote: Quote, circle: Circle) -> None:
    where = f"row {row.name!r}, quote from {quote.document!r}"
    if quote.quote_to not in CIRCLES:
        raise DataError(f"{where}: quote_to is {quote.quote_to!r}; allowed are {listed(CIRCLES)}")
    if CIRCLES.index(quote.quote_to) < CIRCLES.index(circle):
        raise PrivacyError(
            f"{where}: its teller agreed to {quote.quote_to!r}, not to {circle!r}; leave it out or "
            "ask them"
        )
    if circle != "inside" and not quote.reviewer:
        raise PrivacyError(
            f"{where}: nobody read it for what could identify someone; name the reviewer"
        )


def propose_cases(
    fit: MixedFit,
    *,
    group: str = "triad",
    told: Sequence[str],
    each: int = 2,
    audience: Literal["internal", "released"] = "released",
) -> pd.DataFrame:
    """Propose whose story to read beside a number: far above, far below and close to the model.

    A proposal, not a choice: the council picks, among those who agreed.

    Parameters
    ----------
    fit : MixedFit
        A model whose data hold `group`.
    group : str
        Column of the model's grouping, such as the triad.
    told : sequence of str
        Groups that told a story and agreed that it is read.
    each : int
        How many of each kind.
    audience : {"internal", "released"}
        These rows are about persons, so only the internal view has them.

    Returns
    -------
    DataFrame
        Columns `group kind residual`: how far the group lies, on average, from
        the fixed part of the model, in units of the outcome; kind is above,
        below or typical.

    Raises
    ------
    PrivacyError
        The audience is not internal.
    StudyError
        The model has no such grouping, or none of these groups is in it.
    """
    if audience != "internal":
        raise PrivacyError("proposed cases are about persons; ask for audience='internal'")
    rows = fit.augment()
    if group not in rows:
        raise StudyError(f"the model's rows have no {group!r}; they have {listed(rows.columns)}")
    # Apart from what the model expects without knowing the group: the group's own part counts.
    apart = rows[fit.design.outcome] - rows["fixed"]
    here = rows[group].astype(str).isin(list(told))
    order = apart[here].groupby(rows.loc[here, group].astype(str)).mean()
    order = order.sort_values(kind="stable")
    if order.empty:
        raise StudyError(f"none of the {len(told)} groups that told is in the model's rows")
    close = order.abs().sort_values(kind="stable").index[:each]
    picked = [
        ("below", order.index[:each]),
        ("above", order.index[::-1][:each]),
        ("typical", close),
    ]
    return pd.DataFrame(
        [
            {"group": str(name), "kind": kind, "residual": float(order[name])}
            for kind, names in picked
            for name in names
        ]
    )
