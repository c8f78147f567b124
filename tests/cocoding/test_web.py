"""The server: who gets in, what each may see, and what bad input comes to."""

import bz2
import json
import logging
import re
from uuid import uuid4

import pytest

from expertise.cocoding.exports import EXPORTS
from expertise.cocoding.web.door import FOUR_WORDS, INVITED, WRONG, Door, short_words
from expertise.cocoding.web.guard import HEADERS, LARGEST
from expertise.coding.acts import Record
from expertise.errors import ConflictError, PrivacyError

ORIGIN = "http://localhost:8765"
SECRET = "kanarie-9f2c7b1e4d"  # planted where others must not see it
TEXT = "T01-patient-1"


def uid():
    return str(uuid4())


@pytest.fixture
def samira(circle):
    return circle.add("Samira", "patient")


@pytest.fixture
def bram(circle):
    return circle.add("Bram", "naaste")


def practise(visitor):
    visitor.send({"kind": "return", "id": uid(), "document": "oefenen"})


def opened(visitor, document=TEXT):
    practise(visitor)
    return visitor.send({"kind": "open", "id": uid(), "document": document}).json()["text"]


def coded(visitor, document=TEXT, code="hoop", start=0, end=4):
    text = opened(visitor, document)
    message = {"kind": "apply", "id": uid(), "document": document, "sha256": text["sha256"],
               "start": start, "end": end, "code": code}  # fmt: skip
    assert visitor.send(message).status_code == 200
    return message["id"]


# ---- the door -----------------------------------------------------------------------------------


def test_opening_a_link_uses_nothing_up_and_begin_uses_it_once(site, samira, come_in):
    token = site[0].door.invite(samira.coder.id)
    http = come_in().http
    for _ in range(3):
        page = http.get(f"/invite/{token}")
        assert page.status_code == 200
        assert "Samira" in page.text
    first = http.post("/begin", data={"token": token}, headers={"Origin": ORIGIN})
    assert first.status_code == 200
    again = come_in().http.post("/begin", data={"token": token}, headers={"Origin": ORIGIN})
    assert again.status_code == 403
    assert come_in().http.get(f"/invite/{token}").status_code == 403


def test_of_two_taps_one_gets_in(site, samira, monkeypatch):
    door = site[0].door
    token = door.invite(samira.coder.id)
    late = door._open(token)
    door.begin(token)
    monkeypatch.setattr(door, "_open", lambda _: late)
    with pytest.raises(PrivacyError):
        door.begin(token)


def test_an_invitation_ends(circle, samira):
    now = [1000.0]
    door = Door(circle.store, clock=lambda: now[0])
    token = door.invite(samira.coder.id)
    now[0] += INVITED + 1
    with pytest.raises(PrivacyError):
        door.invited(token)


def test_only_hashes_are_stored(circle, site, samira):
    token = site[0].door.invite(samira.coder.id)
    secret = site[0].door.begin(token)
    for kind in ("invitation", "device"):
        for record in circle.store.records(kind).values():
            assert token not in repr(record)
            assert secret not in repr(record)


def test_forged_invitations_do_not_get_in(come_in, bad_inputs, caplog):
    http = come_in().http
    forged = (bad_inputs / "web_token_tampered.txt").read_text().strip()
    with caplog.at_level(logging.DEBUG, "expertise.cocoding"):
        for token in (forged, "", "x" * 300, "é", "%00", "../../etc/passwd"):
            sent = http.post("/begin", data={"token": token}, headers={"Origin": ORIGIN})
            assert sent.status_code == 403
        assert http.get(f"/invite/{forged}").status_code == 403
    assert "an invitation was refused" in caplog.text
    assert forged not in caplog.text


@pytest.mark.soak
def test_ten_thousand_forged_or_reused_invitations_do_not_get_in(site, samira):
    door = site[0].door
    used = door.invite(samira.coder.id)
    door.begin(used)
    for n in range(10_000):
        with pytest.raises(PrivacyError):
            door.begin(used if n % 2 else f"{used[:-5]}{n:05}")


