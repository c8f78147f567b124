"""Numbers as people write them: with a point or a comma, and never guessed between the two."""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

Verdict = Literal[".", ",", "any", "mixed", "ambiguous", "text"]
EXACT = 2.0**53  # from here on a float no longer tells neighbouring whole numbers apart

_DIGITS = "[0-9]+(?:[eE][+-]?[0-9]+)?"
_POINT = r"(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_GROUPS = r"[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?"


def _pattern(body: str) -> re.Pattern[str]:
    return re.compile(rf"\s*[+-]?(?:{body})\s*")


def _swapped(body: str) -> str:
    return body.replace(r"\.", "§").replace(",[", r"\.[").replace("§", ",")


_PLAIN = _pattern(_DIGITS)
_DECIMAL = {".": _pattern(_POINT), ",": _pattern(_swapped(_POINT))}
_GROUPED = {",": _pattern(_GROUPS), ".": _pattern(_swapped(_GROUPS))}
_ONE_GROUP = re.compile(r"\s*[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}\s*")
_OTHER = re.compile(r"[^0-9.\n-]")
_CHANGED = re.compile("^-?0[0-9]|^-?[0-9]{16}", re.MULTILINE)
NOT_FINITE = re.compile(r"\s*[+-]?(?:nan|inf|infinity|oneindig)\s*", re.IGNORECASE)
ANY_SCRIPT = re.compile(r"\s*[+-]?\d[\d.,]*\s*")


def reads(text: str, mark: str, *, grouped: bool = True) -> bool:
    """Tell whether a text is a number with this decimal mark, thousands marked or not.

    >>> reads("1.234,5", ","), reads("1.234,5", ".")
    (True, False)
    """
    if _PLAIN.fullmatch(text) or _DECIMAL[mark].fullmatch(text):
        return True
    return grouped and bool(_GROUPED[mark].fullmatch(text))


def convention(texts: Sequence[str]) -> Verdict:
    """Return the decimal mark under which all texts are numbers, if there is just one.

    Returns
    -------
    str
        `"."` or `","`; `"any"` when no text has a mark; `"mixed"` when every
        text is a number but not under one mark; `"ambiguous"` when all marks
        may as well be thousands (1.234); `"text"` when some text is no number.

    >>> convention(["12,5", "3"]), convention(["1.234", "2.500"]), convention(["12.5", "1,234"])
    (',', 'ambiguous', 'mixed')
    """
    marked = [text for text in texts if not _PLAIN.fullmatch(text)]
    if not marked:
        return "any"
    fits = {
        mark: [
            bool(_DECIMAL[mark].fullmatch(text)) or _surely_grouped(text, mark) for text in marked
        ]
        for mark in (".", ",")
    }
    whole = [mark for mark, each in fits.items() if all(each)]
    if not all(point or comma for point, comma in zip(*fits.values(), strict=True)):
        return "text"
    if not whole:
        return "mixed"
    return "ambiguous" if all(map(_ONE_GROUP.fullmatch, marked)) else whole[0]  # type: ignore[return-value]


def _surely_grouped(text: str, mark: str) -> bool:
    return bool(_GROUPED[mark].fullmatch(text)) and not _ONE_GROUP.fullmatch(text)


def values(texts: Sequence[str], mark: str) -> npt.NDArray[np.float64]:
    """Return texts that `reads` accepts as numbers; an empty text is missing.

    >>> values(["1.234,5", "-3", ""], ",").tolist()
    [1234.5, -3.0, nan]
    """
    other = "," if mark == "." else "."
    return np.array(
        [float(text.replace(other, "").replace(mark, ".")) if text else np.nan for text in texts]
    )


def plain_values(texts: Sequence[str]) -> npt.NDArray[np.float64] | None:
    """Return the values of texts that are beyond doubt numbers with a point or none, or None.

    The fast way for the usual column. None as well for what a number would
    change (leading zeros, very long digits) and for 1.234, which may be 1234.

    >>> plain_values(["12.5", "-3", ""]), plain_values(["007"]), plain_values(["1.234"])
    (array([12.5, -3. ,  nan]), None, None)
    """
    joined = "\n".join(texts)
    if _OTHER.search(joined) or _CHANGED.search(joined):
        return None
    if "." in joined and all(_ONE_GROUP.fullmatch(text) for text in texts if "." in text):
        return None
    try:
        return np.array([float(text or "nan") for text in texts])
    except ValueError:
        return None
