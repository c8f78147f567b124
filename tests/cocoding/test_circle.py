"""What both hosts share, the widget, and the command."""

import json
import re
import shlex
from pathlib import Path
from uuid import uuid4

import nbformat
import pandas as pd
import pytest

from expertise.cli import main
from expertise.cocoding.circle import open_circle
from expertise.cocoding.exports import as_project
from expertise.cocoding.front import PARTS, joined, part
from expertise.cocoding.minutes import write_minutes
from expertise.cocoding.web.serve import origins_for, serve_study
from expertise.cocoding.widget import CodingWidget
from expertise.coding import schema
from expertise.coding.codebook import read_codebook
from expertise.coding.planning import fragments_of
from expertise.errors import CodingError, StudyError

ROOT = Path(__file__).parents[2]
TEXT = "T01-patient-1"


def uid():
    return str(uuid4())


def test_without_a_contact_nothing_starts(folder):
    study = folder / "study.toml"
    study.write_text(study.read_text("utf-8").partition("[contact]")[0], "utf-8")
    with pytest.raises(StudyError, match=r"no \[contact\] in study.toml: people who code can be"):
        open_circle(folder)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [('codebook = "codebook.toml"', "names no codebook"),
     ('corpus = "drie-kunnen-meer-dan-een"', "names no corpus")],
)  # fmt: skip
def test_without_texts_or_words_nothing_starts(folder, line, sentence):
    study = folder / "study.toml"
    study.write_text(study.read_text("utf-8").replace(line, ""), "utf-8")
    with pytest.raises(StudyError, match=sentence):
        open_circle(folder)


def test_a_passage_that_is_not_in_the_practice_text_is_named(folder):
    book = folder / "codebook.toml"
    book.write_text(book.read_text("utf-8").replace('practice = "wat fijn', 'practice = "wat leuk'))
    with pytest.raises(StudyError, match=r"codes.gezien-worden.practice does not stand in the "
                                         r"practice text; copy a passage from it letter for"):  # fmt: skip
        open_circle(folder)


