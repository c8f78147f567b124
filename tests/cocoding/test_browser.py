"""The page in a real browser: by mouse, keys and touch, offline, in two tabs, and under attack."""

import hashlib
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn

from expertise.cocoding.circle import open_circle
from expertise.cocoding.web.serve import make_site
from expertise.coding.folding import ledger
from expertise.reporting.pdf import chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
sync_api = pytest.importorskip("playwright.sync_api")
HERE = Path(__file__).parent
TEXT = "T01-patient-1"
SERVER = """
import sys
from expertise.cocoding.web.serve import serve_study
serve_study(sys.argv[1], port=int(sys.argv[2]), say=lambda line: print(line, flush=True))
"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """The page of a study, served by a thread of this process."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()

    def start(self):
        origins = (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}")
        self.circle = open_circle(self.folder)
        site, research = make_site(self.circle, origins)
        self.circle.facilitator()
        self.links = {one.name: research.link(key) for key, one in self.circle.members.items()}
        settings = uvicorn.Config(
            site.app(*research.routes()),
            port=self.port,
            log_level="error",
            access_log=False,
            lifespan="off",
        )
        self.uvicorn = uvicorn.Server(settings)
        self.thread = threading.Thread(target=self.uvicorn.run, daemon=True)
        self.thread.start()
        answers(self.address())
        return self

    def address(self, path="/"):
        return f"http://localhost:{self.port}{path}"

    def kill(self):
        self.uvicorn.should_exit = True
        self.uvicorn.force_exit = True
        self.thread.join(10)
        self.circle.store.close()


