"""The widget in a real JupyterLab: keys stay with it, and a saved notebook holds no text."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from uuid import uuid4

import nbformat
import pytest

from expertise.cocoding.circle import open_circle
from expertise.coding.folding import ledger
from expertise.reporting.pdf import chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).parents[2]


CELLS = (
    "from expertise.cocoding.widget import CodingWidget\n"
    "widget = CodingWidget({folder!r})\nwidget",
    "widget.reveal()",
    "print(widget.write_minutes('verslag.html'))",
)


@pytest.fixture
def lab(folder):
    """A JupyterLab with one notebook, whose first cell is the widget."""
    cells = [cell.format(folder=str(folder)) for cell in CELLS]
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    home = folder.parents[1] / "lab"
    home.mkdir()
    nbformat.write(book, home / "proef.ipynb")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
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
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/api", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise AssertionError((home / "log").read_text())
        yield f"{address}/lab/tree/proef.ipynb", home / "proef.ipynb"
    finally:
        process.terminate()
        process.wait(20)


def test_keys_stay_with_the_widget_and_texts_out_of_the_file(lab, folder):
    address, file = lab
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(150_000)
        page.goto(address)
        page.locator(".jp-CodeCell").first.click()
        page.keyboard.press("Shift+Enter")
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
        browser.close()
    saved = file.read_text("utf-8")
    assert "application/vnd.jupyter.widget-state+json" in saved
    assert "Noor de Vries" in saved
    assert sentence not in saved
    circle = open_circle(folder)
    rows = ledger(circle.store.table()).codings
    circle.store.close()
    assert rows["code"].tolist() == ["hoop"]


def coded(circle, name, perspective, code):
    """Someone codes one text, away from Lab."""
    me = circle.add(name, perspective).coder.id
    text = circle.fragments[1]
    for message in (
        {"kind": "return", "document": "oefenen"}, {"kind": "open", "document": text.id},
        {"kind": "apply", "document": text.id, "sha256": text.sha256, "start": 0, "end": 40,
         "code": code}, {"kind": "finish", "document": text.id},
    ):  # fmt: skip
        assert circle.handle(me, message | {"id": str(uuid4())})["error"] is None


def test_a_meeting_in_lab_ends_in_its_minutes(lab, folder):
    circle = open_circle(folder)
    coded(circle, "Samira", "patient", "hoop")
    coded(circle, "Bram", "naaste", "regie")
    circle.store.close()
    address, file = lab
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(150_000)
        page.goto(address)

        def run(nth):
            page.locator(".jp-CodeCell .cm-content").nth(nth).click()
            page.keyboard.press("Control+Enter")

        def press(name):
            page.get_by_role("button", name=name, exact=True).first.click()

        run(0)
        page.wait_for_selector(".cc-desk")
        run(1)
        page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[2]").wait_for()
        page.get_by_role("button", name="Begin", exact=True).click()
        press("Terug")
        press("Ik doe mee")
        page.wait_for_selector(".cc-meeting")
        press("Beide houden")
        for field in page.locator(".cc-decide textarea").all():
            field.fill("Zo lezen wij het.")
        press("Leg vast")
        page.get_by_text("Afgesproken: Beide houden").wait_for()
        run(2)
        page.get_by_text("verslag.html").last.wait_for()
        page.locator(".jp-CodeCell .jp-InputPrompt", has_text="[3]").wait_for()
        browser.close()
    minutes = (file.parent / "verslag.html").read_text("utf-8")
    assert "Beide houden" in minutes
    assert minutes.count("Zo lezen wij het.") == 2
