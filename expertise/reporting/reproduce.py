"""Runs a bundle and says, result by result, whether the same came out."""

import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from expertise.errors import FileError, StudyError, listed
from expertise.files.archive import Archive
from expertise.files.safe import inside
from expertise.reporting.bundle import (
    ABOUT,
    CRATE,
    MANIFEST,
    SCHEMA,
    as_table,
    digest,
    swap_hashes,
)
from expertise.reporting.expected import (
    EXPECTED,
    compare_results,
    expected_results,
    read_expected,
)
from expertise.reporting.page import execute, versions
from expertise.study import open_study
from expertise.study.results import input_hashes, stale_results

STOPPED = ", which stopped"
STATES = ("same", "within tolerance", "differs", "not checkable here")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reproduction:
    """What came out of a bundle.

    Attributes
    ----------
    results : DataFrame
        Columns `result expected found state`; state is same, within
        tolerance, differs or not checkable here (the data stay in house).
    altered : tuple of str
        Files that are not as they were bundled.
    other_versions : DataFrame
        Columns `package bundled here`, where they differ.
    twin : bool
        Whether the data are a synthetic twin: then what is the same has the
        same shape only.
    """

    results: pd.DataFrame
    altered: tuple[str, ...]
    other_versions: pd.DataFrame
    twin: bool

    @property
    def ok(self) -> bool:
        """Whether no file was altered and no result differs."""
        return not self.altered and not (self.results["state"] == "differs").any()

    def __repr__(self) -> str:
        counts = self.results["state"].value_counts()
        lines = [", ".join(f"{counts.get(state, 0)} {state}" for state in STATES)]
        lines += [f"altered file: {name}" for name in self.altered]
        differs = self.results[self.results["state"] == "differs"]
        lines += [
            f"differs: {row.result}"
            + f" (expected {row.expected:.10g}, found {row.found:.10g})"
            * (row.expected == row.expected)
            for row in differs.itertuples()
        ]
        missed = self.results[self.results["state"] == STATES[3]]["result"]
        lines += [f"{STATES[3]}: {name}" for name in missed if name.endswith(STOPPED)]
        lines += ["synthetic twin: the same means the same shape only"] * self.twin
        if len(self.other_versions):
            lines.append(f"other versions here: {listed(self.other_versions['package'])}")
        return "\n".join(lines)


def reproduce_bundle(
    path: str | Path, *, notebooks: bool = True, tell: Callable[[str], None] | None = None
) -> Reproduction:
    """Run a bundle in a place of its own and compare every result.

    Before anything runs, `tell` is given a sentence that names the notebooks
    that will run: they are the only code of the bundle that is run. Formulas
    are interpreted, never run.

    Parameters
    ----------
    path : path
        What `bundle_study` wrote.
    notebooks : bool
        Whether to run the notebooks that the bundle lists.
    tell : callable, optional
        Receives the sentence; nothing is said without it.

    Returns
    -------
    Reproduction
        An altered data file is named, and the study is run with it all the
        same, so that the results it changes are named too.

    Raises
    ------
    FileError
        The file is no bundle, is past the limits of an archive, or holds
        something beside its notebooks that it does not list.
    StudyError
        The bundle has another schema, or its study does not open.
    """
    with tempfile.TemporaryDirectory() as aside:
        place = Path(aside)
        about, expected, manifest = _unpack(Path(path), place)
        altered = _altered(place, manifest)
        # Code that is not as it was bundled is never run.
        changed = ABOUT in altered
        listed_ones = about["notebooks"] if notebooks else []
        chosen = [name for name in listed_ones if not (changed or f"notebooks/{name}" in altered)]
        if tell:
            tell(
                f"This bundle runs {len(chosen)} notebook(s): {listed(chosen) or 'none'}. "
                "Nothing else in it is run."
            )
        study = inside(place, f"studies/{about['study']}")
        _follow(study, altered, manifest, place)
        found = expected_results(open_study(study))
        twin = about["data"] == "twin"
        parts = [compare_results(as_table(expected["twin" if twin else "real"]), found)]
        if twin:
            real = as_table(expected["real"]).rename(columns={"value": "expected"})
            stays = real.drop(columns="tolerance").assign(state=STATES[3], found=float("nan"))
            parts.append(stays.assign(result="data in house, " + stays["result"]))
        parts.append(_notebooks(place, chosen, twin, about.get("narratives") == "stay"))
        here = versions()
        other = [(k, v, here.get(k, "")) for k, v in about["versions"].items() if here.get(k) != v]
        return Reproduction(
            results=pd.concat([one for one in parts if len(one)], ignore_index=True),
            altered=altered, twin=twin,
            other_versions=pd.DataFrame(other, columns=["package", "bundled", "here"]),
        )  # fmt: skip


