"""In a real browser: no axe violations, no sideways scrolling, nothing fetched."""

import shutil

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium"), reason="Chromium is not on this machine"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_page_has_no_violations(browser, page, scheme, width):
    check(browser, page.html, scheme, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("kind", ["html", "summary"])
def test_the_two_pages_of_a_whole_study_have_no_violations(browser, stored, kind, scheme, width):
    check(browser, getattr(stored, kind), scheme, width)


def check(browser, path, scheme, width):
    # axe puts a script into the page, which the page's own policy forbids.
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    tab = context.new_page()
    fetched = []
    tab.on("request", lambda request: fetched.append(request.url))
    tab.goto(path.as_uri())
    for details in tab.query_selector_all("details"):
        details.evaluate("it => it.open = true")
    result = Axe().run(tab)
    assert result.violations_count == 0, result.generate_report()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert all(url.startswith(("file:", "data:")) for url in fetched)
    context.close()


def test_every_summary_and_table_is_reached_by_keyboard(browser, page):
    tab = browser.new_page(viewport={"width": 360, "height": 800})
    tab.goto(page.html.as_uri())
    wanted = tab.evaluate("document.querySelectorAll('summary, a, [tabindex]').length")
    shown = tab.evaluate(
        "[...document.querySelectorAll('summary, a, [tabindex]')]"
        ".filter(it => !it.closest('details:not([open]) > :not(summary)')).length"
    )
    reached = set()
    for _ in range(wanted + 2):
        tab.keyboard.press("Tab")
        reached.add(
            tab.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
    assert len(reached) >= shown
    tab.close()
