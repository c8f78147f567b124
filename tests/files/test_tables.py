import inspect
import re

import numpy as np
import pandas as pd
import pytest

from expertise.errors import DataError, FileError, PrivacyError
from expertise.files import grid as grid_module
from expertise.files.reading import Column
from expertise.files.tables import _Options, check_table, read_table
from expertise.files.waves import wave_order


@pytest.fixture
def csv(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "t.csv"
        path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
        return path

    return write


def sentences(path, **options):
    return [str(problem) for problem in check_table(path, **options)]


def columns_of(path, **options):
    return read_table(path, **options).table.to_dict("list")


def test_types_follow_from_what_the_cells_surely_are(csv):
    file = read_table(csv("id;wave;score;datum;rol\n01;1;1,5;2025-01-31;patient\n2;2;;;naaste\n"))
    assert file.table.dtypes.astype(str).to_dict() == {
        "id": "str", "wave": "int64", "score": "float64", "datum": "datetime64[us]", "rol": "str",
    }  # fmt: skip
    assert file.table["id"].tolist() == ["01", "2"]
    assert file.table["score"].isna().tolist() == [False, True]
    assert file.where.rows.tolist() == [2, 3]
    assert (file.source.kind, file.source.delimiter, file.source.decimal) == ("csv", ";", ",")
    assert repr(file) == "<t.csv: 2 rows, 5 columns, 0 notes>"


def test_every_problem_is_listed_and_the_first_is_raised(csv):
    path = csv("id,score,datum\n,x,2025-02-30\nP2,9,2025-01-01\n")
    rules = {"score": Column("integer", minimum=0, maximum=4), "rol": Column("category")}
    found = sentences(path, columns=rules)
    assert found == [
        "t.csv: has no column 'rol'; it has id, score, datum",
        "t.csv, column 'id', line 2: the id is empty; give every row one",
        "t.csv, column 'score', line 2: not a number ('x'); correct it, empty it,"
        " or declare it missing",
        "t.csv, column 'datum', line 2: no such day ('2025-02-30'); correct it",
    ]
    with pytest.raises(
        DataError, match=re.escape(found[0] + " (and 3 more problems in this file)")
    ):
        read_table(path, columns=rules)
    assert [problem.row for problem in check_table(path, columns=rules)] == [None, 2, 2, 2]


def test_check_and_read_take_the_same_options():
    options = inspect.signature(_Options).parameters
    assert list(options) == list(inspect.signature(read_table).parameters)[1:]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"decimal": ";"}, "decimal is ';'; allowed are '.' and ','"),
        ({"delimiter": "x"}, "delimiter is 'x'; allowed are"),
    ],
)
def test_options_are_checked(csv, options, sentence):
    with pytest.raises(FileError, match=re.escape(sentence)):
        read_table(csv("id\n1\n"), **options)


def test_rules_are_checked():
    with pytest.raises(
        DataError, match=r"unknown kind of column 'interger' \(did you mean 'integer'\?\)"
    ):
        Column("interger")
    with pytest.raises(DataError, match="minimum 5 is above maximum 1; swap them"):
        Column("number", minimum=5, maximum=1)


# Lines and separators


def test_rows_are_numbered_as_lines_of_the_file(csv):
    path = csv('id,tekst,score\r\nP1,"een\r\ntwee",1\r\n\r\nP2,drie,x\r\n')
    assert sentences(path, columns={"score": Column("number")}) == [
        "t.csv, column 'score', line 5: not a number ('x'); correct it, empty it,"
        " or declare it missing"
    ]
    file = read_table(path)
    assert file.table["tekst"].tolist() == ["een\r\ntwee", "drie"]
    assert file.where.rows.tolist() == [2, 5]
    assert "blank rows were left out (4)" in str(file.notes[0])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(csv, end):
    assert columns_of(csv(f"a,b{end}1,x{end}2,y")) == {"a": [1, 2], "b": ["x", "y"]}


