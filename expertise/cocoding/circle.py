"""What both hosts share: a study's texts, words and people, and a session for each coder."""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd

from expertise.agreement.alphas import alpha
from expertise.agreement.coefficient import Coefficient
from expertise.cocoding.dividing import divide, enough, passage
from expertise.cocoding.people import Member, add_member, member, members
from expertise.coding.acts import WORK
from expertise.coding.assignment import Coder, Fragment, may_read
from expertise.coding.codebook import Codebook, read_codebook
from expertise.coding.folding import Ledger, ledger
from expertise.coding.fragments import placed
from expertise.coding.opening import open_store
from expertise.coding.planning import PLAN, ReadingPlan, keep_plan, settings_of_plan
from expertise.coding.session import CodingSession
from expertise.coding.store import Store
from expertise.coding.together import Readings, kept_readings
from expertise.errors import CodingError, StudyError, listed, nearest
from expertise.narratives.corpus import Corpus, read_corpus
from expertise.study import Study, open_study
from expertise.words import catalogue


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
        self.book = _book(study, practice(self.lang).text)
        self.corpus = _corpus(study)
        self.whole = {one.id: one for one in _whole(study, self.corpus)}
        self.texts = {key: one.text for key, one in self.whole.items()}
        self._sessions: dict[str, CodingSession] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._turn = threading.Lock()
        self._plans: dict[str, str] = {}
        self.fragments = (practice(self.lang), *self.whole.values())
        self.refresh()

    @property
    def members(self) -> Mapping[str, Member]:
        """Return everyone who codes, by id."""
        return members(self.store)

    def add(self, name: str, perspective: str, **more: Any) -> Member:
        """Add someone who will code; see `add_member`."""
        return add_member(self.store, name, perspective, allowed=self.perspectives, **more)

    def named(self, name: str) -> str:
        """Return the id of who is called so.

        Raises
        ------
        CodingError
            When there is nobody of that name, or more than one.
        """
        people = self.members
        found = [key for key, one in people.items() if one.name == name]
        if len(found) != 1:
            names = [one.name for one in people.values()]
            raise CodingError(
                f"{len(found)} people who code are called {name!r}{nearest(name, names)}; "
                f"there are {listed(names)}"
            )
        return found[0]

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
        if isinstance(message, Mapping) and message.get("kind") == "sync":
            self.refresh()
        with self._turn:
            lock = self._locks.setdefault(coder, threading.Lock())
        with lock:
            session = self._sessions.get(coder)
            if session is None:
                session = self._sessions[coder] = self.session(me)
            return session.handle(message)

    def session(self, who: Member, entered_by: str = "") -> CodingSession:
        """Make a session for someone, or for who enters someone's work on paper."""
        return CodingSession(
            self.store, who.coder, self.book, self.fragments, lang=self.lang,
            handed=self._planned(who.coder), entered_by=entered_by,
        )  # fmt: skip

    # ---- who reads what ---------------------------------------------------------

    def plan(
        self, *, readers: int = 2, words: int | None = 150, n: int | None = None,
        of: Sequence[str] = (), find: str = "", seed: int = 1,
    ) -> ReadingPlan:  # fmt: skip
        """Choose fragments and divide them over who codes; nothing is stored yet.

        Of what is asked for, fragments that someone reads already are chosen
        first, and get the readers that they lack.

        Parameters
        ----------
        readers : int
            How many coders read each fragment.
        words : int or None
            About how long a fragment is; None for whole texts.
        n : int, optional
            How many fragments, spread over perspectives and then people; all by default.
        of : sequence of str
            Texts to choose from, as ``"T01"``, or paragraphs, as ``"T01#2-4"``.
        find : str
            Only fragments in which these words stand (``*`` for any letters).
        seed : int
            Decides what is left to chance.

        Raises
        ------
        CodingError
            When there are too few fragments or too few who may read them.
        """
        return divide(
            self.corpus, self.whole, self._readers(), self.ledger().work,
            readers=readers, words=words, n=n, of=of, find=find, seed=seed,
        )  # fmt: skip

    def _planned(self, who: Coder) -> frozenset[str] | None:
        """Return the ids of the texts that are for someone; None is every text.

        Who came after the texts were divided waits for the next plan.
        """
        if who.facilitator or not self._plans:
            return None
        return frozenset(json.loads(self._plans.get(who.id, "[]")))

    def _readers(self) -> list[Coder]:
        """Return who may be planned, with the topics that each declined."""
        topics = {
            key: frozenset(record.body.split("\n"))
            for key, record in self.store.records("declined").items()
        }
        return [
            replace(one.coder, declined=topics.get(key, frozenset()))
            for key, one in self.members.items() if not one.coder.facilitator
        ]  # fmt: skip

    def keep(self, plan: ReadingPlan, by: str) -> None:
        """Store a plan; without one everyone may read all texts."""
        keep_plan(self.store, plan, self.ledger().work, by=by)
        self.refresh()

    def refresh(self) -> None:
        """Take up a plan that was stored since, perhaps by another program."""
        plans = {key: record.body for key, record in self.store.records(PLAN).items()}
        with self._turn:
            if plans == self._plans:
                return
            self._plans = plans
            order = {key: at for at, key in enumerate(self.whole)}
            places = {
                one: placed(one, order) for body in plans.values() for one in json.loads(body)
            }
            ids = [one for one, (text, _, _) in places.items() if text in order]
            ids.sort(key=lambda one: (order[places[one][0]], places[one][1]))
            self.fragments = (practice(self.lang), *(passage(one, self.whole) for one in ids))
            self._sessions.clear()

    # ---- how far they are ---------------------------------------------------------

    def ledger(self) -> Ledger:
        """Return what stands."""
        return ledger(self.store.table())

    def revealed(self) -> bool:
        """Say whether the round together was opened."""
        return any(act.kind == "revealed" for act in self.store.after(coder=""))

    def reveal(self, by: str, *, anyway: bool = False) -> None:
        """Open the round together, for good.

        Parameters
        ----------
        by : str
            Id of a facilitator.
        anyway : bool
            Also when someone still reads.

        Raises
        ------
        CodingError
            When someone still reads, or `by` does not lead.
        """
        message = {"kind": "reveal", "id": str(uuid4()), "anyway": anyway}
        if error := self.handle(by, message)["error"]:
            raise CodingError(error)

    def without_texts(self) -> list[str]:
        """Return the names of who has nothing to read and could, as who came after a plan.

        Nobody after the reveal: then there is nothing left to divide.
        """
        self.refresh()
        coders, names = self._readers(), self.members
        waiting = [one for one in coders if self._planned(one) == frozenset()]
        if not waiting or self.revealed():
            return []
        made = settings_of_plan(self.store)
        texts = enough(self.whole, coders, made.get("readers", 1), made.get("of", ()))
        return [
            names[one.id].name for one in waiting
            if any(may_read(one, text) for text in texts.values())
        ]  # fmt: skip

    def progress(self) -> pd.DataFrame:
        """Return a row per coder: texts handed out and by state, and whether all are done.

        Not what they chose, and no time. `ready` is who has nothing left to read.
        """
        work = self.ledger().work
        work = work[work["round"] == "alone"]
        state = {(one.coder, one.document): one.state for one in work.itertuples()}
        topics = {one.id: one for one in self._readers()}
        rows = []
        for key, one in self.members.items():
            planned = self._planned(one.coder)
            coder = topics.get(key, one.coder)
            own = [
                state.get((key, text.id), "") for text in self.fragments
                if not text.practice and (planned is None or text.id in planned)
                and ((key, text.id) in state or may_read(coder, text))
            ]  # fmt: skip
            rows.append(
                {"coder": key, "name": one.name, "perspective": one.coder.perspective,
                 "facilitator": one.coder.facilitator, "handed": len(own)}
                | {name: own.count(name) for name in WORK}
                | {"ready": not {"", "opened"} & set(own)}
            )  # fmt: skip
        columns = ["coder", "name", "perspective", "facilitator", "handed", *WORK, "ready"]
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


