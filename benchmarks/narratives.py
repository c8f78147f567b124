"""Speed and memory of the Dutch pipeline, and the speed of de-identification.

Run: ``python benchmarks/narratives.py [--words 10_000_000]``; CPU seconds of one process.
Texts are drawn from the invented corpus with compounds of its own making mixed in, so that new
words keep coming as they do in real corpora.
"""

import argparse
import random
import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import spacy

from expertise.narratives.corpus import read_corpus
from expertise.narratives.deidentification import identifiers
from expertise.narratives.dutch import dutch_pipeline
from expertise.narratives.lexicons import list_lexicons, read_lexicon
from expertise.narratives.many import stream

CORPUS = Path(__file__).parents[1] / "corpora" / "drie-kunnen-meer-dan-een"
# Share of words that are made up of two others, as Dutch does: 150,000 words then have about
# 17,000 distinct ones; the 29,000 words of UD Lassy's test set have 6,145.
NEW = 0.08


def lines() -> list[str]:
    return [
        line
        for narrative in read_corpus(CORPUS)
        for line in narrative.text.split("\n")
        if line.strip()
    ]


def texts(words: int, seed: int) -> Iterator[str]:
    """Yield texts of about 300 words, `words` in all, in which new words keep coming."""
    rng, pool, made = random.Random(seed), lines(), 0
    stems = sorted({w for line in pool for w in line.split() if w.isalpha() and len(w) > 3})
    while made < words:
        said: list[str] = []
        while len(said) < 300:
            said += [
                rng.choice(stems) + rng.choice(stems).lower() if rng.random() < NEW else word
                for word in rng.choice(pool).split()
            ]
        made += len(said)
        yield " ".join(said)


def seconds(read: Callable[[list[str]], Any], some: list[str]) -> float:
    """Return the CPU seconds of reading texts."""
    start = time.process_time()
    for _ in read(some):
        pass
    return time.process_time() - start


def speed() -> None:
    rng = random.Random(3)
    pool = [word for line in lines() for word in line.split()]
    ready = sum(
        len(phrases) for name in list_lexicons() for phrases in read_lexicon(name).phrases.values()
    )
    own = [" ".join(rng.sample(pool, 2)) for _ in range(1000 - ready)]
    bare, ours = spacy.blank("nl"), dutch_pipeline(phrases={"own": own})
    print("| words read before | bare tokeniser | pipeline | ratio |\n|---|---|---|---|")
    total = [0.0, 0.0, 0.0]
    for turn in range(4):
        some = list(texts(150_000, turn))
        words, alone, whole = sum(len(text.split()) for text in some), 0.0, 0.0
        # By turns, so that what else the machine does falls on both alike.
        for start in range(0, len(some), 20):
            alone += seconds(bare.pipe, some[start : start + 20])
            whole += seconds(ours.pipe, some[start : start + 20])
        print(
            f"| {turn * 150_000:,} | {words / alone:,.0f} | {words / whole:,.0f} "
            f"| {alone / whole:.2f} |"
        )
        total = [sum(pair) for pair in zip(total, (words, alone, whole), strict=True)]
    words, alone, whole = total
    print(f"| all | {words / alone:,.0f} | {words / whole:,.0f} | {alone / whole:.2f} |")


def memory(words: int) -> None:
    nlp, seen, marks = dutch_pipeline(), 0, [words // 10 * n for n in range(1, 11)]
    made = (
        SimpleNamespace(text=text, role="patient", speakers={}) for text in texts(words, seed=1)
    )
    start = time.process_time()
    print("| words | memory MB | strings |\n|---|---|---|")
    for narrative, _doc in stream(nlp, made):
        seen += len(narrative.text.split())
        if marks and seen >= marks[0]:
            marks.pop(0)
            used = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            print(f"| {seen:,} | {used / 1e6:,.0f} | {len(nlp.vocab.strings):,} |", flush=True)
    print(
        f"{seen / (time.process_time() - start):,.0f} words per CPU-second, making texts included"
    )


def deidentification() -> None:
    some = {narrative.id: narrative.text for narrative in read_corpus(CORPUS)}
    identifiers({"warm": "Ria"})
    start = time.process_time()
    for name, text in some.items():
        identifiers({name: text})
    words = sum(len(text.split()) for text in some.values())
    print(f"{words / (time.process_time() - start):,.0f} words per CPU-second de-identified")


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--words", type=int, default=1_000_000, help="for the memory run")
    chosen = arguments.parse_args()
    speed()
    deidentification()
    memory(chosen.words)
