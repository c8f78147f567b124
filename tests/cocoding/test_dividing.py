"""Dividing again: who reads keeps their fragments, and these keep their other readers."""

from uuid import uuid4

import pytest

from expertise.cocoding.web.serve import how_to_divide_again


@pytest.fixture
def store():
    """The usual one, in private/."""


def does(circle, who, *kinds, **more):
    for kind in kinds:
        message = {"kind": kind, "id": str(uuid4())} | more
        assert circle.handle(who.coder.id, message)["error"] is None


def readers(plan):
    return plan.table.groupby("document")["coder"].agg(set)


@pytest.fixture
def begun(circle):
    """Three people; one finished a fragment, opened another and gave back a third."""
    people = [circle.add(name, "patient") for name in ("Samira", "Iris", "Bram")]
    circle.keep(circle.plan(n=6, words=120, seed=3), by="x")
    mine = [one.id for one in circle.fragments[1:] if one.id in circle._planned(people[0].coder)]
    does(circle, people[0], "return", document="oefenen")
    for document, kinds in zip(mine, (["open", "finish"], ["open"], ["return"]), strict=False):
        does(circle, people[0], *kinds, document=document)
    return people, mine


def test_what_was_opened_keeps_two_readers_when_people_come_later(circle, begun):
    (samira, *_), mine = begun
    els = circle.add("Els", "professional")
    for seed in range(3, 8):
        again = circle.plan(n=6, words=120, seed=seed)
        who = readers(again)
        assert len(who) == 6
        assert who.map(len).tolist() == [2] * 6
        assert samira.coder.id in who[mine[0]] & who[mine[1]]
        assert samira.coder.id not in who.get(mine[2], ())
        assert els.coder.id in set(again.table["coder"])
        assert not {"coding.fewer_readers", "coding.nothing_for"} & {one.key for one in again.notes}
    circle.keep(again, by="x")
    for document in mine[:2]:
        assert sum(document in circle._planned(one.coder) for one in circle.members.values()) == 2


def test_opened_fragments_that_keep_fewer_readers_are_counted(circle, begun):
    _, mine = begun
    elsewhere = circle.plan(of=["T09-patient-1"], words=120)
    said = [str(one) for one in elsewhere.notes]
    assert "2 fragments that someone reads already keep fewer than 2 readers" in said[0]
    everyone = circle.plan(n=6, words=120, readers=3, seed=3)
    assert readers(everyone)[mine[0]] == set(circle.members), "who may read is asked again"
    topics = sorted(circle.whole[mine[0].rpartition(":")[0]].topics)
    for one in begun[0][1:]:
        does(circle, one, "decline", topics=topics)
    alone = circle.plan(n=6, words=120, readers=2, seed=3)
    assert readers(alone)[mine[0]] == {begun[0][0].coder.id}
    assert "coding.fewer_readers" in [one.key for one in alone.notes]


def test_a_division_in_which_someone_gets_nothing_says_so(circle, begun):
    small = circle.plan(of=["T09-patient-1#1"], readers=1)
    assert [str(one) for one in small.notes if one.key == "coding.nothing_for"] == [
        "2 people get nothing to read in this division, though they may read some of it: "
        "ask for more fragments, or for more readers."
    ]


def test_only_who_could_read_something_is_offered_another_division(circle, begun, folder):
    topics = sorted({topic for one in circle.whole.values() for topic in one.topics})
    later = circle.add("Later", "patient")
    teams = {one.team for one in circle.whole.values()}
    circle.add("Kent iedereen", "patient", teams=sorted(teams),
               triads=sorted({one.triad for one in circle.whole.values()}))  # fmt: skip
    assert circle.without_texts() == ["Later"]
    assert "before: Later. Divide" in how_to_divide_again(circle, folder)
    does(circle, later, "decline", topics=topics)
    assert circle.without_texts() == []
    does(circle, later, "decline", topics=[])
    assert circle.without_texts() == ["Later"]
    leader = circle.facilitator().coder.id
    circle.reveal(leader, anyway=True)
    assert circle.without_texts() == []
    assert how_to_divide_again(circle, folder) == ""


def test_the_texts_that_were_asked_for_decide_who_is_offered_more(circle):
    for name in ("Samira", "Iris"):
        circle.add(name, "patient")
    circle.keep(circle.plan(of=["T02-patient-1#1-2"], words=120), by="x")
    circle.add("Uit triade", "patient", triads=[circle.whole["T02-patient-1"].triad])
    assert circle.without_texts() == []
    circle.add("Els", "patient")
    assert circle.without_texts() == ["Els"]
