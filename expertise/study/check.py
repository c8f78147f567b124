"""Everything that is wrong with a study, at once, and what a release will suppress."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

import pandas as pd

from expertise.errors import ExpertiseError, listed, nearest
from expertise.files.grid import Problem
from expertise.mixed.design import build_design
from expertise.mixed.formula import parse_formula
from expertise.mixed.nodes import columns_of
from expertise.result import notes_html, table_html
from expertise.study.flow import count_presence
from expertise.study.load import Loaded, askable, model_data
from expertise.study.opening import FILE, examine, unwritten
from expertise.study.results import stale_results
from expertise.study.rules import find_term
from expertise.study.schema import StudyFile
from expertise.words import Note, note, say


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StudyCheck:
    """What `check_study` found.

    Attributes
    ----------
    name : str
        The study.
    problems : tuple of Problem
        Each with file, row and column where it has them, and a sentence.
    presence : DataFrame
        Who was measured when (empty while there are problems in study.toml).
    suppressed : DataFrame
        Cells of the report's tables where fewer people than the minimum are
        expected at the planned n.
    notes : tuple of Note
        What deserves a look and is no problem.
    """

    name: str
    problems: tuple[Problem, ...]
    presence: pd.DataFrame
    suppressed: pd.DataFrame
    notes: tuple[Note, ...]

    def table(self) -> pd.DataFrame:
        """Return the problems as a table: file, row, column, message."""
        return pd.DataFrame(
            [
                {"file": p.file, "row": p.row, "column": p.column, "message": p.message}
                for p in self.problems
            ],
            columns=["file", "row", "column", "message"],
        ).astype({"row": "Int64"})

    def heading(self) -> str:
        """Say in one line whether the study is in order."""
        if self.problems:
            return say("study.checked_bad", study=self.name, n=len(self.problems))
        return say("study.checked_ok", study=self.name)

    def __repr__(self) -> str:
        lines = [self.heading(), *(f"- {problem.message}" for problem in self.problems)]
        if len(self.presence):
            lines += ["", say("study.flow") + ":", self.presence.to_string(index=False)]
        lines += [f"- {note}" for note in self.notes]
        if len(self.suppressed):
            lines.append(self.suppressed.to_string(index=False))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(problem.message)}</li>" for problem in self.problems)
        html = f"<p><strong>{escape(self.heading())}</strong></p>"
        html += f"<ul>{items}</ul>" if items else ""
        html += table_html(self.presence) if len(self.presence) else ""
        html += notes_html(self.notes)
        return html + (table_html(self.suppressed) if len(self.suppressed) else "")


def check_study(folder: str | Path) -> StudyCheck:
    """List every problem of a study at once; nothing is computed or written.

    Parameters
    ----------
    folder : path
        The study folder.

    Returns
    -------
    StudyCheck

    Raises
    ------
    StudyError
        There is no study at that place.

    Examples
    --------
    >>> check_study("studies/vuurwerkramp").problems
    ()
    """
    path, settings, loaded, problems = examine(folder)
    notes: list[Note] = list(loaded.notes) if loaded else []
    if keys := unwritten(path):
        notes.append(note("study.unwritten", keys=listed(keys)))
    notes += [
        note("study.stale", result=name, files=listed(rows["file"]))
        for name, rows in stale_results(path).groupby("result", sort=False)
    ]
    presence, suppressed = pd.DataFrame(), pd.DataFrame()
    if settings and loaded and not problems:
        problems = list(_unfit(settings, loaded))
    if settings and loaded and not problems:
        presence = count_presence(settings, loaded.people, loaded.outcomes)
        suppressed = predict_suppressed(settings, loaded)
        notes.append(_prediction(settings, suppressed))
    return StudyCheck(
        name=path.name,
        problems=tuple(problems),
        presence=presence,
        suppressed=suppressed,
        notes=tuple(notes),
    )


def _unfit(study: StudyFile, loaded: Loaded) -> Iterator[Problem]:
    """Name models that these data cannot carry, and a term that a model does not have."""
    for name, model in study.models.items():
        where = f"{FILE}: models.{name}"
        try:
            data = model_data(loaded.people, loaded.outcomes, model.outcome)
            names = build_design(model.formula, data, family=model.family).names
        except ExpertiseError as fault:
            yield Problem(file=FILE, message=f"{where}: {fault}")
            continue
        if model.term and find_term(model.term, names) is None:
            yield Problem(
                file=FILE,
                message=f"{where}.term: {model.term!r} is not in the model"
                f"{nearest(model.term, names)}; it has {listed(names, most=20)}",
            )


def _prediction(study: StudyFile, suppressed: pd.DataFrame) -> Note:
    if study.planned is None:
        return note("study.prediction_unknown")
    if suppressed.empty:
        return note("study.prediction_none")
    return note("study.prediction_some", minimum=study.disclosure.minimum)


def predict_suppressed(study: StudyFile, loaded: Loaded) -> pd.DataFrame:
    """Predict which cells of the report will hold too few people at the planned n.

    The report counts people per perspective and wave, and for each category
    of the primary model also per level. A cell is expected to hold the planned
    number, times the share who can be asked, times the share of its level,
    times the retention at its wave (falling evenly from 1 at the first wave).
    Shares come from the people table where it has rows; else everyone can be
    asked and levels are equally large.

    Returns
    -------
    DataFrame
        Columns `table perspective wave level expected`, only the cells below
        the minimum.
    """
    plan = study.planned
    if plan is None:
        return pd.DataFrame(columns=["table", "perspective", "wave", "level", "expected"])
    steps = max(len(study.waves) - 1, 1)
    asked = {name: _askable_share(study, loaded.people, name) for name in study.perspectives}
    rows = []
    for table, level, share in _splits(study, loaded.people):
        for perspective in study.perspectives:
            for place, wave in enumerate(study.waves):
                kept = 1 - (1 - plan.retention) * place / steps
                expected = plan.participants * asked[perspective] * share * kept
                if round(expected) < study.disclosure.minimum:
                    rows.append(
                        {
                            "table": table, "perspective": perspective, "wave": wave.id,
                            "level": level, "expected": round(expected),
                        }
                    )  # fmt: skip
    return pd.DataFrame(rows, columns=["table", "perspective", "wave", "level", "expected"])


def _askable_share(study: StudyFile, people: pd.DataFrame, perspective: str) -> float:
    if people.empty or "perspective" in people:
        return 1.0
    return len(askable(study, people, perspective)) / len(people)


def _splits(study: StudyFile, people: pd.DataFrame) -> list[tuple[str, str, float]]:
    splits = [("everyone", "", 1.0)]
    for model in study.models.values():
        # Groups of random terms are no tables of a report: their members are never shown.
        terms = parse_formula(model.formula).terms if model.primary else ()
        named = (name for term in terms for node in term for name in columns_of(node))
        for name in dict.fromkeys(named):
            covariate = study.people.covariates.get(name)
            if covariate and covariate.kind == "category":
                shares = people[name].value_counts(normalize=True, sort=False)
                levels = covariate.levels or tuple(map(str, shares.index))
                splits += [
                    (f"by {name}", level, float(shares.get(level, 0)) or 1 / len(levels))
                    for level in levels
                ]
    return splits
