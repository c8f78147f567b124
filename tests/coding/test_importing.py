"""Codings from elsewhere: what is refused, what is noted, what is kept."""

import pandas as pd
import pytest

from expertise.coding.codebook import Code, Codebook
from expertise.coding.importing import import_codings, whole
from expertise.errors import CodingError

BOOK = Codebook(codes=(Code(key="hoop", name="Hoop!", definition="d"),
                       Code(key="verzet", name="Verzet", definition="d")))  # fmt: skip
TEXTS = {"d1": "Ik hoop op beter, en ik hoop op meer rust.", "d_emoji": "👩‍👩‍👧 hoop é"}


def table(*rows):
    return pd.DataFrame(rows, columns=["document", "coder", "code", "start", "end", "text"])


def taken(*rows, **more):
    return import_codings(table(*rows), TEXTS, BOOK, **more)


ROW = ("d1", "a", "hoop", 3, 7, "hoop")


def changed(**more):
    return tuple((dict(zip(table().columns, ROW, strict=True)) | more).values())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"document": "d9"}, r"row 1: unknown document 'd9'; there are d1, d_emoji"),
        ({"code": "hop"}, r"row 1: unknown code 'hop' \(did you mean 'hoop'\?\); the codebook has"),
        ({"coder": None}, r"row 1: no coder; say who coded"),
        ({"end": 5.5}, r"row 1: end is 5.5; positions are whole numbers"),
        ({"start": float("nan")}, r"row 1: start is nan; positions are whole numbers"),
        ({"start": "drie"}, r"row 1: start is 'drie'; positions are whole numbers"),
        ({"start": True}, r"row 1: start is 'True'; positions are whole numbers"),
        ({"start": "٣"}, r"row 1: start is '٣'; positions are whole numbers"),
        ({"end": 100_000}, r"row 1: end 100000 lies past the end of the text \(42 code points\)"),
        ({"start": 7}, r"row 1: the passage from 7 to 7 is empty"),
        ({"start": 9}, r"row 1: end 7 lies before start 9"),
        ({"start": -1}, r"row 1: start is -1; positions count from 0"),
        ({"text": "wanhoop"}, r"row 1: the quote is not what stands at 3–7 of 'd1'"),
    ],
)
def test_a_wrong_row_is_refused_with_its_number(change, sentence):
    with pytest.raises(CodingError, match=sentence) as caught:
        taken(changed(**change))
    assert "wanhoop" not in str(caught.value)
    report = taken(ROW, changed(**change), strict=False)
    assert report.rejected["row"].tolist() == [2]
    assert report.codings["text"].tolist() == ["hoop"]


def test_a_good_row_stands_as_it_is():
    report = taken(ROW, changed(coder="b", code="Verzet", start="3", end=7.0, text=""))
    assert report.codings["code"].tolist() == ["hoop", "verzet"]
    assert report.notes == ()
    assert "2 codings accepted, 0 rows rejected" in repr(report)


def test_the_table_is_not_changed_and_row_order_is_free():
    rows = table(ROW, changed(coder="b", start=24, end=28))
    before = rows.copy()
    one, two = (import_codings(t, TEXTS, BOOK).codings for t in (rows, rows[::-1]))
    pd.testing.assert_frame_equal(rows, before)
    pd.testing.assert_frame_equal(one.reset_index(drop=True), two[::-1].reset_index(drop=True))


def test_missing_columns_and_other_units_are_named():
    with pytest.raises(
        CodingError, match=r"has no column 'coder' \(did you mean 'codr'\?\); it has"
    ):
        import_codings(table(ROW).rename(columns={"coder": "codr"}), TEXTS, BOOK)
    with pytest.raises(CodingError, match="units is 'bytes'; allowed are 'code points'"):
        taken(ROW, units="bytes")


def test_duplicates_count_once_and_overlaps_are_kept():
    report = taken(ROW, ROW, changed(start=5, end=9, text=""), changed(coder="b"))
    assert len(report.codings) == 3
    notes = [str(note) for note in report.notes]
    assert "Rows 2 repeat an earlier row" in notes[0]
    assert "Rows 3 overlap" in notes[1]


def test_utf16_positions_become_code_points():
    text = TEXTS["d_emoji"]
    start = len(text[: text.index("hoop")].encode("utf-16-le")) // 2
    row = ("d_emoji", "a", "hoop", start, start + 4, "hoop")
    assert taken(row, units="utf16").codings[["start", "end"]].to_numpy().tolist() == [[6, 10]]
    with pytest.raises(CodingError, match="start 1 lies within a UTF-16 pair; mark whole char"):
        taken(("d_emoji", "a", "hoop", 1, 12, ""), units="utf16")


def test_half_a_character_and_unsure_units_are_noted():
    report = taken(("d_emoji", "a", "hoop", 0, 1, ""), changed(coder="b"))
    assert "Rows 1 begin or end inside what people see as one character" in str(report.notes[0])
    assert "Rows 1 lie in texts with emoji" in str(report.notes[1])
    combining = {"d": "Cafe\u0301 nee"}
    rows = table(("d", "a", "hoop", 0, 4, ""), ("d", "b", "hoop", 0, 5, ""))
    assert "Rows 1 begin" in str(import_codings(rows, combining, BOOK).notes[0])


def test_whole():
    assert [whole(value, "x") for value in (5, 5.0, " 5 ")] == [5, 5, 5]


# name → (what is expected, a part of what must be said)
BAD = {
    "cod_overlap_same_code.csv": ("warn", "overlap with a coding of the same coder and code"),
    "cod_exact_dup.csv": ("warn", "repeat an earlier row and were counted once"),
    "cod_past_end.csv": ("reject", "lies past the end of the text"),
    "cod_float_offsets.csv": ("reject", "end is 5.5"),
    "cod_text_mismatch.csv": ("reject", "the quote is not what stands at 0–4"),
    "cod_unknown_doc.csv": ("reject", "unknown document 'd99'"),
    "cod_unknown_code.csv": ("reject", "did you mean 'hoop'?"),
    "cod_one_coder.csv": ("warn", "agreement cannot be computed"),
    "cod_split_surrogate.csv": ("warn", "begin or end inside what people see as one character"),
    "cod_million.csv.bz2": ("accept", ""),
}


def test_bad_inputs(bad_inputs):
    index = pd.read_csv(bad_inputs / "index.csv").query("kind == 'codings'")
    assert set(index["name"]) == set(BAD)
    texts = TEXTS | {"d1": TEXTS["d1"] * 5_000}
    for name, outcome in zip(index["name"], index["outcome"], strict=True):
        rows = pd.read_csv(bad_inputs / name, dtype={"codering": str})
        expected, words = BAD[name]
        assert outcome == expected
        longest = rows["eind"].max() if name == "cod_million.csv.bz2" else 0
        here = TEXTS if longest == 0 else texts
        if outcome == "reject":
            with pytest.raises(CodingError) as caught:
                import_codings(rows, here, BOOK)
            assert words in str(caught.value)
        else:
            report = import_codings(rows, here, BOOK)
            assert words in " ".join(map(str, report.notes))
            assert len(report.codings) == len(rows.drop_duplicates(rows.columns[1:]))


def test_a_table_without_codings_gives_none():
    found = import_codings(
        pd.DataFrame(columns=["document", "coder", "code", "start", "end"]), {}, Codebook()
    )
    assert found.codings.empty
    assert found.rejected.empty