def test_four_words_open_one_other_device(site, samira, come_in):
    first = come_in(samira)
    words = first.http.post("/four-words", headers={"Origin": ORIGIN, "X-CSRF": first.csrf}).json()[
        "words"
    ]
    assert len(words.split()) == 4
    other = come_in()
    typed = {"words": f"  {words.upper()} "}
    assert other.http.post("/enter", data=typed, headers={"Origin": ORIGIN}).status_code == 200
    assert other.http.get("/start").json()["name"] == "Samira"
    third = come_in().http.post("/enter", data=typed, headers={"Origin": ORIGIN})
    assert third.status_code == 403
    assert "werken niet (meer)" in third.text


def test_guessing_four_words_is_stopped(circle, samira):
    now = [0.0]
    door = Door(circle.store, clock=lambda: now[0])
    for _ in range(WRONG):
        with pytest.raises(PrivacyError):
            door.enter("een twee drie vier")
    right = door.four_words(samira.coder.id)
    with pytest.raises(PrivacyError):
        door.enter(right)
    now[0] += FOUR_WORDS + 1
    with pytest.raises(PrivacyError):
        door.enter(right)  # too old by now
    assert door.enter(door.four_words(samira.coder.id))


def test_there_are_256_different_short_words():
    assert len(set(short_words())) == 256
    assert all(word.isalpha() and len(word) <= 9 for word in short_words())


def test_signing_out_ends_this_device_only(samira, come_in):
    one, two = come_in(samira), come_in(samira)
    left = one.http.post("/leave", headers={"Origin": ORIGIN, "X-CSRF": one.csrf})
    assert left.status_code == 200
    assert one.http.get("/start").status_code == 401
    assert two.http.get("/start").status_code == 200


def test_a_new_link_ends_lost_devices_and_older_links(site, circle, samira, come_in):
    lost, leader = come_in(samira), come_in(circle.facilitator())
    older = site[0].door.invite(samira.coder.id)
    page = leader.form("/research/invite", coder=samira.coder.id).text
    assert "Eerdere links en apparaten werken niet meer" in page
    assert lost.send({"kind": "sync"}).status_code == 401
    assert come_in().http.get(f"/invite/{older}").status_code == 403
    new = re.search(r"/invite/([\w-]+)", page)[1]
    again = come_in().http.post("/begin", data={"token": new}, headers={"Origin": ORIGIN})
    assert "cc-page" in again.text
    assert come_in(samira).send({"kind": "sync"}).status_code == 200
    assert leader.form("/research/invite", coder=circle.facilitator().coder.id).status_code == 200
    assert leader.http.get("/research").status_code == 200


def test_a_coder_who_withdraws_is_out_at_once(circle, samira, come_in):
    visitor = come_in(samira)
    circle.store.withdraw(coder=samira.coder.id, by="onderzoek")
    assert visitor.send({"kind": "sync"}).status_code == 401
    assert circle.store.records("coder").keys() == set()


def test_the_cookie_is_bound_to_the_host_where_there_is_tls(circle, samira):
    from expertise.cocoding.web.serve import make_site

    site, _ = make_site(circle, ("https://lezen.example",))
    cookie = site.signed_in("geheim").headers["set-cookie"]
    assert cookie.startswith("__Host-expertise=geheim")
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert part in cookie
    assert "Domain" not in cookie


# ---- every route and role -----------------------------------------------------------------------

ROUTES = (
    ("GET", "/start"), ("POST", "/message"), ("POST", "/four-words"), ("POST", "/leave"),
    ("GET", "/minutes"), ("GET", "/research"), ("GET", "/research/paper"),
    ("GET", "/research/paper/print"), ("POST", "/research/paper"),
    *(("GET", f"/research/export/{name}") for name in EXPORTS), ("POST", "/research/add"), ("POST", "/research/invite"), ("POST", "/research/hand-out"),
    ("POST", "/research/reveal"),
)  # fmt: skip
CHANGES = [route for route in ROUTES if route[0] == "POST"]
LEADS = [route for route in ROUTES if route[1].startswith("/research")]


