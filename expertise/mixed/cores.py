"""Spreads replicates over the cores; each has its own seed, so their number changes nothing."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from expertise.errors import DesignError

_WORTH_PROCESSES = 10.0  # CPU seconds of work that are worth starting processes for
_TRIED = 2  # replicates that tell how long one takes
Seeds = Sequence[np.random.SeedSequence]


def streams(seed: int, n: int) -> Seeds:
    """Return n independent streams of random numbers.

    Raises
    ------
    DesignError
        For a seed that is no whole number from 0.
    """
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise DesignError(f"seed is {seed!r}; it is a whole number from 0, such as 1")
    return np.random.SeedSequence(seed).spawn(n)


class Job(Protocol):
    """What a process needs to run replicates; it must travel between processes."""

    def run(self, seeds: Seeds) -> Iterator[Any]:
        """Yield what one replicate gives, for each seed."""


def spread(
    job: Job, seed: int, replicates: int, *, cores: int | None, progress: bool, words: str
) -> list[Any]:
    """Return what each replicate gives, in order, from all cores where the work is worth it.

    Every replicate has its own stream of random numbers. Processes start
    afresh, so that a script needs the usual ``if __name__ == "__main__"``.
    An interrupt ends them.
    """
    seeds = streams(seed, replicates)
    return list(tqdm(
        _each(job, seeds, cores or _every_core()), total=replicates, desc=words,
        disable=not progress,
    ))  # fmt: skip


def _every_core() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _each(job: Job, seeds: Seeds, cores: int) -> Iterator[Any]:
    started = time.process_time()
    yield from job.run(seeds[:_TRIED])
    rest = seeds[_TRIED:]
    if cores == 1 or (time.process_time() - started) / _TRIED * len(rest) < _WORTH_PROCESSES:
        yield from job.run(rest)
        return
    size = max(1, len(rest) // (8 * cores))
    batches = [rest[at : at + size] for at in range(0, len(rest), size)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context, initializer=_receive, initargs=(job,)) as pool:
        for batch in pool.map(_run, batches):
            yield from batch


_JOB: list[Job] = []


def _receive(job: Job) -> None:
    _JOB.append(job)


def _run(seeds: Seeds) -> list[Any]:
    return list(_JOB[0].run(seeds))
