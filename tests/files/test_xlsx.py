import zipfile
from datetime import date, datetime
from io import BytesIO

import pandas as pd
import pytest
from openpyxl import Workbook
from openpyxl.styles import PatternFill

from expertise.errors import FileError
from expertise.files import xlsx
from expertise.files.reading import Column
from expertise.files.tables import check_table, read_table


@pytest.fixture
def book(tmp_path):
    def write(*rows, change=lambda page: None, more=()):
        made = Workbook()
        page = made.active
        page.title = "metingen"
        for row in rows:
            page.append(row)
        for title in more:
            made.create_sheet(title).append(["toelichting"])
        change(page)
        path = tmp_path / "t.xlsx"
        made.save(path)
        return path

    return write


def sentences(path, **options):
    return [str(problem) for problem in check_table(path, **options)]


def with_member(path, name, content):
    """Replace one member of a workbook."""
    out = BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, content if member == name else old.read(member))
    path.write_bytes(out.getvalue())
    return path


def test_values_keep_their_meaning(book):
    file = read_table(
        book(
            ["id", "score", "heel", "datum", "moment", "waar"],
            ["007", 12.5, 3, date(2025, 1, 31), datetime(2025, 1, 31, 14, 30), True],
            ["P 2", 1 / 8, 4, date(2025, 2, 1), datetime(2025, 2, 1), False],
        )
    )
    assert file.table["score"].tolist() == [12.5, 0.125]
    assert file.table["id"].tolist() == ["007", "P 2"]
    assert file.table["heel"].tolist() == [3, 4]
    assert file.table["datum"].tolist() == [pd.Timestamp(2025, 1, 31), pd.Timestamp(2025, 2, 1)]
    assert file.table["moment"][0] == pd.Timestamp(2025, 1, 31, 14, 30)
    assert file.table["waar"].tolist() == ["TRUE", "FALSE"]
    assert (file.source.kind, file.source.sheet, file.notes) == ("xlsx", "metingen", ())


def test_zeros_that_a_format_shows_are_kept(book):
    path = book(["id"], [7], change=lambda page: setattr(page["A2"], "number_format", "000"))
    assert read_table(path).table["id"].tolist() == ["007"]


def test_cells_are_named_as_excel_does(book):
    path = book(["x"], [None], [None, "id", "score"], [None, "P1", "12,5"], [None, "P2", 3])
    assert "the header seems to be on row 3" in sentences(path)[0]
    path = book([None], [None, "id", "score"], [None, "P1", "x"], [None, None, 3])
    found = sentences(path, columns={"score": Column("number")})
    assert found == [
        "t.xlsx, cell B4: the id is empty; give every row one",
        "t.xlsx, cell C3: not a number ('x'); correct it, empty it, or declare it missing",
    ]


def test_text_is_no_number_by_its_marks(book):
    path = book(["id", "score"], ["P1", "1,234"], ["P2", 2])
    assert read_table(path).table["score"].tolist() == ["1,234", "2"]


def test_several_sheets_need_a_choice(book):
    path = book(["id"], ["P1"], more=["uitleg"])
    with pytest.raises(FileError, match=r"t\.xlsx has sheets metingen, uitleg; declare which"):
        read_table(path)
    with pytest.raises(
        FileError, match=r"has no filled sheet 'meting' \(did you mean 'metingen'\?\)"
    ):
        read_table(path, sheet="meting")
    (note,) = read_table(path, sheet="metingen").notes
    assert str(note) == "t.xlsx: sheet metingen was read; not read: uitleg."


def test_an_empty_workbook_is_refused(book):
    with pytest.raises(FileError, match=r"t\.xlsx is empty: no sheet holds a table"):
        read_table(book())


def test_formulas_merged_cells_errors_and_hidden_rows(book):
    def change(page):
        page["B2"] = "=1+1"
        page["B3"] = "#DEEL/0!"
        page.merge_cells("A4:A5")

    found = sentences(book(["id", "x"], ["P1"], ["P2"], ["P3", 1], ["P4", 1], change=change))
    assert found[:3] == [
        "t.xlsx, sheet 'metingen', cell B3: Excel reports an error here; mend the cell or empty it",
        "t.xlsx, sheet 'metingen', cell A4:A5: merged, so that only the first holds a value;"
        " split them",
        "t.xlsx, sheet 'metingen', cell B2: formulas without values; open the file in Excel and"
        " save the cells as values",
    ]
    hidden = book(
        ["id"], ["P1"], change=lambda page: setattr(page.row_dimensions[2], "hidden", True)
    )
    assert str(read_table(hidden).notes[0]) == "t.xlsx: hidden rows were read too (2)."


def test_a_formula_with_its_value_is_that_value(book):
    path = book(["id", "x"], ["P1", 5])
    sheet = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(path) as file:
        content = file.read(sheet).decode()
    cell = content[content.index('<c r="B2"') : content.index("</row>", content.index('"B2"'))]
    path = with_member(path, sheet, content.replace(cell, '<c r="B2"><f>2+3</f><v>5</v></c>'))
    assert read_table(path).table["x"].tolist() == [5]
    empty = content.replace(cell, '<c r="B2" t="str"><f>""</f><v></v></c>')
    assert read_table(with_member(path, sheet, empty)).table["x"].isna().tolist() == [True]


def test_a_format_far_away_does_not_make_a_billion_cells(book, monkeypatch):
    def paint(page):
        page["XFD1048576"].fill = PatternFill("solid", fgColor="FF0000")

    with pytest.raises(FileError, match="reaches to XFD1048576; at most 20,000,000 cells are read"):
        read_table(book(["id"], ["P1"], change=paint))


def test_empty_rows_and_columns_around_the_table_are_no_data(book):
    def paint(page):
        page["D9"].fill = PatternFill("solid", fgColor="FF0000")

    file = read_table(book(["id", None, "x"], ["P1", None, 1], [], ["P2", None, 2], change=paint))
    assert list(file.table) == ["id", "x"]
    assert file.where.rows.tolist() == [2, 4]
    assert "blank rows were left out (3)" in str(file.notes[0])


def test_dangerous_or_damaged_workbooks_are_refused(book, tmp_path):
    sheet = "xl/worksheets/sheet1.xml"
    with pytest.raises(
        FileError, match=r"t\.xlsx, xl/worksheets/sheet1\.xml, line 1: a document type"
    ):
        read_table(with_member(book(["id"], ["P1"]), sheet, "<!DOCTYPE a><a/>"))
    with pytest.raises(FileError, match=r"t\.xlsx: damaged file \(\w+\); open it in Excel"):
        read_table(with_member(book(["id"], ["P1"]), "xl/_rels/workbook.xml.rels", "<x/>"))
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as file:
        file.writestr("word/document.xml", "<a/>")
    with pytest.raises(FileError, match=r"a\.xlsx is a ZIP archive but no \.xlsx workbook"):
        read_table(tmp_path / "a.xlsx")
    assert xlsx.MAX_CELLS == 20_000_000
