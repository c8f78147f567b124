"""Fragments instead of piles: how texts are cut, chosen, divided and kept."""

import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expertise.coding.acts import Act
from expertise.coding.assignment import Coder, Fragment, may_read
from expertise.coding.folding import ledger
from expertise.coding.fragments import (
    choose_fragments,
    cut_fragments,
    fragment_text,
    in_whole_texts,
    placed,
)
from expertise.coding.opening import open_store
from expertise.coding.planning import fragments_of, keep_plan, plan_reading, planned
from expertise.errors import CodingError

EVERY = frozenset({"patient", "naaste", "professional"})
STORY = "\n\n".join(f"Alinea {n}. " + "Ik hoop er het beste van. " * (2 + n % 7) for n in range(40))


def people(**counts):
    return [Coder(id=f"{role}{n}", perspective=role) for role, count in counts.items()
            for n in range(count)]  # fmt: skip


def texts(n, **more):
    return [Fragment(id=f"d{at}", text="woord " * 100, coded_by=EVERY, **more) for at in range(n)]


# ---- cutting ------------------------------------------------------------------------------------


def test_fragments_begin_and_end_with_a_paragraph_and_leave_nothing_out():
    pieces = cut_fragments({"t": STORY}, words=100)
    assert pieces["words"].between(50, 200).all()
    starts = {match.start() for match in re.finditer(r"Alinea", STORY)}
    assert set(pieces["start"]) <= starts
    joined = " ".join(fragment_text(one, {"t": STORY}) for one in pieces["document"])
    assert joined.split() == STORY.split()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["ja", "nee 😀", "é"]), max_size=90), max_size=12),
       st.integers(20, 60))  # fmt: skip
def test_fragments_tile_any_text(paragraphs, words):
    text = "\n \n".join(" ".join(one) for one in paragraphs)
    pieces = cut_fragments({"t": text}, words=words)
    said = [word for one in pieces["document"] for word in fragment_text(one, {"t": text}).split()]
    assert said == text.split()
    assert (pieces["start"].to_numpy()[1:] >= pieces["end"].to_numpy()[:-1]).all()


def test_a_long_paragraph_is_cut_at_sentences():
    text = "Dit is een zin van acht woorden lang. " * 60
    pieces = cut_fragments({"t": text.strip()}, words=100)
    assert pieces["words"].between(50, 200).all()
    for one in pieces["document"]:
        words = fragment_text(one, {"t": text.strip()})
        assert words.startswith("Dit")
        assert words.endswith("lang.")


def test_named_paragraphs_are_one_fragment_of_exactly_these():
    pieces = cut_fragments({"t": STORY}, of=["t#2-4", "t#7"])
    assert pieces["paragraphs"].tolist() == ["2–4", "7"]
    assert fragment_text(pieces["document"][1], {"t": STORY}).startswith("Alinea 6.")


def test_whole_texts_keep_their_own_id():
    pieces = cut_fragments({"t": STORY}, words=None)
    assert pieces["document"].tolist() == ["t"]
    assert fragment_text("t", {"t": STORY}) == STORY


@pytest.mark.parametrize(
    ("more", "sentence"),
    [({"words": 5}, "a fragment of 5 words; choose between 20 and 10000"),
     ({"of": ["u"]}, "there is no text 'u'.*write an id, as T01, or with paragraphs"),
     ({"of": ["t#39-44"]}, "text 't' has paragraphs 1 to 40; 39 to 44 was asked for"),
     ({"of": ["t#0"]}, "text 't' has paragraphs 1 to 40; 0 to 0 was asked for")],
)  # fmt: skip
def test_what_cannot_be_cut_is_refused(more, sentence):
    with pytest.raises(CodingError, match=sentence):
        cut_fragments({"t": STORY}, **more)


@pytest.mark.parametrize(("document", "sentence"), [
    ("x:0-5", "text 'x' is not in the corpus"),
    ("t:0-99999", "fragment 't:0-99999' does not lie in its text"),
    ("t:9-4", "fragment 't:9-4' does not lie in its text"),
])  # fmt: skip
def test_a_fragment_that_is_not_there_is_refused(document, sentence):
    with pytest.raises(CodingError, match=sentence):
        fragment_text(document, {"t": STORY})


