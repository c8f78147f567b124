"""A part of a report: paragraphs, tables and a picture, the same in text and in HTML."""

from dataclasses import dataclass
from html import escape

import pandas as pd

from expertise.figures import StoryAxes, figure_html
from expertise.result import notes_html, table_html
from expertise.words import Note


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Block:
    """What one cell of a report shows.

    Attributes
    ----------
    paragraphs : tuple of str
        Sentences, generated from results.
    tables : tuple of (caption, DataFrame)
        Tables with their words already in the report's language.
    picture : StoryAxes or None
        A figure with alt text and the table behind it.
    notes : tuple of Note
        What the reader must know.
    lead : str
        What the reader must know before reading on.
    kind : str
        Class of the block on the page: `answer`, `lead` or none.
    fold : str
        When given, tables and notes fold away under these words.
    lang : str
        Language of the notes.
    items : bool
        Whether the paragraphs are a list.
    """

    paragraphs: tuple[str, ...] = ()
    tables: tuple[tuple[str, pd.DataFrame], ...] = ()
    picture: StoryAxes | None = None
    notes: tuple[Note, ...] = ()
    lead: str = ""
    kind: str = ""
    fold: str = ""
    lang: str = "nl"
    items: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.paragraphs or self.tables or self.picture is not None)

    def __repr__(self) -> str:
        parts = [self.lead] * bool(self.lead) + list(self.paragraphs)
        parts += [f"{caption}\n{table.to_string(index=False)}" for caption, table in self.tables]
        parts += [repr(self.picture)] if self.picture is not None else []
        parts += [f"- {note.text(self.lang)}" for note in self.notes]
        return "\n\n".join(parts)

    def _repr_html_(self) -> str:
        tag = "li" if self.items else "p"
        words = "".join(f"<{tag}>{escape(text)}</{tag}>" for text in self.paragraphs)
        words = f"<ul>{words}</ul>" if self.items else words
        if self.kind:
            words = f'<div class="{self.kind}">{words}</div>'
        picture = figure_html(self.picture) if self.picture is not None else ""
        tables = "".join(table_html(table, caption) for caption, table in self.tables)
        before = f'<p class="content-note">{escape(self.lead)}</p>' if self.lead else ""
        rest = tables + notes_html(self.notes, self.lang)
        if self.fold:
            rest = f"<details><summary>{escape(self.fold)}</summary>{rest}</details>"
        return before + words + picture + rest


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Blocks:
    """Several parts that one cell of a report shows below each other."""

    parts: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return any(self.parts)

    def __repr__(self) -> str:
        return "\n\n".join(repr(part) for part in self.parts)

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Perspectives:
    """Perspectives side by side, a part a question, in the order in which to read them.

    All parts are empty in a study without [triads]; a part that these data
    do not allow says so in one sentence.

    Attributes
    ----------
    asked, question : Blocks
        Who was asked and who could not be; whether items ask all the same.
    agreement, together, dependability : Blocks
        How far apart answers lie, what all know together, how dependable means are.
    closer, paths, outcome : Blocks
        Whether pairs grow closer, whose earlier answer goes with whose later
        one, and what each adds in explaining an outcome.
    """

    asked: Blocks
    question: Blocks
    agreement: Blocks
    together: Blocks
    dependability: Blocks
    closer: Blocks
    paths: Blocks
    outcome: Blocks

    @property
    def parts(self) -> dict[str, Blocks]:
        """The parts by name."""
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return "\n\n".join(repr(part) for part in self.parts.values())

    def _repr_html_(self) -> str:
        return "".join(part._repr_html_() for part in self.parts.values())
