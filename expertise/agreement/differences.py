"""The passages that some coders marked and others, who read them too, did not."""

import numpy as np
import pandas as pd

from expertise.agreement.codings import Codings
from expertise.agreement.coefficient import Array

COLUMNS = (
    "document", "start", "end", "code", "marked_by", "not_marked_by", "perspectives_marked",
    "perspectives_not",
)  # fmt: skip


def differing_passages(found: Codings, held: list[str]) -> pd.DataFrame:
    """Return each stretch of text over which the same coders differ in the same way.

    `held` is the perspective of each coder, in the order of `found.coders`.
    Coders who had not finished a document are left out of its rows.
    """
    edge, marks = _stretches(found)
    far = found.lengths.max(initial=0) + 1
    place, start = np.divmod(edge[:-1], far)
    end = edge[1:] - place * far
    document, code = np.divmod(place, max(len(found.codes), 1))
    without = found.finished[document] & ~marks[:-1]
    keep = marks[:-1].any(1) & without.any(1)
    names = found.coders.to_numpy()

    def row(at: np.intp) -> tuple[object, ...]:
        yes, no = marks[at], without[at]
        coders = tuple(names[yes]), tuple(names[no])
        views = (tuple(sorted({held[i] for i in np.flatnonzero(who)})) for who in (yes, no))
        text = found.documents[document[at]], int(start[at]), int(end[at]), found.codes[code[at]]
        return (*text, *coders, *views)

    rows = pd.DataFrame([row(at) for at in np.flatnonzero(keep)], columns=list(COLUMNS))
    return rows.sort_values(["document", "start", "end", "code"], ignore_index=True)


def _stretches(found: Codings) -> tuple[Array, Array]:
    """Return edges on the long line, (E,), and who marks what follows each of them, (E, m)."""
    edges = np.concatenate([found.line + found.start, found.line + found.end])
    order = np.argsort(edges, kind="stable")
    change = np.zeros((len(edges), len(found.coders)), dtype=np.int8)
    rows = np.arange(len(edges))
    change[rows, np.tile(found.coder, 2)] = np.repeat([1, -1], len(found.coder))
    edges, marks = edges[order], change[order].cumsum(0) > 0
    last = np.append(edges[1:] != edges[:-1], [True])[: len(edges)]
    edges, marks = edges[last], marks[last]
    # Touching passages of one coder meet in an edge where nothing changes.
    fresh = np.append([True], (marks[1:] != marks[:-1]).any(1))[: len(edges)]
    return edges[fresh], marks[fresh]
