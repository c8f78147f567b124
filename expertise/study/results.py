"""Results in the repository know the hashes of what they were made from."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.errors import ExpertiseError, StudyError
from expertise.files.safe import inside, sha256, write_atomically
from expertise.files.write import write_table

FOLDER, LIST = "results", "made.json"


def write_result(
    folder: str | Path, name: str, table: pd.DataFrame, inputs: Iterable[str | Path]
) -> Path:
    """Write an aggregate to ``results/<name>.csv`` with the hashes of its inputs.

    Parameters
    ----------
    folder : path
        The study folder.
    name : str
        Of the result, without ``.csv``.
    table : DataFrame
        Fit to be shared: this function does not look for small cells.
    inputs : iterable of path
        Files inside the study folder that it was made from.

    Returns
    -------
    Path
        The file that was written. ``results/made.json`` holds the hashes.

    Raises
    ------
    FileError
        An input is missing or lies outside the study folder.
    """
    root = Path(folder)
    known = {str(one): sha256(inside(root, str(one))) for one in inputs}
    (root / FOLDER).mkdir(exist_ok=True)
    path = write_table(table, inside(root, f"{FOLDER}/{name}.csv"))
    made = _made(root)
    made[name] = {"sha256": sha256(path), "inputs": dict(sorted(known.items()))}
    text = json.dumps(dict(sorted(made.items())), indent=1) + "\n"
    write_atomically(root / FOLDER / LIST, text)
    return path


def stale_results(folder: str | Path) -> pd.DataFrame:
    """List the results that no longer follow from the study's files.

    Parameters
    ----------
    folder : path
        The study folder.

    Returns
    -------
    DataFrame
        Columns `result file why`; a row a reason: an input changed or is
        gone, or the result itself was changed by hand. Empty when all is current.

    Raises
    ------
    StudyError
        ``results/made.json`` cannot be read.

    Examples
    --------
    >>> stale_results("studies/vuurwerkramp").empty
    True
    """
    root = Path(folder)
    rows = []
    for name, about in _made(root).items():
        itself = {f"{FOLDER}/{name}.csv": about["sha256"]}
        for file, digest in (itself | about["inputs"]).items():
            if (why := _differs(root, file, digest)) is not None:
                rows.append({"result": name, "file": file, "why": why})
    return pd.DataFrame(rows, columns=["result", "file", "why"])


def input_hashes(folder: str | Path, name: str) -> dict[str, str]:
    """Return the hashes that the inputs of a result had when it was made."""
    hashes: dict[str, str] = _made(Path(folder)).get(name, {}).get("inputs", {})
    return hashes


def _differs(root: Path, file: str, digest: str) -> str | None:
    try:
        return None if sha256(inside(root, file)) == digest else "changed"
    except ExpertiseError:
        return "gone"


def _made(root: Path) -> dict[str, dict[str, Any]]:
    path = root / FOLDER / LIST
    if not path.is_file():
        return {}
    try:
        made: dict[str, dict[str, Any]] = json.loads(path.read_text("utf-8"))
        for about in made.values():
            about["sha256"], about["inputs"].items()
    except (ValueError, KeyError, TypeError, AttributeError):
        raise StudyError(
            f"{FOLDER}/{LIST} is no list of results; delete it and make the results again"
        ) from None
    return made
