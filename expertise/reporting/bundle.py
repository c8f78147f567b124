"""Writes a study as one RO-Crate that someone else can run and compare."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Literal

import pandas as pd
from rocrate.rocrate import ROCrate

from expertise.errors import StudyError
from expertise.files.safe import sha256, write_atomically
from expertise.narratives.corpus import read_listing
from expertise.privacy import refuse_withdrawn, suppress_small
from expertise.reporting.expected import expected_results
from expertise.reporting.page import versions
from expertise.reporting.twin import write_twin
from expertise.study import Study, open_study
from expertise.words import say

SCHEMA, ABOUT, MANIFEST = 1, "bundle.json", "manifest.json"
CRATE = "ro-crate-metadata.json"


def bundle_study(
    folder: str | Path,
    *,
    data: Literal["travel", "twin"],
    out: str | Path | None = None,
    key: bytes | None = None,
) -> Path:
    """Write a study, what is needed to run it and what should come out, to a ZIP.

    Parameters
    ----------
    folder : path
        The study folder.
    data : {"travel", "twin"}
        Whether the data go along, or a synthetic twin of the same shape while
        they stay. There is no default: someone must decide.
    out : path, optional
        The file; ``build/<study>/<study>.crate.zip`` by default.
    key : bytes, optional
        Needed where people withdrew: their ids may not be in the data.

    Returns
    -------
    Path
        The bundle. It holds study.toml, codebook and cycles where there are,
        data or twin, notebook, lock, a README on how to run it, versions, seed,
        expected results with tolerances, a disclosure report and a manifest of
        hashes. Narratives and their codings go along only with the data, and
        only when the corpus says that they are invented.

    Raises
    ------
    StudyError
        `data` is not decided, or the study does not open.
    PrivacyError
        Someone in the data withdrew, or people withdrew and there is no key.
    """
    if data not in ("travel", "twin"):
        raise StudyError(f"data is {data!r}; say 'travel' or 'twin' (the data stay in house)")
    study = open_study(folder)
    refuse_withdrawn(study.folder, study.people["participant"], key=key)
    root = study.folder.parent.parent
    path = Path(out) if out else root / "build" / study.name / f"{study.name}.crate.zip"
    with tempfile.TemporaryDirectory() as aside:
        place = Path(aside) / "crate"
        copy = place / "studies" / study.name
        _copy(study, root, place)
        real = expected_results(study)
        about = {
            "schema": SCHEMA, "study": study.name, "data": data, "seed": study.settings.seed,
            "notebooks": sorted(one.name for one in (place / "notebooks").glob("*.ipynb")),
            "versions": versions(), "narratives": _narratives(study, root, place, data),
        }  # fmt: skip
        expected = {"real": real.to_dict("records"), "twin": []}
        if data == "twin":
            hashes = write_twin(study, copy, seed=study.settings.seed)
            swap_hashes(copy / "study.toml", hashes)
            expected["twin"] = expected_results(open_study(copy)).to_dict("records")
        readme = say("reporting.bundle_readme", "en", title=study.settings.title, **versions())
        write_atomically(place / "README.md", readme)
        for name, content in (
            (ABOUT, about), ("expected.json", expected), ("disclosure.json", _disclosure(study)),
        ):  # fmt: skip
            write_atomically(place / name, json.dumps(content, indent=1) + "\n")
        write_atomically(place / MANIFEST, json.dumps(hashes_of(place), indent=1) + "\n")
        _crate(study, place, path, data)
    return path


def _copy(study: Study, root: Path, place: Path) -> None:
    """Copy what a run needs: settings, data, notebook, lock; nothing private."""
    settings = study.settings
    copy = place / "studies" / study.name
    names = ["study.toml", "README.md", settings.codebook, settings.cycles, *study.files["file"]]
    for name in dict.fromkeys(filter(None, names)):
        if (study.folder / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(study.folder / name, copy / name)
    (place / "notebooks").mkdir()
    notebook = f"{settings.notebook or study.name}.ipynb"
    for source, target in {
        f"notebooks/{notebook}": f"notebooks/{notebook}",
        "uv.lock": "uv.lock",
        "requirements/core.txt": "requirements.txt",
    }.items():
        if (root / source).is_file():
            shutil.copyfile(root / source, place / target)


def _narratives(study: Study, root: Path, place: Path, data: str) -> str:
    """Copy narratives that nobody told, with their codings; those of people stay in house."""
    settings = study.settings
    corpus = root / "corpora" / settings.corpus
    if not settings.corpus or not (corpus / "corpus.toml").is_file():
        return "none"
    if data != "travel" or not read_listing(corpus).invented:
        return "stay"
    shutil.copytree(corpus, place / "corpora" / settings.corpus)
    for name in filter(None, (settings.codings, settings.joint)):
        if (study.folder / name).is_file():
            shutil.copyfile(study.folder / name, place / "studies" / study.name / name)
    return "travel"


def swap_hashes(path: Path, hashes: dict[str, str]) -> None:
    """Write other hashes of data files in a study.toml."""
    text = path.read_text("utf-8")
    for old, new in hashes.items():
        text = text.replace(old, new)
    write_atomically(path, text)


def _disclosure(study: Study) -> list[dict[str, object]]:
    """Return how many counts were left out of the expected results, and below what number."""
    minimum = study.settings.disclosure.minimum
    tables = {"flow": study.flow(), "presence": study.presence()}
    return [
        {"table": name, "minimum": minimum,
         "suppressed": suppress_small(table, minimum=minimum).suppressed}
        for name, table in tables.items()
    ]  # fmt: skip


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a bundle, but of the manifest and the crate's own."""
    return {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MANIFEST, CRATE)
    }


def _crate(study: Study, place: Path, path: Path, data: str) -> None:
    crate = ROCrate()
    crate.name = study.settings.title
    words = {"travel": "with its data", "twin": "with a synthetic twin; the data stay in house"}
    crate.description = f"{study.settings.question} ({words[data]})"
    for file in sorted(one for one in place.rglob("*") if one.is_file()):
        name = file.relative_to(place).as_posix()
        crate.add_file(file, dest_path=name, properties={"sha256": sha256(file)})
    path.parent.mkdir(parents=True, exist_ok=True)
    crate.write_zip(path)


def digest(content: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def as_table(rows: list[dict[str, object]]) -> pd.DataFrame:
    """Return expected results as a table."""
    return pd.DataFrame(rows, columns=["result", "value", "tolerance"])
