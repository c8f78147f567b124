"""The paper version: what is printed, and how it is entered afterwards."""

import re
from uuid import uuid4

import pytest

from expertise.cli import main
from expertise.cocoding.paper import entered_codings, paper_page, write_papers
from expertise.coding.folding import ledger
from expertise.coding.paper import (
    PaperLine,
    enter,
    enter_again,
    numbered_sentences,
    passage,
    sheet_code,
)
from expertise.errors import CodingError

ORIGIN = "http://localhost:8765"
TEXT = "T01-patient-1"
PLACES = [(0, 8), (9, 19), (20, 31)]


def uid():
    return str(uuid4())


@pytest.fixture
def people(circle):
    return {name: circle.add(name, role) for name, role in (
        ("Samira", "patient"), ("Bram", "naaste"), ("Els", "professional"))}  # fmt: skip


@pytest.fixture
def paper(circle, people):
    """Samira's session as the facilitator enters it, and the sentences of one text."""
    leader = circle.facilitator().coder.id
    text = circle.texts[TEXT]
    return (circle.session(people["Samira"], entered_by=leader),
            numbered_sentences({TEXT: text})[TEXT], leader)  # fmt: skip


def entering(circle, paper, *lines, **more):
    session, sentences, _ = paper
    return enter(session, TEXT, lines, book=circle.book, sentences=sentences,
                 **{"entry": uid(), "sheet": sheet_code(TEXT, sentences)} | more)  # fmt: skip


# ---- numbers of sentences -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "place"),
    [("2", (9, 19)), (" 1-2 ", (0, 19)), ("2–3", (9, 31)), ("1 t/m 3", (0, 31)),
     ("1 tot 2", (0, 19)), ("3-3", (20, 31))],
)  # fmt: skip
def test_people_write_numbers_in_several_ways(said, place):
    assert passage(said, PLACES, 1, "nl") == place


@pytest.mark.parametrize(
    ("said", "sentence"),
    [("", "Regel 4: '' is geen nummer van een zin; schrijf 4, of 4-6"),
     ("twee", "Regel 4: 'twee' is geen nummer"), ("1,2", "Regel 4: '1,2' is geen nummer"),
     ("0", "Regel 4: zin 0 is er niet, dit stuk heeft zin 1 tot en met 3. Er is niets"),
     ("2-14", "Regel 4: zin 14 is er niet"), ("3-1", "Regel 4: van zin 3 tot 1 gaat terug"),
     ("٣", "Regel 4: '٣' is geen nummer"), ("1" * 400, "Regel 4: '11111111111111111111' is")],
)  # fmt: skip
def test_other_numbers_are_refused_kindly(said, sentence):
    with pytest.raises(CodingError, match=sentence):
        passage(said, PLACES, 4, "nl")


# ---- entering -----------------------------------------------------------------------------------


def test_what_was_entered_counts_for_who_wrote_it_and_says_who_entered_it(circle, paper, people):
    n = entering(
        circle, paper, PaperLine(sentences="2-3", code="hoop", why="Zij vroeg door.", doubt=True),
        PaperLine(sentences="4", code="regie", why="Voor straks.", shared=True),
    )  # fmt: skip
    assert n == 2
    found = circle.ledger()
    rows = found.coded("alone")
    assert rows["coder"].tolist() == [people["Samira"].coder.id] * 2
    assert rows["doubted"].tolist() == [True, False]
    sentences = paper[1]
    assert (rows["start"][0], rows["end"][0]) == (sentences[1][0], sentences[2][1])
    acts = circle.store.table()
    assert set(acts["entered_by"]) == {paper[2]}
    memos = {record.body for record in circle.store.records("memo").values()}
    assert memos == {"Zij vroeg door.", "Voor straks."}
    assert acts.loc[acts["kind"] == "memo", "value"].tolist() == ["private", "shared"]
    assert circle.store.verify().ok


def test_sent_twice_it_is_stored_once(circle, paper):
    line, entry = PaperLine(sentences="1", code="hoop"), uid()
    for _ in range(2):
        assert entering(circle, paper, line, entry=entry) == 1
    assert len(circle.ledger().codings) == 1


@pytest.mark.parametrize(
    ("line", "sentence"),
    [(PaperLine(sentences="1", code=""), "Regel 2: er staat nog geen woord bij"),
     (PaperLine(sentences="99", code="hoop"), "Regel 2: zin 99 is er niet"),
     (PaperLine(sentences="1", code="hop"), "unknown code 'hop'")],
)  # fmt: skip
def test_one_wrong_line_and_nothing_is_stored(circle, paper, line, sentence):
    with pytest.raises(CodingError, match=sentence):
        entering(circle, paper, PaperLine(sentences="2", code="hoop"), line)
    assert len(circle.store.table()) == 0


