"""Codings checked and sorted: who marked which passage with which code, and who read what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from expertise.agreement.coefficient import Array
from expertise.errors import CodingError, listed, nearest
from expertise.words import Note, note

COLUMNS = ("document", "coder", "code", "start", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Codings:
    """Passages by coder, document, code and start; those of one coder and code are apart.

    Attributes
    ----------
    documents, coders, codes : Index
        Names, sorted.
    lengths : (D,) int array
        Length of each document in code points.
    finished : (D, m) bool array
        Who finished which document; what is not finished is missing.
    document, coder, code, start, end : (U,) int array
        One passage each, numbered by the indexes above, end exclusive.
    """

    documents: pd.Index
    coders: pd.Index
    codes: pd.Index
    lengths: Array
    finished: Array
    document: Array
    coder: Array
    code: Array
    start: Array
    end: Array
    notes: tuple[Note, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of documents and codes."""
        return len(self.documents), len(self.codes)

    @property
    def length(self) -> Array:
        """Length of each passage, (U,)."""
        return np.asarray(self.end - self.start)

    @property
    def line(self) -> Array:
        """Where the text of each passage's document and code begins on one long line, (U,)."""
        place = self.document * len(self.codes) + self.code
        return np.asarray(place * (self.lengths.max(initial=0) + 1))

    def where(self, keep: Array) -> "Codings":
        """Return only the passages for which `keep` holds."""
        names = ("document", "coder", "code", "start", "end")
        return replace(self, **{name: getattr(self, name)[keep] for name in names})

    def within(self, documents: Array) -> "Codings":
        """Treat all documents but those for which `documents`, (D,), holds as unread."""
        kept = self.where(documents[self.document])
        return replace(kept, finished=self.finished & documents[:, None])

    def add_up(self, weights: Array, document: Array, code: Array) -> Array:
        """Return sums of `weights` by document and code, (D, C)."""
        d, c = self.shape
        return np.bincount(document * c + code, weights, minlength=d * c).reshape(d, c)


def read_codings(
    codings: pd.DataFrame,
    lengths: Mapping[str, int] | pd.Series,
    finished: pd.DataFrame | None = None,
) -> Codings:
    """Check a table of codings against the documents and put it in order.

    Raises
    ------
    CodingError
        For a missing column or value, a position that is not a whole number,
        a passage that is empty, reversed or past the end, or a document
        without a length.
    """
    check_columns(codings, COLUMNS, "codings")
    size = _sizes(lengths)
    if not size.index.is_unique:
        raise CodingError(
            f"a document has two lengths: {listed(size.index[size.index.duplicated()])}"
        )
    start, end = whole(codings, "start", "codings"), whole(codings, "end", "codings")
    document = numbered(codings, "document", size.index, "codings")
    check_spans(codings, "codings", start, end, size.to_numpy()[document])
    if finished is None:
        coders = pd.Index(codings["coder"].unique()).sort_values()
        read, said = np.ones((len(size), len(coders)), dtype=bool), [note("agreement.read_all")]
    else:
        check_columns(finished, ("document", "coder"), "finished")
        coders = pd.Index(finished["coder"].unique()).sort_values()
        read, said = np.zeros((len(size), len(coders)), dtype=bool), []
        rows = numbered(finished, "document", size.index, "finished")
        read[rows, coders.get_indexer(finished["coder"])] = True
    codes = pd.Index(codings["code"].unique()).sort_values()
    found = Codings(
        documents=size.index, coders=coders, codes=codes, lengths=size.to_numpy(), finished=read,
        document=document, coder=coders.get_indexer(codings["coder"]),
        code=codes.get_indexer(codings["code"]), start=start, end=end, notes=(),
    )  # fmt: skip
    done = found.coder >= 0
    done[done] = read[document[done], found.coder[done]]
    if not done.all():
        said.append(note("agreement.unfinished", n=int((~done).sum())))
    joined = _joined(found.where(done))
    if lost := int(done.sum()) - len(joined.start):
        said.append(note("agreement.joined", n=lost))
    return replace(joined, notes=tuple(said))


def _sizes(lengths: Mapping[str, int] | pd.Series) -> pd.Series:
    size = pd.to_numeric(pd.Series(lengths, dtype=object), errors="coerce").sort_index()
    wrong = ~(size >= 0) | (size % 1 != 0)
    if wrong.any():
        raise CodingError(
            f"document {size.index[wrong][0]!r} has length {size[wrong].iloc[0]}; "
            "a length is a whole number of code points"
        )
    return size.astype("int64")


