"""A coder's session: every message, every refusal, and nothing of others before it is time."""

import json
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expertise.coding.acts import acts_table
from expertise.coding.assignment import Coder, Fragment, hand_out, may_read
from expertise.coding.folding import ledger
from expertise.coding.messages import CHECKS, FORMS, checked
from expertise.coding.opening import open_store
from expertise.coding.session import CodingSession
from expertise.coding.together import kept_readings
from expertise.errors import CodingError
from tests.coding.conftest import uid

IDS = count()
TEXT = "👩‍👩‍👧 Ik hoop op beter. Cafe\u0301, nee. Ik kan weer verder."
EVERY = frozenset({"patient", "naaste", "researcher"})
FRAGMENTS = [
    Fragment(id="p", text="Oefenen met hoop.", practice=True),
    Fragment(id="d1", text=TEXT, coded_by=EVERY, triad="t1", topics=("opname",)),
    Fragment(id="d2", text="Nee zeg ik.", coded_by=EVERY, triad="t2", team="noord"),
    Fragment(id="d3", text="Alleen voor onderzoekers.", coded_by=frozenset({"researcher"})),
]
HASH = {one.id: one.sha256 for one in FRAGMENTS}


class Person:
    """A coder with a session, and short ways to send messages."""

    def __init__(self, log, book, id="a", perspective="patient", **more):
        coder = {k: more.pop(k) for k in ("triads", "teams", "facilitator") if k in more}
        self.coder = Coder(id=id, perspective=perspective, **coder)
        self.session = CodingSession(log, self.coder, book, FRAGMENTS, **more)

    def send(self, kind, **more):
        message = {"kind": kind} | more
        if kind not in ("sync", "passages"):
            message.setdefault("id", uid(f"message {next(IDS)}"))
        self.last = message
        answer = self.session.handle(json.loads(json.dumps(message)))
        json.dumps(answer)
        return answer

    def ok(self, kind, **more):
        answer = self.send(kind, **more)
        assert answer["error"] is None, answer["error"]
        return answer

    def no(self, sentence, kind, **more):
        answer = self.send(kind, **more)
        assert sentence in (answer["error"] or "")
        return answer

    def apply(self, document="d1", start=8, end=12, code="hoop", **more):
        self.ok("apply", document=document, sha256=HASH[document], start=start, end=end,
                code=code, **more)  # fmt: skip
        return self.last["id"]

    def past_practice(self):
        self.ok("open", document="p")
        self.ok("skip", document="p")
        return self

    def reads(self, document="d1", *codings):
        self.ok("open", document=document)
        made = [self.apply(document, *span) for span in codings]
        self.ok("finish", document=document)
        return made


@pytest.fixture
def log(tmp_path):
    with open_store(tmp_path / "store.db") as store:
        yield store


@pytest.fixture
def ann(log, book):
    return Person(log, book).past_practice()


def test_an_hour_of_coding(log, ann):
    desk = ann.ok("sync")["desk"]
    assert desk["stage"] == "alone"
    assert [one["document"] for one in desk["texts"]] == ["p", "d1", "d2"]
    assert TEXT not in json.dumps(desk, ensure_ascii=False)
    assert ann.ok("open", document="d1")["text"]["text"] == TEXT
    coding = ann.apply(start=9, end=13, code="hoop")
    ann.ok("doubt", target=coding)
    ann.ok("memo", target=coding, text="omdat", shared=False, version=0)
    ann.ok("finish", document="d1")
    found = ledger(log.table())
    assert found.coded("alone")[["code", "doubted"]].to_numpy().tolist() == [["hoop", True]]
    assert log.record("quote", coding).body == TEXT[9:13] == "hoop"
    assert [one["marks"] for one in ann.ok("sync")["desk"]["texts"]] == [0, 1, 0]
    memo = {"text": "omdat", "version": 1, "shared": False}
    assert ann.ok("open", document="d1")["text"]["memos"] == {coding: memo}
    assert ann.ok("open", document="d2")["text"]["memos"] == {}
    assert log.verify().ok


def test_positions_are_code_points(log, ann):
    """After a family emoji 'hoop' starts at code point 9 - not at UTF-16 unit 12 or byte 22."""
    assert TEXT.index("hoop") == 9
    ann.ok("open", document="d1")
    coding = ann.apply(start=9, end=13)
    assert log.record("quote", coding).body == "hoop"


