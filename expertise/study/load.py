"""Turns the files of a study into two tidy tables: people and outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import listed, nearest
from expertise.files.grid import Problem
from expertise.files.reading import Column
from expertise.files.safe import inside, sha256
from expertise.files.tables import TableFile, scan_table
from expertise.files.tombstones import ask_tombstones
from expertise.study.rules import variable
from expertise.study.schema import People, StudyFile, Table
from expertise.words import Note, note

OUTCOMES = (
    "participant", "perspective", "wave", "months", "instrument", "item", "variable", "value",
)  # fmt: skip
# Words that Dutch questionnaires use for a role, for the suggestion in an error.
SAME_ROLE = {
    "familie": "naaste", "familielid": "naaste", "mantelzorger": "naaste", "partner": "naaste",
    "relative": "naaste", "carer": "naaste", "cliënt": "patient", "client": "patient",
    "patiënt": "patient", "zorgvrager": "patient", "behandelaar": "professional",
    "hulpverlener": "professional", "clinician": "professional", "zorgverlener": "professional",
}  # fmt: skip
AGREES = {"yes": True, "ja": True, "true": True, "1": True,
          "no": False, "nee": False, "false": False, "0": False}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loaded:
    """What was read, and everything that is wrong with it."""

    people: pd.DataFrame
    outcomes: pd.DataFrame
    files: pd.DataFrame
    notes: tuple[Note, ...]
    problems: tuple[Problem, ...]


def load_tables(folder: Path, study: StudyFile) -> Loaded:
    """Read every table that the study file names.

    Parameters
    ----------
    folder : Path
        The study folder.
    study : StudyFile
        Its settings, already checked.

    Returns
    -------
    Loaded
        `people` (a row a participant), `outcomes` (a row an answer; a value
        that was planned and is missing stays as a row without value), `files`
        with their hashes, notes, and problems with file, row and column.
    """
    notes: list[Note] = []
    problems: list[Problem] = []
    people = _people(folder, study, notes, problems)
    parts = [
        part
        for name, table in study.tables.items()
        for part in _table(folder, study, name, table, people, notes, problems)
    ]
    empty = pd.DataFrame(columns=[*OUTCOMES, "file", "row"])
    outcomes = pd.concat(parts, ignore_index=True) if parts else empty
    problems += _twice(outcomes)
    if not problems:
        notes += ask_tombstones(folder, people["participant"])
        people, outcomes = _agreed(people, outcomes, notes)
        outcomes = _asked(_ordered(outcomes, study, people), study, people)
    return Loaded(
        people=people,
        outcomes=outcomes.drop(columns=["file", "row"]),
        files=_files(folder, study, notes, problems),
        notes=tuple({str(one): one for one in notes}.values()),
        problems=tuple({problem.message: problem for problem in problems}.values()),
    )


def _people(
    folder: Path, study: StudyFile, notes: list[Note], problems: list[Problem]
) -> pd.DataFrame:
    people = study.people
    declared = {people.participant: Column(kind="id")}
    for key in ("triad", "team", "institution"):
        if name := getattr(people, key):
            declared[name] = Column(kind="category")
    if people.perspective:
        declared[people.perspective] = Column(kind="category")
    for covariate in people.covariates.values():
        declared[covariate.column] = Column(
            kind=covariate.kind, values=covariate.levels,
            minimum=covariate.minimum, maximum=covariate.maximum,
        )  # fmt: skip
    for name in (*people.person.values(), *people.consent.values()):
        declared[name] = Column(kind="category")
    file = _scan(folder, people, declared, notes, problems)
    if file is None:
        return pd.DataFrame({"participant": pd.Series(dtype=str)})
    out = pd.DataFrame({"participant": file.table[people.participant]})
    if people.perspective:
        problems += _unknown(file, people.perspective, list(study.perspectives), "role")
    for key in ("perspective", "triad", "team", "institution"):
        if name := getattr(people, key):
            out[key] = file.table[name]
    for name, covariate in people.covariates.items():
        out[name] = file.table[covariate.column]
        if covariate.kind == "category":
            levels = covariate.levels or tuple(sorted(out[name].dropna().unique()))
            out[name] = pd.Categorical(out[name], categories=list(levels))
    for name, column in people.consent.items():
        out[f"consent_{name}"] = file.table[column]
    if people.perspective:
        out["perspective"] = pd.Categorical(out["perspective"], categories=list(study.perspectives))
    problems += _seats(out, file, people)
    problems += _consent(file, people)
    problems += _differing(out, file, people.participant)
    return out.drop_duplicates("participant", ignore_index=True)


def _seats(out: pd.DataFrame, file: TableFile, people: People) -> Iterator[Problem]:
    """Add who sits in each seat, and name seats of which that is not known."""
    if people.person:
        out["person"] = out["participant"]
    for role, column in people.person.items():
        here = (out["perspective"] == role).to_numpy()
        out.loc[here, "person"] = file.table.loc[here, column].to_numpy()
        if (blank := here & file.table[column].isna().to_numpy()).any():
            told = f"it is not known which {role} this is; write an id, the same in all their rows"
            yield file.where.problem(column, blank.nonzero()[0].tolist(), told)


def _consent(file: TableFile, people: People) -> Iterator[Problem]:
    """Name answers to "may this be used?" that are neither yes nor no."""
    if column := people.consent.get("use"):
        given = file.table[column]
        strange = given.notna() & ~given.astype(str).str.casefold().isin(AGREES)
        if strange.any():
            where = strange.to_numpy().nonzero()[0].tolist()
            yield file.where.problem(column, where, "write yes or no; left empty it means no")


def _agreed(
    people: pd.DataFrame, outcomes: pd.DataFrame, notes: list[Note]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out everything of those who do not, or no longer, agree to its use."""
    if "consent_use" not in people:
        return people, outcomes
    agrees = people["consent_use"].astype(object).map(lambda one: AGREES.get(str(one).casefold()))
    kept = people[agrees == True].reset_index(drop=True)  # noqa: E712  (None: not given)
    if len(kept) < len(people):
        notes.append(note("study.not_agreed", n=len(people) - len(kept)))
    return kept, outcomes[outcomes["participant"].isin(kept["participant"])]