def test_codings_go_back_to_their_place_in_the_whole_text():
    text = "😀 Eerst dit.\n\nDan hoop ik weer."
    document = f"t:{text.index('Dan')}-{len(text)}"
    rows = pd.DataFrame({"document": [document, "t"], "start": [4, 2], "end": [8, 7]})
    back = in_whole_texts(rows, {"t": text})
    assert [text[a:b] for a, b in zip(back["start"], back["end"], strict=True)] == ["hoop", "Eerst"]
    assert back["document"].tolist() == ["t", "t"]
    assert back["fragment"].tolist() == [document, ""]
    assert rows["start"].tolist() == [4, 2]


def test_a_text_whose_id_looks_like_a_fragment_is_a_text():
    assert placed("a:1-2", {"a:1-2"}) == ("a:1-2", 0, None)


# ---- choosing -----------------------------------------------------------------------------------


def pool():
    return pd.DataFrame({
        "document": [f"d{n}" for n in range(30)], "text": [f"t{n // 3}" for n in range(30)],
        "perspective": ["patient"] * 18 + ["naaste"] * 9 + ["professional"] * 3,
        "participant": [f"p{n // 3}" for n in range(30)], "start": 0, "end": 10,
    })  # fmt: skip


def test_fragments_are_drawn_evenly_over_perspectives_and_then_people():
    chosen = choose_fragments(pool(), n=9, evenly=("perspective", "participant"), seed=4)
    assert chosen["perspective"].value_counts().to_dict() == dict.fromkeys(
        ("patient", "naaste", "professional"), 3
    )
    assert chosen.loc[chosen["perspective"] == "patient", "participant"].is_unique
    assert chosen["document"].is_monotonic_increasing or len(chosen) == 9


def test_the_seed_decides_and_repeats():
    draws = {tuple(choose_fragments(pool(), n=5, seed=seed)["document"]) for seed in (1, 1, 2, 3)}
    assert len(draws) == 3


def test_only_fragments_that_hold_a_hit_wholly():
    pieces = pool().iloc[:3].assign(text="t", start=[0, 10, 20], end=[10, 20, 30])
    hits = pd.DataFrame({"document": ["t", "t", "u"], "start": [12, 18, 1], "end": [15, 23, 4]})
    assert choose_fragments(pieces, hits=hits)["document"].tolist() == ["d1"]


@pytest.mark.parametrize("n", [0, 31])
def test_more_than_there_are_is_refused(n):
    with pytest.raises(CodingError, match=f"{n} fragments of 30 that fit; ask for fewer"):
        choose_fragments(pool(), n=n)


def test_without_a_hit_nothing_can_be_chosen():
    nothing = pd.DataFrame({"document": [], "start": [], "end": []})
    with pytest.raises(CodingError, match="no fragments of 0 that fit"):
        choose_fragments(pool(), hits=nothing)


# ---- dividing -----------------------------------------------------------------------------------


def test_each_fragment_is_read_from_as_many_perspectives_as_can_be():
    plan = plan_reading(texts(30), people(patient=2, naaste=2, professional=2), readers=3, seed=1)
    assert (plan.augment()["perspectives"] == "naaste, patient, professional").all()
    assert plan.table.groupby("coder").size().tolist() == [15] * 6
    assert plan.notes == ()
    assert plan.heading().startswith("30 fragments for 6 people, each read by 3")


def test_a_lone_perspective_does_not_have_to_read_everything():
    plan = plan_reading(texts(40), people(patient=5, professional=1), readers=2, seed=1)
    load = plan.table.groupby("coder").size()
    assert load.max() - load.min() <= 2
    assert "are read from fewer perspectives" in plan.notes[0].text("en")


