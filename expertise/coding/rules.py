"""What a coder may do now: one rule per kind of message, each a refusal or nothing."""

from collections.abc import Callable, Mapping
from typing import Any

from expertise.coding.acts import Act, check_span
from expertise.coding.assignment import Fragment
from expertise.coding.codebook import Codebook, unknown_code
from expertise.coding.desk import Desk
from expertise.errors import CodingError

UNDOABLE = ("applied", "removed", "doubted", "finished", "skipped", "refused", "undone")
Message = Mapping[str, Any]


def check_passage(desk: Desk, fragment: Fragment, message: Message, book: Codebook) -> None:
    """Refuse a passage of another text, one that is not in the text, or an unknown code."""
    if message["sha256"] != fragment.sha256:
        raise desk.no("text_changed")
    check_span(message["start"], message["end"], len(fragment.text))
    if message.get("code", "") not in ("", *book):
        raise CodingError(unknown_code(message["code"], book))


def _open(desk: Desk, message: Message, book: Codebook) -> None:
    fragment = desk.fragment(message["document"])
    if desk.round(fragment) == "alone" and desk.to_practise():
        raise desk.no("practice_first")


def _working(desk: Desk, fragment: Fragment) -> None:
    state = desk.state(fragment)
    if not state:
        raise desk.no("open_first")
    if state == "finished":
        raise desk.no("finished")


def _apply(desk: Desk, message: Message, book: Codebook) -> None:
    fragment = desk.fragment(message["document"])
    _working(desk, fragment)
    if not message["code"]:
        raise CodingError(unknown_code("", book))
    if (message.get("suggested") or message["kind"] == "refuse") and not desk.joined:
        raise desk.no("suggestions_later")
    check_passage(desk, fragment, message, book)


def _change(desk: Desk, message: Message, book: Codebook) -> None:
    coding = desk.own(message["target"])
    fragment = desk.fragment(coding.document)
    if coding.uuid not in desk.standing:
        raise desk.no("coding_gone")
    _same_round(desk, coding, fragment)
    _working(desk, fragment)


def _memo(desk: Desk, message: Message, book: Codebook) -> None:
    coding = desk.own(message["target"])
    desk.fragment(coding.document)
    if coding.uuid not in desk.standing:
        raise desk.no("coding_gone")


def _work(desk: Desk, message: Message, book: Codebook) -> None:
    fragment = desk.fragment(message["document"])
    if message["kind"] != "return":
        _working(desk, fragment)


def _undo(desk: Desk, message: Message, book: Codebook) -> None:
    act = last_act(desk) if "target" not in message else desk.own(message["target"])
    if act.kind not in UNDOABLE or act.uuid in desk.standing.cancelled:
        raise desk.no("nothing_to_undo")
    fragment = desk.fragment(act.document)
    _same_round(desk, act, fragment)
    if desk.state(fragment) == "finished" and act.kind != "finished":
        raise desk.no("finished")


def last_act(desk: Desk) -> Act:
    """Return the last own act that an undo without a target is about."""
    kinds = set(UNDOABLE) - {"undone"}
    for act in reversed(desk.live):
        if act.coder == desk.coder.id and act.kind in kinds:
            return act
    raise desk.no("nothing_to_undo")


def _same_round(desk: Desk, act: Act, fragment: Fragment) -> None:
    if act.round != desk.round(fragment):
        raise desk.no("round_over")


def _reveal(desk: Desk, message: Message, book: Codebook) -> None:
    if not desk.coder.facilitator:
        raise desk.no("facilitator_only")


def _join(desk: Desk, message: Message, book: Codebook) -> None:
    if not desk.revealed:
        raise desk.no("not_revealed")


def _resolve(desk: Desk, message: Message, book: Codebook) -> None:
    _reveal(desk, message, book)
    _join(desk, message, book)
    check_passage(desk, desk.fragment(message["document"]), message, book)
    needed = {"one": (1, 1), "both": (2, 20), "later": (0, 0)}[message["choice"]]
    if not needed[0] <= len(message["readings"]) <= needed[1]:
        raise CodingError(
            f"choice {message['choice']!r} has {len(message['readings'])} readings; "
            "one has 1, both has 2 or more, later has none"
        )
    for reading in message["readings"]:
        if reading["code"] not in book:
            raise CodingError(unknown_code(reading["code"], book))


def _approve(desk: Desk, message: Message, book: Codebook) -> None:
    if not desk.joined:
        raise desk.no("not_revealed")
    act = desk.by_id.get(message["target"])
    if act is None or not (act.kind == "resolved" and _holds(desk, act)):
        act = desk.own(message["target"])
    desk.fragment(act.document)


def _holds(desk: Desk, reading: Act) -> bool:
    """Say whether this coder chose the code of a reading somewhere in its passage."""
    assert reading.start is not None
    assert reading.end is not None
    for uuid, _, code in desk.standing.codings():
        coding = desk.by_id[uuid]
        assert coding.start is not None
        assert coding.end is not None
        overlap = coding.start < reading.end and coding.end > reading.start
        if overlap and code == reading.code and coding.document == reading.document:
            return True
    return False


RULES: Mapping[str, Callable[[Desk, Message, Codebook], None]] = {
    "open": _open, "apply": _apply, "refuse": _apply, "remove": _change, "doubt": _change,
    "memo": _memo, "skip": _work, "return": _work, "finish": _work, "undo": _undo,
    "reveal": _reveal, "join": _join, "resolve": _resolve, "approve": _approve,
}  # fmt: skip