def test_only_what_the_open_text_needs_is_sent(log, book, ann):
    lead = Person(log, book, "r", "researcher", facilitator=True)
    lead.ok("reveal", anyway=True)
    ann.ok("open", document="d1")
    first = ann.apply()
    ann.ok("open", document="d2")
    second = ann.apply("d2", 0, 3)
    ann.ok("undo", target=second)

    def sent(**more):
        return [(act["kind"], act["document"]) for act in ann.send("sync", **more)["acts"]]

    assert sent(within="") == [("revealed", "")]
    assert sent(within="d1") == [("revealed", ""), ("opened", "d1"), ("applied", "d1")]
    assert sent(within="d2")[1:] == [("opened", "d2"), ("applied", "d2"), ("undone", "d2")]
    assert len(sent()) == 2 + 1 + 2 + 3
    n = ann.send("sync")["n"]
    answer = ann.send("doubt", target=first, after=n, within="d2")
    assert (answer["error"], answer["acts"], answer["n"]) == (None, [], n + 1)


def test_only_what_came_after_is_sent(ann):
    n = ann.ok("open", document="d1")["n"]
    answer = ann.send(
        "apply", document="d1", sha256=HASH["d1"], start=0, end=5, code="hoop", after=n
    )
    assert [act["kind"] for act in answer["acts"]] == ["applied"]
    assert ann.ok("sync", after=answer["n"])["acts"] == []
    assert "coder" not in answer["acts"][0]


def test_a_retry_is_done_once(log, ann):
    ann.ok("open", document="d1")
    coding = ann.apply()
    again = ann.last
    ann.ok("finish", document="d1")
    done = ann.last
    assert ann.send(**again)["error"] is None
    assert ann.send(**done)["error"] is None
    undo = ann.ok("undo") and ann.last
    assert ann.send(**undo)["error"] is None
    assert [act.kind for act in log.after()].count("undone") == 1
    ann.no("was used for another act", **(again | {"code": "verzet"}))
    assert ledger(log.table()).codings["uuid"].tolist() == [coding]


def test_undo_walks_back_and_can_be_undone(log, ann):
    ann.ok("open", document="d1")
    first, second = ann.apply(), ann.apply(start=0, end=3)
    ann.ok("undo")
    assert ledger(log.table()).codings["uuid"].tolist() == [first]
    undo = ann.last["id"]
    ann.ok("undo", target=undo)
    assert ledger(log.table()).codings["uuid"].tolist() == [first, second]
    ann.ok("remove", target=second)
    ann.ok("undo")
    assert len(ledger(log.table()).codings) == 2
    ann.ok("undo")
    ann.ok("undo")
    assert len(ledger(log.table()).codings) == 0


def test_finished_is_closed_until_undone(log, ann):
    (coding,) = ann.reads("d1", (8, 12))
    ann.no("U bent klaar met deze tekst", "remove", target=coding)
    ann.no("U bent klaar met deze tekst", "undo", target=coding)
    ann.no("U bent klaar", "apply", document="d1", sha256=HASH["d1"], start=0, end=2, code="hoop")
    ann.ok("undo")
    ann.ok("remove", target=coding)
    assert ledger(log.table()).codings.empty


def test_given_back_is_gone_and_missing(log, ann):
    ann.ok("open", document="d1")
    ann.apply()
    answer = ann.ok("return", document="d1")
    assert TEXT not in json.dumps(answer, ensure_ascii=False)
    assert "d1" not in [one["document"] for one in ann.ok("sync")["desk"]["texts"]]
    for kind in ("open", "finish", "skip", "return"):
        ann.no("U hebt deze tekst teruggegeven", kind, document="d1")
    assert ledger(log.table()).coded().empty


def test_skipping_can_be_taken_up_again(log, ann):
    ann.ok("open", document="d1")
    ann.ok("skip", document="d1")
    ann.reads("d1", (0, 5))
    assert len(ledger(log.table()).coded("alone")) == 1


def test_texts_of_ones_own_triad_team_or_without_consent_are_never_given(log, book):
    own = Person(log, book, triads=frozenset({"t1"}), teams=frozenset({"noord"})).past_practice()
    assert [one["document"] for one in own.ok("sync")["desk"]["texts"]] == ["p"]
    for document in ("d1", "d2", "d3", "nergens"):
        answer = own.no("Deze tekst is niet aan u gegeven", "open", document=document)
        assert "text" not in answer


def test_only_what_was_planned_is_given(log, book):
    person = Person(log, book, handed=["d2", "d3"]).past_practice()
    assert [one["document"] for one in person.ok("sync")["desk"]["texts"]] == ["p", "d2"]
    person.no("Deze tekst is niet aan u gegeven", "open", document="d1")