class Process(Server):
    """The same in a process of its own, which can be killed and started again."""

    def start(self):
        command = [sys.executable, "-c", SERVER, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.links = {}
        for line in self.process.stdout:
            if found := re.match(r"(.+): (http\S+)", line):
                self.links[found[1]] = found[2]
            if line.startswith("Each link"):
                break
        answers(self.address())
        return self

    def kill(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


def answers(address):
    """Wait until a server answers."""
    for _ in range(400):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


def prepare(folder, **people):
    circle = open_circle(folder)
    for name, perspective in people.items():
        circle.add(name, perspective)
    circle.store.close()


@contextmanager
def serving(folder, kind=Server):
    server = kind(folder).start()
    try:
        yield server
    finally:
        server.kill()


@pytest.fixture
def server(folder):
    prepare(folder, Samira="patient", Bram="naaste")
    with serving(folder) as running:
        yield running


@pytest.fixture
def process(folder):
    prepare(folder, Samira="patient")
    with serving(folder, Process) as running:
        yield running


def acts(server):
    circle = open_circle(server.folder)
    table = circle.store.table()
    circle.store.close()
    return table


def codings(server):
    return ledger(acts(server)).codings


@contextmanager
def visiting(browser, server, who, **options):
    """A page of one person who came in by a link; no error may reach its console."""
    context = browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
    context.set_default_timeout(10_000)
    page = context.new_page()
    faults = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.goto(server.links[who])
    page.get_by_role("button", name="Begin").click()
    page.wait_for_selector(".cc-desk")
    yield page
    assert faults == []
    context.close()


def press(page, name, exact=True):
    page.get_by_role("button", name=name, exact=exact).first.click()


def read(page, nth=0):
    """Set the practice aside and open a real text."""
    press(page, "Begin")
    press(page, "Liever niet")
    page.locator(".cc-texts button").nth(nth).click()
    press(page, "Lezen")
    page.wait_for_selector(".cc-text")


SAVED = """document.querySelector('.cc-saved').textContent === 'Opgeslagen'
  && !Object.keys(localStorage).some((name) => name.endsWith(':queue'))"""


def saved(page):
    """Wait until nothing waits on this device any more."""
    for _ in range(600):
        if page.evaluate(SAVED):
            return
        page.wait_for_timeout(50)
    raise AssertionError(page.locator(".cc-top").inner_text())


def name_code(page, name):
    page.locator(".cc-card > button", has_text=name).first.click()


# ---- one round, by each way of pointing ---------------------------------------------------------


def test_a_round_by_keyboard_alone(browser, server):
    with visiting(browser, server, "Samira") as page:
        keys = page.keyboard

        def tab_to(text):
            for _ in range(40):
                keys.press("Tab")
                said = page.evaluate(
                    "document.activeElement.innerText || document.activeElement.id"
                )
                if text in said:
                    return
            raise AssertionError(f"Tab does not reach {text!r}")

        tab_to("Begin")
        keys.press("Enter")
        page.wait_for_selector(".cc-offer")
        tab_to("Lezen")
        keys.press("Enter")
        page.wait_for_selector(".cc-text")
        tab_to("Vanmorgen")
        for key in ("ArrowDown", "ArrowDown", "Shift+ArrowDown"):
            keys.press(key)
        assert page.evaluate("document.activeElement.dataset.number") == "3"
        described = "document.getElementById(document.activeElement.getAttribute('aria-describedby')).textContent"
        assert page.evaluate(described) == "zin 4"
        keys.press("Enter")
        assert page.evaluate("document.activeElement.id") == "cc-search"
        keys.type("gezien")
        keys.press("Enter")
        saved(page)
        assert page.evaluate(described) == "zin 4, gemarkeerd: Gezien worden"
        keys.press("t")
        keys.press("w")
        keys.type("Zij onthield het.")
        tab_to("Bewaar")
        keys.press("Enter")
        saved(page)
        keys.press("ArrowDown")
        keys.press("5")
        saved(page)
        keys.press("u")
        keys.press("Escape")
        assert page.locator(".cc-text").is_hidden()
        assert "Noor de Vries, 06-00000000" in page.locator(".cc-pause").inner_text()
        assert "gratis 0800-0113, dag en nacht." in page.locator(".cc-pause").inner_text()
        tab_to("Verder lezen")
        keys.press("Enter")
        assert page.evaluate("document.activeElement.dataset.number") == "4"
        tab_to("Klaar met deze tekst")
        keys.press("Enter")
        page.wait_for_selector("text=Anderen kozen ook")
    rows = codings(server)
    assert rows["code"].tolist() == ["gezien-worden"]
    assert rows["doubted"].all()
    assert rows["counted"].all()


def test_the_text_is_one_tab_stop(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        stops = page.locator(".cc-text [tabindex='0'], .cc-text button, .cc-text a").count()
        assert stops == 1
        assert page.locator(".cc-sentence").count() > 20


def test_a_round_by_touch_at_360_pixels(browser, server):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with visiting(browser, server, "Samira", **phone) as page:
        page.get_by_role("button", name="Begin").tap()
        page.get_by_role("button", name="Lezen").tap()
        sentences = page.locator(".cc-sentence")
        sentences.nth(1).tap()
        sentences.nth(2).tap()
        covered = "document.querySelector('.cc-panel').getBoundingClientRect().top"
        bottom = sentences.nth(2).bounding_box()
        assert bottom["y"] + bottom["height"] <= page.evaluate(covered)
        page.locator(".cc-card > button", has_text="Hoop").tap()
        saved(page)
        page.get_by_role("button", name="Sluit").tap()
        page.get_by_role("button", name="Klaar met deze tekst").tap()
        page.wait_for_selector("text=Anderen kozen ook")
        wide = "document.documentElement.scrollWidth <= innerWidth"
        assert page.evaluate(wide)
        small = page.evaluate(
            """[...document.querySelectorAll('button, summary, select, input')]
               .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
               .filter((box) => box.height < 24 || box.width < 24).length"""
        )
        assert small == 0
    row = codings(server).iloc[0]
    circle = open_circle(server.folder)
    text = circle.fragments[0].text[row["start"] : row["end"]]
    circle.store.close()
    assert text.startswith("Ik had het drie keer uitgesteld")
    assert text.endswith("vorige week gemist.")


def drag(page, first, last):
    """Drag the mouse from one word to another; words are found by their text."""
    boxes = page.evaluate(
        """(words) => words.map((word) => {
          for (const node of document.querySelectorAll('.cc-text [data-at]')) {
            const at = node.firstChild.data.indexOf(word);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(node.firstChild, at);
            range.setEnd(node.firstChild, at + word.length);
            const box = range.getBoundingClientRect();
            return [box.x, box.y, box.width, box.height];
          }})""",
        [first, last],
    )
    (x1, y1, w1, h1), (x2, y2, w2, h2) = boxes
    page.mouse.move(x1 + w1 * 0.4, y1 + h1 / 2)
    page.mouse.down()
    page.mouse.move((x1 + x2) / 2, (y1 + y2) / 2, steps=4)
    page.mouse.move(x2 + w2 * 0.6, y2 + h2 / 2, steps=4)
    page.mouse.up()


def chosen(page):
    return page.evaluate(
        "[...document.querySelectorAll('.cc-chosen')].map((o) => o.textContent).join(' ')"
    )


def test_dragging_takes_whole_words_and_can_be_adjusted(browser, server):
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.wait_for_selector(".cc-text")
        drag(page, "buurthuis", "uitgesteld")
        assert chosen(page) == "buurthuis gegaan. Ik had het drie keer uitgesteld"
        page.get_by_text("Iets meer of minder tekst").click()
        press(page, "eind: woord eraf")
        page.get_by_text("Iets meer of minder tekst").click()
        press(page, "begin: woord erbij")
        assert chosen(page) == "het buurthuis gegaan. Ik had het drie keer"
        name_code(page, "Kleine stappen")
        saved(page)
    row = codings(server).iloc[0]
    text = server.circle.fragments[0].text[row["start"] : row["end"]]
    assert text == "het buurthuis gegaan. Ik had het drie keer"


def test_a_failed_drag_leaves_nothing_chosen(browser, server):
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(0).click()
        assert chosen(page)
        box = page.locator(".cc-sentence").nth(1).bounding_box()
        page.mouse.move(box["x"] + 5, box["y"] + 8)
        page.mouse.down()
        page.mouse.move(5, 60, steps=5)
        page.mouse.up()
        assert chosen(page) == ""
        assert page.locator(".cc-hidden[role=status]").last.inner_text() == "Niets gekozen"


# ---- nothing lost, nothing doubled --------------------------------------------------------------


def test_offline_and_back(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        page.context.set_offline(True)
        for number, code in ((0, "Hoop"), (3, "Regie"), (5, "Uitputting")):
            page.locator(".cc-sentence").nth(number).click()
            name_code(page, code)
            press(page, "Sluit")
        page.wait_for_selector("text=We bewaren het hier en sturen het straks.")
        assert page.locator("mark").count() >= 3
        assert codings(server).empty
        page.context.set_offline(False)
        saved(page)
        kept = page.evaluate("Object.keys(localStorage).filter((name) => name.endsWith(':queue'))")
        assert kept == []
    assert sorted(codings(server)["code"]) == ["hoop", "regie", "uitputting"]


def test_the_server_is_killed_in_the_middle(browser, process):
    with visiting(browser, process, "Samira") as page:
        read(page)
        page.locator(".cc-sentence").nth(0).click()
        name_code(page, "Hoop")
        saved(page)
        process.kill()
        page.locator(".cc-sentence").nth(4).click()
        name_code(page, "Regie")
        page.wait_for_selector("text=We bewaren het hier")
        process.start()
        saved(page)
    rows = codings(process)
    assert sorted(rows["code"]) == ["hoop", "regie"]
    assert rows["uuid"].is_unique


def test_what_waits_survives_closing_the_tab(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        server.kill()
        page.locator(".cc-sentence").nth(4).click()
        name_code(page, "Regie")
        page.wait_for_selector("text=We bewaren het hier")
        context = page.context
        page.close()
        server.start()
        again = context.new_page()
        again.goto(server.address())
        again.wait_for_selector(".cc-desk")
        saved(again)
    assert codings(server)["code"].tolist() == ["regie"]


def test_two_tabs_of_one_coder(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        other = page.context.new_page()
        other.goto(server.address())
        other.locator(".cc-texts button").nth(0).click()
        other.wait_for_selector(".cc-text")
        for tab, number, code in ((page, 0, "Hoop"), (other, 3, "Regie"), (page, 5, "Hoop")):
            tab.locator(".cc-sentence").nth(number).click()
            name_code(tab, code)
            saved(tab)
        assert page.locator(".cc-label", has_text="Regie").count() == 1
        uuid = codings(server).set_index("code").loc["regie", "uuid"]
        for tab, why in ((page, "eerst"), (other, "later")):
            tab.locator(f"[data-coding='{uuid}']").first.click()
            tab.locator("#cc-why").fill(why)
            press(tab, "Bewaar")
        other.wait_for_timeout(500)
        other.locator(f"[data-coding='{uuid}']").first.click()
        assert "eerst" in other.locator(".cc-conflict").inner_text()
        assert other.locator("#cc-why").input_value() == "later"
    assert len(codings(server)) == 3


def test_giving_back_asks_nothing_and_wipes_the_text(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        before = page.locator(".cc-texts button").count()
        sentence = page.locator(".cc-sentence").nth(3).inner_text()
        press(page, "Geef terug")
        page.wait_for_selector(".cc-desk")
        assert sentence not in page.content()
        assert page.locator(".cc-texts button").count() != before
    assert "returned" in acts(server)["kind"].tolist()


def test_done_wipes_everything_from_the_device(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        sentence = page.locator(".cc-sentence").nth(3).inner_text()
        page.get_by_text("Weergave").click()
        press(page, "Klaar: afmelden op dit apparaat")
        page.wait_for_selector("text=De teksten staan niet meer op dit apparaat")
        assert sentence not in page.content()
        kept = page.evaluate("JSON.stringify(localStorage) + JSON.stringify(sessionStorage)")
        assert "queue" not in kept
        page.goto(server.address())
        assert page.get_by_label("Vier woorden").count() == 1


def test_what_others_chose_in_practice_is_said_without_a_score(browser, server):
    with visiting(browser, server, "Bram") as page:
        press(page, "Begin")
        press(page, "Lezen")
        for number, code in ((2, "Hoop"), (5, "Hoop"), (5, "Regie")):
            page.locator(".cc-sentence").nth(number).click()
            name_code(page, code)
            saved(page)
            press(page, "Sluit")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=U bent de eerste die deze oefentekst las.")
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(5).click()
        name_code(page, "Hoop")
        saved(page)
        press(page, "Sluit")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=Anderen kozen ook")
        said = page.locator(".cc-others li > p").all_inner_texts()
    assert said == [
        "Iemand koos hier Hoop.", "Iemand anders koos hier ook Hoop.", "Iemand koos hier Regie.",
    ]  # fmt: skip


def test_pause_is_neither_timed_nor_logged(browser, server):
    with visiting(browser, server, "Samira") as page:
        read(page)
        before = len(acts(server))
        for _ in range(3):
            press(page, "Pauze")
            assert page.locator(".cc-text").is_hidden()
            press(page, "Verder lezen")
        assert len(acts(server)) == before


def test_declined_topics_are_not_offered(browser, server):
    with visiting(browser, server, "Samira") as page:
        page.get_by_text("Onderwerpen die u liever niet leest").click()
        page.get_by_label("depressie").check()
        press(page, "Bewaar deze keuze")
        page.wait_for_timeout(300)
        assert "depressie" not in page.locator(".cc-texts").inner_text()


# ---- positions ----------------------------------------------------------------------------------


def test_code_points_and_units_meet_in_one_place(browser, server):
    text = "Zij 👩‍👩‍👧 gaf me hoop: e\u0301e\u0301n dag \U0001d538 weer."
    with visiting(browser, server, "Samira") as page:
        found = page.evaluate(
            """async (text) => {
              const { positions } = await import('/static/positions.js');
              const at = positions(text);
              const points = [...text];
              return points.map((point, i) => {
                const unit = at.toUnit(i);
                return [at.toPoint(unit), String.fromCodePoint(text.codePointAt(unit))];
              }).concat([[at.toPoint(text.length), at.toUnit(points.length)]]);
            }""",
            text,
        )
    assert [point for point, _ in found] == list(range(len(text) + 1))
    assert "".join(one for _, one in found[:-1]) == text
    assert found[-1] == [len(text), len(text.encode("utf-16-le")) // 2]


def test_a_text_with_emoji_is_coded_where_it_stands(browser, server):
    with visiting(browser, server, "Samira") as page:
        circle = open_circle(server.folder)
        texts = [one for one in circle.fragments if not one.practice and "patient" in one.coded_by]
        nth = next(i for i, one in enumerate(texts) if any(ord(c) > 0xFFFF for c in one.text))
        text = texts[nth].text
        circle.store.close()
        read(page, nth)
        last = page.locator(".cc-sentence").last
        quote = last.inner_text()
        last.click()
        name_code(page, "Hoop")
        saved(page)
    row = codings(server).iloc[0]
    assert text[row["start"] : row["end"]] == quote.strip()


# ---- accessibility ------------------------------------------------------------------------------


def violations(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = axe.run(page, options=rules).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser, server, scheme):
    where = {}
    with visiting(browser, server, "Samira", color_scheme=scheme) as page:
        where["desk"] = violations(page)
        press(page, "Begin")
        where["offer"] = violations(page)
        press(page, "Lezen")
        page.wait_for_selector(".cc-text")
        where["text"] = violations(page)
        page.locator(".cc-sentence").nth(2).click()
        where["chooser"] = violations(page)
        for code in ("Gezien worden", "Hoop", "Regie"):
            name_code(page, code)
            where[code] = violations(page)
            press(page, "Sluit")
            page.locator(".cc-sentence").nth(2).click()
            if code != "Gezien worden":
                page.locator(".cc-sentence").nth(2).click() if not chosen(page) else None
        page.get_by_text("Weergave").click()
        where["menu"] = violations(page)
        page.get_by_label("Grote letters").check()
        where["large"] = violations(page)
        page.get_by_text("Weergave").click()
        press(page, "Pauze")
        where["pause"] = violations(page)
        press(page, "Verder lezen")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=Anderen kozen ook")
        where["others"] = violations(page)
    with visiting(browser, server, "Gespreksleider", color_scheme=scheme) as page:
        page.goto(server.address("/research"))
        where["research"] = violations(page)
        page.fill("#n", "4")
        press(page, "Laat de verdeling zien")
        where["plan"] = violations(page)
        press(page, "Leg deze verdeling vast")
        page.get_by_role("link", name="Papier van Bram, om af te drukken").click()
        where["paper"] = violations(page)
        page.go_back()
        page.get_by_role("link", name="Voer in voor Bram").click()
        where["papers"] = violations(page)
        page.locator(".cc-texts a").first.click()
        where["entry"] = violations(page)
        page.goto(server.address("/research"))
        press(page, "Open het gesprek")
        where["revealed"] = violations(page)
        page.goto(server.address())
        press(page, "Ik doe mee")
        page.wait_for_selector(".cc-meeting")
        where["meeting"] = violations(page)
        press(page, "Groot, voor op de muur")
        page.wait_for_selector(".cc-wall")
        where["wall"] = violations(page)
        page.goto(server.address("/minutes"))
        where["minutes"] = violations(page)
        page.context.clear_cookies()
        page.goto(server.address())
        where["enter"] = violations(page)
        page.goto(server.links["Bram"])
        where["invite"] = violations(page)
        page.goto(server.links["Samira"])
        where["refused"] = violations(page)
    assert {name: found for name, found in where.items() if found} == {}


def test_on_the_wall_nobodys_own_reading_shows(browser, server):
    leader = server.circle.facilitator().coder.id
    others = [one.coder.id for one in server.circle.members.values() if not one.coder.facilitator]
    text = next(one for one in server.circle.fragments if one.id == TEXT)
    for who, code in ((leader, "hoop"), (others[0], "regie"), (others[1], "regie")):
        for message in (
            {"kind": "return", "document": "oefenen"}, {"kind": "open", "document": TEXT},
            {"kind": "apply", "document": TEXT, "sha256": text.sha256, "start": 0, "end": 40,
             "code": code}, {"kind": "finish", "document": TEXT},
        ):  # fmt: skip
            answer = server.circle.handle(who, message | {"id": str(uuid4())})
            assert answer["error"] is None
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


CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => { paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
                            return [...paint.getImageData(0, 0, 1, 1).data].slice(0, 3); };
  const light = (colour) => rgb(colour).map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const style = (node) => getComputedStyle(node);
  const behind = (node) => { for (let one = node; one; one = one.parentElement) {
    const colour = style(one).backgroundColor; if (!/, 0\\)$/.test(colour) && colour !== 'transparent') return colour; } return '#fff'; };
  const rows = [];
  for (const node of document.querySelectorAll('.cc-text mark, .cc-text .cc-chosen, .cc-label')) {
    rows.push(['text', node.className + node.tagName, ratio(style(node).color, behind(node))]);
    const bars = style(node).boxShadow.match(/(rgba?|color)\\([^)]*\\)/g) ?? [];
    bars.forEach((bar, i) => { if (i !== 1) rows.push(['bar', bar, ratio(bar, behind(node))]); });
  }
  return rows;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_over_highlights(browser, server, scheme):
    """What axe cannot judge: text ≥ 7:1 and bars ≥ 3:1 over the tint, for every code."""
    with visiting(browser, server, "Samira", color_scheme=scheme) as page:
        read(page)
        for number in range(8):
            page.locator(".cc-sentence").nth(number).click()
            page.locator(".cc-card > button").nth(number).click()
            press(page, "Sluit")
        for number in range(3):
            page.locator(".cc-sentence").nth(number).click()
            page.locator(".cc-card > button").nth(number + 1).click()
            press(page, "Sluit")
        page.locator(".cc-sentence").nth(1).click()
        rows = page.evaluate(CONTRAST)
    texts = [ratio for kind, _, ratio in rows if kind == "text"]
    bars = {bar: ratio for kind, bar, ratio in rows if kind == "bar"}
    assert len(texts) > 10
    assert len(bars) == 8
    assert min(texts) >= 7
    assert min(bars.values()) >= 4.5


def test_what_assistive_technology_hears(browser, server):
    """The tree of the choosing panel, as a screen reader gets it."""
    with visiting(browser, server, "Samira") as page:
        press(page, "Begin")
        press(page, "Lezen")
        page.locator(".cc-sentence").nth(2).click()
        tree = page.locator(".cc-panel").aria_snapshot()
        text = page.locator(".cc-text").aria_snapshot()
    for line in ('- complementary "Woorden en markeringen":', '- heading "Welk woord past?" [level=2]',
                 '- searchbox "Zoek een woord"', '- list "Woordenlijst":', '- button "Wis keuze"'):  # fmt: skip
        assert line in tree
    assert 'group "De tekst. Pijltjes: van zin naar zin. Enter: markeren."' in text
    assert text.count("- paragraph") == 3
    assert "Vanmorgen ben ik met de bus naar het buurthuis gegaan." in text


def test_reading_at_400_percent_needs_no_sideways_scrolling(browser, server):
    with visiting(browser, server, "Samira", viewport={"width": 320, "height": 256}) as page:
        read(page)
        page.locator(".cc-sentence").nth(1).click()
        name_code(page, "Hoop")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# ---- attack -------------------------------------------------------------------------------------

MARK = "window.fired=1"
PAYLOADS = [
    f"<script>{MARK}</script>", f"<img src=x onerror={MARK}>", f"<svg onload={MARK}>",
    f"\"><script>{MARK}</script>", f"' onfocus={MARK} autofocus '", f"javascript:{MARK}",
    f"</textarea><script>{MARK}</script>", f"{{{{constructor.constructor('{MARK}')()}}}}",
    f"<iframe srcdoc='<script>parent.{MARK}</script>'>", f"<details open ontoggle={MARK}>",
]  # fmt: skip
TAGS = ("a", "b", "body", "form", "input", "marquee", "math", "object", "style", "video")
EVENTS = ("onload", "onerror", "onfocus autofocus", "onmouseover")
MORE = [f"<{tag} {event}={MARK}>" for tag in TAGS for event in EVENTS]


def attacked(browser, folder, payloads):
    """Plant payloads in text, names, codes, topics and memos, and walk through every page."""
    listing = folder.parents[1] / "corpora" / "drie-kunnen-meer-dan-een" / "corpus.toml"
    plant(folder, listing, payloads)
    circle = open_circle(folder)
    circle.add(payloads[0], "patient")
    circle.add("Bram", "naaste")
    circle.store.close()
    with serving(folder) as server:
        who = next(name for name in server.links if name not in ("Bram", "Gespreksleider"))
        with visiting(browser, server, who) as page:
            read(page)
            for payload in payloads:
                page.locator(".cc-sentence").first.click()
                page.locator(".cc-card > button").first.click()
                page.locator("#cc-why").fill(payload)
                page.get_by_label("voor ons gesprek").check()
                press(page, "Bewaar")
            press(page, "Klaar met deze tekst")
            page.wait_for_selector(".cc-desk")
            assert page.evaluate("window.fired") is None
        with visiting(browser, server, "Bram") as page:
            read(page)
            press(page, "Klaar met deze tekst")
            page.wait_for_selector(".cc-desk")
        with visiting(browser, server, "Gespreksleider") as page:
            page.goto(server.address("/research"))
            assert page.evaluate("window.fired") is None
            press(page, "Open het gesprek")
            page.goto(server.address())
            press(page, "Ik doe mee")
            page.wait_for_selector(".cc-passage")
            press(page, "Samen één lezing")
            page.locator(".cc-decide textarea").fill("\n".join(payloads))
            press(page, "Leg vast")
            page.wait_for_selector(".cc-kept")
            shown = page.locator(".cc-meeting").inner_text()
            assert page.evaluate("window.fired") is None
            page.goto(server.address("/minutes"))
            assert page.evaluate("window.fired") is None
        return shown


def plant(folder, listing, payloads):
    text = listing.parent / "texts" / f"{TEXT}.txt"
    old = hashlib.sha256(text.read_bytes()).hexdigest()
    text.write_text("\n".join(f"{one} en verder." for one in payloads) + "\n", "utf-8")
    new = hashlib.sha256(text.read_bytes()).hexdigest()
    lines = listing.read_text("utf-8").replace(old, new)
    topics = f"topics = {json.dumps(payloads[:3])}\n"
    listing.write_text(re.sub(r"topics = .*\n", lambda _: topics, lines, count=1), "utf-8")
    book = folder / "codebook.toml"
    words = book.read_text("utf-8")
    book.write_text(words.replace('plain = "Iemand merkt op', f"plain = {json.dumps(payloads[1])[:-1]}", 1)
                    .replace('name = "Gezien worden"', f"name = {json.dumps(payloads[0])}"), "utf-8")  # fmt: skip


def test_ten_payloads_do_not_run(browser, folder):
    shown = attacked(browser, folder, PAYLOADS)
    assert PAYLOADS[0] in shown


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_fifty_payloads_do_not_run(browser, folder):
    assert len(PAYLOADS + MORE) == 50
    attacked(browser, folder, PAYLOADS + MORE)
