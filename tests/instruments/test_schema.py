"""Instrument files: what is shipped, and each way a study's own file can be wrong."""

import pytest

from expertise.errors import DataError, FileError
from expertise.instruments import collaboration_form, list_instruments, load_instrument, score

GOOD = """
schema = 1
name = "own"
title = "Our own form"
measures = { en = "hope", nl = "hoop" }
answered_by = ["patient"]
licence = "ours"
may_show_items = true
owner = "the study"
source = "the study"
[items]
count = 3
low = 1
high = 5
reversed = [2]
[missing]
at_most = 1
source = "agreed in the group"
[scales.total]
rule = "mean"
better = "higher"
"""


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / "own.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def test_a_study_brings_its_own_file(own):
    rows = collaboration_form(["a", "b"]).head(3)
    table = rows.assign(value=[5, 1, 5])[["perspective", "item", "value"]]
    assert score(table, own(GOOD)).total[0] == 5
    assert load_instrument(str(own(GOOD))).title == "Our own form"


def test_the_list_speaks_both_languages():
    for lang in ("en", "nl"):
        assert list_instruments(lang)["measures"].str.len().gt(3).all()


def test_no_item_text_of_others_is_shipped():
    """Labels exist only for the own form and as names of dimensions."""
    with_labels = {n for n in list_instruments()["instrument"] if load_instrument(n).labels}
    assert with_labels == {"collaboration", "eq5d5l", "positive_health"}


def test_dutch_and_english_have_the_same_classes():
    for name in list_instruments()["instrument"]:
        for scale in load_instrument(name).scales:
            if scale.classes:
                assert len(scale.classes["en"]) == len(scale.classes["nl"]) == len(scale.cuts) + 1


def test_change_thresholds_name_their_source():
    assert load_instrument("phq9").scale("total").change["threshold"] == 6
    assert load_instrument("gad7").scale("total").change["threshold"] == 4
    assert load_instrument("phq9").scale("total").caseness == 10
    assert load_instrument("gad7").scale("total").caseness == 8
    assert load_instrument("oq45").scale("total").change["unverified"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("schema = 1", "schema = 2", "own.toml: schema is 2; this version reads schema 1"),
        ('title = "Our own form"', "", "own.toml: title is missing"),
        ("title =", "titel =", r"unknown key 'titel' \(did you mean 'title'\?\); allowed are s"),
        ("count = 3", 'count = "3"', "items: count is '3'; a whole number is needed"),
        ("count = 3", "count = true", "count is True; a whole number is needed"),
        ("low = 1", "low = 5", "count must be 1 to 1000 and low below high"),
        ("[2]", "[2, 2]", "items.reversed: item 2 stands there 2 times; name it once"),
        ("[2]", "[4]", "items.reversed: item 4; the items are 1 to 3"),
        ('"mean"', '"median"', "unknown rule 'median'; allowed are sum, mean, percent"),
        ('"higher"', '"up"', "better is 'up'; allowed are lower, higher"),
        ('"mean"', '"count"', "rule 'count', and no other, needs least"),
        ('"mean"', '"decrements"', "rule 'decrements' needs 3 rows of 5 decrements"),
        ('"higher"', '"higher"\nsize = 9', "size 9 does not fit 3 items"),
        ('"higher"', '"higher"\nfrom = [3]', "the cut-offs have no names; give classes"),
        ('"higher"', '"higher"\nfrom = [3, 2]', "give rising cut-offs and one class more"),
        ('"higher"', '"higher"\nchange = 4', "change is 4; a table is needed"),
        ("high = 5", 'high = 5\nlabels = {en = ["a"]}', "give 3 labels in every language"),
        ("[scales.total]", "[scales]\ntotal = 1\n[refused]", "scales.total: must be a table"),
        ("count = 3", "count = ", "own.toml is not TOML"),
    ],
)  # fmt: skip
def test_a_wrong_file_says_where_and_what(own, old, new, sentence):
    text = GOOD.replace(old, new, 1)
    if "[refused]" in new:
        text = text.replace('rule = "mean"\nbetter = "higher"\n', "")
    with pytest.raises(FileError, match=sentence):
        load_instrument(own(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match=r"no instrument file at nee\.toml; give the path"):
        load_instrument(tmp_path / "nee.toml")


def test_the_collaboration_form_needs_two_roles():
    form = collaboration_form(["patient", "naaste", "professional"], "nl")
    assert len(form) == 6 * 6
    assert "Ik voel mij gehoord door deze persoon." in set(form["text"])
    with pytest.raises(DataError, match="1 different roles given; name two or more, each once"):
        collaboration_form(["patient", "patient"])
    filled = form.drop(columns="text").assign(value=3)
    got = score(filled, "collaboration", max_missing=0)
    assert len(got.total) == 6
    assert (got.total == 3).all()