def test_topics_can_be_declined(ann):
    desk = ann.ok("decline", topics=["opname"])["desk"]
    assert [one["document"] for one in desk["texts"]] == ["p", "d2"]
    assert desk["declined"] == ["opname"]
    assert len(ann.ok("decline", topics=[])["desk"]["texts"]) == 3


def test_practice_comes_first_and_answers_without_score(log, book):
    first = Person(log, book, "a")
    first.no("Lees eerst de oefentekst", "open", document="d1")
    (coding,) = first.reads("p", (13, 17, "hoop"))
    first.ok("memo", target=coding, text="licht", shared=True, version=0)
    second = Person(log, book, "b", "naaste")
    second.ok("open", document="p")
    second.apply("p", 13, 17, "verzet")
    others = second.ok("finish", document="p")["others"]
    assert others == [{"start": 13, "end": 17, "code": "hoop", "memos": ["licht"]}]
    second.ok("open", document="d1")


def test_blind_until_revealed_and_joined(log, book):
    """Whatever is asked before joining: nothing another coder did or wrote comes back."""
    ann, bob = Person(log, book, "a").past_practice(), Person(log, book, "b", "naaste")
    lead = Person(log, book, "r", "researcher", facilitator=True)
    bob.past_practice()
    (coding,) = bob.reads("d1", (8, 12, "verzet"))
    bob.ok("memo", target=coding, text="geheim-van-b", shared=True, version=0)
    ann.ok("open", document="d1")

    def looks():
        answers = [ann.send(kind) for kind in ("sync", "passages")]
        answers += [ann.send("open", document="d1"), ann.send("doubt", target=coding)]
        answers += [ann.send("approve", target=coding, show=True), ann.send("undo", target=coding)]
        answers += [ann.send("memo", target=coding, text="x", shared=True, version=1)]
        text = json.dumps([a | {"desk": "", "text": ""} for a in answers])
        assert not any(secret in text for secret in ("geheim", "verzet", coding))
        assert all(act["kind"] != "applied" for a in answers for act in a["acts"])

    looks()
    ann.no("Wat anderen kozen, is nog niet open", "join")
    lead.no("1 mensen zijn nog aan het lezen; wacht, of open het toch", "reveal")
    ann.no("Alleen wie het gesprek leidt", "reveal")
    lead.ok("reveal", anyway=True)
    looks()
    late = ann.apply(start=8, end=12, round="alone")
    ann.ok("finish", document="d1", round="alone")
    assert late in ledger(log.table()).coded("alone")["uuid"].tolist()
    ann.ok("join")
    ann.no("een ronde die voor u voorbij is", "undo", target=late)
    ann.no("Open eerst de tekst", "finish", document="d1")
    assert "geheim-van-b" in json.dumps(ann.ok("passages"))
    ann.ok("open", document="d1")
    answer = ann.send("apply", document="d1", sha256=HASH["d1"], start=0, end=3, code="hoop",
                      round="alone")  # fmt: skip
    assert "een ronde die voor u voorbij is" in answer["error"]


@pytest.fixture
def meeting(log, book):
    """Three finished d1 and joined: a and b chose hoop, c (naaste) verzet, all verzet in d2."""
    people = [Person(log, book, "a"), Person(log, book, "b"), Person(log, book, "c", "naaste")]
    codings = []
    for person, code in zip(people, ["hoop", "hoop", "verzet"], strict=True):
        person.past_practice()
        codings += person.reads("d1", (9, 13, code))
        person.reads("d2", (0, 3, "verzet"))
    lead = Person(log, book, "r", "researcher", facilitator=True)
    lead.ok("reveal")
    for person in [*people, lead]:
        person.ok("join")
    return lead, people, codings


def test_passages_start_shared_and_hide_a_lone_holder(meeting):
    _, (ann, _, cas), codings = meeting
    shared, differs = ann.ok("passages")["passages"]
    assert (shared["document"], shared["shared"], shared["text"]) == ("d2", True, "Nee")
    assert (differs["text"], differs["shared"], differs["decision"]) == ("hoop", False, None)
    assert differs["readings"] == [
        {"code": "hoop", "mine": codings[0], "memos": [], "perspectives": ["patient"]},
        {"code": "verzet", "mine": "", "memos": [], "perspectives": []},
    ]
    cas.ok("approve", target=codings[2], show=True)
    assert ann.ok("passages")["passages"][1]["readings"][1]["perspectives"] == ["naaste"]
    cas.ok("approve", target=codings[2], show=False)
    assert ann.ok("passages")["passages"][1]["readings"][1]["perspectives"] == []