def test_what_someone_reads_is_chosen_first():
    for seed in range(5):
        chosen = choose_fragments(pool(), n=4, first={"d7", "d8"}, evenly=("text",), seed=seed)
        assert {"d7", "d8"} < set(chosen["document"])
        assert chosen["text"].nunique() == 3
    assert choose_fragments(pool(), n=1, first={"d7", "d8"})["document"].tolist() == ["d7", "d8"]


def test_who_reads_a_fragment_is_among_its_readers_and_who_put_it_aside_is_not():
    coders = people(patient=3, naaste=1)
    begun = {
        "d0": {"patient0": "finished"}, "d1": {"patient0": "opened", "patient1": "finished"},
        "d2": {"patient0": "returned", "patient1": "skipped", "naaste0": "opened"},
        "d3": dict.fromkeys(["patient0", "patient1", "patient2"], "returned"),
        "d4": {"gone": "finished"},
    }  # fmt: skip
    for seed in range(5):
        plan = plan_reading(texts(8), coders, seed=seed, begun=begun)
        who = plan.table.groupby("document")["coder"].agg(set)
        assert who["d0"] > {"patient0"}
        assert who["d1"] == {"patient0", "patient1"}
        assert who["d2"] == {"naaste0", "patient2"}
        assert who["d3"] == {"naaste0"}, "as many as there are"
        assert who.drop("d3").map(len).tolist() == [2] * 7
        assert plan.table["coder"].value_counts().between(3, 5).all(), "each reads about as much"


def test_declined_topics_are_not_planned():
    heavy = texts(6, topics=("crisisnacht",))
    rather_not = Coder(id="a", perspective="patient", declined=frozenset({"crisisnacht"}))
    assert not may_read(rather_not, heavy[0])
    plan = plan_reading(heavy, [rather_not, *people(patient=2)], readers=2)
    assert "a" not in set(plan.table["coder"])


def test_a_plan_is_kept_and_what_was_opened_stays(tmp_path):
    with open_store(tmp_path / "s.db") as store:
        assert planned(store) is None
        coders = people(patient=3)
        keep_plan(store, plan_reading(texts(6), coders, seed=1), _opened(), by="x")
        first = {one.id: planned(store, one.id) for one in coders}
        opened = _opened((first["patient0"][0], "patient0", "alone", "opened"))
        keep_plan(store, plan_reading(texts(2), coders, seed=9), opened, by="x")
        assert first["patient0"][0] in planned(store, "patient0")
        assert set(planned(store)) == {"d0", "d1", first["patient0"][0]}
        assert store.verify().ok


def test_what_was_not_handed_out_is_missing_and_not_a_no(tmp_path):
    with open_store(tmp_path / "s.db") as store:
        plan = plan_reading(texts(4), people(patient=4), readers=2, seed=3)
        for n, (document, coder) in enumerate(zip(plan.table["document"], plan.table["coder"],
                                                  strict=True)):  # fmt: skip
            for kind in ("opened", "finished"):
                place = f"00000000-0000-4000-8000-{n:06}{kind == 'opened':06}"
                store.append(Act(uuid=place, kind=kind, coder=coder, perspective="patient",
                                 round="alone", document=document, sha256="0"))  # fmt: skip
        units = ledger(store.table()).units(["hoop"])
    handed = set(zip(plan.table["document"], plan.table["coder"], strict=True))
    for (document, _), row in units.iterrows():
        for coder, value in row.items():
            assert (value == 0) == ((document, coder) in handed)
            assert pd.isna(value) == ((document, coder) not in handed)


def test_a_store_knows_the_fragments_of_a_text(tmp_path):
    with open_store(tmp_path / "s.db") as store:
        parts = [
            Fragment(id=name, text="ja", coded_by=EVERY) for name in ("t:0-2", "t:3-5", "u:0-2")
        ]
        keep_plan(store, plan_reading(parts, people(patient=2)), _opened(), by="x")
        assert fragments_of(store, ["t"]) == ["t:0-2", "t:3-5"]


def _opened(*rows):
    return pd.DataFrame(rows, columns=["document", "coder", "round", "state"])