def persons(people: pd.DataFrame) -> "pd.Series[str]":
    """Return who sits in each seat, by participant; one person may hold several seats."""
    own = people["person"] if "person" in people else people["participant"]
    return pd.Series(own.to_numpy(), index=people["participant"])


def _differing(out: pd.DataFrame, file: TableFile, participant: str) -> Iterator[Problem]:
    """Name what differs between rows of one participant; equal rows are one person."""
    for name in out.columns.drop("participant"):
        values = out[name].astype(object).where(out[name].notna(), "")
        several = values.groupby(out["participant"]).transform("nunique") > 1
        if several.any():
            yield file.where.problem(
                participant,
                several.to_numpy().nonzero()[0].tolist(),
                f"rows of one participant differ in {name!r}; a person has one {name}, so make "
                "them equal or keep one row a participant",
            )


def _scan(
    folder: Path,
    table: People | Table,
    declared: dict[str, Column],
    notes: list[Note],
    problems: list[Problem],
) -> TableFile | None:
    path = inside(folder, table.file)
    if not path.is_file():
        problems.append(
            Problem(
                file=table.file, message=f"{table.file} is not in the study folder; put it there"
            )
        )
        return None
    options: dict[str, Any] = {
        "columns": declared, "sheet": table.sheet or None, "drop": table.drop,
        "allow": table.allow, "decimal": table.decimal or None, "missing": table.missing,
    }  # fmt: skip
    file, found = scan_table(path, **options)
    problems += found
    notes += file.notes if file else ()
    return file if file and set(declared) <= set(file.table) else None


def _table(
    folder: Path,
    study: StudyFile,
    name: str,
    table: Table,
    people: pd.DataFrame,
    notes: list[Note],
    problems: list[Problem],
) -> Iterator[pd.DataFrame]:
    declared = {table.participant: Column(kind="id")}
    waves = tuple(wave.id for wave in study.waves)
    if table.perspective:
        declared[table.perspective] = Column(kind="category")
    if table.wave:
        declared[table.wave] = Column(kind="category")
    for column, cell in table.columns.items():
        what = study.instruments[cell.instrument]
        declared[column] = Column(
            kind="integer" if what.integer else "number",
            minimum=what.minimum, maximum=what.maximum,
        )  # fmt: skip
    file = _scan(folder, table, declared, notes, problems)
    if file is None:
        return
    problems += _strangers(table, file, people)
    values = [name for name in table.columns if name in file.table]
    answered = file.table[values].notna().any(axis=1)
    if table.perspective:
        problems += _unknown(file, table.perspective, list(study.perspectives), "role", answered)
    if table.wave:
        problems += _unknown(file, table.wave, list(waves), "wave", answered)
    roles = dict(zip(people["participant"], people.get("perspective", []), strict=False))
    only = next(iter(study.perspectives)) if len(study.perspectives) == 1 else None
    for column, cell in table.columns.items():
        part = pd.DataFrame({"participant": file.table[table.participant]})
        part["perspective"] = (
            file.table[table.perspective]
            if table.perspective
            else cell.perspective or only or part["participant"].map(roles)
        )
        part["wave"] = file.table[table.wave] if table.wave else cell.wave or waves[0]
        part["instrument"], part["item"] = cell.instrument, cell.item
        part["variable"] = variable(cell.instrument, cell.item)
        part["value"] = pd.to_numeric(file.table[column], errors="coerce").astype(float)
        part["file"], part["row"] = table.file, file.where.rows
        yield part


def _strangers(table: Table, file: TableFile, people: pd.DataFrame) -> Iterator[Problem]:
    known = set(people["participant"])
    if not known:
        return
    strange = ~file.table[table.participant].isin(known)
    if strange.any():
        near = nearest(str(file.table.loc[strange, table.participant].iloc[0]), known)
        yield file.where.problem(
            table.participant,
            strange.to_numpy().nonzero()[0].tolist(),
            f"this participant is not in the people table{near}; add a row there or mend the id",
        )