def resolve(person, choice, *readings, **more):
    return person.send("resolve", document="d1", sha256=HASH["d1"], start=9, end=13, choice=choice,
                       readings=[{"code": c, "text": t} for c, t in readings], **more)  # fmt: skip


def test_a_minority_reading_is_a_result_of_its_own(log, meeting):
    lead, (ann, bob, cas), _ = meeting
    answer = resolve(lead, "both", ("hoop", "er is uitzicht"), ("verzet", "dit is nee zeggen"))
    assert answer["error"] is None
    ids = [act["uuid"] for act in answer["acts"] if act["kind"] == "resolved"]
    ann.no("het is niet van u", "approve", target=ids[1], show=True)
    ann.ok("approve", target=ids[0], show=False)

    def kept():
        wordings = {key: record.body for key, record in log.records("reading").items()}
        return kept_readings(ledger(log.table()), wordings).table.to_dict("records")

    first, second = kept()
    assert (first["perspective"], first["minority"], first["approved"]) == ("patient", False, False)
    assert (second["perspective"], second["minority"], second["approved"]) == ("", True, False)
    assert second["wording"] == "dit is nee zeggen"
    bob.ok("approve", target=ids[0], show=False)
    cas.ok("approve", target=ids[1], show=True)
    first, second = kept()
    assert first["approved"]
    assert (second["perspective"], second["approved"]) == ("naaste", True)
    result = kept_readings(ledger(log.table()), {})
    assert "2 readings were kept, 1 of them by a minority" in repr(result)
    decided = ann.ok("passages")["passages"][1]
    assert decided["decision"] == "both"
    assert decided["kept"] == [
        {"uuid": ids[0], "code": "hoop", "wording": "er is uitzicht", "approved": True,
         "shown": True},
        {"uuid": ids[1], "code": "verzet", "wording": "dit is nee zeggen", "approved": True,
         "shown": True},
    ]  # fmt: skip


def test_a_later_decision_replaces_the_earlier(log, meeting):
    lead, *_ = meeting
    resolve(lead, "later")
    resolve(lead, "one", ("hoop", "samen"))
    assert ledger(log.table()).readings["value"].tolist() == ["one"]
    assert log.verify().ok


def test_who_joins_later_sees_what_was_decided(log, meeting, book):
    lead, *_ = meeting
    resolve(lead, "one", ("hoop", "samen"))
    late = Person(log, book, "z").past_practice()
    answer = late.ok("sync")
    assert "resolved" not in [act["kind"] for act in answer["acts"]]
    acts = late.ok("join", after=answer["n"])["acts"]
    assert "resolved" in [act["kind"] for act in acts]


def test_deciding_is_checked(meeting):
    lead, (ann, *_), _ = meeting
    assert "Alleen wie het gesprek leidt" in resolve(ann, "later")["error"]
    assert "choice 'one' has 0 readings" in resolve(lead, "one")["error"]
    assert (
        "unknown code 'hop' (did you mean 'hoop'?)" in resolve(lead, "one", ("hop", "x"))["error"]
    )


def test_suggestions_wait_for_the_meeting(log, meeting, book):
    early = Person(log, book, "z").past_practice()
    early.ok("open", document="d1")
    span = {"document": "d1", "sha256": HASH["d1"], "start": 0, "end": 3, "code": "hoop"}
    early.no("Voorstellen komen later", "apply", suggested=True, **span)
    early.no("Voorstellen komen later", "refuse", **span)
    _, (ann, *_), _ = meeting
    ann.ok("open", document="d1")
    ann.ok("refuse", **span)
    ann.ok("apply", suggested=True, **span)
    assert [a.value for a in log.after(coder="a") if a.kind == "applied"][-1] == "suggested"


def test_a_memo_in_two_tabs_shows_the_conflict(log, book, ann):
    ann.ok("open", document="d1")
    coding = ann.apply()
    tab = Person(log, book)
    ann.ok("memo", target=coding, text="een", shared=False, version=0)
    answer = tab.no("has version 1 by now, you changed version 0", "memo", target=coding,
                    text="twee", shared=False, version=0)  # fmt: skip
    assert answer["conflict"] == {"text": "een", "version": 1, "shared": False}
    tab.ok("memo", target=coding, text="een en twee", shared=True, version=1)
    memos = ann.ok("open", document="d1")["text"]["memos"]
    assert memos[coding]["text"] == "een en twee"


