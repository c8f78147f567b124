"""The review page in a real browser: judged by keyboard and mouse, saved, and read back."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from expertise.narratives.deidentification import COLUMNS, rewritten
from expertise.narratives.review import apply_review, review_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on this machine"),
]
TEXT = "👩‍👧 Ik ben Ria, 43 jaar.\nMijn zoon Bas kwam in mei, met hoop en <b>koffie</b>."
KINDS = {"Ria": "person", "43": "age", "Bas": "person", "mei": "date"}


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def found():
    rows = [
        ("a", TEXT.index(word), TEXT.index(word) + len(word), kind, f"[{kind}]")
        for word, kind in KINDS.items()
    ]
    texts = {"a": TEXT, "b": "Niets dat iemand kent."}
    return rewritten(texts, pd.DataFrame(rows, columns=COLUMNS), reviewed=False)


@pytest.fixture(scope="module")
def page(found, tmp_path_factory):
    return review_page(found, tmp_path_factory.mktemp("page") / "review.html")


@pytest.fixture
def tab(browser, page):
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    tab.goto(page.as_uri())
    yield tab
    tab.close()


def saved(tab, found, folder):
    """Press the button, and return the texts as they were judged."""
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Bewaar").click()
    download.value.save_as(folder / "review.json")
    return apply_review(found, folder / "review.json")


def select(tab, document, word):
    tab.evaluate(
        """([name, word]) => {
          const walker = document.createTreeWalker(
            document.querySelector(`p[data-document="${name}"]`), NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            const at = walker.currentNode.data.indexOf(word);
            if (at < 0) continue;
            getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + word.length);
            return;
          }
        }""",
        [document, word],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_page_has_no_violations(browser, page, scheme, width):
    # axe puts a script into the page, which the page's own policy forbids.
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    tab = context.new_page()
    fetched = []
    tab.on("request", lambda request: fetched.append(request.url))
    tab.goto(page.as_uri())
    tab.locator("mark").first.click()
    result = Axe().run(tab)
    assert result.violations_count == 0, result.generate_report()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert all(url.startswith("file:") for url in fetched)
    context.close()


def test_what_is_judged_by_mouse_and_keyboard_is_read_back(tab, found, tmp_path):
    tab.locator("mark", has_text="Ria").click()
    tab.locator("mark", has_text="43").focus()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Bas"
    tab.keyboard.press("Enter")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Space")
    tab.keyboard.press("Space")
    final = saved(tab, found, tmp_path)
    assert final.reviewed
    assert final.texts["a"] == TEXT.replace("43", "[age]").replace("mei", "[date]")


def test_what_was_missed_is_marked_and_can_be_taken_back(tab, found, tmp_path):
    for document, word in (("a", "koffie"), ("b", "iemand")):
        select(tab, document, word)
        tab.get_by_role("button", name="Gemist").click()
    tab.locator("mark", has_text="iemand").click()
    final = saved(tab, found, tmp_path)
    assert "<b>[weggelaten]</b>" in final.texts["a"]
    assert final.texts["b"] == "Niets dat iemand kent."


def test_a_word_is_marked_wherever_it_stands_by_keyboard_alone(tab, found, tmp_path):
    tab.get_by_label("Een woord overal").focus()
    tab.keyboard.type("kent")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert saved(tab, found, tmp_path).texts["b"] == "Niets dat iemand [weggelaten]."


def test_a_selection_over_a_mark_is_not_lost(tab, found, tmp_path):
    tab.evaluate(
        """() => {
          const text = document.querySelector("p[data-document=a]");
          const ria = [...text.querySelectorAll("mark")][0];
          getSelection().setBaseAndExtent(ria.previousSibling, ria.previousSibling.length - 4,
            ria.nextSibling, 1);
        }"""
    )
    tab.get_by_role("button", name="Gemist").click()
    assert saved(tab, found, tmp_path).texts["a"].startswith("👩‍👧 Ik [weggelaten][person]")


def test_the_page_says_what_a_press_did(tab):
    tab.get_by_role("button", name="Gemist").click()
    assert "eerst" in tab.get_by_role("status").text_content()
    tab.locator("mark", has_text="Ria").click()
    assert "3" in tab.get_by_role("status").text_content()


def test_the_page_fetches_nothing(page):
    assert "http" not in Path(page).read_text("utf-8").replace("http-equiv", "")
