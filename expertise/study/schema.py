"""What a study.toml may hold (schema 1): one frozen dataclass a table of the file."""

from dataclasses import dataclass, field
from typing import Literal

SCHEMA = 1
frozen = dataclass(frozen=True, slots=True, kw_only=True)


@frozen
class Text:
    """A sentence in both languages."""

    nl: str
    en: str

    def text(self, lang: str) -> str:
        """Return the sentence in one language."""
        return self.nl if lang == "nl" else self.en


@frozen
class Label:
    """A word and its plural."""

    label: str
    plural: str


@frozen
class Asked:
    """Who could be asked: a covariate within bounds (children from seven years, for example)."""

    covariate: str
    minimum: float | None = None
    maximum: float | None = None


@frozen
class Perspective:
    """A role from which people tell and answer; `slot` 1 to 3 gives it its colour and marker."""

    nl: Label
    en: Label
    slot: int = 0
    asked: Asked | None = None

    def label(self, lang: str) -> str:
        """Return the word for one person with this role."""
        return (self.nl if lang == "nl" else self.en).label

    def plural(self, lang: str) -> str:
        """Return the word for several people with this role."""
        return (self.nl if lang == "nl" else self.en).plural


@frozen
class Wave:
    """A moment of measurement, in months since the start."""

    id: str
    months: float
    nl: str
    en: str

    def label(self, lang: str) -> str:
        """Return the name people read."""
        return self.nl if lang == "nl" else self.en


@frozen
class Covariate:
    """A property of a participant that models may use; the first level is the reference."""

    column: str
    kind: Literal["category", "number"] = "category"
    levels: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    labels: dict[str, Text] = field(default_factory=dict)

    def label(self, level: str, lang: str) -> str:
        """Return a level in words."""
        return self.labels[level].text(lang) if level in self.labels else level


@frozen
class People:
    """The table that owns role, triad, team, institution and consent.

    `person` names, by perspective, the column that says who sits in a seat: a
    professional who serves several patients has a row for each and is one person.
    """

    file: str
    participant: str
    sha256: str = ""
    sheet: str = ""
    perspective: str = ""
    triad: str = ""
    team: str = ""
    institution: str = ""
    person: dict[str, str] = field(default_factory=dict)
    consent: dict[str, str] = field(default_factory=dict)
    covariates: dict[str, Covariate] = field(default_factory=dict)
    decimal: Literal["", ",", "."] = ""
    missing: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@frozen
class Instrument:
    """What a column measures: its range, its direction, its name in words."""

    nl: str
    en: str
    better: Literal["higher", "lower", "neither"]
    minimum: float | None = None
    maximum: float | None = None
    integer: bool = False
    reliability: float | None = None
    reliability_source: str = ""
    mic: float | None = None

    def label(self, lang: str) -> str:
        """Return the name people read."""
        return self.nl if lang == "nl" else self.en


@frozen
class Column:
    """One column of values: whose view, when, of which instrument and item.

    In a long table, perspective and wave come from columns of their own.
    """

    instrument: str
    item: str = "total"
    perspective: str = ""
    wave: str = ""


@frozen
class Table:
    """A file with measurements, a row a participant (wide) or a row a moment (long)."""

    file: str
    participant: str
    columns: dict[str, Column]
    layout: Literal["wide", "long"] = "wide"
    sha256: str = ""
    sheet: str = ""
    perspective: str = ""
    wave: str = ""
    decimal: Literal["", ",", "."] = ""
    missing: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()


@frozen
class Beside:
    """Another question to the same model: `terms` are the coefficients that are added up."""

    terms: tuple[str, ...]
    effect: Text


@frozen
class Model:
    """A model that was named beforehand, with what it estimates in words."""

    formula: str
    estimand: Text
    outcome: str
    primary: bool = False
    family: Literal["gaussian", "binomial", "poisson", "negative-binomial", "cumulative"] = (
        "gaussian"
    )
    link: str | None = None
    reml: bool | None = None
    df: Literal["satterthwaite", "kenward-roger", "normal", "auto"] = "auto"
    residual: str | None = None
    dispersion: str | None = None
    worthwhile: float | None = None
    named: Text | None = None
    term: str = ""
    effect: Text | None = None
    beside: dict[str, Beside] = field(default_factory=dict)


@frozen
class Change:
    """Individual change, declared beforehand: the rule, and between which waves."""

    outcome: str
    first: str
    last: str
    rule: Literal["JT", "EN", "GLN", "HLL", "NK", "HA", "HLM"] = "JT"
    sensitivity: tuple[str, ...] = ("EN", "GLN", "HLL")


@frozen
class Dropout:
    """How the answer changes when missing scores of the first arm differ from what is filled in."""

    outcome: str
    arm: str
    arms: tuple[str, ...]
    wave: str
    deltas: tuple[float, ...]
    baseline: str = ""
    perspective: str = ""


@frozen
class Triads:
    """Perspectives side by side: whose answers to what, at which wave, with which items.

    An item is a list of variables; where someone answered several, their mean
    counts. `stable`: no change is expected between waves. `consent` is a key
    of people.consent; `refused` counts refusals, which have no rows.
    """

    outcome: str
    roles: tuple[str, ...] = ()
    wave: str = ""
    items: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ordinal: bool = False
    stable: bool = False
    criterion: str = ""
    consent: str = ""
    refused: dict[str, int] = field(default_factory=dict)


@frozen
class Contact:
    """Whom a co-coder can call."""

    name: str
    phone: str
    hours: str


@frozen
class Planned:
    """How many people each perspective is planned to have, and what share stays to the end."""

    participants: int
    retention: float = 1.0


@frozen
class Disclosure:
    """The smallest number of people that a released table may show."""

    minimum: int = 10


@frozen
class Ethics:
    """Who judged the study, how people agreed and may stop, what it may cost them and who helps."""

    judged: str
    consent: str
    stopping: str = ""
    burden: str = ""


@frozen
class Together:
    """What patients, naasten and professionals did in the research itself (GRIPP2)."""

    aim: str
    how: str
    changed: str = ""
    learned: str = ""


@frozen
class Mixing:
    """Why and how numbers and stories are put together (GRAMMS)."""

    why: str
    design: str
    joined: str = ""
    limits: str = ""
    insight: str = ""


@frozen
class Coder:
    """Who codes: from which perspective, and in their own words where they stand."""

    perspective: str
    stands: str


@frozen
class StudyFile:
    """The whole file."""

    schema: int
    title: str
    question: str
    asked_by: str
    people: People
    perspectives: dict[str, Perspective]
    waves: tuple[Wave, ...]
    instruments: dict[str, Instrument] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    language: Literal["nl", "en"] = "nl"
    source: str = ""
    content_note: str = ""
    unknown: tuple[str, ...] = ()
    notebook: str = ""
    corpus: str = ""
    codebook: str = ""
    codings: str = ""
    joint: str = ""
    cycles: str = ""
    seed: int = 1
    change: Change | None = None
    dropout: Dropout | None = None
    triads: Triads | None = None
    contact: Contact | None = None
    planned: Planned | None = None
    ethics: Ethics | None = None
    together: Together | None = None
    mixing: Mixing | None = None
    coders: dict[str, Coder] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    disclosure: Disclosure = field(default_factory=Disclosure)