def test_one_perspective_a_round(log, book, ann):
    ann.ok("open", document="d1")
    other = Person(log, book, "a", "naaste")
    other.no("U leest in deze ronde als 'patient'", "open", document="d2")


def test_a_round_on_paper_says_who_typed(log, book):
    person = Person(log, book, entered_by="r").past_practice()
    person.ok("open", document="d1")
    assert {(a.coder, a.entered_by) for a in log.after()} == {("a", "r")}


def test_english_words(log, book):
    person = Person(log, book, lang="en")
    person.no("Please read the practice text first, or skip it.", "open", document="d1")


def test_a_withdrawn_text_leaves_the_desk(log, ann):
    ann.reads("d1", (8, 12))
    log.withdraw(documents=["d1"], by="r")
    desk = ann.ok("sync")["desk"]
    assert "d1" not in [one["document"] for one in desk["texts"]]
    ann.no("Deze tekst is niet aan u gegeven", "open", document="d1")


def test_a_withdrawn_coder_is_told(log, ann):
    log.withdraw(coder="a", by="r")
    ann.no("U doet niet meer mee", "open", document="d1")
    assert ann.no("U doet niet meer mee", "sync").keys() == {"n", "acts", "error"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"start": True}, "start is 'True'; positions are whole numbers of code points"),
        ({"end": "4"}, "positions are whole numbers"),
        ({"end": 4.0}, "positions are whole numbers"),
        ({"start": float("inf")}, "start is 'inf'; positions are whole numbers"),
        ({"start": -1}, "start is -1; positions count from 0"),
        ({"start": 4, "end": 2}, "end 2 lies before start 4"),
        ({"start": 4, "end": 4}, "the passage from 4 to 4 is empty"),
        ({"end": len(TEXT) + 1}, "lies past the end of the text"),
        ({"end": 10**400}, "a number of more than 15 digits lies past the end"),
        ({"code": "hop"}, "unknown code 'hop' (did you mean 'hoop'?)"),
        ({"code": ""}, "unknown code ''"),
        ({"code": ["hoop"]}, "code is \"['hoop']\"; send text"),
        ({"code": "a\0"}, "code holds a NUL character at 1"),
        ({"code": "\ud800"}, "code holds half a surrogate pair at 0"),
        ({"sha256": "0" * 64}, "De tekst is veranderd"),
        ({"document": 1}, "document is '1'; send text"),
        ({"codeur": "b"}, "message 'apply' has an unknown key 'codeur' (did you mean 'code'?)"),
        ({"id": "x"}, "id 'x' is no UUID"),
        ({"suggested": 1}, "suggested is '1'; send true or false"),
        ({"round": "alleen"}, "round is 'alleen'; allowed are practice, alone, together"),
        ({"after": -1}, "after is '-1'; send a whole number from 0"),
        ({"kind": "aply"}, "unknown message 'aply' (did you mean 'apply'?)"),
        ({"kind": None}, "kind is 'None'; send text"),
    ],
)
def test_what_is_refused_stores_nothing(log, ann, change, sentence):
    ann.ok("open", document="d1")
    before = log.after()
    message = {"kind": "apply", "id": uid("x"), "document": "d1", "sha256": HASH["d1"],
               "start": 9, "end": 13, "code": "hoop"}  # fmt: skip
    answer = ann.session.handle(message | change)
    assert sentence in answer["error"]
    assert TEXT[9:13] not in answer["error"].replace("hoop", "") or change.get("code") is not None
    assert log.after() == before
    assert ann.session.handle(message)["error"] is None


@pytest.mark.parametrize("message", [None, [], 3, "apply", {}, {"kind": {}}, {1: 2}])
def test_what_is_no_message_is_refused(ann, message):
    answer = ann.session.handle(message)
    assert answer["error"]
    assert answer["acts"] == []


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        ({"kind": "memo", "text": "x" * 10_001}, "text has 10001 characters; at most 10000"),
        ({"kind": "decline", "topics": "opname"}, "topics must be a list of at most 100 texts"),
        ({"kind": "resolve", "choice": "vote"}, "choice is 'vote'; allowed are one, both, later"),
        ({"kind": "resolve", "readings": [{}]}, "each reading has a code and a text"),
        ({"kind": "resolve", "readings": "x"}, "readings must be a list of at most 20 readings"),
    ],
)
def test_forms(message, sentence):
    filler = {"target": uid(1), "shared": True, "version": 0, "text": "", "document": "d",
              "sha256": "", "start": 0, "end": 1, "choice": "one", "readings": [], "topics": [],
              "id": uid(2)}  # fmt: skip
    must, _ = FORMS[message["kind"]]
    whole = {key: filler[key] for key in (*must, "id")} | message
    with pytest.raises(CodingError, match=sentence):
        checked(whole)
    with pytest.raises(CodingError, match=f"message '{message['kind']}' has no id; send it"):
        checked({key: value for key, value in whole.items() if key != "id"})


