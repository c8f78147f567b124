"""One function over many texts: the same from every engine, and after an interruption."""

import os
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from expertise.errors import FileError, StudyError
from expertise.narratives import known, many
from expertise.narratives.corpus import read_corpus
from expertise.narratives.counting import words_in
from expertise.narratives.many import Pipeline, map_texts, stream

TEXTS = {f"p{1 + n % 2}-{n}": f"Verhaal {n} gaat over hoop {'en rust ' * n}." for n in range(20)}


words = partial(words_in, by="lemma")


def lemmas(doc):
    return [token.lemma_ for token in doc]


def broken(doc):
    if "10" in doc.text:
        raise RuntimeError("stroomstoring")
    return len(doc)


@pytest.fixture
def corpus(make_corpus):
    return read_corpus(make_corpus(TEXTS))


def test_processes_and_batches_change_nothing(corpus, monkeypatch):
    one = map_texts(corpus, lemmas, progress=False)
    assert list(one) == list(TEXTS)
    monkeypatch.setattr(many, "BATCH", 3)
    monkeypatch.setattr(many, "MOST_WORDS", 0)
    assert map_texts(corpus, lemmas, progress=False) == one


def test_two_processes_give_the_same(corpus):
    assert map_texts(corpus, words, n_process=2, progress=False) == map_texts(
        corpus, words, progress=False
    )


@pytest.mark.parametrize("processes", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_a_cluster_of_two_workers_gives_the_same(processes, corpus, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(many, "BATCH", 5)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = map_texts(corpus, words, client=client, progress=False)
        pids = client.run(os.getpid)
    assert len(pids) == 2
    assert len(set(pids.values())) == 1 + processes
    assert found == map_texts(corpus, words, progress=False)


def test_an_interrupted_run_resumes(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "BATCH", 4)
    file = tmp_path / "answers.jsonl"
    with pytest.raises(RuntimeError, match="stroomstoring"):
        map_texts(corpus, broken, resume=file, progress=False)
    lines = file.read_text("utf-8").splitlines()
    assert len(lines) == 1 + 8
    with pytest.raises(FileError, match=r"answers.jsonl holds answers of another function"):
        map_texts(corpus, lemmas, resume=file, progress=False)
    with pytest.raises(FileError, match="or another pipeline"):
        map_texts(corpus, broken, resume=file, pipeline=Pipeline(lexicons=()), progress=False)


def test_a_finished_run_asks_nothing_again(corpus, tmp_path, monkeypatch):
    file = tmp_path / "answers.jsonl"
    first = map_texts(corpus, lemmas, resume=file, progress=False)
    text = file.read_text("utf-8")
    file.write_text(text[:-5], "utf-8")
    asked = []
    batch = many._batch
    monkeypatch.setattr(
        many, "_batch", lambda texts, *rest: asked.extend(texts) or batch(texts, *rest)
    )
    assert map_texts(corpus, lemmas, resume=file, progress=False) == first
    assert len(asked) == 1
    assert file.read_text("utf-8") == text


def test_impossible_wishes_are_refused(corpus):
    with pytest.raises(StudyError, match="n_process is 0; write a whole number of 1 or more"):
        map_texts(corpus, lemmas, n_process=0)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_memory_stays_flat_over_ten_million_words():
    psutil = pytest.importorskip("psutil")
    count = {"words": 0}

    def texts():
        rng = np.random.default_rng(1)
        while count["words"] < 10_000_000:
            words = ["gewoon", "weer"] * 140 + [f"woord{n}" for n in rng.integers(0, 10**12, 20)]
            count["words"] += len(words)
            yield SimpleNamespace(text=" ".join(words), role="patient", speakers={})

    marks = iter([3_000_000, 10_000_000 - 300])
    mark, used = next(marks), []
    for _ in stream(Pipeline(lexicons=()).load(), texts()):
        if count["words"] >= mark:
            used.append(psutil.Process().memory_info().rss)
            mark = next(marks, 10**9)
    assert used[1] < 1.1 * used[0]


def test_new_words_are_forgotten_after_their_batch(monkeypatch):
    monkeypatch.setattr(many, "MOST_WORDS", 0)
    nlp = Pipeline(lexicons=()).load()
    texts = (
        SimpleNamespace(text=f"nieuwwoord{n} en nog een", role="patient", speakers={})
        for n in range(400)
    )
    sizes = [len(nlp.vocab.strings) for _ in stream(nlp, texts)]
    assert max(sizes) - min(sizes) <= 3 * many.BATCH


def test_the_index_of_names_is_made_once(tmp_path, monkeypatch):
    monkeypatch.setenv("EXPERTISE_CACHE", str(tmp_path))
    made = []

    class Slow:
        @staticmethod
        def Deduce(cache_path, build_lookup_structs):
            made.append(cache_path)
            (cache_path / "cache").mkdir(parents=True)
            (cache_path / "cache" / "lookup_structs.pickle").write_bytes(b"x")

    monkeypatch.setattr(known, "_quiet", lambda: nullcontext(Slow))
    index = known.prepare_deduce()
    assert index == known.prepare_deduce()
    assert index.read_bytes() == b"x"
    assert len(made) == 1
    assert index.is_relative_to(tmp_path)
    assert not made[0].exists()
