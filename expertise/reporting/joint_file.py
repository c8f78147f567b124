"""Reads joint.toml: which number stands beside which passage, and what people made of both."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from expertise.errors import StudyError, listed
from expertise.files.settings import load_toml, read_settings
from expertise.mixed.fit import MixedFit
from expertise.narratives.corpus import Corpus
from expertise.reporting.joint import (
    Circle,
    JointDisplay,
    JointRow,
    Quote,
    joint_display,
    number_of,
    quote_passage,
)
from expertise.reporting.sentences import combined
from expertise.study import Study
from expertise.study.load import persons

frozen = dataclass(frozen=True, slots=True, kw_only=True)


@frozen
class Passage:
    """Where a quote stands in a text, in Unicode code points, and who read it beforehand."""

    document: str
    start: int
    end: int
    reviewer: str = ""


@frozen
class Row:
    """A theme: coefficients of a model that are added up, passages, and the verdict."""

    name: str
    terms: tuple[str, ...] = ()
    model: str = "primary"
    said: str = ""
    quotes: tuple[Passage, ...] = ()
    verdict: str = ""
    by: str = ""
    why: str = ""


@frozen
class JointFile:
    """The whole of joint.toml."""

    schema: Literal[1]
    rows: tuple[Row, ...]


def read_joint(study: Study, corpus: Corpus, *, circle: Circle = "public") -> JointDisplay:
    """Return the joint display that a study's joint.toml describes.

    The file holds positions, never words: the passage is read from the
    corpus, which is checked against its hash, and the number comes from the
    study's own model.

    Parameters
    ----------
    study : Study
        Its settings name joint.toml.
    corpus : Corpus
        The texts, with what their tellers agreed to.
    circle : {"inside", "council", "public"}
        Who will see it.

    Returns
    -------
    JointDisplay

    Raises
    ------
    StudyError
        A fault of the file, an unknown model, coefficient, text or role.
    DataError
        Positions outside the text, and as for `joint_display`.
    PrivacyError
        A quote whose teller did not agree to this circle, and as for `joint_display`.
    """
    name = study.settings.joint
    found, faults = read_settings(JointFile, load_toml(study.folder / name))
    if found is None:
        raise StudyError(f"{name}: {'; '.join(faults)}")
    fits = {one.model: study.fit(one.model) for one in found.rows if one.terms}
    rows = [_row(one, study, corpus, fits.get(one.model)) for one in found.rows]
    minimum = study.settings.disclosure.minimum
    return joint_display(rows, circle=circle, minimum=minimum, lang=study.lang)


def _row(row: Row, study: Study, corpus: Corpus, fit: MixedFit | None) -> JointRow:
    size: dict[str, Any] = {}
    if row.terms and fit is not None:
        found = combined(fit, row.terms, where=f"{study.settings.joint}: row {row.name!r}")
        used = study.data(row.model).loc[fit.augment().index, "participant"]
        people = used.map(persons(study.people)).nunique()
        size = number_of(found.to_frame().T) | {"n_people": people}
    return JointRow(
        name=row.name, said=row.said, verdict=row.verdict, by=row.by, why=row.why, **size,
        quotes=tuple(_quote(one, study, corpus) for one in row.quotes),
    )  # fmt: skip


def _quote(at: Passage, study: Study, corpus: Corpus) -> Quote:
    """Return a passage on one line, under the word that people use for its teller's role."""
    told = quote_passage(corpus, at.document, at.start, at.end, reviewer=at.reviewer)
    role = study.settings.perspectives.get(told.perspective)
    if role is None:
        known = listed(study.settings.perspectives)
        raise StudyError(f"{at.document} is told by {told.perspective!r}; study.toml has {known}")
    return replace(told, perspective=role.label(study.lang), text=" ".join(told.text.split()))
