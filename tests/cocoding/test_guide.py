"""The plain guide, walked as it is written, from the division to the printed page.

EXPERTISE_PICTURES=FOLDER keeps a picture of each step at every width, light and
dark; those in docs/pictures are among them.
"""

import os
from uuid import uuid4

import pytest

from tests.cocoding.driving import mark, name_code, press, saved, visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PICTURES = os.environ.get("EXPERTISE_PICTURES")
HEIGHTS = {360: 780, 768: 1000, 1280: 800}
LOOKS = [(360, "light"), (768, "dark"), (1280, "light")]
if PICTURES:
    LOOKS += [(360, "dark"), (768, "light"), (1280, "dark")]
ASIDE = "document.documentElement.scrollWidth > innerWidth"


@pytest.fixture(params=LOOKS, ids=lambda look: "-".join(map(str, look)))
def see(request):
    """Look at a step: nothing may scroll sideways; keep a picture when asked."""
    width, scheme = request.param

    def look(page, name):
        page.wait_for_load_state()  # before its styles a page is as wide as it likes
        assert not page.evaluate(ASIDE), name
        if PICTURES:
            page.wait_for_timeout(150)
            page.screenshot(path=f"{PICTURES}/{name}-{width}-{scheme}.png")

    look.options = {"viewport": {"width": width, "height": HEIGHTS[width]}, "color_scheme": scheme}
    return look


def practises(server, who):
    """Let someone do the practice text, without a page."""
    circle = server.circle
    me = circle.named(who)
    text = circle.fragments[0]
    quote = "Ik heb een uur gekaart en er is niets bijzonders gebeurd."
    start, coding = text.text.index(quote), str(uuid4())
    place = {"document": text.id, "sha256": text.sha256, "start": start, "end": start + len(quote)}
    for message in (
        {"kind": "open", "document": text.id}, {"kind": "apply", "id": coding, "code": "hoop"} | place,
        {"kind": "memo", "target": coding, "shared": True, "version": 0,
         "text": "Dat er niets gebeurde, vind ik juist mooi."},
        {"kind": "finish", "document": text.id},
    ):  # fmt: skip
        assert circle.handle(me, {"id": str(uuid4())} | message)["error"] is None


def divides(page, server, see):
    """The researcher divides fragments, prints a paper and enters it."""
    page.set_default_timeout(60_000)  # the rules for sentences load now
    page.goto(server.address("/research"))
    page.fill("#n", "4")
    press(page, "Laat de verdeling zien")
    page.get_by_text("Leg deze verdeling vast").scroll_into_view_if_needed()
    see(page, "verdelen")
    press(page, "Leg deze verdeling vast")
    see(page, "onderzoeker")
    page.get_by_role("link", name="Papier van Bram").click()
    page.locator("section").nth(3).evaluate("it => it.scrollIntoView()")
    see(page, "papier")
    sheet = page.locator("small").first.inner_text().split()[-1]
    page.goto(server.address("/research"))
    page.get_by_role("link", name="Voer in voor Bram").click()
    see(page, "papieren")
    page.locator(".cc-texts a").first.click()
    page.fill("#sheet", sheet)
    for at, (numbers, code, why) in enumerate((("5", "hoop", ""), ("6-7", "regie", "Zij kiest."))):
        page.fill(f"[name=sentences-{at}]", numbers)
        page.select_option(f"[name=code-{at}]", code)
        page.fill(f"[name=why-{at}]", why)
    page.locator("[name=shared]").check()
    page.locator("#sheet").scroll_into_view_if_needed()
    see(page, "invoeren")
    press(page, "Voer in")
    page.get_by_text("Ingevoerd: 2 markeringen.").wait_for()


def practice(page, see):
    """From the list of texts to what others chose."""
    see(page, "lijst")
    page.get_by_text("Onderwerpen die u liever niet leest").click()
    see(page, "onderwerpen")
    page.get_by_text("Onderwerpen die u liever niet leest").click()
    press(page, "Begin")
    see(page, "vooraf")
    press(page, "Lezen")
    page.locator(".cc-sentence").nth(2).click()
    see(page, "kiezen")
    name_code(page, "Gezien worden")
    saved(page)
    page.fill("#cc-why", "Iemand had haar gemist.")
    see(page, "waarom")
    press(page, "Bewaar")
    press(page, "Klaar met deze tekst")
    page.wait_for_selector("text=Anderen kozen ook")
    see(page, "anderen")
    press(page, "Verder")


def reads(page, see):
    """A real fragment, with doubt and a break."""
    press(page, "Verder")
    press(page, "Lezen")
    for number, name in ((4, "Gezien worden"), (6, "Hoop"), (6, "Regie")):
        mark(page, number, name)
    page.locator(".cc-sentence").nth(4).focus()
    page.keyboard.press("t")
    saved(page)
    see(page, "gelezen")
    press(page, "Pauze")
    see(page, "pauze")
    press(page, "Verder lezen")
    press(page, "Klaar met deze tekst")
    page.wait_for_selector(".cc-desk")
    see(page, "verder")


def meets(lead, page, server, see):
    """The meeting: what was read, what is kept, and its printed page."""
    lead.goto(server.address("/research"))
    press(lead, "Open het gesprek")
    see(lead, "geopend")
    press(page, "Haal op wat nieuw is")
    page.get_by_text("We bespreken het samen").wait_for()
    see(page, "meedoen")
    lead.goto(server.address())
    for one in (page, lead):
        press(one, "Ik doe mee")
        one.wait_for_selector(".cc-passage")
    see(page, "gesprek")
    press(lead, "Beide houden")
    lead.locator("textarea").nth(0).fill("Zij ziet weer iets voor zich.")
    lead.locator("textarea").nth(1).fill("Zij beslist zelf.")
    see(lead, "beide")
    press(lead, "Leg vast")
    lead.wait_for_selector(".cc-kept")
    press(page, "Haal op wat nieuw is")
    page.get_by_role("button", name="Zo staat het er goed").first.wait_for()
    page.locator(".cc-kept").first.scroll_into_view_if_needed()
    see(page, "goedkeuren")
    press(page, "Zo staat het er goed")
    press(lead, "Groot, voor op de muur")
    lead.wait_for_selector(".cc-wall")
    see(lead, "muur")
    lead.goto(server.address("/minutes"))
    lead.get_by_text("Zij ziet weer iets voor zich.").wait_for()
    see(lead, "verslag")


def test_the_guide_can_be_followed(browser, server, see):
    practises(server, "Bram")
    with visiting(browser, server, "Gespreksleider", **see.options) as lead:
        divides(lead, server, see)
        welcome = lead.context.browser.new_page(**see.options)
        welcome.goto(server.links["Samira"])
        see(welcome, "welkom")
        welcome.close()
        with visiting(browser, server, "Samira", **see.options) as page:
            practice(page, see)
            reads(page, see)
            meets(lead, page, server, see)
    assert server.circle.readings().table["choice"].tolist() == ["both", "both"]
