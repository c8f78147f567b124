"""What both hosts share: a study's texts, words and people, and a session for each coder."""

import json
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from expertise.agreement.alphas import alpha
from expertise.agreement.coefficient import Coefficient
from expertise.cocoding.people import Member, add_member, member, members
from expertise.coding.acts import Record
from expertise.coding.assignment import Fragment, hand_out
from expertise.coding.codebook import Codebook, read_codebook
from expertise.coding.folding import Ledger, ledger
from expertise.coding.opening import open_store
from expertise.coding.session import CodingSession
from expertise.coding.store import Store
from expertise.coding.together import Readings, kept_readings
from expertise.errors import CodingError, StudyError
from expertise.narratives.corpus import read_corpus
from expertise.study import Study, open_study
from expertise.words import catalogue

PLAN = "plan"


class Circle:
    """The people who code one study together, and what each may see.

    Parameters
    ----------
    study : Study
        With [contact], a corpus and a codebook in its study.toml.
    store : Store
        Where their work is kept.
    """

    def __init__(self, study: Study, store: Store) -> None:
        settings = study.settings
        if settings.contact is None:
            raise StudyError(
                f"study {study.name!r} has no [contact] in study.toml: people who code can be "
                "moved by what they read; write name, phone and hours of someone they can call"
            )
        self.title, self.lang, self.contact = settings.title, settings.language, settings.contact
        self.perspectives, self.store = settings.perspectives, store
        self.key = study.name
        self.book = _book(study)
        self.fragments = (practice(self.lang), *_fragments(study))
        self._sessions: dict[str, CodingSession] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._turn = threading.Lock()

    @property
    def members(self) -> Mapping[str, Member]:
        """Return everyone who codes, by id."""
        return members(self.store)

    def add(self, name: str, perspective: str, **more: Any) -> Member:
        """Add someone who will code; see `add_member`."""
        return add_member(self.store, name, perspective, allowed=self.perspectives, **more)

    def facilitator(self) -> Member:
        """Return who leads the meeting, and make one when there is none."""
        for one in self.members.values():
            if one.coder.facilitator:
                return one
        known = list(self.perspectives)
        role = "professional" if "professional" in known else known[-1]
        name = catalogue(self.lang)["cocoding.facilitator"]
        return self.add(name, role, facilitator=True)

    def start(self, coder: str) -> dict[str, Any]:
        """Return what a page needs before the first message: no text of a narrative is in it."""
        me = self._member(coder)
        words = catalogue(self.lang)
        room = "cocoding."
        return {
            "lang": self.lang,
            "words": {k.removeprefix(room): v for k, v in words.items() if k.startswith(room)},
            "name": me.name,
            "facilitator": me.coder.facilitator,
            "contact": {n: getattr(self.contact, n) for n in ("name", "phone", "hours")},
            "perspectives": {
                key: {"label": role.label(self.lang), "slot": role.slot}
                for key, role in self.perspectives.items()
            },
        }

    def handle(self, coder: str, message: object) -> dict[str, Any]:
        """Give a coder's message to their session and return its answer."""
        me = self._member(coder)
        with self._turn:
            lock = self._locks.setdefault(coder, threading.Lock())
        with lock:
            session = self._sessions.get(coder)
            if session is None:
                session = self._sessions[coder] = self.session(me)
            return session.handle(message)

    def session(self, who: Member, entered_by: str = "") -> CodingSession:
        """Make a session for someone, or for who enters someone's work on paper."""
        plan = self.store.record(PLAN, who.coder.id)
        return CodingSession(
            self.store, who.coder, self.book, self.fragments, lang=self.lang,
            handed=None if plan is None or who.coder.facilitator else json.loads(plan.body),
            entered_by=entered_by,
        )  # fmt: skip

    def hand_out(self, readers: int, seed: int = 1) -> None:
        """Divide the texts, each over `readers` coders; without it everyone may read all."""
        who = [one.coder for one in self.members.values() if not one.coder.facilitator]
        for coder, ids in hand_out(self.fragments, who, readers=readers, seed=seed).items():
            old = self.store.record(PLAN, coder)
            version = old.version if old else 0
            body = json.dumps(ids)
            record = Record(kind=PLAN, key=coder, body=body, version=version, coder=coder)
            self.store.put(record, by=coder)
        with self._turn:
            self._sessions.clear()

    def ledger(self) -> Ledger:
        """Return what stands."""
        return ledger(self.store.table())

    def revealed(self) -> bool:
        """Say whether the round together was opened."""
        return any(act.kind == "revealed" for act in self.store.after(coder=""))

    def progress(self) -> pd.DataFrame:
        """Return a row per coder: texts finished, in hand, set aside; not what they chose."""
        work = self.ledger().work
        work = work[work["round"] == "alone"]
        counts = pd.crosstab(work["coder"], work["state"])
        people = self.members
        states = ("finished", "opened", "skipped", "returned")
        rows = [
            {"coder": key, "name": one.name, "perspective": one.coder.perspective,
             "facilitator": one.coder.facilitator}
            | {s: int(counts.at[key, s]) if key in counts.index and s in counts else 0
               for s in states}
            for key, one in people.items()
        ]  # fmt: skip
        columns = ["coder", "name", "perspective", "facilitator", *states]
        return pd.DataFrame(rows, columns=columns)

    def agreement(self) -> dict[str, Coefficient]:
        """Return Krippendorff's alpha per code: is the code used in this text or not?

        Raises
        ------
        CodingError
            Before the reveal: until then nobody sees how far others agree.
        """
        if not self.revealed():
            raise CodingError("agreement is shown after the round together was opened")
        units = self.ledger().units(self.book)
        return {
            code: alpha(part.astype(float), categories=(0.0, 1.0))
            for code, part in units.groupby(level="code", sort=False)
        }

    def readings(self) -> Readings:
        """Return the readings that the group kept, with their wording."""
        wordings = {key: one.body for key, one in self.store.records("reading").items()}
        return kept_readings(self.ledger(), wordings)

    def _member(self, coder: str) -> Member:
        found = member(self.store, coder)
        if found is None:
            raise CodingError(f"there is no coder {coder[:40]!r} in study {self.key!r}")
        return found


