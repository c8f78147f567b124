import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from expertise.errors import DataError, FileError
from expertise.files.reading import Column
from expertise.files.tables import read_table
from expertise.files.write import neutral, write_table

TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("\n\r\t\"',;")
)
QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(texts=st.lists(TEXT, min_size=1, max_size=5), mark=st.sampled_from(",;\t|"))
def test_every_text_comes_back(tmp_path, texts, mark):
    table = pd.DataFrame({"nr": range(len(texts)), "tekst": texts})
    path = write_table(table, tmp_path / "t.csv", delimiter=mark)
    rules = {"tekst": Column("text")}
    found = read_table(path, columns=rules, delimiter=mark, allow=["tekst"]).table["tekst"]
    assert [text if isinstance(text, str) else "" for text in found] == list(map(neutral, texts))


@QUICK
@given(
    numbers=st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=6),
    notation=st.sampled_from([(",", "."), (";", ","), ("\t", ","), (";", ".")]),
)
def test_every_number_comes_back_in_dutch_and_english(tmp_path, numbers, notation):
    mark, decimal = notation
    table = pd.DataFrame({"score": numbers, "half": 0.5})
    path = write_table(table, tmp_path / "t.csv", delimiter=mark, decimal=decimal)
    found = read_table(path, decimal=decimal).table["score"]
    np.testing.assert_array_equal(found.astype(float), numbers)


def test_formulas_become_text_and_negative_numbers_stay_numbers(tmp_path):
    texts = ["=1+1", "+SOM(1)", "-2+3", "@SUM(1)", "\tcmd", "＝1", "-2", "hoop"]
    table = pd.DataFrame({"=kop": texts, "x": -2.5})
    lines = write_table(table, tmp_path / "t.csv").read_text("utf-8").splitlines()
    assert lines == [
        "'=kop,x", "'=1+1,-2.5", "'+SOM(1),-2.5", "'-2+3,-2.5", "'@SUM(1),-2.5", "'\tcmd,-2.5",
        "'＝1,-2.5", "-2,-2.5", "hoop,-2.5",
    ]  # fmt: skip
    page = load_workbook(write_table(table, tmp_path / "t.xlsx")).active
    assert [page.cell(row, 1).data_type for row in range(1, 10)] == ["s"] * 9
    assert [page.cell(row, 1).value for row in range(1, 10)] == ["=kop", *texts]
    assert page["B2"].value == -2.5


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_a_table_comes_back(tmp_path, name):
    table = pd.DataFrame(
        {
            "id": ["007", "P2"],
            "wave": [1, 2],
            "score": [1.5, np.nan],
            "datum": pd.to_datetime(["2025-01-31", "2025-02-01"]).as_unit("us"),
            "tekst": pd.Series(["een\ntwee", None], dtype="str"),
        }
    ).astype({"id": "str"})
    before = table.copy()
    found = read_table(write_table(table, tmp_path / name)).table
    pd.testing.assert_frame_equal(found, table)
    pd.testing.assert_frame_equal(table, before)


def test_moments_with_an_offset_are_written(tmp_path):
    times = pd.to_datetime(["2025-03-30 02:30:00+00:00"]).as_unit("us")
    for name in ("t.csv", "t.xlsx"):
        path = write_table(pd.DataFrame({"t": times}), tmp_path / name)
        assert read_table(path).table["t"].tolist() == times.tolist()


def test_what_cannot_be_written(tmp_path):
    with pytest.raises(FileError, match=r"t\.txt: tables are written as \.csv or \.xlsx"):
        write_table(pd.DataFrame({"a": [1]}), tmp_path / "t.txt")
    with pytest.raises(DataError, match="row 2, column 'a': holds a control character; remove it"):
        write_table(pd.DataFrame({"a": ["x", "y\0"]}), tmp_path / "t.csv")
    with pytest.raises(DataError, match="row 1, column 'a': has more than 32,767 characters"):
        write_table(pd.DataFrame({"a": ["x" * 32_768]}), tmp_path / "t.xlsx")
    assert not any(tmp_path.iterdir())