def _unknown(
    file: TableFile,
    column: str,
    allowed: list[str],
    what: str,
    answered: "pd.Series[bool] | None" = None,
) -> Iterator[Problem]:
    """Name roles or waves that study.toml does not have, and answers that have none."""
    values = file.table[column]
    for value in values.dropna().unique():
        if value not in allowed:
            positions = (values == value).to_numpy().nonzero()[0].tolist()
            meant = SAME_ROLE.get(str(value).casefold(), "")
            guess = f" (did you mean {meant!r}?)" if meant in allowed else nearest(value, allowed)
            told = f"unknown {what} {value!r}{guess}; study.toml has {listed(allowed)}"
            yield file.where.problem(column, positions, told)
    blank = values.isna() & (answered if answered is not None else True)
    if blank.any():
        positions = blank.to_numpy().nonzero()[0].tolist()
        yield file.where.problem(column, positions, f"the {what} is empty; write {listed(allowed)}")


def _ordered(outcomes: pd.DataFrame, study: StudyFile, people: pd.DataFrame) -> pd.DataFrame:
    months = {wave.id: wave.months for wave in study.waves}
    out = outcomes.copy()
    out["months"] = out["wave"].map(months).astype(float)
    out["wave"] = pd.Categorical(out["wave"], categories=list(months), ordered=False)
    out["perspective"] = pd.Categorical(out["perspective"], categories=list(study.perspectives))
    place = pd.Series(range(len(people)), index=people["participant"])
    order = out.assign(place=out["participant"].map(place))
    order = order.sort_values(["place", "perspective", "wave", "variable"], kind="stable")
    return order[[*OUTCOMES, "file", "row"]].reset_index(drop=True)


def _twice(outcomes: pd.DataFrame) -> Iterator[Problem]:
    keys = ["participant", "perspective", "wave", "variable"]
    answered = outcomes[outcomes["value"].notna()]
    twice = answered[answered.duplicated(keys, keep=False)]
    for (file, variable_), group in twice.groupby(["file", "variable"], sort=False):
        rows = tuple(sorted({int(row) for row in group["row"]}))
        yield Problem(
            file=str(file), rows=rows, column=str(variable_),
            message=(
                f"{file}, row {listed(rows)}: {variable_!r} is given twice for the same "
                "participant, perspective and wave; keep one"
            ),
        )  # fmt: skip


def _asked(outcomes: pd.DataFrame, study: StudyFile, people: pd.DataFrame) -> pd.DataFrame:
    """Leave out planned rows of people who could not be asked; answers always stay."""
    keep = outcomes["value"].notna()
    for name in study.perspectives:
        here = outcomes["perspective"] == name
        keep |= here & outcomes["participant"].isin(askable(study, people, name))
    return outcomes[keep].reset_index(drop=True)


def askable(study: StudyFile, people: pd.DataFrame, perspective: str) -> "pd.Series[str]":
    """Return the participants who could be asked from a perspective."""
    rule = study.perspectives[perspective].asked
    out = people
    if "perspective" in people:
        out = out[out["perspective"] == perspective]
    if rule:
        value = out[rule.covariate]
        low = value >= rule.minimum if rule.minimum is not None else value.notna()
        high = value <= rule.maximum if rule.maximum is not None else value.notna()
        out = out[low & high]
    return out["participant"]


def _files(
    folder: Path, study: StudyFile, notes: list[Note], problems: list[Problem]
) -> pd.DataFrame:
    declared = {study.people.file: study.people.sha256}
    declared |= {table.file: table.sha256 for table in study.tables.values()}
    rows = []
    for name, expected in declared.items():
        path = inside(folder, name)
        if not path.is_file():
            continue
        found = sha256(path)
        rows.append({"file": name, "sha256": found})
        if not expected:
            notes.append(note("study.no_sha", file=name, sha256=found))
        elif expected != found:
            problems.append(
                Problem(
                    file=name,
                    message=(
                        f"{name} changed since study.toml was written; check the change and write "
                        f'sha256 = "{found}"'
                    ),
                )
            )
    return pd.DataFrame(rows, columns=["file", "sha256"])


def model_data(people: pd.DataFrame, outcomes: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """Return a row a participant, perspective and wave with every variable and covariate.

    Perspectives that were never asked the outcome are not among the rows.
    """
    keys = ["participant", "perspective", "wave", "months"]
    wide = outcomes.pivot(index=keys, columns="variable", values="value")
    wide = wide.dropna(how="all").reset_index().rename_axis(columns=None)
    asked = outcomes.loc[outcomes["variable"] == outcome, "perspective"].unique()
    wide = wide[wide["perspective"].isin(asked)]
    wide["perspective"] = wide["perspective"].cat.remove_unused_categories()
    people = people.drop(columns=["perspective"], errors="ignore")
    # People on the left, so that rows keep the order of the people table.
    out = people.merge(wide, on="participant", how="inner", validate="one_to_many")
    return out[[*wide.columns, *people.columns.drop("participant")]]
