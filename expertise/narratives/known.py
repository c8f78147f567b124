"""What is known of Dutch names beforehand: deduce with its index, its lists, and our own lists."""

import logging
import os
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread
from typing import Any

import simplemma
from filelock import FileLock
from tqdm import tqdm

PREPARING = "Preparing the lists of Dutch names, places and institutions, once"
BUILD_SECONDS = 80


def cache_folder() -> Path:
    """Return where indexes are kept: EXPERTISE_CACHE, or ~/.cache/expertise."""
    return Path(os.environ.get("EXPERTISE_CACHE") or Path.home() / ".cache" / "expertise")


def prepare_deduce() -> Path:
    """Build deduce's index of names and institutions, once for every study on this machine.

    Takes one to two minutes the first time and 80 MB of disk; a second
    process that asks at the same time waits for the first.

    Returns
    -------
    Path
        The index, in the folder that EXPERTISE_CACHE names, or ~/.cache/expertise.
    """
    folder = cache_folder() / f"deduce-{version('deduce')}"
    index = folder / "cache" / "lookup_structs.pickle"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not index.exists():
            building = folder / f"building-{os.getpid()}"
            with _quiet() as deduce, _clock(PREPARING, BUILD_SECONDS):
                deduce.Deduce(cache_path=building, build_lookup_structs=True)
            index.parent.mkdir(exist_ok=True)
            (building / "cache" / index.name).replace(index)
            (building / "cache").rmdir()
            building.rmdir()
    return index


@cache
def deducer() -> Any:
    """Return deduce, loaded once a process (ten seconds, 1 GB)."""
    index = prepare_deduce()
    with _quiet() as deduce:
        return deduce.Deduce(cache_path=index.parents[1])


@contextmanager
def _clock(what: str, seconds: int) -> Iterator[None]:
    """Show how long something takes that does not say how far it is; it may take longer."""
    done = Event()

    def tick() -> None:
        while not done.wait(1):
            bar.update(bar.n < seconds)

    with tqdm(
        total=seconds, desc=what, bar_format="{desc} {bar} {elapsed} of about {total} s"
    ) as bar:
        Thread(target=tick, daemon=True).start()
        try:
            yield
        finally:
            done.set()


@contextmanager
def _quiet() -> Iterator[Any]:
    """Import deduce without letting it change how the whole program logs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    # Heavy, and it sets up logging on import: only here.
    import deduce

    root.setLevel(logging.WARNING)
    try:
        yield deduce
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Lists of words, all in lower case: names and places from deduce, contexts of our own."""

    names: frozenset[str]
    surnames: frozenset[str]
    places: frozenset[str]
    everyday: frozenset[str]
    medical: frozenset[str]
    plain: frozenset[str]
    streets: frozenset[str]
    relations: frozenset[str]
    helpers: frozenset[str]
    titles: frozenset[str]
    naming: frozenset[str]
    acts: frozenset[str]
    interfixes: frozenset[str]
    not_names: frozenset[str]
    not_lower_names: frozenset[str]
    common_names: frozenset[str]
    word_names: frozenset[str]
    verb_names: frozenset[str]
    count_names: frozenset[str]
    cities: frozenset[str]
    own_places: frozenset[str]
    organisations: frozenset[str]
    heads: frozenset[str]
    teams: frozenset[str]
    bare_teams: frozenset[str]
    brands: frozenset[str]
    calendar: frozenset[str]
    pronouns: frozenset[str]
    holidays: frozenset[str]
    place_before: frozenset[str]
    to_place: frozenset[str]
    works: frozenset[str]
    lives: frozenset[str]
    sayings: frozenset[str]
    determiners: frozenset[str]
    stand_in_first: frozenset[str]
    stand_in_last: frozenset[str]

    def is_name(self, word: str) -> bool:
        """Whether a word in lower case is a first name and hardly anything else."""
        return (
            word in self.names
            and word not in self.everyday
            and word not in self.not_names
            and word not in self.not_lower_names
            and (word in self.common_names or not in_dictionary(word))
        )


@cache
def in_dictionary(word: str) -> bool:
    """Whether a word in lower case is an everyday Dutch word."""
    return bool(simplemma.is_known(word, lang="nl"))


@cache
def in_english(word: str) -> bool:
    """Whether a word in lower case is an English word."""
    return bool(simplemma.is_known(word, lang="en"))


# Words that are formed rather than listed: "openheid", "daarop"; and stress: "háár".
_FORMED = re.compile(
    r"\w{3,}(?:heid|heden|iteit|isme|istisch|atie|logie|loog|loge|logisch|stelling|ering|achtig|loos|jes?|iërs?|aanse)"
    r"|(?:er|daar|hier|waar)(?:aan|achter|af|bij|boven|door|heen|in|langs|mee|na|naar|om|onder|op|over"
    r"|tegen|tegenop|toe|tussen|uit|van|voor)|ge\w{3,}[dt]|(?:ha|he|hi|ho){2,}|(\w)*?(\w)\2{2,}"
)
_STRESS = str.maketrans("áéíóúèà", "aeiouea")


@cache
def ordinary(word: str) -> bool:
    """Whether a word in lower case is everyday Dutch, or made up of two such words.

    >>> ordinary("medicatiewissel"), ordinary("cardea")
    (True, False)
    """
    lists = known()
    if in_dictionary(word) or any(
        word in words
        for words in (lists.everyday, lists.medical, lists.plain, lists.relations, lists.helpers)
    ):
        return True
    if _FORMED.fullmatch(word) or in_dictionary(word.translate(_STRESS)):
        return True
    return any(
        in_dictionary(word[at:]) and any(in_dictionary(word[: at - len(link)]) for link in links)
        for at in range(3, len(word) - 2)
        for links in [
            [
                link
                for link in ("", "s", "e", "en")
                if word[:at].endswith(link) and at - len(link) > 2
            ]
        ]
    )


@cache
def known() -> Known:
    """Return the lists, read once."""
    text = (files("expertise.narratives") / "identifiers.toml").read_text("utf-8")
    own = {
        name: frozenset(word.replace("_", " ").lower() for word in words.split())
        for name, words in tomllib.loads(text).items()
    }
    own["own_places"] = own.pop("places")
    return Known(
        names=_deduce_list("names/lst_first_name") | own["common_names"],
        surnames=_deduce_list("names/lst_surname"),
        places=frozenset(
            place
            for part in ("province", "residence", "municipality", "region")
            for place in _deduce_list(f"locations/lst_placename/lst_{part}")
        ),
        everyday=_deduce_list("whitelist/lst_stop_word")
        | _deduce_list("whitelist/lst_common_word"),
        medical=_deduce_list("whitelist/lst_medical_term"),
        streets=_deduce_list("locations/lst_street"),
        **own,
    )


def _deduce_list(name: str) -> frozenset[str]:
    # Found without importing deduce, which is heavy and changes how a program logs.
    found = find_spec("deduce")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "data" / "lookup" / "src" / name / "items.txt"
    return frozenset(line.strip().lower() for line in path.read_text("utf-8").splitlines())