def test_a_paper_that_was_numbered_otherwise_is_not_entered(circle, paper):
    """As after a version of the package that ends sentences elsewhere, or with another sheet."""
    line, now = PaperLine(sentences="2", code="hoop"), sheet_code(TEXT, paper[1])
    printed = sheet_code(TEXT, [(paper[1][0][0], paper[1][1][1]), *paper[1][2:]])
    assert printed != now
    with pytest.raises(CodingError, match=f"code {printed}, bij dit stuk hoort nu {now}: het is"):
        entering(circle, paper, line, sheet=printed)
    with pytest.raises(CodingError, match="Typ ook de code die op het blad staat"):
        entering(circle, paper, line, sheet=" ")
    assert sheet_code("T02-patient-1", paper[1]) != now
    assert len(circle.store.table()) == 0
    assert entering(circle, paper, line, sheet=f" {now[:2]} {now[2:].lower()}") == 1


def test_the_same_rules_hold_as_on_a_screen(circle, people):
    leader = circle.facilitator().coder.id
    own = circle.add("Mina", "patient", triads=[circle.whole[TEXT].triad])
    session = circle.session(own, entered_by=leader)
    with pytest.raises(CodingError, match="niet aan u gegeven"):
        enter(session, TEXT, [], book=circle.book, sentences=PLACES, entry=uid())


def test_what_was_given_back_on_paper_is_given_back(circle, paper):
    assert entering(circle, paper, end="return") == 0
    assert circle.ledger().work.query("document == @TEXT")["state"].tolist() == ["returned"]
    with pytest.raises(CodingError, match="end is 'klaar'; allowed are finish, skip, return"):
        entering(circle, paper, end="klaar")


def test_a_mistake_can_be_entered_again_and_screen_work_stays(circle, paper, people):
    me = people["Samira"].coder.id
    circle.handle(me, {"kind": "return", "id": uid(), "document": "oefenen"})
    text = circle.handle(me, {"kind": "open", "id": uid(), "document": TEXT})["text"]
    own = uid()
    circle.handle(me, {"kind": "apply", "id": own, "document": TEXT, "sha256": text["sha256"],
                       "start": 0, "end": 4, "code": "hoop"})  # fmt: skip
    entering(circle, paper, PaperLine(sentences="3", code="hoop"))
    with pytest.raises(CodingError, match="Dit stuk is al klaar"):
        entering(circle, paper, PaperLine(sentences="4", code="hoop"))
    entered = entered_codings(circle, me, TEXT)
    assert len(entered) == 1
    enter_again(paper[0], TEXT, entered, uid())
    assert circle.ledger().codings["uuid"].tolist() == [own]
    entering(circle, paper, PaperLine(sentences="4", code="regie"))
    assert circle.ledger().coded("alone")["code"].tolist() == ["hoop", "regie"]


# ---- printing -----------------------------------------------------------------------------------


def test_a_paper_has_all_that_someone_needs(site, circle, people):
    page = paper_page(site[0], people["Samira"])
    assert "Welkom, Samira." in page
    assert circle.contact.phone in page
    assert "0800-0113" in page
    for card in circle.book.cards():
        assert card["name"] in page
    own = {one["document"] for one in circle.handle(
        people["Samira"].coder.id, {"kind": "sync"})["desk"]["texts"]} - {"oefenen"}  # fmt: skip
    assert page.count("<table>") == len(own)
    sentences = re.findall(r'<tr[^>]*><th scope="row">(\d+)</th>', page)
    assert sentences.count("1") == len(own)
    printed = re.findall(r"<small>Samira · code (\w{5})</small>", page)
    assert printed == [sheet_code(one, places) for one, places in numbered_sentences(
        {one.id: one.text for one in circle.fragments if one.id in own}).items()]  # fmt: skip
    assert page.index("gedachten aan de dood") < page.index("<table>")


def test_names_and_texts_cannot_become_markup(site, circle):
    eve = circle.add("<script>alert(1)</script>", "patient")
    page = paper_page(site[0], eve)
    assert page.count("<script") == page.count('<script type="module" src="/static/') == 1
    assert "&lt;script&gt;" in page


