"""Time co-coding in Chromium, in JupyterLab, under fifty coders and beside Taguette.

Writes docs/benchmarks/cocoding.md. Run from the checkout:
``OPENBLAS_NUM_THREADS=1 python benchmarks/cocoding.py --taguette PYTHON``, where
PYTHON belongs to an environment in which taguette 1.5.2 is installed.
"""

import argparse
import csv
import hashlib
import http.client
import io
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

import nbformat
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright

from expertise.cocoding.circle import Circle, open_circle
from expertise.cocoding.web.door import Door, digest
from expertise.coding.acts import Act, Record
from expertise.reporting.pdf import chromium

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "benchmarks" / "cocoding.md"
CODERS, EACH, WORDS = 50, 200, 50_000
HEAD = """# How fast the co-coding page is

Wall-clock times on a machine of {cores} cores that others used too (load average
{busy_0:.1f} at the start, {busy:.1f} at the end), headless Chromium on the same machine,
SQLite with synchronous=FULL on a disk that took {fsync:.0f} fsync a second. Made by
`OPENBLAS_NUM_THREADS=1 python benchmarks/cocoding.py --taguette PYTHON`.
A key press counts from the key to the first frame after the store's
acknowledgement; in turn a word is chosen by its number, "Ik twijfel" is
pressed, and both are undone.

| on {words:,} words with 1,000 codings | measured | wanted |
|---|---|---|
"""
LOAD = """
| {coders} coders × {each} codings at once | measured | wanted |
|---|---|---|
"""
BESIDE = """
| 10,000 highlights in 10 texts, 100 words; time on the clock (median), processor time of the server | here | Taguette 1.5.2 |
|---|---|---|
"""
STUDY = """schema = 1
title = "Maat"
question = "Hoe snel?"
asked_by = "Niemand."
corpus = "maat"
codebook = "codebook.toml"
[perspectives.patient]
slot = 1
nl = { label = "patiënt", plural = "patiënten" }
en = { label = "patient", plural = "patients" }
[[waves]]
id = "1"
months = 0
nl = "begin"
en = "start"
[people]
file = "people.csv"
participant = "participant"
perspective = "perspective"
[contact]
name = "Niemand"
phone = "06-00000000"
hours = "nooit"
"""
SERVER = """
import sys
from expertise.cocoding.web.serve import serve_study
serve_study(sys.argv[1], port=int(sys.argv[2]), say=lambda line: print(line, flush=True))
"""
FILL_TAGUETTE = """
import json, sys
from taguette import database as d
url, given = sys.argv[1], json.load(sys.stdin)
s = d.connect(url)()
if not s.get(d.User, "admin"):
    s.add(d.User(login="admin"))
project = d.Project(name="maat", description="")
s.add(project); s.flush()
s.add(d.ProjectMember(project_id=project.id, user_login="admin", privileges=d.Privileges.ADMIN))
tags = [d.Tag(project_id=project.id, path=f"c{n}", description="") for n in range(given["codes"])]
s.add_all(tags); s.flush()
for name, text, spans in given["texts"]:
    body = "".join(f"<p>{line}</p>" for line in text.split("\\n") if line)
    document = d.Document(name=name, description="", filename=name + ".txt", project_id=project.id,
                          text_direction=d.TextDirection.LEFT_TO_RIGHT, contents=body)
    s.add(document); s.flush()
    marks = [d.Highlight(document_id=document.id, start_offset=a, end_offset=b, snippet=text[a:b])
             for a, b, _ in spans]
    s.add_all(marks); s.flush()
    s.execute(d.highlight_tags.insert(), [{"highlight_id": m.id, "tag_id": tags[c].id}
                                          for m, (_, _, c) in zip(marks, spans)])
s.commit()
"""
WATCH = """() => {
  window.spent = [];
  const saved = document.querySelector('.cc-saved');
  let pressed = 0;
  addEventListener('keydown', () => { pressed = performance.now(); }, true);
  new MutationObserver(() => {
    if (saved.dataset.waits !== '0' || !pressed) return;
    const from = pressed;
    requestAnimationFrame(() => setTimeout(() => spent.push(performance.now() - from), 0));
  }).observe(saved, { attributes: true, attributeFilter: ['data-waits'] });
}"""
PAINTED = "new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))"


