"""A corpus and its codings, opened together."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from expertise.coding.coded import read_coded
from expertise.coding.opening import open_store
from expertise.coding.sheet import read_sheet
from expertise.errors import CodingError

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "drie-kunnen-meer-dan-een"
PLACES = {
    "codebook": STUDY / "codebook.toml",
    "corpus": ROOT / "corpora" / "drie-kunnen-meer-dan-een",
}


@pytest.fixture(scope="module")
def coded():
    return read_coded(STUDY / "codings.csv", **PLACES)


@pytest.fixture(scope="module")
def compared(coded):
    return coded.compare(n_boot=200)


def test_only_counts_show(coded):
    shown = repr(coded) + coded._repr_html_()
    assert "54 " in shown
    assert not any(text[:40] in shown for text in coded.texts.values())


def test_documents_are_those_that_were_finished_alone(coded):
    assert len(coded.documents) == len(coded.texts) == 16
    assert set(coded.codings["document"]) <= set(coded.texts)
    assert set(coded.sentences["document"]) == set(coded.texts)


def test_who_skipped_a_text_is_in_no_comparison_of_it(compared):
    skipped = compared.differences[compared.differences["document"] == "T06-patient-1"]
    assert len(skipped)
    named = set(skipped["marked_by"].sum()) | set(skipped["not_marked_by"].sum())
    assert named == {"ervaring-1", "naaste-1", "onderzoeker-1"}


def test_those_who_lived_it_see_control_where_others_see_a_decision(compared):
    between = compared.part("between").query("term == 'difference'").set_index(["group", "code"])
    assert between.loc[("patient – researcher", "regie"), "estimate"] > 0.03
    assert between.loc[("patient – researcher", "samen-beslissen"), "estimate"] < 0
    within = compared.part("within").query("term == 'positive' and code == '(all)'")
    across = compared.part("between").query("term == 'positive' and code == '(all)'")
    assert within["estimate"].min() > across["estimate"].max()


def test_a_store_gives_the_same_as_its_sheet(coded, tmp_path):
    path = tmp_path / "codings.db"
    texts = {one.id: one.text for one in coded.corpus}
    sheet = read_sheet(STUDY / "codings.csv", texts, coded.book)
    with open_store(path) as store:
        store.append(*sheet.acts, records=sheet.records)
    again = read_coded(path, **PLACES)
    pd.testing.assert_frame_equal(again.codings, coded.codings)
    pd.testing.assert_frame_equal(again.readings.table, coded.readings.table)


def test_a_text_that_is_gone_is_named(tmp_path):
    with open_store(tmp_path / "codings.db") as store:
        sheet = read_sheet(STUDY / "codings.csv", _texts(), _book())
        store.append(*sheet.acts, records=sheet.records)
    corpus = tmp_path / "corpus"
    shutil.copytree(PLACES["corpus"], corpus)
    listing = corpus / "corpus.toml"
    listing.write_text(
        listing.read_text("utf-8").replace('"T11-patient-1"', '"T11-patient-9"'), "utf-8"
    )
    with pytest.raises(
        CodingError, match="text 'T11-patient-1' was coded and is not in the corpus"
    ):
        read_coded(tmp_path / "codings.db", codebook=PLACES["codebook"], corpus=corpus)


def test_a_text_that_changed_is_refused(tmp_path):
    texts = _texts()
    changed = texts | {"T11-patient-1": texts["T11-patient-1"] + "\n"}
    sheet = read_sheet(STUDY / "codings.csv", changed, _book())
    with open_store(tmp_path / "codings.db") as store:
        store.append(*sheet.acts, records=sheet.records)
    with pytest.raises(CodingError, match="text 'T11-patient-1' is not the text that was coded"):
        read_coded(tmp_path / "codings.db", **PLACES)


def _texts():
    return {path.stem: path.read_bytes().decode() for path in PLACES["corpus"].glob("texts/*.txt")}


def _book():
    return read_coded(STUDY / "codings.csv", **PLACES).book


def test_consent_that_is_taken_back_halfway_takes_the_codings_along(coded, tmp_path):
    corpus = tmp_path / "corpus"
    shutil.copytree(PLACES["corpus"], corpus)
    document = next(iter(coded.texts))
    teller = coded.corpus[document].participant
    people = pd.read_csv(corpus / "people.csv", dtype=str, keep_default_na=False)
    people.loc[people["participant"] == teller, "use"] = "no"
    people.to_csv(corpus / "people.csv", index=False)
    later = read_coded(STUDY / "codings.csv", codebook=PLACES["codebook"], corpus=corpus)
    gone = {one.id for one in coded.corpus if one.participant == teller}
    assert later.corpus.withheld == gone
    assert set(later.texts) == set(coded.texts) - gone
    kept = coded.codings[~coded.codings["document"].isin(gone)].reset_index(drop=True)
    pd.testing.assert_frame_equal(later.codings.reset_index(drop=True)[kept.columns], kept)
    assert "did not consent" in repr(later)