def test_every_key_of_every_form_is_checked():
    keys = {key for must, may in FORMS.values() for key in (*must, *may)}
    assert keys <= CHECKS.keys()


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5),
    st.lists(st.integers(), max_size=2), st.sampled_from(["d1", "p", "hoop", uid(1), uid(2)]),
    st.just({"code": "hoop", "text": "x"}),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(FORMS)), st.dictionaries(st.sampled_from(sorted(CHECKS)), JUNK))
def test_whatever_is_sent_is_answered(ann, kind, junk):
    """Any message gets an answer that JSON can carry: never an exception, never a text unasked."""
    answer = ann.session.handle({"kind": kind, "id": uid(next(IDS))} | junk)
    assert {"n", "acts", "error"} <= answer.keys()
    json.dumps(answer)


def test_undo_with_nothing_to_undo(log, book):
    person = Person(log, book)
    person.no("Er is niets om ongedaan te maken", "undo")
    person.ok("open", document="p")
    person.no("Er is niets om ongedaan te maken", "undo", target=person.last["id"])


def test_a_coding_that_is_gone(ann):
    ann.ok("open", document="d1")
    coding = ann.apply()
    ann.ok("remove", target=coding)
    ann.no("Deze markering is er niet meer", "doubt", target=coding)
    ann.no(
        "Deze markering is er niet meer", "memo", target=coding, text="", shared=False, version=0
    )
    ann.no("het is niet van u", "remove", target=uid("iets"))


def test_a_session_needs_no_database(book):
    """The protocol is enough: a list will do."""

    class Memory:
        def __init__(self):
            self.acts, self.words = [], {}

        def append(self, *acts, records=None):
            self.acts += [replace(a, n=len(self.acts) + i) for i, a in enumerate(acts, start=1)]
            return acts

        def after(self, n=0, *, coder=None, document=None):
            return [a for a in self.acts if a.n > n and coder in (None, a.coder)
                    and document in (None, a.document)]  # fmt: skip

        def records(self, kind, keys=None):
            return {}

    log = Memory()
    Person(log, book).past_practice().reads("d1", (8, 12))
    assert len(ledger(acts_table(log.acts)).coded("alone")) == 1


def coders(n, **more):
    return [Coder(id=f"c{i}", perspective="patient", **more) for i in range(n)]


def test_handing_out_balances_and_overlaps_and_keeps_the_rules():
    texts = [Fragment(id=f"d{i}", text="x" * 100, coded_by=EVERY, triad=f"t{i % 4}")
             for i in range(40)]  # fmt: skip
    people = [Coder(id=f"c{i}", perspective="patient", triads=frozenset({f"t{i}"}))
              for i in range(4)]  # fmt: skip
    given = hand_out([FRAGMENTS[0], *texts], people, readers=2, seed=1)
    by_id = {one.id: one for one in [FRAGMENTS[0], *texts]}
    assert all(may_read(p, by_id[d]) for p in people for d in given[p.id])
    assert {len(ids) for ids in given.values()} == {21}
    assert all(ids[0] == "p" for ids in given.values())
    readers = [d for ids in given.values() for d in ids if d != "p"]
    assert all(readers.count(one.id) == 2 for one in texts)
    again = hand_out([FRAGMENTS[0], *texts], people, readers=2, seed=1)
    assert given == again


def test_handing_out_refuses_what_cannot_be_planned():
    texts = [Fragment(id="d", text="x", coded_by=frozenset({"naaste"}))]
    with pytest.raises(CodingError, match="text 'd' may be read by 0 of 3 coders, 2 are needed"):
        hand_out(texts, coders(3))


def test_a_text_without_consent_is_for_nobody():
    assert not may_read(coders(1)[0], Fragment(id="d", text="x"))
    with pytest.raises(CodingError, match="text d holds a NUL character"):
        Fragment(id="d", text="x\0")
