"""The messages that a page or widget sends to a `CodingSession`, and what comes back.

A message is a mapping of plain JSON values. Every message has `kind`; those
that do something have `id`, a UUID made by the client: sent again with the
same id it is done once. `after` (default 0) is the place of the last act that
the client has. `round` may say in which round the client thinks it works;
`within` names the text that is open there ("" for none), so that no act on
another text is sent along.
Unknown keys are refused. Positions are Unicode code points, end exclusive.

==========  ==========================================  ===============================
kind        further keys                                what it does
==========  ==========================================  ===============================
sync        –                                           nothing; says what is on the desk
open        document                                    gives the text; it can be coded now
apply       document, sha256, start, end, code,         puts a code on a passage
            [suggested]
remove      target (own coding)                         takes a coding away
doubt       target (own coding)                         "Ik twijfel"
memo        target (own coding), text, shared, version  writes why; `version` is the one
                                                        that was read, 0 for a new memo
skip        document                                    sets a text aside; may be opened again
return      document                                    "Geef terug": for good, nothing asked
finish      document                                    "Klaar": its codings count from now on
undo        [target]                                    cancels an own act, the last by default;
                                                        undoing an undo brings it back
decline     topics                                      texts on these topics are not offered
reveal      [anyway]                                    opens the round together (facilitator)
join        –                                           this coder looks; alone is over for them
passages    –                                           nothing; says where readings differ
resolve     document, sha256, start, end, choice        one, both or later; `readings` is a list
            (one, both, later), readings                of {code, text} (facilitator)
approve     target (own coding or a reading), show      the wording is right; `show` says whether
                                                        a lone holder's perspective may be seen
refuse      document, sha256, start, end, code          turns a suggestion down
==========  ==========================================  ===============================

The answer is a mapping too:

`n`
    Place of the last act; send it as `after` next time.
`acts`
    Own acts after that place, and those that concern everyone; after join all of
    them. With `within` only those on that text and those on no text.
`error`
    One sentence for the person, or None. Nothing was stored when it is there.
`text`
    After open: document, sha256, text, topics, round, and own memos on it.
`desk`
    After sync, decline and join: stage (practice, alone, together), revealed,
    texts (document, topics, practice, state, and how many own codings stand
    there), cards of the codebook, declined topics. No text of a narrative is in it.
`others`, `examples`
    After finishing a practice text: what others chose there, without names
    and without counts; and where nobody did, the passages that the codebook
    gives as examples.
`passages`
    After passages: document, start, end, shared, decision, and the readings:
    code, mine (an own coding, or empty), perspectives (empty for a lone holder
    who did not say yes), memos that were shared; and what was kept there: uuid, code, wording,
    approved, shown (whether perspectives may be seen).
`conflict`
    When a memo was changed elsewhere: text and version that stand now.
"""

from collections.abc import Callable, Mapping
from typing import Any

from expertise.coding.acts import ROUNDS, check_span, check_uuid, clean
from expertise.errors import CodingError, listed, nearest

MEMO = 10_000
CHOICES = ("one", "both", "later")
SPAN = ("document", "sha256", "start", "end")
# kind → (keys that must be there, keys that may)
FORMS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "sync": ((), ()),
    "open": (("document",), ()),
    "apply": ((*SPAN, "code"), ("suggested",)),
    "remove": (("target",), ()),
    "doubt": (("target",), ()),
    "memo": (("target", "text", "shared", "version"), ()),
    "skip": (("document",), ()),
    "return": (("document",), ()),
    "finish": (("document",), ()),
    "undo": ((), ("target",)),
    "decline": (("topics",), ()),
    "reveal": ((), ("anyway",)),
    "join": ((), ()),
    "passages": ((), ()),
    "resolve": ((*SPAN, "choice", "readings"), ()),
    "approve": (("target", "show"), ()),
    "refuse": ((*SPAN, "code"), ()),
}
SILENT = ("sync", "passages")


def _flag(value: object, name: str) -> None:
    if not isinstance(value, bool):
        raise CodingError(f"{name} is {str(value)[:40]!r}; send true or false")


def _count(value: object, name: str) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise CodingError(f"{name} is {str(value)[:40]!r}; send a whole number from 0")


def _uuid(value: object, _: str) -> None:
    check_uuid(value)


def _word(value: object, name: str) -> None:
    clean(value, name)


def _memo(value: object, name: str) -> None:
    clean(value, name, MEMO)


def _texts(value: object, name: str) -> None:
    if not isinstance(value, list) or len(value) > 100:
        raise CodingError(f"{name} must be a list of at most 100 texts")
    for item in value:
        clean(item, name)


def _choice(value: object, name: str) -> None:
    if value not in CHOICES:
        raise CodingError(f"{name} is {str(value)[:40]!r}; allowed are {', '.join(CHOICES)}")


def _round(value: object, name: str) -> None:
    if value not in ROUNDS:
        raise CodingError(f"{name} is {str(value)[:40]!r}; allowed are {', '.join(ROUNDS)}")


def _readings(value: object, name: str) -> None:
    if not isinstance(value, list) or len(value) > 20:
        raise CodingError(f"{name} must be a list of at most 20 readings")
    for item in value:
        if not isinstance(item, Mapping) or set(item) != {"code", "text"}:
            raise CodingError(f"{name}: each reading has a code and a text, and nothing else")
        clean(item["code"], "code")
        clean(item["text"], "text", MEMO)


def _position(value: object, name: str) -> None:
    """Positions are checked as a pair, by `check_span`."""


CHECKS: Mapping[str, Callable[[object, str], None]] = {
    "kind": _word, "id": _uuid, "after": _count, "round": _round, "document": _word,
    "sha256": _word, "start": _position, "end": _position, "code": _word, "target": _uuid,
    "suggested": _flag, "shared": _flag, "anyway": _flag, "show": _flag, "version": _count,
    "topics": _texts, "choice": _choice, "readings": _readings,
    "text": _memo, "within": _word,
}  # fmt: skip


def checked(message: object) -> dict[str, Any]:
    """Return a message of the right form, or refuse it with what is wrong.

    >>> checked({"kind": "sync", "after": 3})
    {'kind': 'sync', 'after': 3}
    """
    if not isinstance(message, Mapping):
        raise CodingError("a message must be a mapping with a kind")
    kind = clean(message.get("kind", ""), "kind")
    if kind not in FORMS:
        raise CodingError(
            f"unknown message {kind[:40]!r}{nearest(kind, FORMS)}; allowed are "
            f"{listed(FORMS, len(FORMS))}"
        )
    must, may = FORMS[kind]
    must = ("kind", *(() if kind in SILENT else ("id",)), *must)
    allowed = (*must, *may, "after", "round", "within", "id")
    for key in message:
        if key not in allowed:
            raise CodingError(
                f"message {kind!r} has an unknown key {str(key)[:40]!r}"
                f"{nearest(str(key), allowed)}; allowed are {', '.join(dict.fromkeys(allowed))}"
            )
    for key in must:
        if key not in message:
            raise CodingError(f"message {kind!r} has no {key}; send it")
    for key, value in message.items():
        CHECKS[key](value, key)
    if "start" in must:
        check_span(message["start"], message["end"])
    return dict(message)
