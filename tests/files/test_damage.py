"""Files with random damage are read or refused in one sentence; nothing else comes out."""

import random
import zipfile
from io import BytesIO

import pandas as pd
import pytest

from expertise.files.tables import check_table
from expertise.files.write import write_table

CSV = b'id;datum;x;tekst\nP1;2025-01-01;1,5;"een\ntwee"\nP2;;;"drie"\n'
MARKS = b'";,\n\r\t\0 0a9.-\xff\xc3\xab=N<>/&'


def damaged(data, seed, times, choices=None):
    """Return bytes of which some were replaced."""
    pick = random.Random(seed)
    data = bytearray(data)
    for _ in range(times):
        data[pick.randrange(len(data))] = pick.choice(choices) if choices else pick.randrange(256)
    return bytes(data)


def judged(path, data):
    path.write_bytes(data)
    for problem in check_table(path):
        assert str(problem).startswith(path.name)


def test_csv(tmp_path):
    for seed in range(400):
        judged(tmp_path / "t.csv", damaged(CSV, seed, 3, MARKS))


@pytest.fixture
def workbook(tmp_path):
    table = pd.DataFrame({"id": ["P1", "P2"], "x": [1.5, None], "datum": pd.Timestamp(2025, 1, 1)})
    return write_table(table, tmp_path / "t.xlsx")


def test_xlsx_bytes(workbook):
    whole = workbook.read_bytes()
    for seed in range(60):
        judged(workbook, damaged(whole, seed, 3))


def test_xlsx_members(workbook):
    with zipfile.ZipFile(workbook) as file:
        members = {name: file.read(name) for name in file.namelist()}
    for seed in range(60):
        out = BytesIO()
        hurt = random.Random(seed).choice(sorted(members))
        with zipfile.ZipFile(out, "w") as file:
            for name, content in members.items():
                file.writestr(name, damaged(content, seed, 2, MARKS) if name == hurt else content)
        judged(workbook, out.getvalue())
