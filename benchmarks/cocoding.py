"""Time the co-coding page in Chromium and under fifty coders, and write docs/benchmarks/cocoding.md.

Run from the checkout: ``OPENBLAS_NUM_THREADS=1 python benchmarks/cocoding.py``.
"""

import hashlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from uuid import uuid4

import numpy as np
import psutil
from playwright.sync_api import sync_playwright

from expertise.cocoding.circle import open_circle
from expertise.cocoding.web.door import Door, digest
from expertise.reporting.pdf import chromium

PAGE = """# How fast the co-coding page is

Wall-clock times on a two-core machine that others used too, headless Chromium
on the same machine, SQLite with synchronous=FULL on a disk that took
{fsync:.0f} fsync a second. Made by `OPENBLAS_NUM_THREADS=1 python benchmarks/cocoding.py`.

| what | measured | wanted |
|---|---|---|
| a text of {words:,} words with 1,000 codings: tap → can be coded | {opening:.2f} s | 2 s |
| key press → stored → painted on that text, median | {key_50:.0f} ms | |
| key press → stored → painted on that text, p95 | {key_95:.0f} ms | 100 ms |
| {coders} coders × {each} codings at once: acknowledged, kept, doubled | {sent:,}, {kept:,}, {doubled} | all, 0 |
| the same: median and p99 of one coding | {load_50:.2f} s, {load_99:.2f} s | p99 2 s |
| memory of the server for each further coder | {memory:.1f} MB | 5 MB |
"""
OUT = Path(__file__).parents[1] / "docs" / "benchmarks" / "cocoding.md"
PORT = 8767
ORIGIN = f"http://localhost:{PORT}"
CODERS, EACH, WORDS = 50, 200, 50_000
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
WATCH = """() => {
  window.spent = [];
  addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
  const real = window.fetch;
  window.fetch = async (...given) => {
    const answer = await real(...given);
    await answer.clone().text();
    requestAnimationFrame(() => setTimeout(() => spent.push(performance.now() - pressed), 0));
    return answer;
  };
}"""


