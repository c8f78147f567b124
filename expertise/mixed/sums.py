"""A linear mixed model's sums as a thing of their own: formed in chunks, added, saved, fitted.

Reference: Luo, Duan, Sheils et al. (2022), doi:10.1038/s41467-022-29160-4.
"""

import io
import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from expertise.errors import DesignError, FileError
from expertise.mixed.columns import Array
from expertise.mixed.compress import Groups, compressed, equal_rows

SCHEMA = 1
_ARRAYS = ("grams", "counts", "pattern", "V", "weight", "cross", "X", "shift", "Z")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedSums:
    """All that a gaussian model with independent residuals needs of its rows.

    `formula` and `levels` say what was summed, `n` rows of `people` levels
    of the grouping; `dropped` rows were left out. `grams` (patterns, m, m)
    with `counts`, and for each pseudo-group its `pattern`, V (m, groups,
    d + w) and `weight` are as in `Groups`; `cross` (d + w, d + w) the
    cross-products of the crossed memberships, X and y. All are formed of
    shifted columns: X* = X @ X, Z* = Z @ Z, y* = y − X* @ shift.

    A pattern that one person alone has holds that person's own sums:
    look at `smallest` before sums leave an institution.
    """

    formula: str
    levels: dict[str, tuple[Any, ...]]
    n: int
    people: int
    dropped: int
    grams: Array
    counts: Array
    pattern: Any
    V: Array
    weight: Array
    cross: Array
    X: Array
    shift: Array
    Z: Array

    @property
    def smallest(self) -> int:
        """People in the rarest pattern of rows."""
        return int(self.counts.min())

    @property
    def p(self) -> int:
        """Number of fixed columns."""
        return len(self.shift)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the sums to a file (numpy's npz, no code in it), whole or not at all."""
        path = Path(path)
        head = {name: value for name, value in asdict(self).items() if name not in _ARRAYS}
        text = json.dumps({"schema": SCHEMA, **head}, ensure_ascii=False)
        part = path.with_name(f".{path.name}.part")
        with part.open("wb") as file:
            np.savez_compressed(
                file, head=np.array(text), **{name: getattr(self, name) for name in _ARRAYS}
            )
        part.replace(path)
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "MixedSums":
        """Read sums that `save` wrote.

        Raises
        ------
        FileError
            For a file that holds no sums, or those of another schema.
        """
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
                head = json.loads(str(file["head"]))
                arrays = {name: file[name] for name in _ARRAYS}
        except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise FileError(
                f"{path} holds no sums of a mixed model ({type(error).__name__}); "
                "give a file that MixedSums.save wrote"
            ) from None
        if head.pop("schema", None) != SCHEMA:
            raise FileError(
                f"{path} was written in another schema than {SCHEMA}; sum the rows anew"
            )
        head["levels"] = {name: tuple(values) for name, values in head["levels"].items()}
        return cls(**head, **arrays)

    @staticmethod
    def total(parts: Iterable["MixedSums"]) -> "MixedSums":
        """Add the sums of different people, as one table would give them.

        Raises
        ------
        DesignError
            For sums of unlike formulas or levels, or none.
        """
        every = list(parts)
        if not every:
            raise DesignError("there are no sums to add")
        first = every[0]
        for other in every[1:]:
            if (other.formula, other.levels) != (first.formula, first.levels):
                raise DesignError(
                    f"sums of {other.formula!r} cannot be added to sums of {first.formula!r}: "
                    "formula and levels must be the same"
                )
        alike = [first, *(_in_columns_of(other, first) for other in every[1:])]
        return merged(alike)


def _in_columns_of(sums: MixedSums, other: MixedSums) -> MixedSums:
    """Return the same sums in the shifted columns of another."""
    across = np.linalg.solve(sums.X, other.X)
    p, columns = sums.p, sums.V.shape[2]
    d = columns - p - 1
    turn = np.eye(columns)
    turn[d : d + p, d : d + p] = across
    turn[d : d + p, -1] = sums.shift - across @ other.shift
    turn_z = np.linalg.solve(sums.Z, other.Z)
    return replace(
        sums,
        grams=turn_z.T @ sums.grams @ turn_z,
        V=np.einsum("ab,agc->bgc", turn_z, sums.V @ turn),
        cross=turn.T @ sums.cross @ turn,
        X=other.X, shift=other.shift, Z=other.Z,
    )  # fmt: skip


def merged(parts: Sequence[MixedSums]) -> MixedSums:
    """Add sums in the same columns: like patterns become one, pseudo-groups are compressed."""
    first = parts[0]
    grams = np.concatenate([part.grams for part in parts])
    code, at = equal_rows(grams.reshape(len(grams), -1))
    starts = np.cumsum([0, *(len(part.grams) for part in parts)])[:-1]
    groups = compressed(
        Groups(
            grams=grams[at],
            counts=np.bincount(code, np.concatenate([part.counts for part in parts])).astype(
                np.float64
            ),
            pattern=np.concatenate(
                [code[start + part.pattern] for start, part in zip(starts, parts, strict=True)]
            ),
            V=np.concatenate([part.V for part in parts], axis=1),
            B=None,
            weight=np.concatenate([part.weight for part in parts]),
        ),
        first.p + 1,
        worth=1.0,
    )
    return replace(
        first,
        n=sum(part.n for part in parts),
        people=sum(part.people for part in parts),
        dropped=sum(part.dropped for part in parts),
        grams=groups.grams, counts=groups.counts, pattern=groups.pattern, V=groups.V,
        weight=groups.weight, cross=np.sum([part.cross for part in parts], axis=0),
    )  # fmt: skip
