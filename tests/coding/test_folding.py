"""What stands after acts: undo, finishing, recoding, withdrawing; and a plain model of it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expertise.coding.acts import Act, acts_table, check_span, clean
from expertise.coding.desk import row
from expertise.coding.folding import Standing, ledger
from expertise.errors import CodingError
from tests.coding.conftest import act, uid


def book_of(*acts):
    return ledger(acts_table(replace(one, n=n) for n, one in enumerate(acts, start=1)))


OPEN, APPLY, DONE = act("o", "opened"), act("c", "applied"), act("f", "finished")


def test_nothing_gives_an_empty_ledger():
    empty = book_of()
    assert empty.codings.empty
    assert empty.units(["hoop"]).empty
    assert "0 codings stand, in 0 texts" in repr(empty)


def test_a_coding_counts_only_after_finished():
    assert len(book_of(OPEN, APPLY).codings) == 1
    assert len(book_of(OPEN, APPLY).coded()) == 0
    assert len(book_of(OPEN, APPLY, DONE).coded("alone")) == 1
    assert len(book_of(OPEN, APPLY, DONE).coded("together")) == 0
    assert "1 readings were opened but not finished" in str(book_of(OPEN).notes[0])


@pytest.mark.parametrize(
    "last", [[], ["skipped"], ["returned"], ["opened"], ["finished", "skipped"]]
)
def test_skipping_equals_never_having_been_handed_out(last):
    other = [act("bo", "opened", "b"), act("bc", "applied", "b"), act("bf", "finished", "b"),
             act("b2", "opened", "b", document="d2"), act("b3", "finished", "b", document="d2"),
             act("a2", "opened", document="d2"), act("a3", "finished", document="d2")]  # fmt: skip
    mine = [OPEN, APPLY, *(act(f"x{i}", kind) for i, kind in enumerate(last))]
    never = book_of(*other)
    units = book_of(*other, *mine).units(["hoop", "verzet"])
    pd.testing.assert_frame_equal(units, never.units(["hoop", "verzet"]))
    expected = [[np.nan, 1.0], [np.nan, 0.0], [0.0, 0.0], [0.0, 0.0]]
    np.testing.assert_array_equal(units.to_numpy(), expected)


def test_finishing_without_a_code_is_no_code_and_not_missing():
    units = book_of(OPEN, DONE).units(["hoop"])
    assert units.loc[("d1", "hoop"), "a"] == 0.0


def test_undo_is_an_act_and_can_itself_be_undone():
    removed = act("r", "removed", target=uid("c"))
    undo = act("u", "undone", target=uid("r"))
    redo = act("uu", "undone", target=uid("u"))
    assert len(book_of(OPEN, APPLY, removed).codings) == 0
    assert len(book_of(OPEN, APPLY, removed, undo).codings) == 1
    assert len(book_of(OPEN, APPLY, removed, undo, redo).codings) == 0
    assert len(book_of(OPEN, APPLY, DONE, act("v", "undone", target=uid("f"))).coded()) == 0


def test_doubt_is_kept_and_can_be_undone():
    doubt = act("d", "doubted", target=uid("c"))
    assert book_of(APPLY, doubt).codings["doubted"].tolist() == [True]
    undo = act("u", "undone", target=uid("d"))
    assert book_of(APPLY, doubt, undo).codings["doubted"].tolist() == [False]


def test_opening_again_does_not_undo_finishing():
    assert len(book_of(OPEN, APPLY, DONE, act("o2", "opened")).coded()) == 1


def test_recoding_carries_earlier_codings_only():
    rename = Act(uuid=uid("r"), kind="recoded", coder="r", code="hoop", value="toekomst")
    codings = book_of(APPLY, rename, act("c2", "applied")).codings
    assert codings["code"].tolist() == ["toekomst", "hoop"]


def test_recodings_follow_each_other():
    def move(name, old, new, target=""):
        return Act(uuid=uid(name), kind="recoded", coder="r", code=old, value=new, target=target)

    acts = [APPLY, act("c2", "applied", code="verzet"),
            move(1, "hoop", "x"), move(2, "verzet", "x"),
            move(3, "x", "z"), move(4, "x", "z", uid("c2")), move(5, "z", "slot", uid("c")),
            move(6, "z", "hoop")]  # fmt: skip
    assert book_of(*acts).codings["code"].tolist() == ["slot", "hoop"]
    swap = [move("s1", "hoop", "tmp"), move("s2", "verzet", "hoop"), move("s3", "tmp", "verzet")]
    codings = book_of(APPLY, act("c2", "applied", code="verzet"), *swap).codings
    assert codings["code"].tolist() == ["verzet", "hoop"]


def test_what_was_withdrawn_counts_nowhere():
    acts = [OPEN, APPLY, DONE, act("b", "applied", "b"), act("bf", "finished", "b"),
            act("b2", "applied", "b", document="d2"),
            act("b3", "finished", "b", document="d2")]  # fmt: skip
    text = Act(uuid=uid("w"), kind="withdrawn", coder="r", document="d1")
    coder = Act(uuid=uid("w"), kind="withdrawn", coder="b")
    assert book_of(*acts, text).codings["document"].tolist() == ["d2"]
    assert set(book_of(*acts, coder).codings["coder"]) == {"a"}
    assert set(book_of(*acts, coder).work["coder"]) == {"a"}


def test_the_last_decision_on_a_passage_stands():
    def reading(name, group, code, value):
        return act(name, "resolved", round="together", start=0, end=4, code=code, value=value,
                   target=uid(group))  # fmt: skip

    acts = [reading("1", "g1", "hoop", "both"), reading("2", "g1", "verzet", "both"),
            reading("3", "g2", "hoop", "one")]  # fmt: skip
    assert book_of(*acts[:2]).readings["code"].tolist() == ["hoop", "verzet"]
    assert book_of(*acts).readings["value"].tolist() == ["one"]


def test_an_earlier_moment_can_be_asked():
    acts = acts_table([replace(APPLY, n=1, when="2026-01-01T10:00:00.000000+00:00"),
                       replace(act("r", "removed", target=uid("c")), n=2,
                               when="2026-01-02T10:00:00.000000+00:00")])  # fmt: skip
    assert len(ledger(acts).codings) == 0
    for at in ("2026-01-01T12:00:00", "2026-01-01 12:00", "2026-01-01T11:30+01:00"):
        assert len(ledger(acts, at=at).codings) == 1
    assert len(ledger(acts, at="2026-01-01T10:30+01:00").codings) == 0
    with pytest.raises(CodingError, match="at is 'gisteren'; write a moment as 2026-03-01T12:00"):
        ledger(acts, at="gisteren")


def plain_fold(acts):
    """The rules once more, slowly: replay until no undo is left to decide."""
    live = list(acts)
    for place in reversed(range(len(acts))):
        if acts[place] in live and acts[place].kind == "undone":
            live = [one for one in live if one.uuid != acts[place].target]
    codes, done = {}, {}
    for one in live:
        if one.kind == "applied":
            codes[one.uuid] = one.code
        elif one.kind == "removed":
            codes.pop(one.target, None)
        elif one.kind == "recoded":
            hit = [
                u for u, c in codes.items() if u == one.target or (not one.target and c == one.code)
            ]
            codes.update(dict.fromkeys(hit, one.value))
        elif one.kind in ("finished", "skipped"):
            done[one.coder] = one.kind
    return codes, done


@given(st.lists(st.tuples(st.sampled_from(["applied", "removed", "undone", "recoded", "recode all",
                                           "finished", "skipped"]),
                          st.integers(0, 30), st.sampled_from("abc"), st.sampled_from("abc")),
                max_size=30))  # fmt: skip
def test_folding_equals_a_plain_replay(steps):
    acts = []
    for n, (kind, target, code, value) in enumerate(steps):
        about = uid(f"s{target % n}") if n and kind in ("removed", "undone", "recoded") else ""
        if kind in ("removed", "undone", "recoded") and not about:
            continue
        kind = "recoded" if kind == "recode all" else kind
        more = {"target": about, "code": code, "value": value if kind == "recoded" else ""}
        acts.append(replace(act(f"s{n}", kind, **more), n=n + 1))
    codes, done = plain_fold(acts)
    result = ledger(acts_table(acts[::-1]))
    assert dict(zip(result.codings["uuid"], result.codings["code"], strict=True)) == codes
    assert dict(zip(result.work["coder"], result.work["state"], strict=True)) == done


KINDS = ("opened", "applied", "removed", "doubted", "undone", "recoded", "recode all", "finished",
         "resolved", "approved", "revealed", "joined", "withdraw text", "withdraw coder")  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.sampled_from("ab"),
                          st.sampled_from(["d1", "d2"]), st.sampled_from("xyz")), max_size=30),
       st.lists(st.integers(0, 30), max_size=4))  # fmt: skip
def test_taking_acts_in_one_by_one_or_at_once_is_the_same(steps, cuts):
    rows = []
    for n, (kind, target, coder, document, code) in enumerate(steps):
        about = uid(f"s{target % n}") if n and kind != "recode all" else ""
        document = "" if kind == "withdraw coder" else document
        kind = {"recode all": "recoded"}.get(kind, kind)
        kind = "withdrawn" if kind.startswith("withdraw") else kind
        rows.append((uid(f"s{n}"), kind, coder, "alone", document, code, "x", about))
    whole, parts = Standing(rows), Standing()
    edges = sorted({0, len(rows), *(cut for cut in cuts if cut < len(rows))})
    for first, last in pairwise(edges):
        parts.take(rows[first:last])
    for one in ("rows", "cancelled", "gone", "doubted", "work", "readings", "approved", "revealed",
                "joined"):  # fmt: skip
        assert getattr(parts, one) == getattr(whole, one)
    assert list(parts.codings()) == list(whole.codings())


def test_a_new_act_alone_is_folded():
    """What a key press costs does not grow with what was done before."""
    standing = Standing([row(replace(APPLY, uuid=uid(n))) for n in range(500)])
    standing.rows[0] = None  # anyone who reads the first act again falls over it
    standing.take([row(act("r", "removed", target=uid(3)))])
    assert uid(3) not in standing
    assert len(list(standing.codings())) == 499


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "aplied"}, r"unknown kind of act 'aplied' \(did you mean 'applied'\?\)"),
        ({"round": "alleen"}, r"unknown round 'alleen'; allowed are practice, alone, together"),
        ({"uuid": "7"}, r"id '7' is no UUID in lower case"),
        ({"coder": ""}, r"has no coder; say who did it"),
        ({"start": True}, r"start is 'True'; positions are whole numbers of code points"),
        ({"end": 4.0}, r"end is '4.0'; positions are whole numbers"),
        ({"start": -1}, r"start is -1; positions count from 0"),
        ({"start": 4}, r"the passage from 4 to 4 is empty; mark text"),
        ({"end": 2**63}, r"end a number of more than 15 digits lies past the end of the text"),
        ({"start": 9}, r"end 4 lies before start 9; swap them"),
    ],
)
def test_an_act_of_another_form_is_refused(change, sentence):
    with pytest.raises(CodingError, match=sentence):
        replace(APPLY, **change)


def test_positions_past_the_end_are_refused():
    check_span(0, 4, 4)
    with pytest.raises(CodingError, match=r"end 5 lies past the end of the text \(4 code points\)"):
        check_span(0, 5, 4)
    with pytest.raises(CodingError, match=r"end a number of more than 15 digits lies past the end"):
        check_span(0, 10**30, 4)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\0b", "memo holds a NUL character at 1; leave it out"),
        ("a\ud800", "memo holds half a surrogate pair at 1; send whole characters"),
        ("a" * 9, "memo has 9 characters; at most 8 are allowed"),
        (4, "memo is '4'; send text"),
    ],
)
def test_text_that_no_database_can_hold_is_refused(text, sentence):
    with pytest.raises(CodingError, match=sentence):
        clean(text, "memo", 8)


def test_views():
    result = book_of(OPEN, APPLY, DONE)
    assert result.tidy().to_dict("records") == [{"code": "hoop", "coder": "a", "n": 1}]
    assert result.glance().loc[0, ["n", "n_counted", "n_finished"]].tolist() == [1, 1, 1]
    assert "1 codings stand" in repr(result)