def test_papers_are_written_for_everyone_who_codes(circle, people, tmp_path, monkeypatch):
    def no_browser(*_):
        from expertise.errors import FileError

        raise FileError("no Chromium")

    monkeypatch.setattr("expertise.cocoding.paper.print_page", no_browser)
    circle.facilitator()
    circle.add("../../Éve", "patient")
    names = [path.name for path in write_papers(circle, tmp_path / "uit")]
    assert names == ["01-éve.html", "02-bram.html", "03-els.html", "04-samira.html"]
    assert "<style>" in (tmp_path / "uit" / "02-bram.html").read_text("utf-8")
    with pytest.raises(CodingError, match="there is nobody to print for"):
        write_papers(circle, tmp_path, ("Niemand",))


def test_who_may_read_nothing_gets_no_paper(site, circle, tmp_path):
    every = {one.triad for one in circle.whole.values()}
    alone = circle.add("Mina", "patient", triads=every)
    with pytest.raises(CodingError, match="nothing to print for 'Mina': no text is theirs"):
        paper_page(site[0], alone)


@pytest.mark.browser
def test_the_command_writes_pages_and_pdfs(folder, capsys, monkeypatch):
    monkeypatch.setattr("expertise.cocoding.paper.print_page", lambda _, pdf: pdf)
    assert main(["code", str(folder), "--coder", "Samira:patient", "--paper", "--who",
                 "--invite", "Samira"]) == 0  # fmt: skip
    said = capsys.readouterr().out
    assert "Samira: http://localhost:8765/invite/" in said
    assert "private/exports/paper/01-samira.html" in said.replace("\\", "/")
    assert "01-samira.pdf" in said


# ---- the researcher's page ----------------------------------------------------------------------


@pytest.fixture
def leader(circle, come_in):
    return come_in(circle.facilitator())


def test_a_helper_enters_a_paper_on_the_page(circle, people, leader):
    me = people["Samira"].coder.id
    page = leader.http.get("/research").text
    assert f"/research/paper?coder={me}" in page
    assert TEXT in leader.http.get("/research/paper", params={"coder": me}).text
    place = {"coder": me, "document": TEXT}
    form = leader.http.get("/research/paper", params=place)
    entry = re.search(r'name="entry" value="([^"]+)"', form.text)[1]
    without = leader.form("/research/paper", **place, entry=entry, **{
        "sentences-0": "4", "code-0": "hoop"})  # fmt: skip
    assert without.status_code == 422
    assert "Typ ook de code die op het blad staat" in without.text
    code = sheet_code(TEXT, numbered_sentences({TEXT: circle.texts[TEXT]})[TEXT])
    wrong = leader.form("/research/paper", **place, entry=entry, **{
        "sheet": code, "sentences-0": "400", "code-0": "hoop", "why-0": "Omdat <b>"})  # fmt: skip
    assert wrong.status_code == 422
    assert "Regel 1: zin 400 is er niet" in wrong.text
    assert 'value="Omdat &lt;b&gt;"' in wrong.text
    assert entry in wrong.text
    right = leader.form("/research/paper", **place, entry=entry, end="finish", **{
        "sheet": code, "sentences-0": "4", "code-0": "hoop", "doubt-0": "on"})  # fmt: skip
    assert "Ingevoerd: 1 markeringen." in right.text
    assert circle.ledger().coded("alone")["doubted"].tolist() == [True]
    done = leader.http.get("/research/paper", params=place).text
    assert "Opnieuw invoeren" in done
    assert "Hoop" not in done
    again = leader.form("/research/paper", **place, entry=uid(), again="1")
    assert "is weggehaald" in again.text
    assert len(circle.ledger().codings) == 0


def test_a_helper_who_may_not_read_a_text_sees_its_numbers_only(circle, people, come_in):
    circle.add("Leider", "professional", triads=[circle.whole[TEXT].triad], facilitator=True)
    leader = come_in(circle.facilitator())
    page = leader.http.get(
        "/research/paper", params={"coder": people["Samira"].coder.id, "document": TEXT}
    ).text
    assert "U mag de woorden van dit stuk niet lezen" in page
    assert circle.texts[TEXT][:40] not in page


def test_papers_are_for_who_leads(circle, people, come_in):
    visitor = come_in(people["Bram"])
    place = {"coder": people["Samira"].coder.id, "document": TEXT}
    for path in ("/research/paper", "/research/paper/print"):
        assert visitor.http.get(path, params=place).status_code == 403
    sent = visitor.http.post("/research/paper", data=place, headers={"Origin": ORIGIN})
    assert sent.status_code == 403
    assert len(ledger(circle.store.table()).work) == 0


@pytest.mark.parametrize("place", [{"coder": "x"}, {}, {"coder": "me", "document": "x"}])
def test_places_that_are_not_there(circle, people, leader, place):
    place = {
        key: people["Samira"].coder.id if value == "me" else value for key, value in place.items()
    }
    assert leader.http.get("/research/paper", params=place).status_code == 404
