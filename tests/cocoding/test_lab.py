"""The widget in a real JupyterLab: keys stay with it, and a saved notebook holds no text."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
import pytest

from expertise.cocoding.circle import open_circle
from expertise.coding.folding import ledger
from expertise.reporting.pdf import chromium

pytestmark = [pytest.mark.browser, pytest.mark.timeout(480)]
sync_api = pytest.importorskip("playwright.sync_api")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def lab(folder):
    """A JupyterLab with one notebook, whose first cell is the widget."""
    cell = f"from expertise.cocoding.widget import CodingWidget\nCodingWidget({str(folder)!r})"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell), nbformat.v4.new_code_cell("1 + 1")],
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
