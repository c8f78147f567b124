"""Prints a page to a tagged PDF with the Chromium of this machine."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from expertise.errors import FileError

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def print_page(html: Path, pdf: Path) -> Path:
    """Print `html` to `pdf` with tags and an outline, so that it can be read aloud.

    Raises
    ------
    FileError
        There is no Chromium on this machine, or the extra "pdf" is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise FileError("a PDF needs playwright; install expertise[pdf]") from None

    def by_browser() -> Path:
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
            page = browser.new_page(color_scheme="light")
            page.goto(html.resolve().as_uri())
            # Paper has no folds: what is folded in the text is printed, but no figure's table.
            for fold in page.query_selector_all("main > details"):
                fold.evaluate("it => it.open = true")
            page.pdf(path=pdf, format="A4", tagged=True, outline=True, prefer_css_page_size=True)
            browser.close()
        return pdf

    # In a notebook a loop runs already, and playwright then asks for a thread of its own.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(by_browser).result()


def chromium() -> str:
    """Return the path of Chromium, or say how to get it."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise FileError(
            "a PDF needs Chromium and none is installed; on Debian: sudo apt install chromium"
        )
    return found
