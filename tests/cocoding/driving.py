"""Drives the page as people do: a server of a study, a browser, and someone who came in."""

import hashlib
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager

import uvicorn

from expertise.cocoding.circle import open_circle
from expertise.cocoding.web.serve import make_site
from expertise.coding.folding import ledger

SERVER = """
import sys
from expertise.cocoding.web.serve import serve_study
serve_study(sys.argv[1], port=int(sys.argv[2]), say=lambda line: print(line, flush=True))
"""


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Server:
    """The page of a study, served by a thread of this process."""

    def __init__(self, folder, store=None):
        self.folder, self.store, self.port = folder, store, free_port()

    def start(self):
        origins = (f"http://localhost:{self.port}", f"http://127.0.0.1:{self.port}")
        self.circle = open_circle(self.folder, self.store)
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
    for _ in range(1200):
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


def rewrite(folder, document, words):
    """Put other words in a text of the corpus, as who mends a transcript would."""
    corpus = next((folder.parents[1] / "corpora").iterdir())
    text, listing = corpus / "texts" / f"{document}.txt", corpus / "corpus.toml"
    old = hashlib.sha256(text.read_bytes()).hexdigest()
    text.write_text(words, "utf-8")
    new = hashlib.sha256(text.read_bytes()).hexdigest()
    listing.write_text(listing.read_text("utf-8").replace(old, new), "utf-8")


def prepare(folder, store=None, **people):
    circle = open_circle(folder, store)
    for name, perspective in people.items():
        circle.add(name, perspective)
    circle.store.close()


@contextmanager
def serving(folder, kind=Server, store=None):
    server = kind(folder, store).start()
    try:
        yield server
    finally:
        server.kill()


def acts(server):
    circle = open_circle(server.folder, server.store)
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


def mark(page, number, name):
    """Mark a sentence with a word, see it saved, and close its panel."""
    page.locator(".cc-sentence").nth(number).click()
    name_code(page, name)
    saved(page)
    press(page, "Sluit")


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
