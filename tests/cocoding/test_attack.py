"""Fifty ways to make text run as a program, in every place where people's words are shown."""

import json
import re

import pytest

from expertise.cocoding.circle import open_circle
from tests.cocoding.driving import press, read, rewrite, serving, visiting

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
TEXT = "T01-patient-1"

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
    """Plant payloads in text, names, codes, topics and memos, and walk through every page.

    The policy of the server is set aside: nothing may run even without it.
    """
    listing = folder.parents[1] / "corpora" / "drie-kunnen-meer-dan-een" / "corpus.toml"
    plant(folder, listing, payloads)
    circle = open_circle(folder)
    circle.add(payloads[0], "patient")
    circle.add("Bram", "naaste")
    circle.store.close()
    with serving(folder) as server:
        who = next(name for name in server.links if name not in ("Bram", "Gespreksleider"))
        with visiting(browser, server, who, bypass_csp=True) as page:
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
        with visiting(browser, server, "Bram", bypass_csp=True) as page:
            read(page)
            press(page, "Klaar met deze tekst")
            page.wait_for_selector(".cc-desk")
        with visiting(browser, server, "Gespreksleider", bypass_csp=True) as page:
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
    rewrite(folder, TEXT, "\n".join(f"{one} en verder." for one in payloads) + "\n")
    lines = listing.read_text("utf-8")
    topics = f"topics = {json.dumps(payloads[:3])}\n"
    listing.write_text(re.sub(r"topics = .*\n", lambda _: topics, lines, count=1), "utf-8")
    book = folder / "codebook.toml"
    words = book.read_text("utf-8")
    book.write_text(words.replace('plain = "Iemand merkt op', f"plain = {json.dumps(payloads[1])[:-1]}", 1)
                    .replace('name = "Gezien worden"', f"name = {json.dumps(payloads[0])}"), "utf-8")  # fmt: skip


def test_payloads_run_where_text_becomes_markup(browser, server):
    """What the tests below look for can be seen: the same words as markup do run."""
    with visiting(browser, server, "Samira", bypass_csp=True) as page:
        page.set_content(f"<p>{PAYLOADS[1]}</p>")
        page.wait_for_function("window.fired === 1")
    with visiting(browser, server, "Bram") as page:
        page.evaluate(
            "(words) => document.body.insertAdjacentHTML('beforeend', words)", PAYLOADS[1]
        )
        page.wait_for_timeout(300)
        assert page.evaluate("window.fired") is None, "the server's policy holds too"


def test_ten_payloads_do_not_run(browser, folder):
    shown = attacked(browser, folder, PAYLOADS)
    assert PAYLOADS[0] in shown


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_fifty_payloads_do_not_run(browser, folder):
    assert len(PAYLOADS + MORE) == 50
    attacked(browser, folder, PAYLOADS + MORE)
