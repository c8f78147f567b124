"""Codings joined into passages, beside the person, perspective and wave they come from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from expertise.agreement.codings import check_columns, numbered, read_codings, whole
from expertise.errors import CodingError, ExpertiseError, listed
from expertise.words import number

ABOUT = ("document", "participant", "perspective", "wave")
SLOTS = {"patient": 1, "naaste": 2, "professional": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Passages and the documents they stand in.

    Attributes
    ----------
    passages : DataFrame
        document, code, start, end, participant, perspective, wave: stretches
        of text that somebody marked with the code; marks that overlap are one.
    documents : DataFrame
        document, participant, perspective, wave, a row a document.
    codes : list of str
        Codes, sorted, or in the order given.
    waves : list
        Waves, in order.
    """

    passages: pd.DataFrame
    documents: pd.DataFrame
    codes: list[str]
    waves: list[Any]

    def people(self) -> pd.Series:
        """Return how many people were heard, by perspective and wave."""
        return self.documents.groupby(["perspective", "wave"])["participant"].nunique()


def read_told(
    codings: pd.DataFrame,
    documents: pd.DataFrame,
    waves: Iterable[Any] | None = None,
    codes: Iterable[str] | None = None,
) -> Told:
    """Join the codings of all coders into passages and say whose words they are.

    Raises
    ------
    CodingError
        For a missing column, a document that is not in `documents` or is
        there twice, a participant with two perspectives, or a wave or code
        that is not among those given.
    """
    check_columns(documents, ABOUT, "documents")
    about = documents[list(ABOUT)].reset_index(drop=True)
    if about["document"].duplicated().any():
        twice = about["document"][about["document"].duplicated()].unique()
        raise CodingError(f"documents holds {listed(twice)} twice; a document has one row")
    held = about.groupby("participant")["perspective"].nunique()
    if (held > 1).any():
        raise CodingError(
            f"participant {held.index[held > 1][0]!r} has two perspectives; "
            "a participant speaks from one"
        )
    order: list[Any] = list(pd.unique(about["wave"])) if waves is None else list(waves)
    numbered(documents, "wave", pd.Index(order), "documents")
    passages = joined(codings, about["document"])
    used = sorted(passages["code"].unique()) if codes is None else list(codes)
    numbered(passages, "code", pd.Index(used), "codings")
    return Told(
        passages=passages.merge(about, on="document", how="left"), documents=about, codes=used,
        waves=sorted(order) if waves is None else order,
    )  # fmt: skip


def joined(codings: pd.DataFrame, documents: Iterable[str] | None = None) -> pd.DataFrame:
    """Return passages (document, code, start, end); marks that overlap are one."""
    check_columns(codings, ("document", "code", "start", "end"), "codings")
    names = pd.Index(pd.unique(codings["document"] if documents is None else pd.Series(documents)))
    numbered(codings, "document", names, "codings")
    end = pd.Series(whole(codings, "end", "codings"))
    far = end.groupby(codings["document"].to_numpy()).max().reindex(names, fill_value=0)
    found = read_codings(codings.assign(coder=""), far)
    columns = {
        "document": found.documents[found.document], "code": found.codes[found.code],
        "start": found.start, "end": found.end,
    }  # fmt: skip
    return pd.DataFrame(columns)


def wilson(
    count: npt.NDArray[np.float64], n: npt.NDArray[np.float64], conf_level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return Wilson's interval for a share of people; NaN where nobody was heard.

    References
    ----------
    Wilson, E. B. (1927). doi:10.1080/01621459.1927.10502953
    """
    if not 0 < conf_level < 1:
        raise ExpertiseError(f"conf_level is {conf_level!r}; it lies between 0 and 1, such as 0.95")
    z = stats.norm.isf((1 - conf_level) / 2)
    people = np.where(n > 0, n, np.nan)
    share = count / people
    middle = (share + z**2 / (2 * people)) / (1 + z**2 / people)
    half = z / (1 + z**2 / people) * np.sqrt(share * (1 - share) / people + z**2 / (4 * people**2))
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def percent(share: float, lang: str) -> str:
    """Write a share as a whole percentage, an en dash when it is not known."""
    return f"{number(100 * share, 0, lang)}%" if share == share else "–"


def slot_of(perspective: str, slots: Mapping[str, int] | None) -> int | None:
    """Return the colour slot of a perspective, or None for a neutral one."""
    return (SLOTS if slots is None else slots).get(perspective)


def in_order(perspectives: Iterable[str], slots: Mapping[str, int] | None) -> list[str]:
    """Return perspectives by colour slot, then by name."""
    return sorted(set(perspectives), key=lambda each: (slot_of(each, slots) or 9, each))