def test_excel_announces_its_separator(csv):
    file = read_table(csv("sep=;\na;b\n1,5;x\n"))
    assert (file.source.delimiter, file.where.rows.tolist()) == (";", [3])
    assert file.table["a"].tolist() == [1.5]


def test_two_separators_that_fit_are_refused(csv):
    path = csv("a;b,c\n1;2,3\n")
    with pytest.raises(FileError, match="separated by comma or semicolon; both fit: declare"):
        read_table(path)
    assert columns_of(path, delimiter=";", columns={"b,c": Column("text")}) == {
        "a": [1],
        "b,c": ["2,3"],
    }


def test_one_column_is_a_table(csv):
    assert columns_of(csv("id\nP1\nP2\n")) == {"id": ["P1", "P2"]}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "t.csv has a header on line 1 but nothing beneath it"),
        (
            "1,2\n3,4\n",
            "t.csv, line 1: holds numbers only, so the names of the columns are missing",
        ),
        ('a,b\n1,2\n"3,4\n5,6\n', "t.csv, line 3: a quote opens here that is not closed"),
        ('a,b\n1,"x"y\n', "t.csv, line 2: a quote opens here"),
        ("a,b\n1,2\n,\n", "t.csv, line 3: holds no value at all; remove it"),
        ("a,b\n1,2,\n3,4,\n", "t.csv, lines 2 (has 3), 3 (has 3): every line must have 2 fields"),
        ("Titel,,\n,,\nid,rol,score\nP1,x,1\n", "the header seems to be on line 3: remove what is"),
        ("a,a\n1,2\n", "columns 1, 2 are both called 'a'; give every column its own name"),
        ("# een\n# twee\nid;x\nP1;1\n", "the header seems to be on line 3"),
        ("nr;x\n1;2\n2;3\nGemiddelde;2.5\n", "column 'nr', line 4: a row of totals; remove it"),
        ("a, \n1,2\n", "t.csv, line 1: column 2 has no name; give every column a name"),
        ("<!DOCTYPE html><table>", "t.csv is a web page, whatever its name says"),
    ],
)
def test_what_has_no_shape_is_refused(csv, text, sentence):
    assert any(sentence in found for found in sentences(csv(text)))


def test_a_cell_has_a_limit(csv, monkeypatch):
    monkeypatch.setattr("expertise.files.delimited.MAX_CELL", 1000)
    with pytest.raises(FileError, match="line 2: a cell has more than 1,000 characters"):
        read_table(csv("id,tekst\nP1," + "a" * 2000))


def test_other_binary_files_are_refused_by_content(csv, tmp_path):
    with pytest.raises(FileError, match=r"t\.csv is an old or protected Excel file; save it as"):
        read_table(csv(b"\xd0\xcf\x11\xe0" + b"x" * 100))
    with pytest.raises(FileError, match=r"t\.csv is a PDF, not text"):
        read_table(csv(b"%PDF-1.7"))
    (tmp_path / "t.sav").write_text("geen spss")
    with pytest.raises(FileError, match=r"t\.sav: damaged file \(not an SPSS file\)"):
        read_table(tmp_path / "t.sav")


def test_control_characters_are_noted_and_nul_refused(csv):
    file = read_table(csv("id,tekst\nP1,a\x0bb\n"))
    assert str(file.notes[0]) == (
        "t.csv, column tekst: control characters (rows 2) were kept as they are."
    )
    assert sentences(csv("id,tekst\nP1,a\0b\n")) == [
        "t.csv, column 'tekst', line 2: holds a NUL character; remove it"
    ]


# Numbers


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-2"], [1, -2]),
        (["1,5", "3"], [1.5, 3.0]),
        (["1.234,5", "2"], [1234.5, 2.0]),
        (["1,234,567.5", "2.25"], [1234567.5, 2.25]),
        (["0.125", "0.250"], [0.125, 0.25]),
        (["1e-3", "2.5E2"], [0.001, 250.0]),
        ([" 12 ", "+3"], [12, 3]),
        (["007", "012"], ["007", "012"]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["1_000", "2"], ["1_000", "2"]),
        (["ja", "nee"], ["ja", "nee"]),
        (["12", "veel"], ["12", "veel"]),
        (["12%", "€ 13"], ["12%", "€ 13"]),
        (["1e5", ">10"], ["1e5", ">10"]),
    ],
)
def test_undeclared_columns(csv, cells, values):
    text = "rij;x\n" + "".join(f"{row};{cell}\n" for row, cell in enumerate(cells))
    assert columns_of(csv(text))["x"] == values


