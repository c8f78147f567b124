"""Tables to CSV and XLSX that a spreadsheet shows, and never runs."""

import csv
import re
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pandas as pd
from openpyxl import Workbook

from expertise.errors import DataError, FileError
from expertise.files.safe import write_atomically

MAX_XLSX = 32_767
_STARTS = tuple("=+-@\t\r＝＋－＠")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]+)?")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def write_table(
    table: pd.DataFrame, path: str | Path, *, delimiter: str = ",", decimal: str = "."
) -> Path:
    r"""Write a table as .csv or .xlsx, by the name of the file, whole or not at all.

    Text that a spreadsheet would take for a formula is kept text: with an
    apostrophe before it in CSV, as a text cell in XLSX. Negative numbers stay
    numbers. The index is not written; missing cells are empty.

    Parameters
    ----------
    table
        Any table with text as the names of its columns.
    path
        Ends in .csv (UTF-8) or .xlsx.
    delimiter, decimal
        Field separator and decimal mark of a CSV; Dutch Excel expects ";" and ",".

    Returns
    -------
    Path
        The path that was written.

    Raises
    ------
    FileError
        Another kind of file is named, or the folder cannot be written in.
    DataError
        A cell holds a control character that the file cannot carry.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["P01"], "note": ["=1+1"], "change": [-2.5]})
    >>> write_table(table, getfixture("tmp_path") / "out.csv").read_text()
    "id,note,change\nP01,'=1+1,-2.5\n"
    """
    path = Path(path)
    kind = path.suffix.casefold()
    if kind not in {".csv", ".xlsx"}:
        raise FileError(f"{path.name}: tables are written as .csv or .xlsx; name one of them")
    for name in table.columns:
        for index, value in enumerate(table[name], start=1):
            if isinstance(value, str) and (why := _unfit(value, kind)):
                raise DataError(f"row {index}, column {name!r}: {why}")
    return write_atomically(
        path, _xlsx(table) if kind == ".xlsx" else _csv(table, delimiter, decimal)
    )


def _unfit(text: str, kind: str) -> str | None:
    if _CONTROL.search(text):
        return "holds a control character; remove it"
    if kind == ".xlsx" and len(text) > MAX_XLSX:
        return f"has more than {MAX_XLSX:,} characters, which Excel cuts off; write a .csv"
    return None


def neutral(text: str) -> str:
    """Return text with an apostrophe before it when a spreadsheet would run it.

    >>> neutral("=1+1"), neutral("-2+3"), neutral("-2"), neutral("hoop")
    ("'=1+1", "'-2+3", '-2', 'hoop')
    """
    return f"'{text}" if text.startswith(_STARTS) and not _NUMBER.fullmatch(text) else text


def _csv(table: pd.DataFrame, delimiter: str, decimal: str) -> str:
    def written(value: Any) -> str:
        if pd.isna(value):
            return ""
        if isinstance(value, float):
            text = repr(float(value))
            return (text.removesuffix(".0") if abs(value) < 1e15 else text).replace(".", decimal)
        return neutral(value) if isinstance(value, str) else str(value)

    out = StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow([neutral(str(name)) for name in table.columns])
    columns = [[written(value) for value in table[name]] for name in table.columns]
    writer.writerows(zip(*columns, strict=True))
    return out.getvalue()


def _xlsx(table: pd.DataFrame) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    rows = [list(map(str, table.columns)), *table.astype(object).itertuples(index=False, name=None)]
    for number, row in enumerate(rows, start=1):
        for index, value in enumerate(row, start=1):
            if pd.isna(value):
                continue
            if getattr(value, "tzinfo", None):  # Excel knows no offsets
                value = str(value)
            cell = page.cell(number, index, value)
            if isinstance(value, str):
                cell.data_type = "s"  # openpyxl takes text that starts with = for a formula
    out = BytesIO()
    book.save(out)
    return out.getvalue()
