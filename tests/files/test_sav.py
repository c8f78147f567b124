import pandas as pd
import pyreadstat
import pytest

from expertise.errors import FileError
from expertise.files.reading import Column
from expertise.files.tables import check_table, read_table


@pytest.fixture
def sav(tmp_path):
    def write(table, **options):
        path = tmp_path / "t.sav"
        pyreadstat.write_sav(table, str(path), **options)
        return path

    return write


@pytest.fixture
def scores(sav):
    return sav(
        pd.DataFrame(
            {
                "deelnemer": [7.0, 8.0, 9.0],
                "score": [1.0, 99.0, 98.0],
                "rol": [1.0, 2.0, 3.0],
                "datum": pd.to_datetime(["2025-01-31", "2025-02-01", "2025-03-01"]).date,
                "tekst": ["Zoë", "12,5", "NB"],
            }
        ),
        column_labels=["Nummer", "Totaalscore", None, None, None],
        variable_value_labels={"rol": {1: "patiënt", 2: "naaste"}, "score": {99: "weet niet"}},
        missing_ranges={"score": [{"lo": 98, "hi": 99}], "tekst": ["NB"]},
    )


def test_values_labels_and_missing_values(scores):
    file = read_table(scores)
    assert file.table["deelnemer"].tolist() == ["7", "8", "9"]
    assert file.table["score"].mean() == 1
    assert file.table["rol"].tolist() == [1, 2, 3]
    assert file.table["datum"][0] == pd.Timestamp("2025-01-31")
    assert file.table["tekst"].tolist()[:2] == ["Zoë", "12,5"]
    assert file.labels == {"deelnemer": "Nummer", "score": "Totaalscore"}
    assert file.value_labels["rol"] == {"1": "patiënt", "2": "naaste"}
    assert file.missing.to_dict("records") == [
        {"row": 1, "column": "score", "value": "99", "reason": "weet niet"},
        {"row": 2, "column": "score", "value": "98", "reason": "user-missing"},
        {"row": 2, "column": "tekst", "value": "NB", "reason": "user-missing"},
    ]
    assert [str(note) for note in file.notes] == [
        "t.sav, column rol: values without a label were kept (3)."
    ]


def test_problems_name_the_case(scores):
    (problem,) = check_table(scores, unique=["deelnemer"], required=["wave"])
    assert str(problem).startswith("t.sav: has no column 'wave'; it has deelnemer, score")
    (problem,) = check_table(scores, columns={"rol": Column("category", values=["1", "2"])})
    assert str(problem) == "t.sav, column 'rol', case 3: unknown value ('3'); allowed are 1, 2"


def test_numbers_are_exact(sav):
    values = [0.1 + 0.2, 1e-9, 123456.789]
    file = read_table(sav(pd.DataFrame({"x": values})))
    assert file.table["x"].tolist() == values


def test_moments_keep_their_time(sav):
    times = pd.to_datetime(["2025-01-31 14:30:15", "2025-01-31 00:00:00"])
    file = read_table(sav(pd.DataFrame({"t": times})))
    assert file.table["t"].tolist() == times.tolist()


def test_a_file_that_crashes_its_reader_is_damaged(scores, monkeypatch):
    monkeypatch.setattr("expertise.files.sav._TRIAL", "import os; os.abort()")
    with pytest.raises(FileError, match=r"t\.sav: damaged file \(its reader breaks down\)"):
        read_table(scores)


def test_damaged_and_empty_files(sav, tmp_path):
    path = sav(pd.DataFrame({"x": [1.0, 2.0]}))
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(FileError, match=r"t\.sav: damaged file \(.+\); export it from SPSS again"):
        read_table(path)
    with pytest.raises(FileError, match=r"t\.sav has variables but no cases"):
        read_table(sav(pd.DataFrame({"x": pd.Series([], dtype=float)})))
