"""The widget in a real JupyterLab: keys stay with it, and a saved notebook holds no text."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from expertise.cocoding.circle import open_circle
from expertise.coding.folding import ledger
from expertise.reporting.pdf import chromium
from tests.cocoding.driving import answers, free_port, prepare

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).parents[2]


@contextmanager
def lab(folder, *cells):
    """A page of a real JupyterLab with one notebook, and the notebook's file."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    home, port = folder.parents[1] / "lab", free_port()
    home.mkdir()
    nbformat.write(book, home / "proef.ipynb")
    places = {name: str(home / name) for name in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}  # fmt: skip
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}",
               "--ServerApp.token=", "--ServerApp.password=", "--allow-root",
               f"--ServerApp.root_dir={home}",
               "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
               ]  # fmt: skip
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(
            command, env=os.environ | places | {"PYTHONPATH": str(ROOT)}, stdout=log, stderr=log
        )
    try:
        answers(f"http://127.0.0.1:{port}/api")
        with sync_api.sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(150_000)
            page.goto(f"http://127.0.0.1:{port}/lab/tree/proef.ipynb")
            page.locator(".jp-CodeCell").first.wait_for()
            yield page, home / "proef.ipynb"
            browser.close()
    finally:
        process.terminate()
        process.wait(20)


def run(page, number):
    """Run a cell, as soon as the kernel is there, and return where its output comes."""
    cell = page.locator(".jp-CodeCell").nth(number)
    for _ in range(60):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(1000)
        if cell.locator(".jp-InputPrompt").first.inner_text() != "[ ]:":
            break
    return cell.locator(".jp-OutputArea")


def test_keys_stay_with_the_widget_and_texts_out_of_the_file(folder):
    cell = f"from expertise.cocoding.widget import CodingWidget\nCodingWidget({str(folder)!r})"
    with lab(folder, cell, "1 + 1") as (page, file):
        run(page, 0)
        page.wait_for_selector(".cc-desk")
        page.get_by_role("button", name="Begin", exact=True).click()
        page.get_by_role("button", name="Liever niet").click()
        page.locator(".cc-texts button").first.click()
        page.get_by_role("button", name="Lezen").click()
        page.wait_for_selector(".cc-text")
        cells = page.locator(".jp-CodeCell").count()
        page.locator(".cc-sentence").nth(2).focus()
        for key in ("b", "a", "m", "d", "d", "x", "y", "j", "k", "ArrowDown", "5"):
            page.keyboard.press(key)
        page.locator(".cc-saved", has_text="Opgeslagen").wait_for()
        page.locator("#cc-why").fill("dd mag hier gewoon")
        page.keyboard.press("Escape")
        page.wait_for_selector(".cc-pause")
        page.get_by_role("button", name="Verder lezen").click()
        page.locator("#cc-why").press("z")
        assert page.locator(".jp-CodeCell").count() == cells
        assert page.locator(".cc-text").is_visible()
        sentence = page.locator(".cc-sentence").nth(5).inner_text()
        page.get_by_role("menuitem", name="Settings").click()
        save_state = page.get_by_text("Save Widget State Automatically")
        if save_state.count():
            save_state.first.click()
        else:
            page.keyboard.press("Escape")
        page.get_by_role("menuitem", name="File", exact=True).click()
        page.locator(".lm-Menu-item[data-command='docmanager:save']").click()
        page.wait_for_timeout(2000)
    saved = file.read_text("utf-8")
    assert "application/vnd.jupyter.widget-state+json" in saved
    assert "Noor de Vries" in saved
    assert sentence not in saved
    circle = open_circle(folder)
    rows = ledger(circle.store.table()).codings
    circle.store.close()
    assert rows["code"].tolist() == ["hoop"]


def press(widget, name):
    widget.get_by_role("button", name=name, exact=True).first.click()


def codes(widget, number, word):
    """Set practice aside, mark a sentence of the first text, and finish it."""
    press(widget, "Begin")
    press(widget, "Liever niet")
    widget.locator(".cc-texts button").first.click()
    press(widget, "Lezen")
    widget.locator(".cc-sentence").nth(number).click()
    widget.locator(".cc-card > button", has_text=word).first.click()
    widget.locator(".cc-saved", has_text="Opgeslagen").wait_for()
    press(widget, "Sluit")
    press(widget, "Klaar met deze tekst")
    widget.locator(".cc-desk").wait_for()


def test_a_whole_meeting(folder):
    """From two people who read alone to the printed page, in one notebook."""
    prepare(folder, Samira="patient", Bram="naaste")
    cells = (
        f"from expertise import CodingWidget\nwidget = CodingWidget({str(folder)!r})\nwidget",
        f"CodingWidget({str(folder)!r}, 'Samira')",
        f"CodingWidget({str(folder)!r}, 'Bram')",
        "widget.reveal()\nlist(widget.circle.agreement())",
        "widget.write_minutes('verslag.html'), widget.write_minutes('verslag.pdf')",
    )
    with lab(folder, *cells) as (page, file):
        lead, samira, bram = (run(page, number).locator(".cc") for number in range(3))
        for widget, word in ((samira, "Hoop"), (bram, "Regie")):
            codes(widget, 3, word)
        run(page, 3).get_by_text("'hoop'").wait_for()
        for widget in (lead, samira, bram):
            press(widget, "Haal op wat nieuw is")
            press(widget, "Ik doe mee")
            widget.locator(".cc-passage").wait_for()
        picture(page, lead, "samen")
        press(lead, "Beide houden")
        lead.locator("textarea").nth(0).fill("Zij ziet weer iets voor zich.")
        lead.locator("textarea").nth(1).fill("Hij beslist weer zelf.")
        picture(page, lead, "beide")
        press(lead, "Leg vast")
        lead.locator(".cc-kept").first.wait_for()
        press(samira, "Haal op wat nieuw is")
        press(samira, "Zo staat het er goed")
        samira.get_by_text("goedgekeurd door wie dit las").wait_for()
        picture(page, samira, "goedgekeurd")
        run(page, 4).get_by_text("Path('verslag.pdf')").wait_for()
        page.goto((file.parent / "verslag.html").as_uri())
        said = page.locator("main").inner_text()
        picture(page, page.locator("main"), "verslag")
    assert said.count("Zij ziet weer iets voor zich.") == 1
    assert "Hij beslist weer zelf." in said
    assert "goedgekeurd door wie dit las" in said
    assert (file.parent / "verslag.pdf").read_bytes().startswith(b"%PDF")


def picture(page, part, name):
    """Keep what is on the screen where EXPERTISE_PICTURES says, for who wants to look."""
    if folder := os.environ.get("EXPERTISE_PICTURES"):
        part.scroll_into_view_if_needed()
        page.screenshot(path=f"{folder}/lab-{name}.png")