def open_circle(study: Study | str | Path, url: str | Path | None = None) -> Circle:
    """Open a study for coding together.

    Parameters
    ----------
    study : Study or path
    url : str or Path, optional
        The store; by default `private/codings.db` in the study's folder.

    Raises
    ------
    StudyError
        Without [contact], corpus or codebook in study.toml.
    """
    opened = study if isinstance(study, Study) else open_study(study)
    return Circle(opened, open_store(url or opened.folder / "private" / "codings.db"))


def practice(lang: str) -> Fragment:
    """Return the invented text to practise on."""
    words = catalogue(lang)
    return Fragment(id="oefenen", text=words["cocoding.practice"], practice=True)


def _book(study: Study) -> Codebook:
    if not study.settings.codebook:
        raise StudyError(
            f"study {study.name!r} names no codebook; "
            'write codebook = "codebook.toml" in study.toml'
        )
    return read_codebook(study.folder / study.settings.codebook)


def _fragments(study: Study) -> Iterable[Fragment]:
    name = study.settings.corpus
    if not name:
        raise StudyError(
            f"study {study.name!r} names no corpus; write corpus = \"NAME\" in study.toml, "
            "for the folder corpora/NAME"
        )  # fmt: skip
    corpus = read_corpus(study.folder.parents[1] / "corpora" / name)
    people = study.people.set_index("participant")
    teams = people["team"].astype(str) if "team" in people else pd.Series(dtype=str)
    for one in corpus:
        yield Fragment(
            id=one.id, text=one.text, coded_by=frozenset(one.coded_by), triad=one.triad,
            team=teams.get(one.participant, ""), topics=one.topics,
        )  # fmt: skip