def _book(study: Study, practised: str) -> Codebook:
    if not study.settings.codebook:
        raise StudyError(
            f"study {study.name!r} names no codebook; "
            'write codebook = "codebook.toml" in study.toml'
        )
    book = read_codebook(study.folder / study.settings.codebook)
    for one in book.codes:
        if one.practice not in practised:
            raise StudyError(
                f"{book.where}: codes.{one.key}.practice does not stand in the practice text; "
                "copy a passage from it letter for letter, or leave it out"
            )
    return book


def _corpus(study: Study) -> Corpus:
    name = study.settings.corpus
    if not name:
        raise StudyError(
            f"study {study.name!r} names no corpus; write corpus = \"NAME\" in study.toml, "
            "for the folder corpora/NAME"
        )  # fmt: skip
    return read_corpus(study.folder.parents[1] / "corpora" / name)


def _whole(study: Study, corpus: Corpus) -> Iterable[Fragment]:
    people = study.people.set_index("participant")
    teams = people["team"].astype(str) if "team" in people else pd.Series(dtype=str)
    for one in corpus:
        yield Fragment(
            id=one.id, text=one.text, coded_by=frozenset(one.coded_by), triad=one.triad,
            team=teams.get(one.participant, ""), topics=one.topics,
        )  # fmt: skip