def make_study(root: Path) -> Path:
    """A study with one invented text of many words."""
    folder, corpus = root / "studies" / "maat", root / "corpora" / "maat"
    folder.mkdir(parents=True)
    (corpus / "texts").mkdir(parents=True)
    rng = np.random.default_rng(1)
    stock = [
        "de",
        "dag",
        "begon",
        "stil",
        "en",
        "later",
        "kwam",
        "iemand",
        "langs",
        "die",
        "vroeg",
        "hoe",
        "het",
        "ging",
        "met",
        "mij",
    ]
    sentences = [" ".join(rng.choice(stock, 10)).capitalize() + "." for _ in range(WORDS // 10)]
    text = "\n".join(" ".join(sentences[at : at + 6]) for at in range(0, len(sentences), 6)) + "\n"
    (corpus / "texts" / "t1.txt").write_text(text, "utf-8")
    sha = hashlib.sha256(text.encode()).hexdigest()
    listing = 'schema = 1\ntitle = "Maat"\ninvented = true\n[[texts]]\nid = "t1"\n'
    listing += f'participant = "p1"\nsha256 = "{sha}"\n'
    (corpus / "corpus.toml").write_text(listing, "utf-8")
    people = "participant,perspective,use,coded_by\np1,patient,yes,patient\n"
    (corpus / "people.csv").write_text(people, "utf-8")
    (folder / "people.csv").write_text("participant,perspective\np1,patient\n", "utf-8")
    codes = "".join(
        f'[codes.c{n}]\nname = "Woord {n}"\ndefinition = "Verzonnen."\ncolour = "#00636B"\n'
        for n in range(30)
    )
    (folder / "codebook.toml").write_text(f"schema = 1\n{codes}", "utf-8")
    (folder / "study.toml").write_text(STUDY, "utf-8")
    return folder


def fsync_rate(folder: Path) -> float:
    with (folder / "probe").open("wb") as file:
        start = time.perf_counter()
        for _ in range(200):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return 200 / (time.perf_counter() - start)


def prepare(folder: Path) -> list[str]:
    """Add coders who have opened the text, the first with a thousand codings; return devices."""
    circle = open_circle(folder)
    door, devices = Door(circle.store), []
    for n in range(CODERS):
        member = circle.add(f"Lezer {n:02}", "patient")
        devices.append(door.begin(door.invite(member.coder.id)))
        for kind, document in (("return", "oefenen"), ("open", "t1")):
            message = {"kind": kind, "id": str(uuid4()), "document": document}
            assert circle.handle(member.coder.id, message)["error"] is None
        for at in range(1000 if n == 0 else 0):
            message = apply(circle.fragments[1].sha256, at * 180, at)
            assert circle.handle(member.coder.id, message)["error"] is None
    circle.store.close()
    return devices


def apply(sha: str, start: int, code: int) -> dict[str, object]:
    return {"kind": "apply", "id": str(uuid4()), "document": "t1", "sha256": sha,
            "start": start, "end": start + 40, "code": f"c{code % 30}"}  # fmt: skip


def on_the_page(device: str) -> tuple[float, list[float]]:
    """Return seconds until the text can be coded, and ms from each key press to its painting."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_context(bypass_csp=True).new_page()  # the policy forbids probes too
        page.context.add_cookies([{"name": "expertise", "value": device, "url": ORIGIN}])
        page.goto(ORIGIN)
        page.wait_for_selector(".cc-desk")
        start = time.perf_counter()
        page.locator(".cc-texts button").nth(0).click()
        page.wait_for_selector(".cc-text mark")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")
        opening = time.perf_counter() - start
        page.locator(".cc-sentence").nth(1500).click()
        page.evaluate(WATCH)
        for n in range(60):
            page.keyboard.press("ArrowDown")
            page.keyboard.press(str(1 + n % 9))
            page.wait_for_function("(n) => spent.length >= n", arg=n + 1)
        spent = page.evaluate("spent")
        browser.close()
    return opening, spent


def together(devices: list[str], sha: str) -> tuple[list[float], int]:
    """Let all coders code at once; return seconds of each coding and how many were acknowledged."""
    spent: list[float] = []
    done = 0
    turn = threading.Lock()

    def work(device: str, offset: int) -> None:
        nonlocal done
        line = http.client.HTTPConnection("localhost", PORT, timeout=60)
        headers = {"Cookie": f"expertise={device}", "Origin": ORIGIN,
                   "X-CSRF": digest(f"csrf:{device}")}  # fmt: skip
        n = 0
        for at in range(EACH):
            message = apply(sha, offset * 50 + at * 800, at) | {"after": n}
            start = time.perf_counter()
            line.request("POST", "/message", json.dumps(message), headers)
            answer = line.getresponse()
            body = json.loads(answer.read())
            with turn:
                spent.append(time.perf_counter() - start)
                done += answer.status == 200
            n = body["n"]

    crowd = [threading.Thread(target=work, args=(d, i)) for i, d in enumerate(devices)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    return spent, done


def main() -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = make_study(Path(root))
        fsync = fsync_rate(folder)
        devices = prepare(folder)
        command = [sys.executable, "-c", SERVER, str(folder), str(PORT)]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            while not server.stdout.readline().startswith("Each link"):
                pass
            time.sleep(2)
            opening, keys = on_the_page(devices[0])
            before = psutil.Process(server.pid).memory_info().rss
            circle = open_circle(folder)
            sha, at_first = circle.fragments[1].sha256, len(circle.ledger().codings)
            spent, sent = together(devices[1:], sha)
            memory = (psutil.Process(server.pid).memory_info().rss - before) / 1e6 / (CODERS - 1)
            rows = circle.ledger().codings
        finally:
            server.terminate()
            server.wait(20)
    page = PAGE.format(
        fsync=fsync, words=WORDS, opening=opening, key_50=np.median(keys),
        key_95=np.quantile(keys, 0.95), coders=CODERS - 1, each=EACH, sent=sent,
        kept=len(rows) - at_first, doubled=int(rows["uuid"].duplicated().sum()),
        load_50=np.median(spent), load_99=np.quantile(spent, 0.99), memory=memory,
    )  # fmt: skip
    OUT.write_text(page, "utf-8")
    print(page)


if __name__ == "__main__":
    main()