# ---- what is timed ---------------------------------------------------------------------------


def make_study(root: Path, texts: int, words: int, codes: int) -> Path:
    """Make a study with invented texts of many words."""
    folder, corpus = root / "studies" / "maat", root / "corpora" / "maat"
    folder.mkdir(parents=True)
    (corpus / "texts").mkdir(parents=True)
    rng = np.random.default_rng(1)
    stock = ["de", "dag", "begon", "stil", "en", "later", "kwam", "iemand", "langs", "vroeg"]
    listing = 'schema = 1\ntitle = "Maat"\ninvented = true\n'
    for n in range(texts):
        sentences = [" ".join(rng.choice(stock, 10)).capitalize() + "." for _ in range(words // 10)]
        text = "\n".join(" ".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6))
        (corpus / "texts" / f"t{n}.txt").write_text(text + "\n", "utf-8")
        sha = hashlib.sha256(f"{text}\n".encode()).hexdigest()
        listing += f'[[texts]]\nid = "t{n}"\nparticipant = "p1"\nsha256 = "{sha}"\n'
    (corpus / "corpus.toml").write_text(listing, "utf-8")
    people = "participant,perspective,use,coded_by\np1,patient,yes,patient\n"
    (corpus / "people.csv").write_text(people, "utf-8")
    (folder / "people.csv").write_text("participant,perspective\np1,patient\n", "utf-8")
    (folder / "codebook.toml").write_text("schema = 1\n" + "".join(
        f'[codes.c{n}]\nname = "Woord {n}"\ndefinition = "Verzonnen."\ncolour = "#00636B"\n'
        for n in range(codes)), "utf-8")  # fmt: skip
    (folder / "study.toml").write_text(STUDY, "utf-8")
    return folder


def spans(length: int, n: int, codes: int) -> list[tuple[int, int, int]]:
    """Return n passages of 40 characters spread over a text, and a code for each."""
    return [(at * (length - 41) // n, at * (length - 41) // n + 40, at % codes) for at in range(n)]


def join(circle: Circle, name: str, marks: int = 0) -> str:
    """Let someone in who opened every text, with codings in each; return their device."""
    who, door, codes = circle.add(name, "patient").coder, Door(circle.store), len(circle.book)
    acts, words = [], {}
    texts = [one for one in circle.fragments if not one.practice]
    for one in texts:
        about: dict[str, Any] = {"coder": who.id, "perspective": "patient", "round": "alone",
                 "document": one.id, "sha256": one.sha256}  # fmt: skip
        acts.append(Act(uuid=str(uuid4()), kind="opened", **about))
        for start, end, code in spans(len(one.text), marks, codes):
            act = Act(uuid=str(uuid4()), kind="applied", start=start, end=end, code=f"c{code}",
                      **about)  # fmt: skip
            acts.append(act)
            words[act.uuid] = Record(kind="quote", key=act.uuid, body=one.text[start:end],
                                     document=one.id, coder=who.id)  # fmt: skip
    circle.store.append(*acts, records=words)
    given_back = {"kind": "return", "id": str(uuid4()), "document": "oefenen"}
    assert circle.handle(who.id, given_back)["error"] is None
    return door.begin(door.invite(who.id))


def apply(sha: str, document: str, start: int, code: int) -> dict[str, object]:
    return {"kind": "apply", "id": str(uuid4()), "document": document, "sha256": sha,
            "start": start, "end": start + 40, "code": f"c{code}"}  # fmt: skip


def fsync_rate(folder: Path) -> float:
    with (folder / "probe").open("wb") as file:
        start = time.perf_counter()
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return 200 / (time.perf_counter() - start)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(command: list[str], address: str, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; begin when it answers."""
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield server
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve a study; give its address and process id."""
    port = free_port()
    address = f"http://localhost:{port}"
    command = [sys.executable, "-c", SERVER, str(folder), str(port)]
    with running(command, address) as server:
        yield address, server.pid


@contextmanager
def browsing(device: str = "", address: str = "") -> Iterator[Page]:
    """Open a page; the policy of the server forbids probes too, so it is set aside."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(bypass_csp=True).new_page()
        page.set_default_timeout(60_000)
        if device:
            page.context.add_cookies([{"name": "expertise", "value": device, "url": address}])
        yield page
        browser.close()


class Line:
    """A connection of one coder, which sends messages as their page does."""

    def __init__(self, address: str, device: str) -> None:
        self.http = http.client.HTTPConnection(address.partition("//")[2], timeout=120)
        self.headers = {"Cookie": f"expertise={device}", "Origin": address,
                        "X-CSRF": digest(f"csrf:{device}")}  # fmt: skip

    def send(self, message: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
        """Return status and answer of a message."""
        self.http.request("POST", "/message", json.dumps(message), self.headers)
        answer = self.http.getresponse()
        return answer.status, json.loads(answer.read())

    def get(self, path: str) -> bytes:
        """Return the body behind a path."""
        self.http.request("GET", path, headers=self.headers)
        return self.http.getresponse().read()


# ---- the page and the widget -----------------------------------------------------------------


def press_keys(page: Page, rounds: int) -> list[float]:
    """Code, doubt and undo on an open text; return ms from each key to its painting."""
    page.locator(".cc-sentence").nth(1500).click()
    page.evaluate(WATCH)
    for n in range(rounds):
        page.keyboard.press("ArrowDown")
        for key in (str(1 + n % 9), "t", "u", "u", str(1 + n % 9)):
            before = page.evaluate("spent.length")
            page.keyboard.press(key)
            page.wait_for_function("(n) => spent.length > n", arg=before)
    return list(page.evaluate("spent"))


def open_text(page: Page) -> float:
    """Open the first text on the desk; return seconds until it can be coded."""
    start = time.perf_counter()
    page.locator(".cc-texts button").nth(0).click()
    page.wait_for_selector(".cc-text mark")
    page.evaluate(PAINTED)
    return time.perf_counter() - start


def on_the_page(address: str, device: str) -> tuple[float, list[float]]:
    with browsing(device, address) as page:
        page.goto(address)
        page.wait_for_selector(".cc-desk")
        return open_text(page), press_keys(page, 30)


def in_lab(folder: Path, name: str) -> tuple[float, float, list[float]]:
    """Return seconds from running the cell to the desk and to the text, and ms for each key."""
    home, port = folder.parents[1] / "lab", free_port()
    home.mkdir()
    cell = f"from expertise import CodingWidget\nCodingWidget({str(folder)!r}, {name!r})"
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, home / "maat.ipynb")
    places = {key: str(home / key) for key in (
        "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")}  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}", "--allow-root",
               "--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={home}",
               "--LabApp.news_url=",
               "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    env = os.environ | places | {"PYTHONPATH": str(ROOT)}
    with running(command, f"{address}/api", env=env), browsing() as page:
        page.goto(f"{address}/lab/tree/maat.ipynb")
        page.locator(".jp-CodeCell").first.click()
        page.keyboard.press("Shift+Enter")
        start = time.perf_counter()
        page.wait_for_selector(".cc-desk")
        ready = time.perf_counter() - start
        return ready, open_text(page), press_keys(page, 30)


# ---- many at once ----------------------------------------------------------------------------


def together(address: str, devices: list[str], sha: str) -> tuple[list[float], int]:
    """Let all coders code at once; return seconds of each coding and how many were acknowledged."""
    spent: list[float] = []
    done = 0
    turn = threading.Lock()

    def work(device: str, offset: int) -> None:
        nonlocal done
        line, n = Line(address, device), 0
        for at in range(EACH):
            message = apply(sha, "t0", offset * 50 + at * 800, at % 30)
            message |= {"after": n, "within": "t0"}
            start = time.perf_counter()
            status, body = line.send(message)
            with turn:
                spent.append(time.perf_counter() - start)
                done += status == 200
            n = body["n"]

    crowd = [threading.Thread(target=work, args=(d, i)) for i, d in enumerate(devices)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    return spent, done


# ---- beside Taguette -------------------------------------------------------------------------


class Timed(NamedTuple):
    """Milliseconds that an act takes: on the clock (median), and of the server's processor."""

    clock: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.clock:,.0f} ms, {self.cpu:,.0f} ms"


def timed(server: int, times: int, act: Callable[[int], object]) -> Timed:
    """Let a server do something a number of times."""
    process, spent = psutil.Process(server), []
    before = sum(process.cpu_times()[:2])
    for n in range(times):
        start = time.perf_counter()
        act(n)
        spent.append((time.perf_counter() - start) * 1e3)
    cpu = (sum(process.cpu_times()[:2]) - before) * 1e3 / times
    return Timed(float(np.median(spent)), cpu)


def here(folder: Path) -> tuple[Timed, Timed, Timed]:
    """Return ms to open a text with 1,000 of 10,000 codings, to code, and to export all."""
    circle = open_circle(folder)
    device, door = join(circle, "Lezer", marks=1000), Door(circle.store)
    leader = door.begin(door.invite(circle.facilitator().coder.id))
    texts = [one for one in circle.fragments if not one.practice]
    circle.store.close()
    with served(folder) as (address, pid):
        line, led = Line(address, device), Line(address, leader)

        def reading(_: int) -> None:
            for path in ("/", "/start"):
                line.get(path)
            assert len(line.send({"kind": "sync", "within": ""})[1]["desk"]["texts"]) == 10
            message = {"kind": "open", "document": "t0", "id": str(uuid4()), "within": "t0"}
            answer = line.send(message)[1]
            assert len(answer["text"]["text"]) > 50_000
            assert len(answer["acts"]) > 1000

        reading(0)
        opening = timed(pid, 9, reading)
        n = line.send({"kind": "sync", "within": ""})[1]["n"]
        coding = timed(pid, 50, lambda i: line.send(
            apply(texts[0].sha256, "t0", 7 + i * 500, i) | {"after": n, "within": "t0"}))  # fmt: skip
        for one in texts:
            status, body = line.send({"kind": "finish", "id": str(uuid4()), "document": one.id})
            assert status == 200, body
        assert led.send({"kind": "reveal", "id": str(uuid4())})[0] == 200
        exporting = timed(pid, 3, lambda _: led.get("/research/export/codings.csv"))
        lines = io.StringIO(led.get("/research/export/codings.csv").decode())
        assert len(list(csv.reader(lines))) == 10_051
    return opening, coding, exporting


def taguette(python: str, folder: Path) -> tuple[Timed, Timed, Timed]:
    """Return the same of Taguette, with the same texts, passages and words."""
    circle = open_circle(folder)
    # It counts the letters of the page, in which paragraphs have no line end between them.
    texts = [(one.id, one.text, spans(len(one.text.replace("\n", "")), 1000, len(circle.book)))
             for one in circle.fragments if not one.practice]  # fmt: skip
    codes = len(circle.book)
    circle.store.close()
    file, port = folder / "taguette.sqlite3", free_port()
    given = json.dumps({"codes": codes, "texts": texts})
    fill = [python, "-c", FILL_TAGUETTE, f"sqlite:///{file}"]
    subprocess.run(fill, input=given, text=True, check=True, capture_output=True)
    server = subprocess.Popen(
        [python, "-m", "taguette.main", "--no-browser", "--port", str(port), "--database", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = next(found[1] for line in server.stdout
                       if (found := re.search(r"(http://localhost:\S+token=\S+)", line)))  # fmt: skip
        threading.Thread(target=server.stdout.read, daemon=True).start()
        return _taguette(address, f"http://localhost:{port}/", server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _taguette(entry: str, address: str, pid: int) -> tuple[Timed, Timed, Timed]:
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    opener.open(entry).close()
    opener.open(f"{address}project/1/document/1").close()
    cookies = {one.name: one.value or "" for one in jar}
    line = http.client.HTTPConnection(address.split("/")[2], timeout=300)
    headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in cookies.items())}
    token = "?" + urlencode({"_xsrf": cookies["_xsrf"]})

    def get(path: str) -> bytes:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        assert answer.status == 200, path
        return answer.read()

    def reading(_: int) -> None:
        get("/project/1/document/1")
        assert len(get("/api/project/1/document/1/contents")) > 50_000
        assert len(json.loads(get("/api/project/1/document/1"))["highlights"]) == 1000

    reading(0)
    opening = timed(pid, 9, reading)

    def code(n: int) -> None:
        body = json.dumps({"start_offset": 7 + n * 500, "end_offset": 47 + n * 500, "tags": [1]})
        path = f"/api/project/1/document/1/highlight/new{token}"
        line.request("POST", path, body, headers | {"Content-Type": "application/json"})
        answer = line.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)

    coding = timed(pid, 50, code)
    path = "/project/1/export/highlights/.csv"
    assert get(path).count(b"\n") >= 10_050
    return opening, coding, timed(pid, 3, lambda _: get(path))


# ---- the page that says it -------------------------------------------------------------------


def ms(keys: list[float]) -> str:
    return f"{np.median(keys):.0f} ms, {np.quantile(keys, 0.95):.0f} ms"


def first_part(root: Path) -> Iterator[str]:
    """Yield the rows for one long text, and for many coders at once."""
    folder = make_study(root, 1, WORDS, 30)
    circle = open_circle(folder)
    devices = [join(circle, f"Lezer {n:02}", 1000 if n == 0 else 0) for n in range(CODERS + 1)]
    sha, at_first = circle.fragments[1].sha256, len(circle.ledger().codings)
    with served(folder) as (address, process):
        opening, keys = on_the_page(address, devices[0])
        yield f"| page: tap → can be coded | {opening:.2f} s | 2 s |"
        yield f"| page: key press → stored → painted, median and p95 | {ms(keys)} | p95 100 ms |"
        ready, opening, lab_keys = in_lab(folder, "Lezer 00")
        yield f"| JupyterLab: cell run → list of texts, kernel start and imports included | {ready:.2f} s | |"
        yield f"| JupyterLab: tap → can be coded | {opening:.2f} s | 2 s |"
        yield f"| JupyterLab: key press → stored → painted, median and p95 | {ms(lab_keys)} | p95 250 ms |"
        yield LOAD.format(coders=CODERS, each=EACH).rstrip()
        before = psutil.Process(process).memory_info().rss
        at_first = len(circle.ledger().codings)
        spent, sent = together(address, devices[1:], sha)
        memory = (psutil.Process(process).memory_info().rss - before) / 1e6 / CODERS
        rows = circle.ledger().codings
    circle.store.close()
    yield f"| acknowledged, kept | {sent:,}, {len(rows) - at_first:,} | {CODERS * EACH:,} |"
    yield f"| doubled | {rows['uuid'].duplicated().sum()} | 0 |"
    yield f"| one coding: median and p99 | {np.median(spent):.2f} s, {np.quantile(spent, 0.99):.2f} s | p99 2 s |"
    yield f"| memory of the server for each further coder | {memory:.1f} MB | 5 MB |"


def second_part(root: Path, python: str) -> Iterator[str]:
    """Yield the rows beside Taguette."""
    folder = make_study(root, 10, 10_600, 100)
    rows = ("opening a text with its codings: all answers that its page asks for",
            "one new highlight, request → answer",
            "export of all highlights as CSV")  # fmt: skip
    yield BESIDE.rstrip()
    for row, ours, theirs in zip(rows, here(folder), taguette(python, folder), strict=True):
        yield f"| {row} | {ours} | {theirs} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--taguette", metavar="PYTHON", help="time Taguette in the same run")
    python, busy = parser.parse_args().taguette, os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as root:
        fsync = fsync_rate(Path(root))
        rows = []
        beside = second_part(Path(root) / "two", python) if python else ()
        for row in chain(first_part(Path(root) / "one"), beside):
            print(row, flush=True)
            rows.append(row)
    head = HEAD.format(cores=os.cpu_count(), busy_0=busy, busy=os.getloadavg()[0], fsync=fsync,
                       words=WORDS)  # fmt: skip
    page = head + "\n".join(rows) + "\n"
    OUT.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
