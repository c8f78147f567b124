"""The invented corpus is what its datasheet says: whole, marked, varied, and exact."""

import hashlib
import re
import tomllib
import unicodedata
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "corpora" / "drie-kunnen-meer-dan-een"
ROLES = {"patient", "naaste", "professional"}
KINDS = {
    "person", "place", "date", "organisation", "age",
    "phone", "email", "address", "postcode", "number",
}  # fmt: skip
LISTING = tomllib.loads((FOLDER / "corpus.toml").read_text("utf-8"))
ENTRIES = {entry["id"]: entry for entry in LISTING["texts"]}
RAW = {text: (FOLDER / entry["file"]).read_bytes() for text, entry in ENTRIES.items()}
TEXTS = {text: raw.decode("utf-8") for text, raw in RAW.items()}
GOLD = pd.read_csv(FOLDER / "gold.csv", keep_default_na=False)
GOLD["words"] = [TEXTS[row.text][row.start : row.end] for row in GOLD.itertuples()]
PEOPLE = pd.read_csv(FOLDER / "people.csv", dtype=str, keep_default_na=False)
README = (FOLDER / "README.md").read_text("utf-8")

EVERY_TEXT = pytest.mark.parametrize("text", list(ENTRIES))


def parts(text):
    """Split T01-naaste-2 into triad, role and wave."""
    return text.split("-")


def test_the_listing_says_that_it_is_invented_and_free_to_use():
    assert LISTING["schema"] == 1
    assert LISTING["invented"] is True
    assert (LISTING["licence"], LISTING["language"]) == ("CC-BY-4.0", "nl")
    assert len(TEXTS) == len(LISTING["texts"]) >= 40
    assert sorted(path.stem for path in (FOLDER / "texts").iterdir()) == sorted(TEXTS)


@EVERY_TEXT
def test_a_text_is_the_one_that_was_listed(text):
    triad, role, wave = parts(text)
    entry = ENTRIES[text]
    assert hashlib.sha256(RAW[text]).hexdigest() == entry["sha256"]
    assert (entry["file"], entry["participant"]) == (f"texts/{text}.txt", f"{triad}-{role}")
    assert (entry["wave"], entry["language"]) == (wave, "nl")
    assert entry["genre"]


@EVERY_TEXT
def test_a_text_is_clean(text):
    words = TEXTS[text]
    assert 150 <= len(words.split()) <= 900
    assert unicodedata.is_normalized("NFC", words)
    assert not words.startswith("\ufeff")
    assert words == words.strip() + "\n"
    assert not re.search(r"[^\S\n]$|\r|\t|\u00a0|\[\[|\]\]|\n{3}", words, re.MULTILINE)


@EVERY_TEXT
def test_a_text_has_topics_that_the_datasheet_names(text):
    topics = ENTRIES[text]["topics"]
    named = re.search(r"know beforehand:(.+?)\.", README, re.DOTALL)[1]
    assert topics
    assert len(set(topics)) == len(topics)
    assert set(topics) <= set(re.split(r",\s+", " ".join(named.split())))


def test_twelve_whole_triads_and_second_tellings():
    told = pd.DataFrame([parts(text) for text in TEXTS], columns=["triad", "role", "wave"])
    assert sorted(told["triad"].unique()) == [f"T{number:02}" for number in range(1, 13)]
    for _, rows in told.groupby(["triad", "wave"]):
        assert sorted(rows["role"]) == sorted(ROLES)
    assert set(told["triad"][told["wave"] == "1"]) == set(told["triad"])
    assert told["triad"][told["wave"] == "2"].nunique() >= 4


def test_people_are_complete_and_vary():
    assert set(PEOPLE["participant"]) == {entry["participant"] for entry in ENTRIES.values()}
    assert PEOPLE["participant"].is_unique
    assert (PEOPLE["participant"] == PEOPLE["triad"] + "-" + PEOPLE["perspective"]).all()
    assert set(PEOPLE["perspective"]) == ROLES
    must = PEOPLE.drop(columns=["relation", "profession"])
    assert (must != "").all(axis=None)
    assert ((PEOPLE["relation"] != "") == (PEOPLE["perspective"] == "naaste")).all()
    assert ((PEOPLE["profession"] != "") == (PEOPLE["perspective"] == "professional")).all()
    assert set(PEOPLE["use"]) <= {"yes", "no"}
    assert set(PEOPLE["own_triad_may_read"]) == {"yes", "no"}
    assert set(PEOPLE["quote_to"]) == {"nobody", "inside", "council", "public"}
    assert all(set(value.split()) <= ROLES for value in PEOPLE["coded_by"])
    assert PEOPLE["coded_by"].nunique() > 3
    assert PEOPLE["institution"].nunique() == 4
    assert PEOPLE.groupby("triad")[["team", "institution"]].nunique().eq(1).all(axis=None)
    ages = PEOPLE["age"].astype(int)
    assert (ages.min(), ages.max()) == (16, 78)
    assert PEOPLE["relation"].nunique() >= 7
    assert PEOPLE["profession"].nunique() >= 8


