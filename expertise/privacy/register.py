"""Earlier releases, so that the difference between two shows nobody."""

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expertise.errors import FileError, PrivacyError, listed
from expertise.files.keys import keyed
from expertise.files.safe import write_atomically


@dataclass(frozen=True, slots=True, eq=False)
class Register:
    """Who was in each cell that was ever shown, as keyed digests.

    `cells` has a dict a cell: release, table, measure, labels, people.
    """

    path: Path | None
    key: bytes
    release: int
    cells: list[dict[str, Any]]
    people: list[frozenset[str]] = field(default_factory=list)

    def add(
        self,
        table: str,
        measure: tuple[str, ...],
        labels: tuple[str, ...],
        people: Iterable[Hashable],
        minimum: int,
    ) -> None:
        """Add a shown cell, or refuse it when few people tell it from an earlier one.

        Raises
        ------
        PrivacyError
            One of the two cells holds the other, and fewer people than the
            minimum (but someone) are in the difference.
        """
        new = frozenset(keyed(self.key, str(one)) for one in people)
        for earlier, old in zip(self.cells, self.people, strict=True):
            apart = len(new ^ old)
            nested = new <= old or old <= new
            if earlier["measure"] == list(measure) and nested and 0 < apart < minimum:
                raise PrivacyError(
                    f"table {table!r}, cell {listed(labels)}: fewer than {minimum} people "
                    f"tell it from cell {listed(earlier['labels'])} of table "
                    f"{earlier['table']!r} in release {earlier['release']}, so the difference "
                    "shows them; release the same people as then, or larger groups"
                )
        self.cells.append(
            {"release": self.release, "table": table, "measure": list(measure),
             "labels": list(labels), "people": sorted(new)}
        )  # fmt: skip
        self.people.append(new)

    def save(self) -> None:
        """Write the register, when it has a file."""
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, json.dumps({"schema": 1, "cells": self.cells}) + "\n")


def read_register(path: str | Path | None, key: bytes | None) -> Register:
    """Open a register, or begin one; without a path it only serves this release."""
    if path is None:
        return Register(None, key or b"one release only", 1, [])
    if key is None:
        raise PrivacyError(
            "a register of releases needs a key, so that it holds no readable ids; "
            "give the key that lies outside the project"
        )
    path = Path(path)
    if not path.is_file():
        return Register(path, key, 1, [])
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        people = [frozenset(cell["people"]) for cell in cells]
        release = 1 + max((cell["release"] for cell in cells), default=0)
    except (ValueError, KeyError, TypeError):
        raise FileError(f"{path.name} is no register of releases; restore it") from None
    return Register(path, key, release, cells, people)
