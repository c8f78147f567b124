"""Drafts a study folder from a few answers and a data file's own labels."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from expertise.errors import StudyError
from expertise.files.safe import sha256, write_atomically
from expertise.files.tables import TableFile, read_table
from expertise.files.write import write_table
from expertise.study.drafted import Draft, draft_toml, guess_columns
from expertise.words import say

ROLES = {
    "patient": ("patiënt", "patiënten", "patient", "patients"),
    "naaste": ("naaste", "naasten", "relative or friend", "relatives and friends"),
    "professional": ("professional", "professionals", "professional", "professionals"),
    "kind": ("kind", "kinderen", "child", "children"),
    "ouder": ("ouder", "ouders", "parent", "parents"),
}

GITIGNORE = """# Data about people stay out of a repository; take a line out for public data only.
data/
private/
"""
OPENING = """\
from expertise import open_study, study_report

study = open_study("../studies/{name}")
report = study_report(study)
report.question"""
SECTIONS = (
    "answer",
    "picture",
    "asked",
    "flow",
    "presence",
    "estimand",
    "levels",
    "model",
    "persons",
    "unknown",
    "provenance",
)


def new_study(
    folder: str | Path,
    *,
    data: str | Path | None = None,
    title: str = "Mijn studie",
    perspectives: Sequence[str] = ("patient", "naaste", "professional"),
    waves: Sequence[str] | Mapping[str, float] = ("T0=0", "T1=6"),
    language: str = "nl",
    drop: Sequence[str] = (),
) -> Path:
    """Draft a study folder with a commented study.toml.

    Parameters
    ----------
    folder : path
        The folder to make; it may not hold a study yet.
    data : path, optional
        A CSV, XLSX or SPSS file; it is copied into ``data/`` (without the
        columns to drop, then as CSV) and its labels, columns and waves are read
        into the draft. The original is not changed.
    title : str
        What the study is called.
    perspectives : sequence of str
        Ids of the roles.
    waves : sequence of str or mapping
        ``"T0=0"`` for wave T0 at month 0, in the order of time.
    language : {"nl", "en"}
        Language of the report.
    drop : sequence of str
        Columns of the data file to leave out, such as direct identifiers.

    Returns
    -------
    Path
        The folder, with study.toml, README.md and data/; a notebook is
        written to ``notebooks/`` beside ``studies/``.

    Raises
    ------
    StudyError
        There is a study or such a data file already, the folder does not lie
        in ``studies/``, or a wave has no month.
    FileError, DataError, PrivacyError
        The data file cannot be read. Nothing is written then.

    Notes
    -----
    A draft is a proposal: what the file cannot tell (directions, ranges, which
    model is primary) is left for a person and marked with ``# …?``.
    """
    target = Path(folder)
    _refuse_place(target)
    draft = Draft(
        title=title, language=language,
        perspectives={name: ROLES.get(name, (name, name, name, name)) for name in perspectives},
        waves=_months(waves),
    )  # fmt: skip
    source = Path(data) if data else None
    table: TableFile | None = read_table(source, drop=drop) if source else None
    columns = guess_columns(table, draft) if table else None
    name = "…" if source is None else f"{source.stem}.csv" if drop else source.name
    if (target / "data" / name).exists():
        raise StudyError(
            f"{target.name}/data/{name} is there already; move it or name another file"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made aside and moved into place at once, so that a fault leaves no half study.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as aside:
        made = Path(aside) / target.name
        (made / "data").mkdir(parents=True)
        # What was dropped is not copied either: an identifier that is not there cannot leak.
        if table and drop:
            write_table(table.table, made / "data" / name)
        elif source:
            shutil.copyfile(source, made / "data" / name)
        digest = sha256(made / "data" / name) if source else ""
        text = draft_toml(draft, columns, file=f"data/{name}", digest=digest, name=target.name)
        write_atomically(made / "study.toml", text)
        write_atomically(made / ".gitignore", GITIGNORE)
        write_atomically(made / "README.md", say("study.readme", language, title=title))
        _place(made, target)
    if not notebook_beside(target).exists():
        add_notebook(target, language=language, title=title)
    return target


def _refuse_place(target: Path) -> None:
    if (target / "study.toml").exists():
        raise StudyError(f"{target.name}/ holds a study already; choose another folder")
    if target.resolve().parent.name != "studies":
        raise StudyError(
            f"a study lies in a folder studies/, beside notebooks/; write studies/{target.name}"
        )


def _place(made: Path, target: Path) -> None:
    """Move the new files into place, beside whatever the folder held."""
    if not target.exists():
        made.rename(target)
        return
    for path in made.iterdir():
        if not (target / path.name).exists():
            path.rename(target / path.name)
        elif path.is_dir():
            for inner in path.iterdir():
                if not (path_there := target / path.name / inner.name).exists():
                    inner.rename(path_there)


def _months(waves: Sequence[str] | Mapping[str, float]) -> dict[str, float]:
    if isinstance(waves, Mapping):
        return dict(waves)
    months: dict[str, float] = {}
    for place, wave in enumerate(waves):
        name, _, month = wave.partition("=")
        try:
            months[name.strip()] = float(month) if month else float(place)
        except ValueError:
            raise StudyError(
                f"wave {wave!r} has no month; write for example T0=0 or T1=6"
            ) from None
    return months


def notebook_beside(folder: Path) -> Path:
    """Return where the notebook of a study lies: in notebooks/, beside studies/."""
    return folder.resolve().parent.parent / "notebooks" / f"{folder.name}.ipynb"


def add_notebook(folder: str | Path, *, language: str = "nl", title: str = "") -> Path:
    """Write the notebook of a study: the sections that every report has.

    Raises
    ------
    StudyError
        There is a notebook already; it is left as it is.
    """
    path = notebook_beside(Path(folder))
    if path.exists():
        raise StudyError(f"notebooks/{path.name} is there already; it is left as it is")
    cells = [("markdown", f"# {title or Path(folder).name}")]
    cells.append(("code", OPENING.format(name=Path(folder).name)))
    for section in SECTIONS:
        if heading := say(f"study.section_{section}", language):
            cells.append(("markdown", f"## {heading}"))
        cells.append(("code", f"report.{section}"))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, _notebook(cells))
    return path


def _notebook(cells: Sequence[tuple[str, str]]) -> str:
    """Return a notebook without outputs as JSON."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made: list[dict[str, Any]] = [
        {"id": f"cell-{place:02d}", "cell_type": kind, "metadata": {}, "source": source}
        | ({"execution_count": None, "outputs": []} if kind == "code" else {})
        for place, (kind, source) in enumerate(cells)
    ]
    notebook = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": made,
    }
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