@EVERY_TEXT
def test_gold_spans_lie_in_the_text_and_split_no_word(text):
    words, rows = TEXTS[text], GOLD[GOLD["text"] == text]
    assert len(rows) >= 6
    end = 0
    for row in rows.itertuples():
        assert end <= row.start < row.end <= len(words), "spans overlap or leave the text"
        assert row.words == row.words.strip()
        around = words[row.start - 1 : row.start] + words[row.end : row.end + 1]
        assert not re.search(r"\w", around), f"{row.words!r} splits a word"
        end = row.end


def test_gold_holds_every_kind_and_names_persons_only():
    assert set(GOLD["kind"]) == KINDS
    assert set(GOLD["text"]) == set(TEXTS)
    assert ((GOLD["person"] != "") == (GOLD["kind"] == "person")).all()
    named = GOLD[GOLD["kind"] == "person"]
    assert (named["person"].str[:4] == named["text"].str[:3] + "-").all()
    assert set(PEOPLE["person"]) <= set(named["person"])


def test_the_datasheet_counts_what_is_there():
    counts = GOLD["kind"].value_counts()
    assert README.startswith("# Drie kunnen meer dan één")
    assert f"\n{len(TEXTS)} stories in Dutch" in README
    told = " ".join(README.split())
    assert f"Marked details: {len(GOLD)}, of which {counts['person']} persons" in told
    assert f"{counts['date']} dates, {counts['place']} places" in told


def test_a_name_is_one_person_in_a_triad_or_a_shared_surname():
    named = GOLD[GOLD["kind"] == "person"].assign(triad=GOLD["text"].str[:3])
    for (triad, words), same in named.groupby(["triad", "words"]):
        if same["person"].nunique() > 1:
            family = PEOPLE["person"][PEOPLE["triad"] == triad]
            assert set(same["person"]) <= set(family), f"{words} is two people in {triad}"


@EVERY_TEXT
def test_no_name_of_a_triad_is_left_unmarked(text):
    triad = parts(text)[0]
    known = GOLD[GOLD["text"].str.startswith(triad) & ~GOLD["kind"].isin(["date", "age", "number"])]
    bare = list(TEXTS[text])
    for row in GOLD[GOLD["text"] == text].itertuples():
        bare[row.start : row.end] = "\0" * (row.end - row.start)
    for words in set(known["words"]):
        assert not re.search(rf"(?<!\w){re.escape(words)}(?!\w)", "".join(bare)), words


def test_invented_numbers_reach_nobody():
    assert GOLD["words"][GOLD["kind"] == "email"].str.endswith(".example").all()
    for phone in GOLD["words"][GOLD["kind"] == "phone"]:
        assert re.match(r"(06[- ]?|\+31 6 |\d{3,4}-)0", phone), "this number may be given out"


def turns(words):
    return [line.split(":")[0] for line in words.splitlines() if line]


REGISTERS = {
    "T02-patient-1": lambda words: words == words.lower(),
    "T02-patient-2": lambda words: words == words.lower(),
    "T06-patient-1": lambda words: len(re.findall("[\U0001f300-\U0001faff]", words)) >= 5,
    "T12-naaste-1": lambda words: max(map(len, words.splitlines())) < 60,
    "T12-patient-1": lambda words: re.search(r"\b(dagt|wagttijd|disleksie)\b", words),
    "T05-naaste-1": lambda words: not re.search(r"[.,;:!?]", words),
    "T03-patient-1": lambda words: "Geachte " in words and "Met vriendelijke groet," in words,
    "T03-professional-1": lambda words: "Ondergetekende" in words and "Hoogachtend" in words,
    "T09-patient-1": lambda words: len(re.findall(r"(?m)^\d+ \w+( \d{4})?$", words)) >= 8,
    "T01-patient-1": lambda words: {"Moi", "wief", "aans"} <= set(re.findall(r"\w+", words)),
    "T04-naaste-1": lambda words: {"nich", "hef", "noaber"} <= set(re.findall(r"\w+", words)),
    "T07-naaste-1": lambda words: {"Ich", "naoberse"} <= set(re.findall(r"\w+", words)),
    "T09-naaste-1": lambda words: {"goesting", "ge", "Amai"} <= set(re.findall(r"\w+", words)),
    "T10-naaste-1": lambda words: {"mien", "hoed", "neuze"} <= set(re.findall(r"\w+", words)),
    "T11-naaste-1": lambda words: {"boi", "wisi", "krei"} <= set(re.findall(r"\w+", words)),
}


@pytest.mark.parametrize("text", list(REGISTERS))
def test_registers_are_as_the_datasheet_says(text):
    assert REGISTERS[text](TEXTS[text])
    assert text in README


def test_interviews_have_turns_and_name_the_narrator():
    interviews = [text for text, entry in ENTRIES.items() if entry["genre"] == "interview"]
    assert len(interviews) >= 3
    for text in TEXTS:
        speakers = ENTRIES[text].get("speakers")
        assert (speakers == {"I": "interviewer", "R": "narrator"}) == (text in interviews)
        if speakers:
            said = turns(TEXTS[text])
            assert {"I", "R"} <= set(said)
            assert sum(label in speakers for label in said) / len(said) > 0.8


def test_lengths_are_spread():
    lengths = sorted(len(words.split()) for words in TEXTS.values())
    assert lengths[0] < 200
    assert lengths[-1] > 800
    openings = {" ".join(words.split()[:2]) for words in TEXTS.values()}
    assert len(openings) > 0.9 * len(TEXTS)