def test_the_routes_tested_are_all_there_are(site):
    inner = site[0].app(*site[1].routes())._app
    there = {route.path for route in inner.routes}
    open_to_all = {"/", "/static/{name}", "/invite/{token}", "/begin", "/enter"}
    tested = {path for _, path in ROUTES if not path.startswith("/research/")}
    leads = {"/research/export/{name}", "/research/paper", "/research/paper/print"}
    assert there == open_to_all | tested | leads | {"/research/{action}"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_stranger_gets_nothing(quiet, method, path):
    answer = quiet.stranger.http.request(method, path, headers={"Origin": ORIGIN})
    assert answer.status_code == 401
    assert answer.json() == {"error": "this device is not signed in"}


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_a_change_without_the_pages_token_is_refused(quiet, method, path):
    leader = quiet.leader
    for token in ({}, {"X-CSRF": "0" * 64}, {"X-CSRF": "é".encode("latin-1")}):
        answer = leader.http.request(method, path, headers={"Origin": ORIGIN} | token)
        assert answer.status_code == 403


@pytest.mark.parametrize(("method", "path"), [*CHANGES, ("POST", "/begin"), ("POST", "/enter")])
@pytest.mark.parametrize("origin", [None, "null", "https://elders.example", ORIGIN + "0"])
def test_a_change_from_another_site_is_refused(quiet, method, path, origin):
    leader = quiet.leader
    headers = {"X-CSRF": leader.csrf} | ({"Origin": origin} if origin else {})
    answer = leader.http.request(method, path, headers=headers)
    assert answer.status_code == 403
    assert answer.json() == {"error": "this request came from another site"}


@pytest.mark.parametrize(("method", "path"), LEADS)
def test_the_researchers_pages_are_for_who_leads(samira, come_in, method, path):
    visitor = come_in(samira)
    answer = visitor.form(path) if method == "POST" else visitor.http.get(path)
    assert answer.status_code == 403
    assert "Samira" not in answer.text


def test_before_the_reveal_nobody_sees_what_another_chose(circle, samira, bram, come_in):
    one, other, leader = come_in(samira), come_in(bram), come_in(circle.facilitator())
    target = coded(one)
    memo = {"kind": "memo", "id": uid(), "target": target, "text": SECRET, "shared": True}
    assert one.send(memo | {"version": 0}).status_code == 200
    assert one.send({"kind": "finish", "id": uid(), "document": TEXT}).status_code == 200
    coded(other, code="regie")
    seen = []
    for visitor in (other, leader):
        for kind in ("sync", "passages", "join", "reveal", "resolve", "approve"):
            message = {"kind": kind, "id": uid()}
            if kind == "reveal" and visitor is leader:
                continue
            seen.append(visitor.send(message).text)
        opening = {"kind": "open", "id": uid(), "document": TEXT}
        seen.append(visitor.send(opening).text)
        for method, path in ROUTES:
            if method == "GET":
                seen.append(visitor.http.get(path).text)
                place = {"coder": samira.coder.id, "document": TEXT}
                seen.append(visitor.http.get(path, params=place).text)
    text = "\n".join(seen)
    assert SECRET not in text
    assert target not in text
    for name in EXPORTS:
        assert leader.http.get(f"/research/export/{name}").status_code == 403
    assert leader.http.get("/minutes").status_code == 403
    assert '"revealed": true' not in text


def test_texts_of_ones_own_triad_are_never_handed_out(circle, come_in):
    wilma = come_in(circle.add("Wilma", "naaste", triads=["T01"]))
    desk = wilma.send({"kind": "sync"}).json()["desk"]
    assert desk["texts"]
    assert not any(one["document"].startswith("T01") for one in desk["texts"])
    practise(wilma)
    answer = wilma.send({"kind": "open", "id": uid(), "document": TEXT})
    assert answer.status_code == 422
    assert answer.json()["error"] == "Deze tekst is niet aan u gegeven."


def test_a_coder_of_one_study_is_a_stranger_in_another(samira, come_in, tmp_path, make_other):
    visitor = come_in(samira)
    other = make_other(tmp_path / "ander")
    http = come_in().__class__(other).http
    http.cookies.update(dict(visitor.http.cookies))
    assert http.get("/start").status_code == 401
    assert http.get("/research").status_code == 401


def test_after_the_reveal_a_lone_holder_is_named_only_with_their_yes(circle, samira, bram, come_in):
    one, other, leader = come_in(samira), come_in(bram), come_in(circle.facilitator())
    target = coded(one)
    coded(other, code="regie")
    for visitor in (one, other):
        visitor.send({"kind": "finish", "id": uid(), "document": TEXT})
    assert leader.form("/research/reveal").status_code == 200
    for visitor in (one, other, leader):
        assert visitor.send({"kind": "join", "id": uid()}).status_code == 200

    def hope(visitor):
        found = visitor.send({"kind": "passages"}).json()["passages"]
        return next(r for p in found for r in p["readings"] if r["code"] == "hoop")

    assert hope(other)["perspectives"] == []
    yes = {"kind": "approve", "id": uid(), "target": target, "show": True}
    assert one.send(yes).status_code == 200
    assert hope(other)["perspectives"] == ["patient"]
    text = other.send({"kind": "passages"}).text
    assert "Samira" not in text
    assert samira.coder.id not in text


def test_a_decision_is_printed_with_its_wording(circle, samira, bram, come_in):
    one, other, leader = come_in(samira), come_in(bram), come_in(circle.facilitator())
    coded(one)
    coded(other, code="regie")
    for visitor in (one, other):
        visitor.send({"kind": "finish", "id": uid(), "document": TEXT})
    leader.form("/research/reveal")
    for visitor in (one, leader):
        visitor.send({"kind": "join", "id": uid()})
    passage = leader.send({"kind": "passages"}).json()["passages"][0]
    readings = [
        {"code": "hoop", "text": "Hij ziet <licht>."},
        {"code": "regie", "text": "Zij niet."},
    ]
    keys = ("document", "sha256", "start", "end")
    decision = {"kind": "resolve", "id": uid(), "choice": "both", "readings": readings}
    assert leader.send(decision | {key: passage[key] for key in keys}).status_code == 200
    page = one.http.get("/minutes").text
    assert "Beide houden" in page
    assert "Hij ziet &lt;licht&gt;." in page
    kept = one.send({"kind": "passages"}).json()["passages"][0]["kept"]
    mine = next(k for k in kept if k["code"] == "hoop")
    agreed = {"kind": "approve", "id": uid(), "target": mine["uuid"], "show": False}
    assert one.send(agreed).status_code == 200
    kept = one.send({"kind": "passages"}).json()["passages"][0]["kept"]
    assert next(k for k in kept if k["code"] == "hoop")["approved"]
    for name, kind in EXPORTS.items():
        export = leader.http.get(f"/research/export/{name}")
        assert export.headers["content-type"].startswith(kind)
        assert export.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert b"Samira" not in export.content
        if kind == "text/csv":
            assert export.text.count("\n") == 3
    assert leader.http.get("/research/export/nothing.csv").status_code == 404
    assert "Hoe vaak we hetzelfde lazen" in leader.http.get("/research").text


def test_a_plan_is_looked_at_before_it_is_stored(circle, samira, bram, come_in):
    leader = come_in(circle.facilitator())
    asked = {"readers": "2", "words": "120", "n": "6", "seed": "3"}
    shown = leader.form("/research/hand-out", **asked)
    assert "Samira: 6 stukken" in shown.text
    assert len(circle.fragments) == 1 + len(circle.whole)
    seen = re.search(r'name="seen" value="(\w+)"', shown.text)[1]
    kept = leader.form("/research/hand-out", **asked, seen=seen)
    assert "De stukken zijn verdeeld." in kept.text
    desk = come_in(samira).send({"kind": "sync"}).json()["desk"]
    assert len(desk["texts"]) == 1 + 6
    text = opened(come_in(bram), desk["texts"][1]["document"])
    assert 40 < len(text["text"].split()) < 240


def test_who_came_later_is_offered_texts_in_one_step(circle, samira, bram, come_in):
    leader = come_in(circle.facilitator())
    asked = {"readers": "2", "words": "120", "n": "6", "of": "", "find": "", "seed": "3"}
    assert "Nog niets te lezen" not in leader.http.get("/research").text
    circle.keep(circle.plan(readers=2, words=120, n=6, seed=3), by="x")
    page = leader.form("/research/add", name="Els", perspective="professional").text
    assert "Nog niets te lezen: Els. De stukken waren al verdeeld." in page
    form = re.search(r"<form[^>]*hand-out.*?</form>", page)[0]
    sent = dict(re.findall(r'name="(\w+)" value="(.*?)"', form))
    sent.pop("csrf")
    assert sent == asked
    shown = leader.form("/research/hand-out", **sent).text
    assert "Els: " in shown
    seen = re.search(r'name="seen" value="(\w+)"', shown)[1]
    kept = leader.form("/research/hand-out", **sent, seen=seen).text
    assert "De stukken zijn verdeeld." in kept
    assert "Nog niets te lezen" not in kept
    els = next(one for one in circle.members.values() if one.name == "Els")
    assert len(come_in(els).send({"kind": "sync"}).json()["desk"]["texts"]) > 1


def test_a_plan_that_changed_meanwhile_is_shown_again(circle, samira, bram, come_in):
    leader = come_in(circle.facilitator())
    shown = leader.form("/research/hand-out", readers="2", words="120", n="6")
    seen = re.search(r'name="seen" value="(\w+)"', shown.text)[1]
    circle.add("Els", "professional")
    again = leader.form("/research/hand-out", readers="2", words="120", n="6", seen=seen)
    assert "Er is intussen iets veranderd" in again.text
    assert len(circle.fragments) == 1 + len(circle.whole)


@pytest.mark.parametrize(
    ("field", "sentence"),
    [({"words": "veel"}, "words is &#39;veel&#39;; write a whole number, or leave it empty"),
     ({"words": "5"}, "a fragment of 5 words; choose between 20 and 10000"),
     ({"readers": "9"}, "no text may be read by 9 of 2 people who code"),
     ({"of": "T99"}, "there is no text &#39;T99&#39;"),
     ({"find": "xyzzy"}, "no fragments of 0 that fit")],
)  # fmt: skip
def test_a_plan_that_cannot_be_is_refused(circle, samira, bram, come_in, field, sentence):
    leader = come_in(circle.facilitator())
    page = leader.form("/research/hand-out", **{"words": "150"} | field)
    assert page.status_code == 422
    assert sentence in page.text
    assert 'value="150"' in page.text or "words" in field


# ---- headers and bad input ----------------------------------------------------------------------


def test_every_answer_carries_the_headers(site, samira, come_in):
    visitor = come_in(samira)
    for path in ("/", "/start", "/static/app.js", "/static/nothing.js", "/research", "/nergens"):
        answer = visitor.http.get(path)
        for name, value in HEADERS.items():
            if name != "Cache-Control":
                assert answer.headers[name] == value, (path, name)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "server" not in answer.headers
    assert visitor.http.get("/start").headers["Cache-Control"] == "no-store"


def test_another_host_name_is_refused(samira, come_in):
    visitor = come_in(samira)
    assert visitor.http.get("/start", headers={"Host": "kwaad.example"}).status_code == 421


def test_files_are_given_by_exact_name_only(come_in):
    http = come_in().http
    assert http.get("/static/render.js").headers["content-type"].startswith("text/javascript")
    for name in ("..%2fdoor.py", "../door.py", "door.py", "%2e%2e/%2e%2e/front.py"):
        assert http.get(f"/static/{name}").status_code == 404


WRONG_BODIES = {
    "not JSON": b"{",
    "not UTF-8": b"\xff\xfe",
    "NaN": b'{"kind": NaN}',
    "deep": b"[" * 30_000,
    "a list": b"[1]",
    "a word": b'"sync"',
    "an endless number": b'{"kind": "sync", "after": ' + b"9" * 5000 + b"}",
    "past int64": b'{"kind": "sync", "after": 9999999999999999999999}',
    "infinite": b'{"kind": "sync", "after": 1e400}',
    "true": b'{"kind": "sync", "after": true}',
    "half a surrogate": b'{"kind": "\\ud800"}',
    "NUL": b'{"kind": "a\\u0000b"}',
    "surrogate key": b'{"kind": "sync", "\\ud800": 1}',
}


@pytest.mark.parametrize("body", WRONG_BODIES.values(), ids=WRONG_BODIES)
def test_a_message_that_is_none_is_422(quiet, body):
    circle, visitor = quiet.circle, quiet.samira
    before = len(circle.store.after())
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    answer = visitor.http.post("/message", content=body, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]
    assert len(circle.store.after()) == before


@pytest.mark.parametrize(
    "name", ["mass_assignment", "bigint_offset", "bool_offset", "surrogate", "nul", "stale_version"]
)
def test_bad_messages_from_the_collection_are_422(quiet, bad_inputs, name):
    circle, visitor = quiet.circle, quiet.samira
    before = len(circle.store.after())
    body = (bad_inputs / f"web_{name}.json").read_bytes()
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    answer = visitor.http.post("/message", content=body, headers=headers)
    assert answer.status_code == 422
    assert len(circle.store.after()) == before


OFFSETS = [
    (True, 4),
    (0, "4"),
    (0.0, 4),
    (0, 1e400),
    (0, 2**70),
    (-1, 4),
    (4, 4),
    (9, 4),
    (0, 10**7),
]


@pytest.mark.parametrize(("start", "end"), OFFSETS)
def test_positions_that_are_none_are_422(quiet, start, end):
    visitor = quiet.samira
    text = opened(visitor)
    body = {"kind": "apply", "id": uid(), "document": TEXT, "sha256": text["sha256"],
            "start": start, "end": end, "code": "hoop"}  # fmt: skip
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    content = json.dumps(body).replace("Infinity", "1e400")
    assert visitor.http.post("/message", content=content, headers=headers).status_code == 422


@pytest.mark.parametrize("more", [{"coder": "ander"}, {"perspective": "professional"},
                                  {"facilitator": True}, {"entered_by": "ander"}])  # fmt: skip
def test_who_someone_is_comes_from_the_door_only(circle, samira, come_in, more):
    visitor = come_in(samira)
    text = opened(visitor)
    body = {"kind": "apply", "id": uid(), "document": TEXT, "sha256": text["sha256"],
            "start": 0, "end": 4, "code": "hoop"}  # fmt: skip
    assert visitor.send(body | more).status_code == 422
    assert visitor.send(body).status_code == 200
    act = circle.store.after()[-1]
    assert (act.coder, act.perspective) == (samira.coder.id, "patient")


def test_a_text_that_changed_under_the_page_is_not_coded(samira, come_in):
    visitor = come_in(samira)
    opened(visitor)
    body = {"kind": "apply", "id": uid(), "document": TEXT, "sha256": "0" * 64,
            "start": 0, "end": 4, "code": "hoop"}  # fmt: skip
    answer = visitor.send(body)
    assert answer.status_code == 422
    assert (
        answer.json()["error"] == "De tekst is veranderd; open hem opnieuw, er is niets opgeslagen."
    )


def test_a_stale_memo_is_409_with_what_stands(samira, come_in):
    one, two = come_in(samira), come_in(samira)
    target = coded(one)
    memo = {"kind": "memo", "target": target, "shared": False}
    assert one.send(memo | {"id": uid(), "text": "eerst", "version": 0}).status_code == 200
    answer = two.send(memo | {"id": uid(), "text": "ook", "version": 0})
    assert answer.status_code == 409
    assert answer.json()["conflict"] == {"text": "eerst", "version": 1, "shared": False}
    message = {"kind": "open", "id": uid(), "document": TEXT}
    memos = one.send(message).json()["text"]["memos"]
    assert memos[target]["text"] == "eerst"


def test_sent_twice_is_done_once(circle, samira, come_in):
    visitor = come_in(samira)
    text = opened(visitor)
    body = {"kind": "apply", "id": uid(), "document": TEXT, "sha256": text["sha256"],
            "start": 0, "end": 4, "code": "hoop"}  # fmt: skip
    for _ in range(3):
        assert visitor.send(body).status_code == 200
    assert sum(act.kind == "applied" for act in circle.store.after()) == 1


@pytest.mark.parametrize("said", [True, False])
def test_a_large_body_is_413_before_it_is_read(quiet, said):
    visitor = quiet.samira
    body = b'{"kind": "' + b"x" * LARGEST + b'"}'
    content = body if said else iter([body[:1000], body[1000:]])
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    assert visitor.http.post("/message", content=content, headers=headers).status_code == 413


def test_fifty_megabytes_are_413(quiet, bad_inputs):
    visitor = quiet.samira
    body = bz2.decompress((bad_inputs / "web_huge_json.json.bz2").read_bytes())
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    assert visitor.http.post("/message", content=body, headers=headers).status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "²", "9" * 40])
def test_a_strange_length_is_413(quiet, length):
    visitor = quiet.samira
    headers = {"Origin": ORIGIN, "Content-Length": length.encode()}
    assert visitor.http.post("/message", content=b"{}", headers=headers).status_code == 413


