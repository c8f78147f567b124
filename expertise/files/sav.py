"""SPSS files: values as text, labels, and the reasons why values are missing."""

import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyreadstat

from expertise.errors import FileError
from expertise.files.grid import Cells, Grid, Source, Where, missing_table
from expertise.words import Note, note

_EXACT = 2**53
_TRIAL = (
    "import sys, pyreadstat;"
    " pyreadstat.read_sav(sys.argv[1], user_missing=True, output_format='dict')"
)


def read_sav(path: Path, source: Source) -> Grid:
    """Read an SPSS file; a user-missing value becomes missing and keeps its reason."""
    _survive(path, source.file)
    try:
        table, meta = pyreadstat.read_sav(str(path), user_missing=True)
    except (
        pyreadstat.ReadstatError,
        pyreadstat.PyreadstatError,
        ValueError,
        OverflowError,
    ) as error:
        raise FileError(
            f"{source.file}: damaged file ({str(error).rstrip('.')}); export it from SPSS again"
        ) from None
    if not len(table):
        raise FileError(f"{source.file} has variables but no cases")
    labels = {
        name: {_written(code): str(label) for code, label in codes.items()}
        for name, codes in meta.variable_value_labels.items()
    }
    columns: dict[str, Cells] = {}
    missing: list[tuple[int, str, str, str]] = []
    notes: list[Note] = []
    for name in table.columns:
        column = str(name)
        cells = coded(table[name])
        declared = meta.missing_ranges.get(name, [])
        reasons = _reasons(cells, declared, labels.get(column, {}))
        for code, reason in reasons.items():
            where = cells.positions([code])
            missing += [(int(row), column, cells.texts[code], reason) for row in where]
        columns[column] = cells.emptied(reasons)
        codes = [cells.texts[code] for code in reasons]
        notes += _unlabelled(source.file, column, columns[column], labels.get(column, {}), codes)
    return Grid(
        source=replace(source, kind="sav", encoding=meta.file_encoding, decimal="."),
        where=Where(file=source.file, rows=np.arange(1, len(table) + 1), unit="case"),
        columns=columns,
        native=True,
        notes=tuple(notes),
        labels={k: str(v) for k, v in meta.column_names_to_labels.items() if v},
        value_labels=labels,
        missing=missing_table(missing),
    )


def _survive(path: Path, file: str) -> None:
    """Read the file in a process of its own first: the C library beneath crashes on some damage."""
    command = [sys.executable, "-I", "-c", _TRIAL, str(path)]
    try:
        code = subprocess.run(command, capture_output=True, timeout=300, check=False).returncode
    except subprocess.TimeoutExpired:
        code = -1
    if code not in (0, 1):  # 1 is an error that reading again will name
        raise FileError(f"{file}: damaged file (its reader breaks down); export it from SPSS again")


def coded(column: "pd.Series[Any]") -> Cells:
    """Return a column of numbers, dates or texts as its distinct texts."""
    codes, values = pd.factorize(column, use_na_sentinel=False)
    texts = ["" if pd.isna(value) else _written(value) for value in values]
    distinct = {text: index for index, text in enumerate(dict.fromkeys(texts))}
    lookup = np.array([distinct[text] for text in texts], dtype=np.int32)
    return Cells(tuple(distinct), lookup[codes])


def _written(value: object) -> str:
    """Write 7.0 as 7, dates in ISO form, anything else as it is."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return f"{value}"


def _reasons(cells: Cells, ranges: Sequence[Any], labels: Mapping[str, str]) -> dict[int, str]:
    """Return the distinct texts that SPSS declares missing, with their reason."""

    def declared(text: str) -> bool:
        for span in ranges:
            if isinstance(span["lo"], str):
                if text.rstrip() == span["lo"].rstrip():
                    return True
            elif text and span["lo"] <= float(text) <= span["hi"]:
                return True
        return False

    found = (index for index, text in enumerate(cells.texts) if ranges and declared(text))
    return {index: labels.get(cells.texts[index], "user-missing") for index in found}


def _unlabelled(
    file: str, column: str, cells: Cells, labels: Mapping[str, str], reasons: Collection[str]
) -> Iterator[Note]:
    """Note values without a label where other values, not only missing ones, have one."""
    without = sorted(text for text in cells.texts if text and text not in labels)
    if without and set(labels) - set(reasons):
        yield note("files.unlabelled", file=file, column=column, values=", ".join(without[:8]))