def test_one_column_with_doubt_follows_the_rest_of_the_file(csv):
    text = "a;b\n1.234;{}\n2.345;1.5\n"
    assert columns_of(csv(text.format("0.5"))) == {"a": [1.234, 2.345], "b": [0.5, 1.5]}
    (found,) = sentences(csv("a;b\n1.234;x\n"))
    assert "column 'a', line 2: the mark may stand for decimals or for thousands" in found
    assert columns_of(csv("a;b\n1.234;x\n"), decimal=".")["a"] == [1.234]
    assert columns_of(csv("a;b\n1.234;x\n"), decimal=",")["a"] == [1234]


def test_two_decimal_marks_in_one_file_are_refused(csv):
    (found,) = sentences(csv("a;b\n1,5;1.5\n"))
    assert found == (
        "t.csv, column 'a': has decimal commas while column 'b' has decimal points; declare decimal"
    )


def test_a_decimal_comma_in_a_comma_file_must_be_declared(csv):
    path = csv('id,score\nP1,"12,5"\n')
    (found,) = sentences(path, columns={"score": Column("number")})
    assert found.endswith(
        'line 2: a decimal comma in a comma-separated file; declare decimal = ","'
    )
    assert columns_of(path, decimal=",")["score"] == [12.5]
    assert columns_of(path)["score"] == ["12,5"]


@pytest.mark.parametrize(
    ("rule", "cells", "sentence"),
    [
        (Column("number", minimum=0), ["-1", "2"], "below the minimum 0 ('-1'); correct it"),
        (Column("number", maximum=4), ["5", "2"], "above the maximum 4 ('5'); correct it"),
        (Column("integer"), ["2.5", "2"], "not a whole number ('2.5')"),
        (Column("number"), ["1e400", "2"], "too large for a number ('1e400')"),
        (Column("number"), ["9007199254740993", "2"], "more digits than a number holds exactly"),
        (Column("number"), ["NaN", "2"], "not a finite number; empty the cell, or declare"),
        (Column("number"), ["1 2", "2"], "not a number ('1 2'); correct it"),
        (Column("number"), ["١٢", "2"], "not a number; correct it"),
        (Column("category", values=["patient"]), ["patint", "patient"], "did you mean 'patient'"),
        (Column("category", values=["patient"]), ["Jan de Vries 06", "patient"], "unknown value;"),
    ],
)
def test_declared_columns(csv, rule, cells, sentence):
    path = csv("rij;x\n" + "".join(f"{row};{cell}\n" for row, cell in enumerate(cells)))
    (found,) = sentences(path, columns={"x": rule})
    assert found.startswith("t.csv, column 'x', line 2: ")
    assert sentence in found


def test_participant_text_stays_out_of_messages(csv):
    secret = "mijn zus Annelies woont in Assen"
    path = csv(f"id,score,rol\n{secret}!,{secret},{secret}\nP2,1,patient\n")
    rules = {"score": Column("number"), "rol": Column("category", values=["patient"])}
    found = sentences(path, columns=rules)
    assert len(found) == 3
    assert not any("Annelies" in sentence for sentence in found)


def test_missing_values_keep_what_they_were(csv):
    path = csv("id,score,x\nNA,-99,NA\nP2,3,NA\n")
    file = read_table(path, missing=["NA"], columns={"score": Column("number", missing=["-99"])})
    assert file.table["id"].tolist() == ["NA", "P2"]
    assert file.table["score"].mean() == 3
    assert file.missing.to_dict("records") == [
        {"row": 0, "column": "score", "value": "-99", "reason": "declared missing"},
        {"row": 0, "column": "x", "value": "NA", "reason": "declared missing"},
        {"row": 1, "column": "x", "value": "NA", "reason": "declared missing"},
    ]
    (found,) = sentences(csv("id,score\nP1,NA\nP2,3\n"))
    assert "column 'score', line 2: not a number ('NA'); correct it, empty it, or declare" in found


