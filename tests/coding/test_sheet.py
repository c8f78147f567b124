"""Acts from a sheet that people can read, and the invented codings that come so."""

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from expertise.coding.acts import ROUNDS, acts_table
from expertise.coding.codebook import Code, Codebook, read_codebook
from expertise.coding.folding import ledger
from expertise.coding.importing import import_codings
from expertise.coding.opening import open_store
from expertise.coding.sheet import COLUMNS, read_sheet
from expertise.coding.together import kept_readings
from expertise.errors import CodingError
from expertise.narratives.corpus import read_corpus

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "drie-kunnen-meer-dan-een"
ROW = {
    "when": "2026-03-03T10:00:00+00:00", "coder": "a1", "perspective": "patient",
    "round": "alone", "act": "applied", "document": "d1", "code": "hoop", "start": "3",
    "end": "7", "value": "", "quote": "hoop", "memo": "",
}  # fmt: skip
BOOK = Codebook(codes=(Code(key="hoop", name="Hoop", definition="Kijkt vooruit."),))
TEXTS = {"d1": "Ik hoop. Echt waar."}
DONE = {"act": "finished", "code": "", "start": "", "end": "", "quote": ""}


def sheet(tmp_path, *changes):
    path = tmp_path / "codings.csv"
    pd.DataFrame([ROW | change for change in changes])[list(COLUMNS)].to_csv(path, index=False)
    return path


def standing(found):
    return ledger(acts_table(found.acts))


@pytest.fixture(scope="module")
def corpus():
    return read_corpus(ROOT / "corpora" / "drie-kunnen-meer-dan-een")


@pytest.fixture(scope="module")
def texts(corpus):
    return {one.id: one.text for one in corpus}


@pytest.fixture(scope="module")
def book():
    return read_codebook(STUDY / "codebook.toml")


@pytest.fixture(scope="module")
def invented(texts, book):
    return read_sheet(STUDY / "codings.csv", texts, book)


def test_rows_become_acts_with_their_words(tmp_path):
    found = read_sheet(
        sheet(tmp_path, {"memo": "Hij hoopt."}, {"act": "doubted"}, DONE), TEXTS, BOOK
    )
    assert [act.kind for act in found.acts] == ["applied", "memo", "doubted", "finished"]
    applied, memo, doubted, _ = found.acts
    assert memo.target == doubted.target == applied.uuid
    assert found.records[applied.uuid].body == "hoop"
    assert found.records[memo.uuid].body == "Hij hoopt."
    coded = standing(found).coded("alone")
    assert coded[["start", "end", "doubted"]].to_numpy().tolist() == [[3, 7, True]]


@pytest.mark.parametrize("act", ["undone", "removed"])
def test_what_was_taken_back_does_not_stand(tmp_path, act):
    found = read_sheet(sheet(tmp_path, {}, {"act": act, "quote": ""}, DONE), TEXTS, BOOK)
    assert standing(found).coded().empty


def test_readings_of_one_decision_belong_together(tmp_path):
    reading = {"act": "resolved", "round": "together", "value": "both", "memo": "Vooruit."}
    other = reading | {"code": "hoop", "start": "0"} | {"quote": "Ik hoop"}
    found = read_sheet(sheet(tmp_path, reading, other, {"act": "approved", "value": "shown"}),
                       TEXTS, BOOK)  # fmt: skip
    first, second, approved = found.acts
    assert first.target != second.target
    assert approved.target == first.uuid


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"quote": "hoopt"}, "1 of 1 codings are wrong: row 1: the quote is not what stands"),
        ({"end": "70"}, r"row 1: end 70 lies past the end of the text \(19 code points\)"),
        ({"code": "hop"}, "row 1: unknown code 'hop' .did you mean 'hoop'?"),
        ({"act": "doubted"}, r"codings.csv, line 2: doubted names a passage that no earlier row "
                             "made; mend the row"),
        ({"act": "approved"}, "line 2: approved names a passage that no earlier row made"),
        ({"act": "aplied"} , r"line 2: unknown kind of act 'aplied' \(did you mean 'applied'\?\)"),
        ({"round": "alleen"}, "line 2: unknown round 'alleen'; allowed are practice"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named(tmp_path, change, sentence):
    with pytest.raises(CodingError, match=sentence):
        read_sheet(sheet(tmp_path, change), TEXTS, BOOK)


def test_a_missing_column_is_named(tmp_path):
    path = sheet(tmp_path, {})
    pd.read_csv(path).drop(columns="quote").to_csv(path, index=False)
    with pytest.raises(CodingError, match="codings.csv has no column 'quote'; it has when, coder"):
        read_sheet(path, TEXTS, BOOK)


def test_the_invented_codings_are_what_their_readme_says(invented):
    found = standing(invented)
    alone = found.finished("alone").groupby("document")["coder"].nunique()
    assert found.finished("practice")["document"].nunique() == 1
    assert len(alone) == 16
    assert (alone == 4).sum() == 14
    states = found.work["state"].value_counts()
    assert (states["skipped"], states["returned"]) == (1, 1)
    per_text = found.coded("alone").groupby(["document", "coder"]).size()
    assert per_text.min() >= 4
    assert per_text.max() <= 13
    kinds = pd.Series([act.kind for act in invented.acts]).value_counts()
    assert (kinds["undone"], kinds["removed"]) == (2, 1)
    assert min(kinds["doubted"], kinds["memo"]) >= 10
    assert {act.round for act in invented.acts} == set(ROUNDS)


def test_every_quote_stands_in_its_text(texts, book):
    table = pd.read_csv(STUDY / "codings.csv", keep_default_na=False)
    applied = table[table["act"] == "applied"].rename(columns={"quote": "text"})
    imported = import_codings(applied, texts, book)
    assert len(imported.rejected) == 0
    assert imported.codings["text"].tolist() == applied["text"].tolist()
    assert (applied["text"] == applied["text"].str.strip()).all()


def test_invented_coders_kept_to_what_was_agreed(corpus, invented):
    people = pd.read_csv(ROOT / "corpora" / "drie-kunnen-meer-dan-een" / "people.csv")
    people = people.set_index("participant")
    read = people.loc[
        [corpus[each].participant for each in {a.document for a in invented.acts} - {""}]
    ]
    assert set(read["quote_to"]) <= {"council", "public"}
    assert (read["coded_by"] == "patient naaste professional").all()
    moments = [act.when for act in invented.acts]
    assert all(before <= after for before, after in pairwise(moments))
    perspectives = {(act.coder, act.perspective) for act in invented.acts}
    assert sorted(perspective for _, perspective in perspectives) == [
        "naaste", "patient", "patient", "researcher",
    ]  # fmt: skip


def test_minority_readings_are_kept_in_the_words_of_their_holders(invented):
    words = {key: each.body for key, each in invented.records.items() if each.kind == "reading"}
    kept = kept_readings(standing(invented), words).table
    minority = kept[kept["minority"]]
    assert len(minority) == 6
    assert minority["approved"].all()
    assert minority["wording"].str.len().min() > 10
    assert "" in set(minority["perspective"])
    assert (kept["choice"] == "later").sum() == 1


def test_a_store_takes_the_invented_codings_once(tmp_path, invented):
    with open_store(tmp_path / "codings.db") as store:
        store.append(*invented.acts, records=invented.records)
        store.append(*invented.acts, records=invented.records)
        table = store.table()
        assert store.verify().ok
        assert len(store.records("quote")) == sum(a.kind == "applied" for a in invented.acts)
    assert len(table) == len(invented.acts)
    pd.testing.assert_frame_equal(ledger(table).codings, standing(invented).codings)
