"""The codebook: what is refused, what changed, and codings that go along."""

from dataclasses import FrozenInstanceError, replace

import pytest

from expertise.coding.acts import acts_table, recoded
from expertise.coding.codebook import (
    Code,
    Codebook,
    codebook_from,
    diff,
    merge_codes,
    read_codebook,
    rename_code,
    split_code,
    write_codebook,
)
from expertise.coding.folding import ledger
from expertise.errors import CodingError
from tests.coding.conftest import act, uid

GOOD = """
schema = 1
version = 3
title = "Woorden"
[codes.herstel]
name = "Herstel"
definition = "Het wordt beter."
[codes.hoop]
name = "Hoop"
parent = "herstel"
definition = "Kijkt vooruit."
"""


def written(tmp_path, text):
    path = tmp_path / "codebook.toml"
    path.write_text(text, "utf-8")
    return path


def test_reads_a_file_in_its_order(tmp_path):
    book = read_codebook(written(tmp_path, GOOD))
    assert (book.title, book.version, list(book)) == ("Woorden", 3, ["herstel", "hoop"])
    assert book.path("hoop") == ("herstel", "hoop")
    with pytest.raises(FrozenInstanceError):
        book.version = 4


def test_what_is_written_is_read_back(tmp_path, book):
    odd = Code(key="één", name='Met "quotes" \\ en\nregels', definition="é😀\x7f\t")
    book = replace(book, codes=(*book.codes, odd))
    assert read_codebook(written(tmp_path, write_codebook(book))) == book


def test_a_card_holds_the_plain_words_and_falls_back(book):
    assert book["hoop"].card()["text"] == "Iemand kijkt weer vooruit."
    assert book["verzet"].card()["text"] == "Zegt nee."


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("parent", "paernt", r"unknown key 'codes.hoop.paernt' \(did you mean 'parent'\?\)"),
        ("title", "tittle", r"unknown key 'tittle' \(did you mean 'title'\?\); allowed are schema"),
        ('parent = "herstel"', 'parent = "herstl"',
         r"codes.hoop.parent 'herstl' is no code \(did you mean 'herstel'\?\)"),
        ("schema = 1", "schema = 9", r"schema is 9; this version reads 1"),
        ("version = 3", "version = true", r"version is True; write a whole number from 1"),
        ("version = 3", "version = 0", r"version is 0; write a whole number from 1"),
        ('name = "Hoop"', "name = 4", r"codes.hoop.name is 4; write text between quotes"),
        ('name = "Hoop"', 'name = " "', r"codes.hoop.name is empty; write it"),
        ('name = "Hoop"\n', "", r"codes.hoop.name is missing; write it"),
        ('name = "Hoop"', 'name = "herstel "', r"the name 'herstel' stands there twice"),
        ("[codes.hoop]", '[codes."ho op"]', r"code key 'ho op': use letters, digits, hyphen"),
        ("[codes.herstel]", "codes = 1\n[x]", r"cannot be read as TOML|unknown key"),
        ('parent = "herstel"', 'colour = "red"', r"codes.hoop.colour 'red'; write six hex digits"),
        ('[codes.herstel]\nname = "Herstel"', '[codes.herstel]\nparent = "hoop"\nname = "Herstel"',
         r"lies below itself through 'herstel'|lies below itself through 'hoop'"),
    ],
)  # fmt: skip
def test_refuses_with_file_and_key(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(CodingError, match=sentence):
        read_codebook(written(tmp_path, GOOD.replace(old, new, 1)))


def test_refuses_what_is_no_codebook(tmp_path):
    with pytest.raises(CodingError, match=r"codebook.toml: cannot be read as TOML in UTF-8"):
        read_codebook(tmp_path / "codebook.toml")
    with pytest.raises(CodingError, match=r"codes is empty; write a table \[codes.KEY\]"):
        codebook_from({"schema": 1})
    with pytest.raises(CodingError, match=r"codes.hoop must be a table \[codes.hoop\]"):
        codebook_from({"schema": 1, "codes": {"hoop": 3}})
    with pytest.raises(CodingError, match=r"the key 'x' stands there twice"):
        Codebook(codes=(Code(key="x", name="a", definition="b"),
                        Code(key="x", name="c", definition="d")))  # fmt: skip


def test_unknown_code_names_the_nearest(book):
    with pytest.raises(CodingError, match=r"unknown code 'hop' \(did you mean 'hoop'\?\); the"):
        book["hop"]


def test_diff_is_empty_for_itself_and_names_fields(book):
    assert diff(book, book).empty
    new = replace(book, codes=(book["herstel"], replace(book["hoop"], parent="", when="altijd")))
    table = diff(book, new)
    assert set(zip(table["code"], table["change"], table["field"], strict=True)) == {
        ("hoop", "changed", "parent"),
        ("hoop", "changed", "when"),
        ("verzet", "removed", "name"),
        ("verzet", "removed", "definition"),
    }


def folded(change, *acts):
    moved = recoded(change, coder="r")
    every = [replace(one, n=n) for n, one in enumerate([*acts, *moved], start=1)]
    codings = ledger(acts_table(every)).codings
    return dict(zip(codings["uuid"], codings["code"], strict=True))


def test_rename_carries_codings_and_children_along(book):
    change = rename_code(book, "herstel", "beter", name="Beter worden")
    assert change.codebook["hoop"].parent == "beter"
    assert change.codebook.version == book.version + 1
    assert folded(change, act("1", "applied", code="herstel")) == {uid("1"): "beter"}
    with pytest.raises(CodingError, match="unknown code 'x'"):
        rename_code(book, "x", "y")


def test_merge_carries_all_codings_along(book):
    into = Code(key="kracht", name="Kracht", definition="Gaat door.")
    change = merge_codes(book, ["hoop", "verzet"], into)
    assert list(change.codebook) == ["herstel", "kracht"]
    codes = folded(change, act("1", "applied"), act("2", "applied", code="verzet"))
    assert set(codes.values()) == {"kracht"}


def test_merge_into_one_of_them_keeps_its_place_and_children(book):
    change = merge_codes(book, ["herstel", "verzet"], book["herstel"])
    assert list(change.codebook) == ["herstel", "hoop"]
    assert change.codebook["hoop"].parent == "herstel"


def test_split_moves_what_was_read_again_and_keeps_the_rest(book):
    into = [Code(key="hoop", name="Hoop", definition="a"),
            Code(key="wens", name="Wens", definition="b"),
            Code(key="hoop-oud", name="Nog te lezen", definition="c")]  # fmt: skip
    change = split_code(book, "hoop", into, {uid("1"): "hoop", uid("2"): "wens"}, "hoop-oud")
    acts = [act(str(i), "applied") for i in (1, 2, 3)]
    assert list(folded(change, *acts).values()) == ["hoop", "wens", "hoop-oud"]
    assert list(change.codebook) == ["herstel", "hoop", "wens", "hoop-oud", "verzet"]
    with pytest.raises(
        CodingError, match=r"'wns' is not among its new codes \(did you mean 'wens'"
    ):
        split_code(book, "hoop", into, {uid("1"): "wns"}, "hoop")


def test_html_is_escaped(book):
    nasty = replace(book["hoop"], name="<script>")
    assert "<script>" not in Codebook(codes=(book["herstel"], nasty))._repr_html_()