def test_a_file_that_is_sent_is_not_kept(samira, come_in, bad_inputs, folder):
    visitor = come_in(samira)
    before = sorted(folder.rglob("*"))
    name = (
        (bad_inputs / "web_filename_header.txt").read_text("utf-8").partition('filename="')[2][:-2]
    )
    headers = {"Origin": ORIGIN, "X-CSRF": visitor.csrf}
    for path in ("/message", "/research/add", "/begin"):
        answer = visitor.http.post(path, files={"f": (name, b"inhoud")}, headers=headers)
        assert answer.status_code in (403, 422)
    assert sorted(folder.rglob("*")) == before


def test_no_one_writes_lines_in_our_log(come_in, bad_inputs, caplog):
    path = (bad_inputs / "web_crlf_log.txt").read_text().strip()
    with caplog.at_level(logging.DEBUG, "expertise.cocoding"):
        assert come_in().http.get(f"/invite/{path}").status_code == 403
    assert [
        record.getMessage() for record in caplog.records if record.name == "expertise.cocoding"
    ] == ["an invitation was refused"]


def test_what_breaks_says_nothing_of_what_was_written(circle, samira, come_in, monkeypatch, caplog):
    visitor = come_in(samira)

    def broken(*_):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(circle, "handle", broken)
    answer = visitor.send({"kind": "sync"})
    assert answer.status_code == 500
    assert answer.json() == {"error": "something went wrong here; nothing was stored"}
    assert "Content-Security-Policy" in answer.headers
    assert SECRET not in answer.text + caplog.text
    assert "RuntimeError at" in caplog.text


def test_names_are_shown_as_they_are_and_never_run(circle, come_in):
    leader = come_in(circle.facilitator())
    page = leader.form("/research/add", name="<script>alert(1)</script>", perspective="patient")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text
    wrong = leader.form("/research/add", name="Jan", perspective="buur")
    assert wrong.status_code == 422
    assert "unknown perspective &#39;buur&#39;" in wrong.text
    assert "has no name" in leader.form("/research/add", name=" ").text


def test_a_record_changed_meanwhile_is_not_overwritten(circle, samira):
    record = circle.store.record("coder", samira.coder.id)
    with pytest.raises(ConflictError, match="has version 1 by now"):
        circle.store.put(Record(kind="coder", key=record.key, body="{}"), by="x")