def test_categories_can_be_renamed(csv):
    rule = Column("category", values={"1": "patient", "2": "naaste"})
    found = columns_of(csv("id,rol\nP1,1\nP2,2\nP3,\n"), columns={"rol": rule})["rol"]
    assert found[:2] == ["patient", "naaste"]
    assert pd.isna(found[2])


# Dates


@pytest.mark.parametrize(
    ("cells", "form", "first"),
    [
        (["2025-01-31"], None, "2025-01-31"),
        (["2025-01-31 14:30"], None, "2025-01-31 14:30"),
        (["2025-01-31T14:30:00+01:00"], None, "2025-01-31 13:30+00:00"),
        (["31-01-2025"], "%d-%m-%Y", "2025-01-31"),
        (["45678"], "excel", "2025-01-21"),
    ],
)
def test_dates_that_are_sure(csv, cells, form, first):
    path = csv("id,datum\n" + "".join(f"P{row},{cell}\n" for row, cell in enumerate(cells)))
    assert read_table(path, dates=form).table["datum"][0] == pd.Timestamp(first)


@pytest.mark.parametrize(
    ("cell", "form", "sentence"),
    [
        ("2025-13-01", None, "no such day ('2025-13-01')"),
        ("31-01-2025", None, "no existing date written as 2025-01-31"),
        ("2025-01-31", "%d-%m-%Y", "no existing date written as %d-%m-%Y"),
        ("31-02-2025", "%d-%m-%Y", "no existing date written as %d-%m-%Y"),
        ("٣١-٠١-٢٠٢٥", "%d-%m-%Y", "no existing date written as %d-%m-%Y"),
        ("2025-10-26 02:30", None, "the clock changes in this hour"),
    ],
)
def test_dates_that_are_not(csv, cell, form, sentence):
    rules = {"datum": Column("date", form=form)}
    (found,) = sentences(csv(f"id,datum\nP1,{cell}\n"), columns=rules)
    assert f"column 'datum', line 2: {sentence}" in found


@pytest.mark.parametrize("cell", ["NA", "onbekend", "45678", "9999-12-31", "0001-01-01"])
def test_a_date_among_other_things_is_refused(csv, cell):
    (found,) = sentences(csv(f"id,datum\nP1,2025-01-31\nP2,{cell}\n"))
    assert found.startswith("t.csv, column 'datum', line 3: ")


def test_offsets_are_for_all_rows_or_none(csv):
    (found,) = sentences(csv("id,t\nP1,2025-01-31 14:30+01:00\nP2,2025-01-31 14:30\n"))
    assert "column 't', line 3: no UTC offset, which other rows have" in found


# Ids and people


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["P1", "p1"], "lines 2, 3: ids differ only in blanks or capitals"),
        (["P1", "P1\u200b"], "lines 2, 3: ids differ only in blanks or capitals"),
        (["P1", " P2"], "line 3: an id holds letters, digits, blanks between them"),
        (["P1", "=P2"], "line 3: an id holds letters"),
        (["P1", "Totaal"], "line 3: a total stands where an id must be"),
        (["P1", " "], "line 3: the id is empty"),
    ],
)
def test_ids_that_are_not_sure(csv, cells, sentence):
    (found,) = sentences(csv("code;x\n" + "".join(f"{cell};1\n" for cell in cells)), ids=["code"])
    assert f"column 'code', {sentence}" in found


def test_ids_that_a_spreadsheet_rounded_are_noted(csv):
    (note,) = read_table(csv("id,x\n1.23457E+15,1\nP2,2\n")).notes
    assert str(note).startswith("t.csv, column id: ids were rounded by a spreadsheet (rows 2)")


