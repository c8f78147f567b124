"""The pages of who leads, in a real browser: fragments, papers, and the meeting on the wall."""

from uuid import uuid4

import pytest

from tests.cocoding.driving import press, visiting
from tests.cocoding.test_access import violations

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TEXT = "T01-patient-1"


def pauses(page, texts):
    """Take the texts away by Escape, look at what is there instead, and come back."""
    assert page.locator(texts).first.is_visible()
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Pauze").wait_for()
    assert not page.locator(texts).first.is_visible()
    said = page.locator("main").inner_text()
    assert "Bel Noor de Vries, 06-00000000" in said
    assert "gratis 0800-0113, dag en nacht." in said
    found = violations(page)
    press(page, "Verder lezen")
    assert page.locator(texts).first.is_visible()
    press(page, "Pauze")
    assert not page.locator(texts).first.is_visible()
    press(page, "Verder lezen")
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_pages_of_who_leads(browser, server, scheme):
    where = {}
    with visiting(browser, server, "Gespreksleider", color_scheme=scheme) as page:
        page.goto(server.address("/research"))
        page.fill("#n", "4")
        press(page, "Laat de verdeling zien")
        where["plan"] = violations(page)
        press(page, "Leg deze verdeling vast")
        page.get_by_role("link", name="Papier van Bram, om af te drukken").click(timeout=60_000)
        where["paper"] = violations(page)
        where["paper hidden"] = pauses(page, "td[lang=nl]")
        sheet = page.locator("small").first.inner_text().split()[-1]
        page.get_by_role("link", name="Terug").click()
        page.get_by_role("link", name="Voer in voor Bram").click()
        where["papers"] = violations(page)
        page.locator(".cc-texts a").first.click()
        page.fill("#sheet", sheet)
        page.fill("[name=sentences-0]", "99")
        page.select_option("[name=code-0]", "hoop")
        where["entry"] = violations(page)
        where["entry hidden"] = pauses(page, ".cc-numbered")
        assert page.input_value("[name=sentences-0]") == "99", "what was typed is still there"
        press(page, "Voer in")
        assert "zin 99 is er niet" in page.get_by_role("alert").inner_text()
        where["refused"] = violations(page)
        page.fill("[name=sentences-0]", "1")
        press(page, "Voer in")
        assert page.get_by_role("status").inner_text() == "Ingevoerd: 1 markeringen."
    assert {name: found for name, found in where.items() if found} == {}
    assert server.circle.ledger().coded("alone")["code"].tolist() == ["hoop"]


def codes(circle, who, coding):
    """Let someone code and finish the text, without a page."""
    for message in (
        {"kind": "return", "document": "oefenen"}, {"kind": "open", "document": TEXT},
        {"kind": "apply"} | coding, {"kind": "finish", "document": TEXT},
    ):  # fmt: skip
        assert circle.handle(who, message | {"id": str(uuid4())})["error"] is None


def test_on_the_wall_nobodys_own_reading_shows(browser, server):
    leader = server.circle.facilitator().coder.id
    others = [one.coder.id for one in server.circle.members.values() if not one.coder.facilitator]
    text = next(one for one in server.circle.fragments if one.id == TEXT)
    place = {"document": TEXT, "sha256": text.sha256, "start": 0, "end": 40}
    for who, code in ((leader, "hoop"), (others[0], "regie"), (others[1], "regie")):
        codes(server.circle, who, place | {"code": code})
    server.circle.reveal(leader)
    with visiting(browser, server, "Gespreksleider") as page:
        press(page, "Ik doe mee")
        page.wait_for_selector(".cc-meeting")
        assert page.get_by_text("alleen u").is_visible()
        press(page, "Groot, voor op de muur")
        page.wait_for_selector(".cc-wall")
        assert page.get_by_text("alleen u").count() == 0
        assert page.get_by_role("button", name="Laat mijn perspectief erbij zien").count() == 0
        assert page.get_by_text("iemand", exact=True).is_visible()
        press(page, "Haal op wat nieuw is")
        page.wait_for_selector(".cc-wall")
        press(page, "Terug")
        page.wait_for_selector(".cc-desk")
        assert page.locator(".cc-wall").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pause_takes_the_minutes_away(browser, server, scheme):
    circle = server.circle
    leader = circle.facilitator().coder.id
    others = [key for key, one in circle.members.items() if not one.coder.facilitator]
    text = next(one for one in circle.fragments if one.id == TEXT)
    place = {"document": TEXT, "sha256": text.sha256, "start": 0, "end": 40}
    for who in others:
        codes(circle, who, place | {"code": "hoop"})
    circle.reveal(leader)
    for message in ({"kind": "join"}, {"kind": "resolve", "choice": "one",
                    "readings": [{"code": "hoop", "text": "Zij zag haar."}]} | place):  # fmt: skip
        assert circle.handle(leader, message | {"id": str(uuid4())})["error"] is None
    with visiting(browser, server, "Gespreksleider", color_scheme=scheme) as page:
        page.goto(server.address("/minutes"))
        assert pauses(page, ".cc-passage") == []
