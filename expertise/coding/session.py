"""One coder at work: messages in, answers out, nothing of others before it is time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID, uuid5

import pandas as pd

from expertise.coding.acts import Act, Record, acts_table, now
from expertise.coding.assignment import Coder, Fragment, may_read
from expertise.coding.codebook import Codebook
from expertise.coding.desk import Desk, row
from expertise.coding.folding import Standing, ledger, undone
from expertise.coding.messages import checked
from expertise.coding.rules import RULES, last_act
from expertise.coding.together import (
    Passage,
    kept_by_passage,
    kept_readings,
    passages,
    said_yes,
    shown_perspectives,
)
from expertise.errors import CodingError, ConflictError, ExpertiseError

KIND = {
    "open": "opened", "apply": "applied", "remove": "removed", "doubt": "doubted", "memo": "memo",
    "skip": "skipped", "return": "returned", "finish": "finished", "undo": "undone",
    "reveal": "revealed", "join": "joined", "resolve": "resolved", "approve": "approved",
    "refuse": "refused",
}  # fmt: skip
SEEN = ("n", "uuid", "kind", "round", "document", "start", "end", "code", "value", "target")


class ActLog(Protocol):
    """What a session asks of a store."""

    def append(self, *acts: Act, records: Mapping[str, Record] | None = None) -> tuple[Act, ...]:
        """Store acts once, with the words that belong to them."""

    def after(
        self, n: int = 0, *, coder: str | None = None, document: str | None = None
    ) -> list[Act]:
        """Return acts after a place, of everyone or of one coder, on one text."""

    def records(self, kind: str, keys: Iterable[str] | None = None) -> Mapping[str, Record]:
        """Return words of one kind."""

    def put(self, record: Record, *, by: str) -> Record:
        """Store words that belong to no act."""


class CodingSession:
    """The rules of co-coding for one coder; a page or widget only carries its messages.

    Parameters
    ----------
    log : ActLog
        Where acts are kept, usually a `Store`.
    coder : Coder
        Who works here, and from which perspective.
    book : Codebook
        The words to choose from.
    fragments : sequence of Fragment
        All texts of the study. Those of the coder's own triad or team, and
        those whose participant did not agree, are left out here.
    handed : collection of str, optional
        Ids of the texts planned for this coder (`hand_out`); all by default.
    lang : {"nl", "en"}
        Language of what the coder reads.
    entered_by : str
        Who types it in for the coder, after a round on paper.

    Notes
    -----
    The rounds are practice → alone → together. Until a facilitator reveals
    and this coder joins, the session asks the log for this coder's own acts
    only. What was made offline before joining is still accepted afterwards,
    as long as this coder has not looked. After joining, readings of others
    come as passages with perspectives, never with names or counts.
    `expertise.coding.messages` describes every message and answer.

    Examples
    --------
    >>> from expertise.coding.opening import open_store
    >>> from tempfile import TemporaryDirectory
    >>> from pathlib import Path
    >>> from expertise.coding.codebook import Code
    >>> book = Codebook(codes=(Code(key="hoop", name="Hoop", definition="Kijkt vooruit."),))
    >>> text = Fragment(id="d1", text="Ik zie weer licht.", coded_by=frozenset({"patient"}))
    >>> with TemporaryDirectory() as folder, open_store(Path(folder) / "s.db") as store:
    ...     session = CodingSession(store, Coder(id="a", perspective="patient"), book, [text])
    ...     answer = session.handle({"kind": "open", "document": "d1",
    ...                              "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8"})
    >>> answer["text"]["text"], [act["kind"] for act in answer["acts"]]
    ('Ik zie weer licht.', ['opened'])
    """

    def __init__(
        self, log: ActLog, coder: Coder, book: Codebook, fragments: Sequence[Fragment], *,
        handed: Iterable[str] | None = None, lang: str = "nl", entered_by: str = "",
    ) -> None:  # fmt: skip
        planned = None if handed is None else frozenset(handed)
        allowed = {
            one.id: one for one in fragments
            if may_read(coder, one) and (planned is None or one.practice or one.id in planned)
        }  # fmt: skip
        self._log, self._coder, self._book, self._entered_by = log, coder, book, entered_by
        self._desk = Desk(coder, allowed, lang)

    def handle(self, message: object) -> dict[str, Any]:
        """Do what a message asks and answer with the acts after `after`, and perhaps one error."""
        after, within, more, error = self._desk.n, None, {}, None
        try:
            wanted = checked(message)
            # Who joins may see decisions that came before; they were passed over until now.
            after = 0 if wanted["kind"] == "join" else wanted.get("after", 0)
            within = wanted.get("within")
            self._catch_up()
            self._desk.check_present()
            more = self._do(wanted)
        except ExpertiseError as problem:
            error = str(problem)
            if isinstance(problem, ConflictError) and "target" in wanted:
                self._catch_up()
                target = self._desk.own(wanted["target"])
                more = {"conflict": self._memos(target.document).get(target.uuid)}
        acts = [
            self._seen(act) for act in self._desk.since(after)
            if (not act.document or within in (None, act.document)) and self._may_see(act)
        ]  # fmt: skip
        return {"n": self._desk.n, "acts": acts, "error": error} | more

    def _do(self, message: dict[str, Any]) -> dict[str, Any]:
        kind = message["kind"]
        if kind == "sync":
            return {"desk": self._on_desk()}
        if kind == "passages":
            return {"passages": self._passages()}
        if kind == "decline":
            self._decline(message["topics"])
            return {"desk": self._on_desk()}
        acts = self._acts(message)
        if (old := self._desk.by_id.get(acts[0].uuid)) is None:
            self._allow(message, acts[0])
            records = {a.uuid: r for a in acts if (r := self._record(a, message)) is not None}
            self._log.append(*acts, records=records)
            self._catch_up()
        elif not replace(acts[0], round=old.round).same(old):
            raise CodingError(f"id {old.uuid} was used for another act; make a new one")
        return self._also(kind, message)

    def _also(self, kind: str, message: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a kind of message gives back beside the acts."""
        if kind == "join":
            return {"desk": self._on_desk()}
        if kind not in ("open", "finish"):
            return {}
        fragment = self._desk.fragment(message["document"])
        if kind == "open":
            return {"text": {
                "document": fragment.id, "sha256": fragment.sha256, "text": fragment.text,
                "topics": list(fragment.topics), "round": self._desk.round(fragment),
                "memos": self._memos(fragment.id),
            }}  # fmt: skip
        if not fragment.practice:
            return {}
        others = self._others(fragment)
        return {"others": others, "examples": [] if others else self._examples(fragment)}

    def _allow(self, message: Mapping[str, Any], act: Act) -> None:
        desk = self._desk
        RULES[message["kind"]](desk, message, self._book)
        if message["kind"] == "reveal" and not message.get("anyway"):
            self._everyone_ready()
        if message.get("round", act.round) != act.round:
            raise desk.no("round_over")
        if other := desk.perspectives[act.round] - {act.perspective}:
            raise desk.no("one_perspective", perspective=min(other))

    def _everyone_ready(self) -> None:
        work = Standing(list(map(row, self._log.after()))).work
        busy = {coder for (_, coder, round_), state in work.items()
                if round_ == "alone" and state == "opened"}  # fmt: skip
        if busy:
            raise self._desk.no("not_ready", n=len(busy))

    def _acts(self, message: Mapping[str, Any]) -> list[Act]:
        """Return the acts that a message stands for; they follow from it alone."""
        kind, desk = message["kind"], self._desk
        target = message.get("target", "")
        if kind == "undo" and not target:
            known = desk.by_id.get(message["id"])
            target = known.target if known else last_act(desk).uuid
        about = desk.by_id.get(target)
        document = message.get("document", about.document if about else "")
        fragment = desk.fragments.get(document)
        act = Act(
            uuid=message["id"], kind=KIND[kind], coder=self._coder.id,
            perspective=self._coder.perspective, entered_by=self._entered_by,
            round=desk.round(fragment) if fragment else "together" if kind in TOGETHER else "",
            document=document, sha256=fragment.sha256 if fragment else "",
            start=message.get("start"), end=message.get("end"), code=message.get("code", ""),
            target=target, value=_value(message), when=now(),
        )  # fmt: skip
        if kind != "resolve":
            return [act]
        readings = message["readings"] or [{"code": ""}]
        return [
            replace(act, uuid=str(uuid5(UUID(act.uuid), str(i))), code=one["code"], target=act.uuid)
            for i, one in enumerate(readings)
        ]

    def _record(self, act: Act, message: Mapping[str, Any]) -> Record | None:
        """Return the words that go with an act."""
        words = Record(kind="quote", key=act.uuid, body="", document=act.document, coder=act.coder)
        if act.kind == "applied":
            text = self._desk.fragments[act.document].text
            return replace(words, body=text[act.start : act.end])
        if act.kind == "memo":
            key, version = f"{act.coder}/{act.target}", message["version"]
            return replace(words, kind="memo", key=key, body=message["text"], version=version)
        if act.kind == "resolved" and act.code:
            body = next(one["text"] for i, one in enumerate(message["readings"])
                        if act.uuid == str(uuid5(UUID(message["id"]), str(i))))  # fmt: skip
            return replace(words, kind="reading", body=body)
        return None

    def _catch_up(self) -> None:
        self._desk.take(self._log.after(self._desk.n, coder=self._coder.id))

    def _may_see(self, act: Act) -> bool:
        if act.coder == self._coder.id or act.kind in ("revealed", "recoded"):
            return True
        if act.kind == "resolved":
            return self._desk.joined and act.document in self._desk.fragments
        return act.kind == "withdrawn" and act.document in self._desk.fragments

    @staticmethod
    def _seen(act: Act) -> dict[str, Any]:
        return {name: getattr(act, name) for name in SEEN}

    def _decline(self, topics: Sequence[str]) -> None:
        me = self._coder.id
        old = self._log.records("declined", [me]).get(me)
        version = old.version if old else 0
        body = "\n".join(topics)
        self._log.put(Record(kind="declined", key=me, body=body, version=version, coder=me), by=me)

    def _on_desk(self) -> dict[str, Any]:
        desk, me = self._desk, self._coder.id
        marks = desk.marks()
        kept = self._log.records("declined", [me]).get(me)
        declined = kept.body.split("\n") if kept and kept.body else []
        texts = [
            {"document": one.id, "topics": list(one.topics), "practice": one.practice,
             "state": state, "marks": marks[one.id]}
            for one in desk.fragments.values()
            if (state := desk.state(one)) != "returned"
            and (state or not set(declined) & set(one.topics))
            and not desk.withdrawn(one.id)
        ]  # fmt: skip
        return {
            "stage": desk.stage, "revealed": desk.revealed, "texts": texts, "declined": declined,
            "cards": self._book.cards(),
        }  # fmt: skip

    def _memos(self, document: str) -> dict[str, dict[str, Any]]:
        """Return the coder's own memos on a text, by coding."""
        last = {act.target: act.value for act in self._desk.live
                if act.kind == "memo" and act.document == document}  # fmt: skip
        me = self._coder.id
        kept = self._log.records("memo", [f"{me}/{target}" for target in last])
        return {
            target: {"text": kept[key].body, "version": kept[key].version,
                     "shared": value == "shared"}
            for target, value in last.items() if (key := f"{me}/{target}") in kept
        }  # fmt: skip

    def _others(self, fragment: Fragment) -> list[dict[str, Any]]:
        """Return what others chose in a practice text, each choice once, without names."""
        acts = self._log.after(document=fragment.id)
        codings = ledger(acts_table(acts)).coded("practice")
        codings = codings[codings["coder"] != self._coder.id]
        memos = shared_memos(self._log, acts)
        found: dict[tuple[int, int, str], list[str]] = {}
        for one in codings.itertuples():
            why = found.setdefault((one.start, one.end, one.code), [])
            why += memos.get((one.coder, one.uuid), [])
        return [
            {"start": start, "end": end, "code": code, "memos": sorted(why)}
            for (start, end, code), why in sorted(found.items())
        ]

    def _examples(self, fragment: Fragment) -> list[dict[str, Any]]:
        """Return where the codebook's makers see its codes in a practice text."""
        found = [
            (fragment.text.find(one.practice), one) for one in self._book.codes if one.practice
        ]
        return [
            {"start": at, "end": at + len(one.practice), "code": one.key, "memos": []}
            for at, one in sorted(found, key=lambda pair: pair[0]) if at >= 0
        ]  # fmt: skip

    def _passages(self) -> list[dict[str, Any]]:
        if not self._desk.joined:
            raise self._desk.no("not_revealed")
        acts = self._log.after()
        found = ledger(acts_table(acts))
        perspectives = {act.coder: act.perspective for act in acts if act.round == "alone"}
        memos = shared_memos(self._log, acts)
        decided = {(r.document, r.start, r.end): r.value for r in found.readings.itertuples()}
        wordings = {key: one.body for key, one in self._log.records("reading").items()}
        kept = kept_by_passage(kept_readings(found, wordings))
        coded = found.coded("alone")
        result = []
        for one in passages(found):
            if one.document not in self._desk.fragments:
                continue
            inside = coded[(coded["document"] == one.document) & (coded["start"] >= one.start)
                           & (coded["end"] <= one.end)]  # fmt: skip
            readings = []
            for code, holders in one.holders.items():
                rows = inside[inside["code"] == code]
                yes = said_yes(found, rows["uuid"].tolist())
                words = [w for r in rows.itertuples() for w in memos.get((r.coder, r.uuid), [])]
                readings.append({
                    "code": code, "mine": self._own(rows), "memos": sorted(words),
                    "perspectives": list(shown_perspectives(holders, perspectives, yes)),
                })  # fmt: skip
            result.append(self._shown(one) | {
                "readings": readings,
                "decision": decided.get((one.document, one.start, one.end)),
                "kept": kept.get((one.document, one.start, one.end), []),
            })  # fmt: skip
        return result

    def _own(self, rows: pd.DataFrame) -> str:
        """Return the first coding of this coder among some, or nothing."""
        own = rows.loc[rows["coder"] == self._coder.id, "uuid"]
        return str(own.iloc[0]) if len(own) else ""

    def _shown(self, one: Passage) -> dict[str, Any]:
        fragment = self._desk.fragments[one.document]
        return {"document": one.document, "start": one.start, "end": one.end,
                "text": fragment.text[one.start : one.end],
                "sha256": fragment.sha256, "shared": one.difference == 0}  # fmt: skip


TOGETHER = ("join", "reveal", "resolve", "approve")


def _value(message: Mapping[str, Any]) -> str:
    """Return the word that qualifies an act, as `Act.value` describes."""
    if message["kind"] == "memo":
        return "shared" if message["shared"] else "private"
    if message["kind"] == "approve":
        return "shown" if message["show"] else "hidden"
    if message["kind"] == "resolve":
        return str(message["choice"])
    return "suggested" if message.get("suggested") else ""


def shared_memos(log: ActLog, acts: Sequence[Act]) -> dict[tuple[str, str], list[str]]:
    """Return the memos that their writers shared, by coder and coding."""
    cancelled = undone(list(map(row, acts)))
    last = {(a.coder, a.target): a.value for a in acts
            if a.kind == "memo" and a.uuid not in cancelled}  # fmt: skip
    open_ = [key for key, value in last.items() if value == "shared"]
    kept = log.records("memo", [f"{coder}/{target}" for coder, target in open_])
    return {(c, t): [kept[f"{c}/{t}"].body] for c, t in open_ if f"{c}/{t}" in kept}