def test_the_command_says_it_in_one_sentence(folder, capsys):
    study = folder / "study.toml"
    study.write_text(study.read_text("utf-8").partition("[contact]")[0], "utf-8")
    assert main(["code", str(folder)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("expertise: study 'proef' has no [contact]")
    assert said.count("\n") == 1


def test_the_command_migrates_a_store(folder, capsys):
    open_circle(folder).store.close()
    assert main(["code", str(folder), "--migrate"]) == 0
    assert "The store is up to date; backup: none was needed" in capsys.readouterr().out


def test_the_command_that_an_old_store_names_migrates_it(folder, capsys, monkeypatch):
    open_circle(folder).store.close()
    monkeypatch.setattr(schema, "SCHEMA", 2)
    monkeypatch.setattr(schema, "MIGRATIONS", {1: ["CREATE TABLE extra (key TEXT)"]})
    with pytest.raises(CodingError, match="has schema 1, this version needs 2; run `(.+)`") as old:
        open_circle(folder)
    command = re.search("`expertise (.+)`", str(old.value))[1]
    assert main(command.replace("STUDY", str(folder)).split()) == 0
    backup = re.search("backup: (.+)", capsys.readouterr().out)[1]
    assert Path(backup).is_file()
    with open_circle(folder).store as store:
        assert store.verify().ok


@pytest.mark.parametrize(
    "address", ["http://elders.nl", "lezen.nl", "https://lezen.nl/pad", "https://"]
)
def test_others_come_in_over_tls_only(address):
    with pytest.raises(CodingError, match="people come in over TLS only"):
        origins_for(address, 8765)


def test_a_server_prints_a_link_for_each(folder, monkeypatch):
    said = []
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    serve_study(folder, coders=["Samira: de eerste:patient"], say=said.append)
    links = [line for line in said if "/invite/" in line]
    assert [line.rpartition(": ")[0] for line in links] == ["Gespreksleider", "Samira: de eerste"]
    with pytest.raises(CodingError, match="unknown perspective 'patiënt' .did you mean 'patient'"):
        serve_study(folder, coders=["Jan:patiënt"], say=said.append)


def test_texts_are_divided_and_stay_so(circle):
    people = [circle.add(f"Lezer {n}", role) for role in circle.perspectives for n in range(2)]
    circle.keep(circle.plan(readers=2, words=None), by="x")

    def texts(member):
        answer = circle.handle(member.coder.id, {"kind": "sync"})
        return {one["document"] for one in answer["desk"]["texts"]} - {"oefenen"}

    given = [texts(one) for one in people]
    assert len(circle.fragments) == 1 + len(circle.whole)
    for fragment in circle.fragments[1:]:
        assert sum(fragment.id in one for one in given) == 2
    assert max(map(len, given)) - min(map(len, given)) <= 6
    later = circle.add("Later", "naaste")
    assert texts(later) == set(), "who comes after the texts were divided waits for the next plan"
    assert circle.progress().set_index("name").at["Later", "handed"] == 0
    assert [texts(one) for one in people] == given
    assert circle.without_texts() == ["Later"]
    circle.keep(circle.plan(readers=2, words=None), by="x")
    assert texts(later)
    assert circle.without_texts() == []


def test_the_command_says_who_has_nothing_to_read_and_how_to_mend_it(
    circle, folder, store, capsys, monkeypatch
):
    for name in ("Samira", "Iris"):
        circle.add(name, "patient")
    where = ["--store", store] if store else []
    who = ["code", str(folder), *where, "--who"]
    assert main([*who, "--coder", "Els:patient"]) == 0
    assert "Nothing to read yet" not in capsys.readouterr().out
    circle.keep(
        circle.plan(n=2, of=["T02-patient-1", "T03-patient-1#1"], find="de", seed=4), by="x"
    )
    assert main([*who, "--coder", "Later:naaste"]) == 0
    said = capsys.readouterr().out
    assert "the texts were divided before: Later. Divide them again" in said
    command = re.search(r"  expertise (.+)", said)[1]
    assert command == (
        f"fragments {folder} --readers 2 --words 150 --n 2 --find de "
        "--of T02-patient-1 'T03-patient-1#1' --seed 4 --keep"
    )
    told = []
    monkeypatch.setattr("uvicorn.run", lambda *_, **__: None)
    serve_study(folder, store=store, say=told.append)
    assert any("were divided before: Later." in line for line in told)
    assert main([*shlex.split(command), *where]) == 0
    assert "Stored." in capsys.readouterr().out


def test_progress_counts_finished_texts_and_no_time(circle):
    samira = circle.add("Samira", "patient")
    for message in (
        {"kind": "return", "document": "oefenen"}, {"kind": "open", "document": TEXT},
        {"kind": "finish", "document": TEXT},
    ):  # fmt: skip
        assert circle.handle(samira.coder.id, message | {"id": uid()})["error"] is None
    row = circle.progress().set_index("name").loc["Samira"]
    assert row[["finished", "opened", "skipped", "returned"]].tolist() == [1, 0, 0, 0]
    assert "when" not in row.index
    assert not row["ready"]


def test_who_is_ready_counts_what_is_theirs_to_read(circle):
    samira, _ = circle.add("Samira", "patient"), circle.add("Bram", "naaste")
    circle.keep(circle.plan(readers=2, n=2, words=120), by="x")

    def row():
        return circle.progress().set_index("name").loc["Samira"]

    assert (row()["handed"], row()["ready"]) == (2, False)
    messages = [{"kind": "return", "document": "oefenen"}]
    for text in circle.fragments[1:]:
        messages += [{"kind": kind, "document": text.id} for kind in ("open", "finish")]
    for message in messages:
        assert circle.handle(samira.coder.id, message | {"id": uid()})["error"] is None
    assert (row()["finished"], row()["ready"]) == (2, True)
    assert not circle.progress().set_index("name").loc["Bram", "ready"]


def test_a_plan_of_another_program_is_taken_up(circle, folder, store):
    samira = circle.add("Samira", "patient")
    circle.add("Bram", "naaste")
    assert len(circle.handle(samira.coder.id, {"kind": "sync"})["desk"]["texts"]) > 10
    where = [str(folder), *(["--store", store] if store else [])]
    assert main(["fragments", *where, "--n", "3", "--words", "120", "--keep"]) == 0
    assert len(circle.handle(samira.coder.id, {"kind": "sync"})["desk"]["texts"]) == 1 + 3


def test_the_command_shows_a_plan_and_stores_nothing(circle, folder, store, capsys):
    circle.add("Samira", "patient")
    circle.add("Bram", "naaste")
    where = [str(folder), *(["--store", store] if store else [])]
    assert main(["fragments", *where, "--of", "T02-patient-1#1-2", "--seed", "4"]) == 0
    said = capsys.readouterr().out
    assert "1 fragments for 2 people" in said
    assert "Samira" in said
    assert "Nothing is stored yet" in said
    assert len(circle.fragments) == 1 + len(circle.whole)
    assert main(["fragments", *where, "--readers", "9"]) == 1
    assert "no text may be read by 9 of 2 people who code; add people" in capsys.readouterr().err


def test_fragments_that_share_words_do_not_count_twice(circle):
    people = [circle.add("Samira", "patient"), circle.add("Bram", "naaste")]
    with pytest.raises(
        CodingError,
        match=r"fragments 'T02-patient-1:0-\d+' and 'T02-patient-1:\d+-"
        r"\d+' share words, so these would count twice; ask for each paragraph once",
    ):
        circle.plan(of=["T02-patient-1#1-2", "T02-patient-1#2-3"], words=40)
    early = circle.plan(of=["T02-patient-1#2", "T02-naaste-1#1"])
    later = circle.plan(of=["T02-patient-1#1-2", "T02-patient-1#3"])
    circle.keep(early, by="x")
    me = people[0].coder.id
    opened = circle.fragments[1].id
    circle.handle(me, {"kind": "return", "id": uid(), "document": "oefenen"})
    circle.handle(me, {"kind": "open", "id": uid(), "document": opened})
    with pytest.raises(
        CodingError,
        match=rf"fragment 'T02-patient-1:0-\d+' shares words with "
        rf"'{opened}', which someone opened, so these would count twice; plan anew",
    ):
        circle.keep(later, by="x")
    anew = circle.plan(of=["T02-patient-1#1-2", "T02-patient-1#3"])
    assert [str(one) for one in anew.notes] == [
        "1 fragments are left out: they share words with one that someone opened already, and "
        "would count twice.",
        "1 fragments that someone reads already keep fewer than 2 readers: they are not among "
        "what is asked for here, or too few people may read them.",
    ]
    with pytest.raises(
        CodingError,
        match="each of the 1 fragments that fit shares words with one that someone opened, so "
        "these would count twice; plan with the length of before, or other texts",
    ):
        circle.plan(of=["T02-patient-1#1-2"])
    circle.keep(anew, by="x")
    desks = [circle.handle(one.coder.id, {"kind": "sync"})["desk"]["texts"] for one in people]
    third = anew.table["document"].iloc[0]
    assert [[one["document"] for one in desk if not one["practice"]] for desk in desks] == [
        [opened, third], [third]], "what was opened stays, what was not goes"  # fmt: skip
    circle.handle(me, {"kind": "return", "id": uid(), "document": opened})
    circle.keep(later, by="x")


def test_who_opened_a_whole_text_does_not_get_its_fragments(circle):
    people = [circle.add("Samira", "patient"), circle.add("Bram", "naaste")]
    circle.handle(people[0].coder.id, {"kind": "return", "id": uid(), "document": "oefenen"})
    circle.handle(people[0].coder.id, {"kind": "open", "id": uid(), "document": TEXT})
    plan = circle.plan()
    assert not plan.table["document"].str.startswith(TEXT).any()
    again = circle.plan(words=None)
    assert TEXT in set(again.table["document"])
    assert [one.key for one in again.notes] == ["coding.few_may_read"]
    with pytest.raises(CodingError, match="fragments that fit shares words with one that someone"):
        circle.plan(of=[TEXT], find="de")
    with pytest.raises(CodingError, match="no fragments of 0 that fit"):
        circle.plan(of=[TEXT], find="xyzzy")


def test_a_withdrawn_text_takes_its_fragments_along(circle):
    samira = circle.add("Samira", "patient")
    circle.add("Bram", "naaste")
    circle.keep(circle.plan(of=["T02-patient-1"], words=120), by="x")
    parts = fragments_of(circle.store, ["T02-patient-1"])
    assert parts == sorted(one.id for one in circle.fragments[1:])
    circle.store.withdraw(documents=["T02-patient-1", *parts], by="x")
    message = {"kind": "open", "id": uid(), "document": parts[0]}
    assert "niet aan u gegeven" in circle.handle(samira.coder.id, message)["error"]


def test_fragments_are_compared_and_exported_at_their_place(circle, folder, store, tmp_path):
    people = [circle.add("Samira", "patient"), circle.add("Bram", "naaste")]
    circle.keep(circle.plan(of=["T02-patient-1#2", "T02-patient-1#3"]), by="x")
    for one in people:
        me = one.coder.id
        circle.handle(me, {"kind": "return", "id": uid(), "document": "oefenen"})
        for text in circle.fragments[1:]:
            circle.handle(me, {"kind": "open", "id": uid(), "document": text.id})
            circle.handle(me, {
                "kind": "apply", "id": uid(), "document": text.id, "sha256": text.sha256,
                "start": 0, "end": 10, "code": "hoop"})  # fmt: skip
            circle.handle(me, {"kind": "finish", "id": uid(), "document": text.id})
    corpus = folder.parents[1] / "corpora" / "drie-kunnen-meer-dan-een"
    places = ["--codebook", str(folder / "codebook.toml"), "--corpus", str(corpus)]
    where = store or str(folder)
    assert main(["agree", where, *places]) == 1
    leader = circle.facilitator().coder.id
    assert not circle.handle(leader, {"kind": "reveal", "id": uid()})["error"]
    assert main(["agree", where, *places]) == 0
    with pytest.raises(CodingError, match="Wat anderen kozen, is nog niet open"):
        write_minutes(circle, leader, tmp_path / "verslag.html")
    circle.handle(leader, {"kind": "join", "id": uid()})
    page = write_minutes(circle, leader, tmp_path / "verslag.html").read_text("utf-8")
    assert "Er is nog niets vastgelegd." in page
    assert "<style>" in page
    with pytest.raises(CodingError, match=r"verslag.doc: the minutes are written as .html or .pdf"):
        write_minutes(circle, leader, tmp_path / "verslag.doc")
    rows = as_project(circle).selections
    assert set(rows["document"]) == {"T02-patient-1"}
    whole = circle.texts["T02-patient-1"]
    assert rows["text"].tolist() == [
        whole[a:b] for a, b in zip(rows["start"], rows["end"], strict=True)
    ]
    assert set(rows["text"]) == {one.text[:10] for one in circle.fragments[1:]}
    assert main(["exchange", where, str(tmp_path / "uit.csv"), *places]) == 0
    table = pd.read_csv(tmp_path / "uit.csv")
    assert sorted(table["start"]) == sorted(rows["start"])


def test_agreement_waits_for_the_reveal(circle):
    with pytest.raises(CodingError, match="shown after the round together was opened"):
        circle.agreement()


def test_the_page_starts_without_any_text(circle):
    samira = circle.add("Samira", "patient")
    given = json.dumps(circle.start(samira.coder.id), ensure_ascii=False)
    for fragment in circle.fragments[1:]:
        assert fragment.text[:40] not in given
        assert fragment.id not in given


# ---- the widget ---------------------------------------------------------------------------------


def test_a_saved_notebook_holds_no_word_of_a_text(folder):
    """A canary: everything that JupyterLab would save of the widget's state."""
    widget = CodingWidget(folder)
    sent = []
    widget.send = lambda content, *_: sent.append(content)
    leader = widget.coder
    for message in (
        {"kind": "return", "id": uid(), "document": "oefenen"},
        {"kind": "open", "id": uid(), "document": TEXT},
    ):
        widget._carry(widget, message, [])
    text = next(one.text for one in widget.circle.fragments if one.id == TEXT)
    assert sent[-1]["answer"]["text"]["text"] == text
    state = {widget.model_id: {"state": widget.get_state()}}
    book = nbformat.v4.new_notebook(metadata={"widgets": {"state": state}})
    saved = json.dumps(book, default=str, ensure_ascii=False)
    assert widget.circle.contact.name in saved
    assert leader not in saved
    for fragment in widget.circle.fragments[1:]:
        for start in range(0, len(fragment.text) - 30, 25):
            assert fragment.text[start : start + 30] not in saved
    widget.circle.store.close()


def test_the_widget_answers_what_is_no_message(folder):
    widget = CodingWidget(folder)
    sent = []
    widget.send = lambda content, *_: sent.append(content)
    for message in ("sync", None, {"kind": "nee", "id": "x"}):
        widget._carry(widget, message, [])
    assert [one["re"] for one in sent] == [None, None, "x"]
    assert all(one["answer"]["error"] for one in sent)
    widget.circle.store.close()


def test_the_widget_knows_its_coder_by_name(folder):
    circle = open_circle(folder)
    circle.add("Samira", "patient")
    circle.store.close()
    widget = CodingWidget(folder, "Samira")
    assert widget.name == "Samira"
    assert not widget.facilitator
    widget.circle.store.close()
    with pytest.raises(CodingError, match=r"0 people who code are called 'Samir' .did you mean"):
        CodingWidget(folder, "Samir")


# ---- the front end's source ---------------------------------------------------------------------


def test_the_joined_module_has_every_part_after_what_it_needs():
    whole = joined()
    assert "import {" not in whole
    assert whole.count("export ") == 1
    names = re.findall(r"^(?:async )?(?:function|class|const) (\w+)", whole, re.MULTILINE)
    assert len(names) == len(set(names))
    for n, name in enumerate(PARTS):
        needed = re.findall(r'from "\./(\w+)\.js"', part(f"{name}.js"))
        assert set(needed) <= set(PARTS[:n]), name


def test_nothing_in_the_front_end_makes_markup_of_text_or_asks_elsewhere():
    for name in PARTS:
        text = part(f"{name}.js")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                     "http:", "https:"):  # fmt: skip
            assert word not in text, name


def test_the_codebook_has_cards_with_examples():
    book = read_codebook(ROOT / "studies/drie-kunnen-meer-dan-een/codebook.toml")
    assert len(book) == 8
    for card in book.cards():
        assert all(card[name] for name in ("name", "text", "example", "counter_example", "colour"))