def _joined(found: Codings) -> Codings:
    """Sort, and join passages that one coder marked twice with one code: characters count once."""
    group = (found.coder * len(found.documents) + found.document) * len(found.codes) + found.code
    far = found.lengths.max(initial=0) + 1
    order = np.argsort(group * far + found.start, kind="stable")
    found, group = found.where(order), group[order]
    reach = np.maximum.accumulate(group * far + found.end)
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = (group * far + found.start)[1:] >= reach[:-1]
    if fresh.all():
        return found
    last = np.append(np.flatnonzero(fresh)[1:], len(order)) - 1
    return replace(found.where(fresh), end=(reach - group * far)[last])


def check_columns(table: pd.DataFrame, needed: tuple[str, ...], name: str) -> None:
    """Refuse a table that lacks a column, or a value in one of these columns."""
    lacking = [column for column in needed if column not in table.columns]
    if lacking:
        raise CodingError(
            f"{name} has no column {lacking[0]!r}; it needs {listed(needed)}, and has "
            f"{listed(table.columns)}{nearest(lacking[0], table.columns)}"
        )
    for column in needed:
        if table[column].isna().any():
            row = table.index[int(table[column].isna().to_numpy().argmax())]
            raise CodingError(f"{name}, row {row}: {column} is missing; every row needs one")


def whole(table: pd.DataFrame, column: str, name: str) -> Array:
    """Return a column of positions as whole numbers."""
    values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=float)
    wrong = ~np.isfinite(values) | (values != np.floor(values))
    if wrong.any():
        row = int(wrong.argmax())
        raise CodingError(
            f"{name}, row {table.index[row]}: {column} is {table[column].iloc[row]!r}; "
            "positions are whole numbers of code points"
        )
    return np.asarray(values.astype(np.int64))


def numbered(table: pd.DataFrame, column: str, known: pd.Index, name: str) -> Array:
    """Return the place of each value of a column among the known ones."""
    codes, seen = pd.factorize(table[column])
    place = np.append(known.get_indexer(pd.Index(seen)), -1)[codes]
    if (place < 0).any():
        row = int((place < 0).argmax())
        value = table[column].iloc[row]
        raise CodingError(
            f"{name}, row {table.index[row]}: unknown {column} {value!r}; "
            f"there are {listed(known)}{nearest(value, known)}"
        )
    return np.asarray(place)


def check_spans(table: pd.DataFrame, name: str, start: Array, end: Array, length: Array) -> None:
    """Refuse passages that are empty, reversed, or outside their document."""
    wrong = (start < 0) | (end <= start) | (end > length)
    if wrong.any():
        row = int(wrong.argmax())
        raise CodingError(
            f"{name}, row {table.index[row]}: passage {start[row]} to {end[row]}; a passage "
            f"begins at 0 or later, ends after it begins, and by {length[row]}, the length of "
            "its document"
        )


def meet(
    units: pd.DataFrame, name: str, documents: pd.Index, passages: tuple[Array, Array, Array]
) -> tuple[Array, Array, Array]:
    """Return the document of each unit, and every unit and passage that share a character.

    Units are put in order of the text. `passages` holds document (as a
    place in `documents`), start and end of each passage.

    Raises
    ------
    CodingError
        For units that are empty or overlap.
    """
    check_columns(units, ("document", "start", "end"), name)
    document = numbered(units, "document", documents, name)
    start, end = whole(units, "start", name), whole(units, "end", name)
    check_spans(units, name, start, end, end)
    far = max(end.max(initial=0), passages[2].max(initial=0)) + 1
    order = np.argsort(document * far + start, kind="stable")
    first, last = (document * far + start)[order], (document * far + end)[order]
    if (first[1:] < last[:-1]).any():
        row = units.index[order[1:][first[1:] < last[:-1]][0]]
        raise CodingError(f"{name}, row {row}: overlaps another row; {name} lie side by side")
    line = passages[0] * far
    low = np.searchsorted(last, line + passages[1], side="right")
    met = np.maximum(np.searchsorted(first, line + passages[2], side="left") - low, 0)
    unit = low.repeat(met) + np.arange(met.sum()) - (met.cumsum() - met).repeat(met)
    return document[order], unit, np.arange(len(line)).repeat(met)
