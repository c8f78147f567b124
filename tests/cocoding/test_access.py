"""What axe, a contrast test and a screen reader's tree say of every page."""

import os
import re
from pathlib import Path
from uuid import uuid4

import pytest

from expertise import cocoding
from tests.cocoding.driving import name_code, press, read, saved, visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TREES = Path(__file__).parent / "trees"
TEXT = "T01-patient-1"


def violations(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
    found = axe.run(page, options=rules).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]


def read_and_finish(server, who, code):
    """Let someone code and finish the first text, without a page."""
    circle = server.circle
    me = next(key for key, one in circle.members.items() if one.name == who)
    text = next(one for one in circle.fragments if one.id == TEXT)
    place = {"document": TEXT, "sha256": text.sha256, "start": 0, "end": 40, "code": code}
    for message in ({"kind": "return", "document": "oefenen"}, {"kind": "open", "document": TEXT},
                    {"kind": "apply"} | place, {"kind": "finish", "document": TEXT}):  # fmt: skip
        assert circle.handle(me, message | {"id": str(uuid4())})["error"] is None


def every_page(browser, server, **options):
    """Walk from the invitation to the minutes; give the name of each page and the page."""
    read_and_finish(server, "Bram", "regie")
    with visiting(browser, server, "Samira", **options) as page:
        yield "desk", page
        page.get_by_text("Onderwerpen die u liever niet leest").click()
        yield "topics", page
        press(page, "Begin")
        yield "offer", page
        press(page, "Lezen")
        page.wait_for_selector(".cc-text")
        yield "text", page
        page.locator(".cc-sentence").nth(2).click()
        yield "chooser", page
        name_code(page, "Gezien worden")
        saved(page)
        yield "detail", page
        press(page, "Sluit")
        for code in ("Hoop", "Regie"):
            page.locator(".cc-sentence").nth(2).focus()
            page.keyboard.press("Enter")
            name_code(page, code)
            saved(page)
            press(page, "Sluit")
        yield "margin", page
        page.get_by_text("Weergave").click()
        yield "menu", page
        page.get_by_label("Grote letters").check()
        yield "large", page
        page.get_by_label("Grote letters").uncheck()
        page.get_by_text("Weergave").click()
        press(page, "Pauze")
        yield "pause", page
        press(page, "Verder lezen")
        press(page, "Klaar met deze tekst")
        page.wait_for_selector("text=Zo kan het ook")
        yield "others", page
    with visiting(browser, server, "Gespreksleider", **options) as page:
        page.goto(server.address("/research"))
        yield "research", page
        read_and_finish(server, "Gespreksleider", "hoop")
        press(page, "Open het gesprek")
        yield "revealed", page
        page.goto(server.address())
        press(page, "Ik doe mee")
        page.wait_for_selector(".cc-passage")
        yield "meeting", page
        press(page, "Beide houden")
        yield "deciding", page
        press(page, "Leg vast")
        page.wait_for_selector(".cc-kept")
        yield "decided", page
        press(page, "Groot, voor op de muur")
        yield "wall", page
        page.goto(server.address("/minutes"))
        yield "minutes", page
        page.context.clear_cookies()
        page.goto(server.address())
        yield "enter", page
        page.goto(server.links["Bram"])
        yield "invite", page
        page.goto(server.links["Samira"])
        yield "refused", page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_any_page(browser, server, scheme):
    pages = every_page(browser, server, color_scheme=scheme)
    where = {name: violations(page) for name, page in pages}
    assert len(where) == 21
    assert {name: found for name, found in where.items() if found} == {}


def test_axe_finds_what_is_wrong(browser, server):
    with visiting(browser, server, "Samira") as page:
        page.evaluate("document.querySelector('.cc-desk button').replaceChildren()")
        assert "button-name" in [rule for rule, _ in violations(page)]


def test_what_assistive_technology_hears_on_every_page(browser, server):
    """The tree of each page as it was looked at; EXPERTISE_TREES=write keeps them anew."""
    heard = {}
    for name, page in every_page(browser, server):
        tree = page.locator("body").aria_snapshot() + "\n"
        heard[name] = re.sub(r"coder=\w+", "coder=…", tree)  # ids are drawn anew
    if os.environ.get("EXPERTISE_TREES") == "write":
        for name, tree in heard.items():
            (TREES / f"{name}.yml").write_text(tree, "utf-8")
    kept = {file.stem: file.read_text("utf-8") for file in TREES.glob("*.yml")}
    assert heard == kept


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


def test_reading_at_400_percent_needs_no_sideways_scrolling(browser, server):
    with visiting(browser, server, "Samira", viewport={"width": 320, "height": 256}) as page:
        read(page)
        page.locator(".cc-sentence").nth(1).click()
        name_code(page, "Hoop")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_no_rule_of_style_stands_twice():
    style = (Path(cocoding.__file__).parent / "js" / "style.css").read_text("utf-8")
    rules = [line for line in style.splitlines() if line.startswith(".") and "{" in line]
    assert len(rules) > 50
    assert len(set(rules)) == len(rules)
