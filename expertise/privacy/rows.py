"""Cuts rows and entries out of files, and leaves every other byte as it was."""

import csv
import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from pathlib import Path

from expertise.files.safe import write_atomically

SHORTEST = 32  # characters of a passage that is looked for in other files


def cut_rows(path: Path, wanted: Mapping[str, Set[str]]) -> int:
    """Delete the rows of a CSV in which a column holds one of the wanted values.

    Parameters
    ----------
    path : Path
        The file; its other bytes stay.
    wanted : mapping
        By column, the values whose rows go.

    Returns
    -------
    int
        How many rows were cut; with none the file is not written.
    """
    records = list(_records(path.read_bytes()))
    if not records:
        return 0
    head = records[0].decode("utf-8-sig", errors="replace")
    delimiter = max(",;\t", key=head.count)
    names = next(csv.reader([head], delimiter=delimiter))
    places = [(names.index(name), values) for name, values in wanted.items() if name in names]
    kept = [records[0]]
    for record in records[1:]:
        lines = record.decode("utf-8", errors="replace").splitlines(keepends=True)
        cells = next(csv.reader(lines, delimiter=delimiter), [])
        if not any(place < len(cells) and cells[place] in values for place, values in places):
            kept.append(record)
    if len(kept) < len(records):
        write_atomically(path, b"".join(kept))
    return len(records) - len(kept)


def _records(content: bytes) -> Iterator[bytes]:
    """Yield the rows of a CSV as bytes; a quoted cell may hold line breaks."""
    parts: list[bytes] = []
    for line in content.splitlines(keepends=True):
        parts.append(line)
        # An even number of quotes: no cell is left open.
        if sum(part.count(b'"') for part in parts) % 2 == 0:
            yield b"".join(parts)
            parts = []
    if parts:
        yield b"".join(parts)


def cut_entries(path: Path, table: str, ids: Set[str]) -> int:
    """Delete the ``[[table]]`` entries with these ids from a TOML file; return how many.

    An entry runs from its head to the next head; comments in between go with it.
    """
    return _edit(path, table, ids, lambda _: "")


def hide_entries(path: Path, table: str, ids: Set[str], why: str) -> int:
    """Write ``hidden`` with the reason under the head of these entries; return how many.

    An entry that is hidden already stays as it is.
    """
    line = f"hidden = {json.dumps(why, ensure_ascii=False)}\n"

    def hide(part: str) -> str:
        head, _, rest = part.partition("\n")
        return part if "hidden" in tomllib.loads(part)[table][0] else f"{head}\n{line}{rest}"

    return _edit(path, table, ids, hide)


def show_entries(path: Path, table: str, ids: Set[str]) -> int:
    """Take ``hidden`` out of these entries; return how many had it."""

    def show(part: str) -> str:
        lines = part.splitlines(keepends=True)
        return "".join(line for line in lines if not line.startswith("hidden = "))

    return _edit(path, table, ids, show)


def _edit(path: Path, table: str, ids: Set[str], change: Callable[[str], str]) -> int:
    parts, current = [], ""
    for line in path.read_text("utf-8").splitlines(keepends=True):
        if line.startswith("[") and current:
            parts.append(current)
            current = ""
        current += line
    parts.append(current)
    new = [change(part) if _is_entry(part, table, ids) else part for part in parts]
    changed = sum(a != b for a, b in zip(parts, new, strict=True))
    if changed:
        write_atomically(path, "".join(new))
    return changed


def _is_entry(part: str, table: str, ids: Set[str]) -> bool:
    if not part.startswith(f"[[{table}]]"):
        return False
    return tomllib.loads(part)[table][0].get("id") in ids


def words_in(paths: Iterable[Path]) -> list[bytes]:
    """Return passages by which texts are recognised in other files: their longer lines."""
    out = []
    for path in paths:
        if path.is_file():
            lines = path.read_text("utf-8").splitlines()
            long = [line.strip() for line in lines if len(line.strip()) >= SHORTEST]
            # The start of each line: an export may break lines later.
            out += [line[:SHORTEST].encode("utf-8") for line in long]
    return out
