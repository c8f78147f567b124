"""Work done on paper, entered afterwards: sentence numbers become acts of who wrote them."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from expertise.coding.codebook import Codebook, unknown_code
from expertise.coding.session import CodingSession
from expertise.errors import CodingError
from expertise.narratives.sentences import sentence_table
from expertise.words import say

SENTENCES = re.compile(r"\s*([0-9]{1,5})\s*(?:(?:-|–|t/m|tot|to)\s*([0-9]{1,5})\s*)?")
ENDS = ("finish", "skip", "return")
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """One line from a paper: sentences as ``"4"`` or ``"4-6"``, a code, and what goes with it."""

    sentences: str
    code: str
    why: str = ""
    shared: bool = False
    doubt: bool = False


def numbered_sentences(texts: Mapping[str, str]) -> dict[str, list[Span]]:
    """Return where the sentences of each text are, in the order of their numbers on paper.

    >>> numbered_sentences({"d1": "Ik hoop. Echt waar."})
    {'d1': [(0, 8), (9, 19)]}
    """
    found: dict[str, list[Span]] = {name: [] for name in texts}
    for one in sentence_table(texts).itertuples():
        found[str(one.document)].append((int(one.start), int(one.end)))
    return found


def sheet_code(document: str, sentences: Sequence[Span]) -> str:
    """Return the code on a paper, which is another one where sentences are counted otherwise.

    >>> sheet_code("d1", [(0, 8), (9, 19)]), sheet_code("d1", [(0, 19)])
    ('1AB05', '533EC')
    """
    return hashlib.sha256(json.dumps([document, sentences]).encode()).hexdigest()[:5].upper()


def passage(said: str, sentences: Sequence[Span], line: int, lang: str) -> Span:
    """Return the passage that a number, or two, on a paper mean.

    Raises
    ------
    CodingError
        In the helper's language, with the line: no number, or no such sentence.

    Examples
    --------
    >>> passage("1 t/m 2", [(0, 8), (9, 19)], 1, "nl")
    (0, 19)
    """
    found = SENTENCES.fullmatch(said)
    if found is None:
        raise CodingError(say("coding.paper_number", lang, line=line, said=said.strip()[:20]))
    first, last = int(found[1]), int(found[2] or found[1])
    for number in (first, last):
        if not 1 <= number <= len(sentences):
            raise CodingError(
                say("coding.paper_sentence", lang, line=line, number=number, most=len(sentences))
            )
    if last < first:
        raise CodingError(say("coding.paper_order", lang, line=line, first=first, last=last))
    return sentences[first - 1][0], sentences[last - 1][1]


def enter(
    session: CodingSession, document: str, lines: Sequence[PaperLine], *, book: Codebook,
    sentences: Sequence[Span], entry: str, sheet: str = "", end: str = "finish", lang: str = "nl",
) -> int:  # fmt: skip
    """Enter what someone wrote about one text; all of it, or nothing when a line is wrong.

    Parameters
    ----------
    session : CodingSession
        Of who wrote it, with `entered_by`: its rules hold as on a screen.
    lines : sequence of PaperLine
        In the order of the paper.
    sentences : sequence of (int, int)
        From `numbered_sentences`.
    entry : str
        A UUID of this entry: sent twice, it is stored once.
    sheet : str
        The code on the paper; needed where there are lines, for it says that
        their numbers mean these sentences of this text.
    end : {"finish", "skip", "return"}
        What was done with the text.

    Returns
    -------
    int
        How many codings were entered.

    Raises
    ------
    CodingError
        In the helper's language: another code than that of the text as its sentences
        are counted now, a line that cannot be read, a text that was not handed out,
        or one that is finished already.
    """
    if end not in ENDS:
        raise CodingError(f"end is {end[:40]!r}; allowed are {', '.join(ENDS)}")
    if lines:
        _check_sheet("".join(sheet.split()).upper(), sheet_code(document, sentences), lang)
    spans = [passage(one.sentences, sentences, at, lang) for at, one in enumerate(lines, 1)]
    for at, one in enumerate(lines, 1):
        if not one.code:
            raise CodingError(say("coding.paper_code", lang, line=at))
        if one.code not in book:
            raise CodingError(unknown_code(one.code, book))

    def ask(kind: str, name: str, **more: Any) -> dict[str, Any]:
        answer = session.handle({"kind": kind, "id": str(uuid5(UUID(entry), name)), **more})
        if answer["error"]:
            raise CodingError(answer["error"])
        return answer

    now = session.handle({"kind": "sync"})
    if any(act["uuid"] == str(uuid5(UUID(entry), "end")) for act in now["acts"]):
        return len(lines)
    state = {one["document"]: one["state"] for one in now["desk"]["texts"]}
    if state.get(document) == "finished":
        raise CodingError(say("coding.paper_done", lang))
    if now["desk"]["stage"] == "practice":
        _past_practice(now, ask)
    if end == "return":
        ask("return", "end", document=document)
        return 0
    text = ask("open", "open", document=document)["text"]
    for at, (one, (start, stop)) in enumerate(zip(lines, spans, strict=True)):
        coding = str(uuid5(UUID(entry), f"{at}"))
        ask("apply", f"{at}", document=document, sha256=text["sha256"], start=start, end=stop,
            code=one.code)  # fmt: skip
        if one.doubt:
            ask("doubt", f"{at} doubt", target=coding)
        if one.why.strip():
            ask("memo", f"{at} why", target=coding, text=one.why.strip(), shared=one.shared,
                version=0)  # fmt: skip
    ask(end, "end", document=document)
    return len(lines)


def enter_again(session: CodingSession, document: str, entered: Sequence[str], entry: str) -> None:
    """Take back what was entered for a text, so that it can be entered anew.

    Parameters
    ----------
    entered : sequence of str
        Ids of the codings that were entered from paper; those made on a screen stay.
    """
    acts = session.handle({"kind": "sync"})["acts"]
    done = [act["uuid"] for act in acts
            if act["kind"] == "finished" and act["document"] == document]  # fmt: skip
    messages = [("undo", target) for target in done[-1:]] + [("remove", one) for one in entered]
    for at, (kind, target) in enumerate(messages):
        place = str(uuid5(UUID(entry), f"again {at}"))
        answer = session.handle({"kind": kind, "id": place, "target": target})
        if answer["error"]:
            raise CodingError(answer["error"])


def _check_sheet(said: str, code: str, lang: str) -> None:
    if not said:
        raise CodingError(say("coding.paper_no_sheet", lang))
    if said != code:
        raise CodingError(say("coding.paper_sheet", lang, said=said[:20], code=code))


def _past_practice(now: Mapping[str, Any], ask: Any) -> None:
    """Set practice aside that was not done on a screen: on paper it comes first."""
    for one in now["desk"]["texts"]:
        if one["practice"] and one["state"] in ("", "opened"):
            ask("open", f"open {one['document']}", document=one["document"])
            ask("skip", f"skip {one['document']}", document=one["document"])
