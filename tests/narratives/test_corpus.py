"""A corpus shows counts, never text; a text that changed is refused."""

import dataclasses
import re

import pytest

from expertise.errors import DataError, FileError, StudyError
from expertise.narratives.corpus import read_corpus

from .conftest import PEOPLE

SECRET = "Zorgvuldigbewaard verhaal"


def test_corpus_shows_counts_and_never_text(make_corpus):
    corpus = read_corpus(make_corpus({"p1-a": SECRET, "n1-a": SECRET + " 2", "p2-a": "x y"}))
    shown = repr(corpus) + corpus._repr_html_() + repr(corpus["p1-a"]) + corpus.table.to_string()
    assert "Zorgvuldig" not in shown
    assert repr(corpus).startswith("Proef (invented): 3 texts by 3 people in 2 triads.")
    assert corpus.counts.to_dict("list") == {
        "perspective": ["patient", "naaste"], "wave": ["T1", "T1"], "n": [2, 1], "n_people": [2, 1],
    }  # fmt: skip
    assert corpus["p1-a"].text == SECRET
    assert [item.id for item in corpus.only(role="patient")] == ["p1-a", "p2-a"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        corpus.title = "x"


def test_consent_that_is_not_there_is_not_given(make_corpus):
    people = PEOPLE.drop(columns=["coded_by", "quote_to", "own_triad_may_read"])
    people = people.assign(use=["yes", "no", "", "yes"])
    corpus = read_corpus(make_corpus({"p1-a": "a", "n1-a": "b", "h1-a": "c"}, people))
    assert [item.id for item in corpus] == ["p1-a"]
    assert "2 texts are left out" in str(corpus.notes[0])
    only = corpus["p1-a"]
    assert (only.coded_by, only.quote_to, only.own_triad_may_read) == ((), "nobody", False)


def test_consent_is_read_from_the_people_table(make_corpus):
    corpus = read_corpus(make_corpus({"p1-a": "a", "p2-a": "b"}), people=PEOPLE)
    assert corpus["p1-a"].coded_by == ("patient", "naaste")
    assert corpus["p1-a"].own_triad_may_read
    assert corpus["p2-a"].quote_to == "council"


def test_a_text_that_changed_is_refused(make_corpus):
    folder = make_corpus({"p1-a": SECRET})
    corpus = read_corpus(folder)
    (folder / "texts" / "p1-a.txt").write_text(SECRET + "!", "utf-8")
    sentence = r"text 'p1-a': p1-a.txt is no longer the text with hash \w{12}…; texts never change"
    with pytest.raises(FileError, match=sentence) as caught:
        _ = corpus["p1-a"].text
    assert "Zorgvuldig" not in str(caught.value)
    with pytest.raises(FileError, match=sentence):
        read_corpus(folder)
    (folder / "texts" / "p1-a.txt").unlink()
    with pytest.raises(FileError, match=r"p1-a.txt is not in texts/; put it back"):
        read_corpus(folder)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"participant": ["p1", "p1"]}, "has participant 'p1' twice"),
        ({"use": ["misschien", "yes"]}, "'p1': use is 'misschien'; write yes or no"),
        ({"quote_to": ["pubic", ""]}, r"quote_to is 'pubic'; allowed are nobody.*'public'"),
    ],
)
def test_impossible_people_are_refused(make_corpus, change, sentence):
    people = PEOPLE.head(2).assign(**change)
    with pytest.raises(DataError, match=sentence):
        read_corpus(make_corpus({"p1-a": "a"}), people=people)


def test_corpora_that_do_not_hold_together_are_refused(make_corpus):
    folder = make_corpus({"p1-a": "a", "n1-a": "b"})
    with pytest.raises(DataError, match="the people table has no column 'use'; it has participant"):
        read_corpus(folder, people=PEOPLE.drop(columns="use"))
    with pytest.raises(StudyError, match="by participant 'n1', who is not in the people table"):
        read_corpus(folder, people=PEOPLE.head(1))
    corpus = read_corpus(folder)
    with pytest.raises(StudyError, match=r"unknown text 'p1-b'; the corpus has p1-a, n1-a \(did"):
        corpus["p1-b"]
    with pytest.raises(StudyError, match=r"unknown property 'rol'; allowed are id.*'role'"):
        corpus.only(rol="patient")
    listing = (folder / "corpus.toml").read_text("utf-8")
    (folder / "corpus.toml").write_text(listing.replace('"n1-a"', '"p1-a"'), "utf-8")
    with pytest.raises(StudyError, match="text 'p1-a' is listed twice"):
        read_corpus(folder)
    (folder / "corpus.toml").write_text(listing.replace("wave", "wve", 1), "utf-8")
    with pytest.raises(StudyError, match=re.escape("unknown key 'wve' (did you mean 'wave'?)")):
        read_corpus(folder)
    (folder / "corpus.toml").write_text(listing, "utf-8")
    (folder / "people.csv").unlink()
    with pytest.raises(FileError, match=r"people.csv is not in corpus/; put the table of"):
        read_corpus(folder)