def test_rows_that_must_differ(csv):
    path = csv("id,wave\nP1,1\nP1,1\nP1,2\n")
    (found,) = sentences(path, unique=["id", "wave"])
    assert "lines 2, 3: these rows are the same in id, wave; each combination may occur" in found
    assert read_table(path).table.shape == (3, 2)


@pytest.mark.parametrize(
    ("header", "cell", "what"),
    [
        ("BSN", "x", "a citizen service number"),
        ("nummer", "123456782", "a citizen service number"),
        ("nummer", "1234.56.782", "a citizen service number"),
        ("Naam", "x", "a name"),
        ("voorNaam", "x", "a name"),
        ("contact", "jan@voorbeeld.nl", "an e-mail address"),
        ("contact", "06-12345678", "a telephone number"),
        ("contact", "+31 6 12345678", "a telephone number"),
        ("contact", "020-1234567", "a telephone number"),
        ("regio", "1234 AB", "a postcode"),
        ("geboortedatum", "2000-01-01", "a date of birth"),
        ("rekening", "NL91 ABNA 0417 1643 00", "a bank account"),
    ],
)
def test_direct_identifiers_are_refused_until_dropped_or_allowed(csv, header, cell, what):
    path = csv(f"id;{header}\nP1;{cell}\n")
    with pytest.raises(PrivacyError, match=re.escape(f"column {header!r}: seems to hold {what}")):
        read_table(path)
    file = read_table(path, drop=[header])
    assert list(file.table) == ["id"]
    assert str(file.notes[-1]) == f"t.csv: left out on request: {header}."
    assert list(read_table(path, allow=[header]).table) == ["id", header]


@pytest.mark.parametrize(
    ("header", "cell"),
    [("instrument_name", "ORS"), ("score", "123456789"), ("leeftijd", "44"), ("nr", "20250101")],
)
def test_what_identifies_nobody_is_read(csv, header, cell):
    assert not check_table(csv(f"id;{header}\nP1;{cell}\n"))


def test_columns_to_drop_must_exist(csv):
    (found,) = sentences(csv("id,opmerking\nP1,x\n"), drop=["opmerkng"])
    assert found == (
        "t.csv: has no column 'opmerkng' (did you mean 'opmerking'?); it has id, opmerking"
    )


def test_waves_out_of_order_are_noted(csv):
    text = "id,wave,datum\nP1,T0,2025-06-01\nP1,T1,2025-01-01\nP2,T1,2025-03-01\nP2,T0,2025-02-01\n"
    file = read_table(csv(text))
    (note,) = wave_order(file, participant="id", wave="wave", date="datum")
    assert str(note) == "t.csv, participant P1: wave T1 is dated before wave T0 (rows 2, 3)."
    assert "meting T1 heeft een eerdere datum dan meting T0" in note.text("nl")
    backwards = wave_order(file, participant="id", wave="wave", date="datum", order=["T1", "T0"])
    assert [note.values["participant"] for note in backwards] == ["P2"]


# Size


def test_columns_are_coded_alike_in_batches(csv, monkeypatch):
    text = "id,x\n" + "".join(f"P{row % 7},{row % 3}\n" for row in range(50))
    whole = read_table(csv(text)).table
    monkeypatch.setattr(grid_module, "BATCH", 8)
    pd.testing.assert_frame_equal(read_table(csv(text)).table, whole)
    np.testing.assert_array_equal(whole["x"], np.arange(50) % 3)


def test_columns_that_are_not_wanted_are_not_looked_at(tmp_path):
    (tmp_path / "a.csv").write_text("nr,datum,email\n1,31/02/2020,a@b.example\n", "utf-8")
    read = read_table(tmp_path / "a.csv", only=["nr"])
    assert list(read.table.columns) == ["nr"]
    with pytest.raises(DataError, match=r"has no column 'nmr' \(did you mean 'nr'\?\); it has"):
        read_table(tmp_path / "a.csv", only=["nmr"])