def reproduce_study(folder: str | Path) -> Reproduction:
    """Compute a study of this repository again and compare with ``results/expected.csv``.

    Parameters
    ----------
    folder : path
        The study folder, for example in a clean clone. Nothing in it is changed.

    Returns
    -------
    Reproduction
        A data file that changed since is named, and used all the same, so that
        the results it changes are named too. No notebook is run.

    Raises
    ------
    StudyError
        The study has no expected results, or does not open.
    """
    root = Path(folder).resolve()
    expected = read_expected(root)
    stale = stale_results(root)
    altered = tuple(stale.loc[stale["result"] == EXPECTED, "file"])
    with tempfile.TemporaryDirectory() as aside:
        copy = Path(shutil.copytree(root, Path(aside) / root.name,
                                    ignore=shutil.ignore_patterns("private")))  # fmt: skip
        _follow(copy, altered, input_hashes(root, EXPECTED), copy)
        results = compare_results(expected, expected_results(open_study(copy)))
    none = pd.DataFrame(columns=["package", "bundled", "here"])
    return Reproduction(results=results, altered=altered, twin=False, other_versions=none)


def _unpack(path: Path, place: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]]:
    """Write the members into `place` and return what the bundle says of itself."""
    archive = Archive(path)
    for name in archive.names:
        target = inside(place, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(archive.read(name))
    try:
        about, expected, manifest = (
            json.loads((place / name).read_text("utf-8"))
            for name in (ABOUT, "expected.json", MANIFEST)
        )
        schema = about["schema"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FileError(
            f"{path.name} is no bundle of a study; make one with: expertise bundle STUDY"
        ) from None
    if schema != SCHEMA:
        raise StudyError(
            f"{path.name} has schema {schema!r} and this version of expertise reads {SCHEMA}; "
            "install the version it was made with"
        )
    # Python imports what lies beside a notebook: a module there would be run unlisted.
    listed_ones = {f"notebooks/{name}" for name in about["notebooks"]}
    beside = [name for name in archive.names if name.startswith("notebooks/")]
    if strange := sorted(set(beside) - listed_ones):
        raise FileError(
            f"{path.name} holds {listed(strange)}, which it does not list as a notebook to run; "
            "nothing was run: ask for a bundle without it"
        )
    return about, expected, manifest


def _altered(place: Path, manifest: dict[str, str]) -> tuple[str, ...]:
    found = {
        file.relative_to(place).as_posix(): digest(file.read_bytes())
        for file in place.rglob("*")
        if file.is_file() and file.name not in (MANIFEST, CRATE)
    }
    names = sorted(found.keys() | manifest.keys())
    return tuple(name for name in names if found.get(name) != manifest.get(name))


def _follow(study: Path, altered: tuple[str, ...], manifest: dict[str, str], place: Path) -> None:
    """Let study.toml accept an altered data file: it was named already."""
    hashes = {
        manifest[name]: digest((place / name).read_bytes())
        for name in altered
        if name in manifest and (place / name).is_file()
    }
    if hashes and (study / "study.toml").is_file():
        swap_hashes(study / "study.toml", hashes)


def _notebooks(place: Path, chosen: list[str], twin: bool, told: bool) -> pd.DataFrame:
    """Run notebooks and compare their words with the stored ones, cell by cell.

    With a twin the stored ones are those of the real data; and where narratives
    stay in house (`told`) a notebook may miss them.
    """
    rows = []
    for name in chosen:
        source = inside(place, f"notebooks/{name}")
        before = _said(nbformat.read(source, as_version=4))
        where, state = "", "same"
        try:
            after = _said(execute(source))
        except StudyError:
            where, state = STOPPED, STATES[3] if told else "differs"
        else:
            pairs = enumerate(zip(before, after, strict=True), 1)
            if cells := [number for number, (old, new) in pairs if old != new]:
                where = f", cell {listed(map(str, cells))}"
                state = STATES[3] if told or twin else "differs"
        rows.append((f"notebook {name}{where}", float("nan"), float("nan"), state))
    return pd.DataFrame(rows, columns=["result", "expected", "found", "state"])


def _said(notebook: Any) -> list[str]:
    """Return the plain text of the outputs of each cell."""
    return [
        "\n".join(
            str(output.get("text") or output.get("data", {}).get("text/plain", ""))
            for output in cell.get("outputs", [])
        )
        for cell in notebook.cells
    ]
