"""Many texts: one function over every text, streaming, in processes or on a cluster, resumable."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import version
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from tqdm import tqdm

from expertise.errors import FileError, StudyError
from expertise.narratives.corpus import Corpus, Narrative
from expertise.narratives.dutch import dutch_pipeline

BATCH = 64
# Up to here every word stays; later ones are forgotten after their batch: memory stays flat.
MOST_WORDS = 200_000
# A pipeline forgets words while it reads: workers that share a process take turns.
_ONE_THREAD = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """How texts are read: the arguments of `dutch_pipeline`, so that every process reads alike."""

    model: str | None = None
    lexicons: tuple[str, ...] | None = None
    phrases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """A name that changes when the reading would."""
        parts = [self.model, self.lexicons, sorted(self.phrases.items())]
        parts += [version("spacy"), version("simplemma")]
        return json.dumps(parts)

    def load(self) -> Language:
        """Return the pipeline, made once a process."""
        return _language(self.name)


@cache
def _language(name: str) -> Language:
    model, lexicons, phrases = json.loads(name)[:3]
    return dutch_pipeline(model, lexicons=lexicons, phrases=dict(phrases))


def stream(nlp: Language, narratives: Iterable[Narrative]) -> Iterator[tuple[Narrative, Doc]]:
    """Yield each narrative with its doc; a doc may be forgotten when the next is asked for."""
    coming = iter(narratives)
    while batch := list(islice(coming, BATCH)):
        full = len(nlp.vocab.strings) > MOST_WORDS
        with nlp.memory_zone() if full else nullcontext():
            for narrative in batch:
                doc = nlp.make_doc(narrative.text)
                doc.user_data.update(role=narrative.role, speakers=narrative.speakers)
                for _, component in nlp.pipeline:
                    doc = component(doc)
                yield narrative, doc


def map_texts(
    corpus: Corpus,
    function: Callable[[Doc], Any],
    *,
    pipeline: Pipeline | None = None,
    n_process: int = 1,
    client: Any = None,
    resume: str | Path | None = None,
    progress: bool = True,
) -> dict[str, Any]:
    """Call a function with the doc of every text; return its answers by text id.

    Parameters
    ----------
    corpus : Corpus
        The texts; only one batch of them is in memory at a time.
    function : callable
        From a spaCy doc to something that JSON can hold. It must not keep the
        doc. For several processes it must be importable.
    pipeline : Pipeline, optional
        How the texts are read; blank Dutch with all lexicons by default.
    n_process : int
        Processes on this machine.
    client : dask.distributed.Client, optional
        A cluster to work on instead (extra ``parallel``).
    resume : path, optional
        A file that gathers answers; a run that is interrupted goes on from
        it. It holds what the function returns: keep it with the data.
    progress : bool
        Show progress.

    Returns
    -------
    dict
        In the order of the corpus; the same for every number of processes.

    Raises
    ------
    StudyError
        When `n_process` is not a positive whole number.
    FileError
        When `resume` is a file of something else.
    """
    if n_process < 1:
        raise StudyError(f"n_process is {n_process}; write a whole number of 1 or more")
    pipeline = pipeline or Pipeline()
    done = _answers(resume, function, pipeline) if resume else {}
    todo = [narrative for narrative in corpus if _place(narrative) not in done]
    batches = [todo[start : start + BATCH] for start in range(0, len(todo), BATCH)]
    bar = tqdm(
        total=len(corpus), initial=len(corpus) - len(todo), disable=not progress, unit="text"
    )
    with bar, Path(resume).open("a", encoding="utf-8") if resume else nullcontext() as file:
        for answers in _worked(batches, function, pipeline.name, n_process, client):
            for place, answer in answers:
                done[place] = answer
                if file:
                    file.write(json.dumps([place, answer], ensure_ascii=False) + "\n")
            if file:
                file.flush()
            bar.update(len(answers))
    return {narrative.id: done[_place(narrative)] for narrative in corpus}


def _worked(
    batches: Sequence[list[Narrative]],
    function: Callable[[Doc], Any],
    name: str,
    n_process: int,
    client: Any,
) -> Iterator[list[tuple[str, Any]]]:
    if client is not None:
        futures = [client.submit(_batch, batch, function, name, pure=False) for batch in batches]
        for future in futures:
            yield future.result()
    elif n_process == 1:
        for batch in batches:
            yield _batch(batch, function, name)
    else:
        with ProcessPoolExecutor(n_process, mp_context=get_context("spawn")) as pool:
            yield from pool.map(_batch, batches, [function] * len(batches), [name] * len(batches))


def _batch(
    batch: list[Narrative], function: Callable[[Doc], Any], name: str
) -> list[tuple[str, Any]]:
    with _ONE_THREAD:
        return [
            (_place(narrative), _plain(function(doc)))
            for narrative, doc in stream(_language(name), batch)
        ]


def _plain(answer: Any) -> Any:
    """Return an answer as JSON gives it back, so that a resumed run returns the same."""
    return json.loads(json.dumps(answer, ensure_ascii=False))


def _place(narrative: Narrative) -> str:
    """Return what an answer belongs to: the words, and who speaks them."""
    who = json.dumps([narrative.role, sorted(narrative.speakers.items())])
    return f"{narrative.sha256}:{hashlib.sha256(who.encode()).hexdigest()[:12]}"


def _answers(
    resume: str | Path, function: Callable[[Doc], Any], pipeline: Pipeline
) -> dict[str, Any]:
    """Read the answers of an earlier run; a last line that was cut short does not count."""
    path = Path(resume)
    head = {"function": _called(function), "pipeline": pipeline.name}
    if not path.exists():
        path.write_text(json.dumps(head) + "\n", "utf-8")
        return {}
    text = path.read_text("utf-8")
    whole = text[: text.rfind("\n") + 1]
    lines = whole.splitlines()
    try:
        same = bool(lines) and json.loads(lines[0]) == head
        answers = dict(map(json.loads, lines[1:])) if same else {}
    except (json.JSONDecodeError, ValueError, TypeError):
        same = False
    if not same:
        raise FileError(
            f"{path.name} holds answers of another function or another pipeline; "
            "choose another file for resume"
        )
    if whole != text:
        path.write_text(whole, "utf-8")
    return answers


def _called(function: Callable[[Doc], Any]) -> str:
    """Return the name of a function, with the arguments that are bound to it."""
    inner = getattr(function, "func", function)
    bound = [getattr(function, "args", ()), sorted(getattr(function, "keywords", {}).items())]
    return f"{inner.__module__}.{inner.__qualname__}{bound if inner is not function else ''}"
