"""The plain text for patients and naasten: written by people, with numbers that stay right."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from importlib.resources import files
from pathlib import Path

import jinja2
import mistune

from expertise.errors import StudyError, nearest
from expertise.figures import StoryAxes, figure_html
from expertise.files.safe import write_atomically
from expertise.files.settings import read_settings
from expertise.reporting.action import attendance_block, cycles_block, recognised_block
from expertise.reporting.findings import Findings
from expertise.reporting.measured import phases_block
from expertise.study import Study
from expertise.words import say

FILES = {"nl": "samenvatting.nl.md", "en": "summary.en.md"}
PLACE = re.compile(r"\{\{\s*(.*?)\s*\}\}")
FIGURE = "figure."
# Private characters stand for what must come through markdown untouched.
_HERE, _THERE, _OPEN, _CLOSE = "\ue000", "\ue001", "\ue002", "\ue003"
_TOKEN = re.compile(f"{_HERE}(\\d+){_THERE}")
# Where a sentence ends: after its point, at a blank line, before the next item, at a cell.
_ENDS = re.compile(
    r"((?<=[.!?])\s+|(?<=[.!?][”’\"'])\s+|\n\s*\n|\n(?=\s*(?:[-*+>]|#+|\d+[.)])\s)|\s*\|\s*)"
)
_LEAD = re.compile(r"\s*(?:(?:[-*+>]|#+|\d+[.)])\s+)*")


MARKDOWN = mistune.create_markdown(escape=True, plugins=["table"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who read the text, which text that was, and the numbers that stood in it."""

    by: str
    sha256: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """The summary as it can be shown.

    Attributes
    ----------
    body : str
        HTML of the text.
    title : str
        Its first heading.
    used : dict
        Names of numbers in the text → how they read now.
    changed : tuple of str
        Names whose number is not the one that was approved; their sentences
        are marked. All names, while nobody approved anything.
    marked : int
        How many sentences are marked.
    by : str
        Who approved it; empty for a draft.
    edited : bool
        Whether the text itself changed since it was approved.
    """

    body: str
    title: str
    used: dict[str, str]
    changed: tuple[str, ...]
    marked: int
    by: str
    edited: bool


def text_path(study: Study) -> Path:
    """Return where the text of a study's summary lies."""
    return study.folder / FILES[study.lang]


def approval_path(study: Study) -> Path:
    """Return where the numbers lie that people approved with the text."""
    return text_path(study).with_suffix(".json")


def draft_summary(found: Findings, names: Iterable[str], figures: Iterable[str]) -> str:
    """Return a first text for a study, with names in the place of numbers."""
    study = found.study
    environment = jinja2.Environment(
        block_start_string="<%", block_end_string="%>", variable_start_string="<<",
        variable_end_string=">>", comment_start_string="<#", comment_end_string="#>",
        trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined, autoescape=False,
    )  # fmt: skip
    source = files(__package__) / "templates" / f"summary.{study.lang}.md"
    cycles = found.cycles.cycles if found.cycles else ()
    return environment.from_string(source.read_text("utf-8")).render(
        it=study.settings,
        roles={name: role.plural(study.lang) for name, role in study.settings.perspectives.items()},
        effect=found.model.effect.text(study.lang) if found.model and found.model.effect else "",
        acts=tuple(dict.fromkeys(one.act for one in cycles)),
        learned=tuple(dict.fromkeys(one.learned for one in cycles)),
        open=tuple(dict.fromkeys(one.disagreement for one in cycles if one.disagreement)),
        themes=found.cycles.themes if found.cycles else {},
        names=set(names),
        figures=set(figures),
    )  # fmt: skip


def write_draft(study: Study, text: str) -> bool:
    """Write the first text of a study's summary; one that is there is never touched."""
    path = text_path(study)
    if path.exists():
        return False
    write_atomically(path, text)
    return True


def named_pictures(found: Findings) -> dict[str, StoryAxes]:
    """Return the figures that a summary may show, by name."""
    drawn = {
        "levels": found.levels.plot() if len(found.levels.cells) else None,
        "phases": phases_block(found).picture,
        "cycles": cycles_block(found).picture,
        "attendance": attendance_block(found).picture,
        "recognised": recognised_block(found).picture,
    }
    return {f"{FIGURE}{name}": one for name, one in drawn.items() if one is not None}


def fill_summary(
    study: Study, numbers: Mapping[str, str], pictures: Mapping[str, StoryAxes]
) -> Plain:
    """Put numbers and figures into the text of a study's summary.

    Parameters
    ----------
    study : Study
        Its text lies beside its study.toml.
    numbers : mapping
        Name → text, as `named_numbers` gives them.
    pictures : mapping
        Name → figure; each stands on a line of its own in the text.

    Returns
    -------
    Plain
        Sentences in which a number differs from what was approved are marked,
        with the old number beside the new one.

    Raises
    ------
    StudyError
        The text names a number that there is not, puts a figure inside a
        sentence, or its approval cannot be read.
    """
    path = text_path(study)
    text = path.read_text("utf-8")
    _check(path.name, text, {*numbers, *pictures})
    approval = _approval(study)
    names = list(dict.fromkeys(PLACE.findall(text)))
    used = {name: numbers[name] for name in names if name in numbers}
    changed = tuple(name for name in used if approval.values.get(name) != used[name])
    tokens = {name: f"{_HERE}{place}{_THERE}" for place, name in enumerate(names)}
    held = PLACE.sub(lambda found: tokens[found[1]], text)
    marked = _marked(held, [tokens[name] for name in changed] if approval.by else [])
    html = str(MARKDOWN(marked))

    def written(found: re.Match[str]) -> str:
        name = names[int(found[1])]
        if not approval.by or name not in changed:
            return escape(used[name])
        old = approval.values.get(name)
        key, lang = "was_new" if old is None else "was", study.lang
        return (
            f"{escape(used[name])} <small>{escape(say(f'reporting.{key}', lang, was=old))}</small>"
        )

    # A wide table scrolls in its own box, which the keyboard can reach.
    html = html.replace("<table>", '<div class="table" tabindex="0"><table>')
    html = html.replace("</table>", "</table></div>")
    html = _with_pictures(html, names, pictures)
    html = _TOKEN.sub(written, html).replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")
    title = re.search(r"^#\s+(.*)$", text, re.M)
    return Plain(
        body=html,
        title=title[1] if title else study.settings.title,
        used=used,
        changed=changed,
        marked=marked.count(_OPEN),
        by=approval.by,
        edited=bool(approval.by) and approval.sha256 != _digest(text),
    )


def approve_summary(study: Study, plain: Plain, by: str) -> Path:
    """Keep the numbers that people read with the text, and who they are.

    Raises
    ------
    StudyError
        Nobody is named.
    """
    if not by.strip():
        raise StudyError("an approval needs to say by whom; name the group that read the text")
    text = text_path(study).read_text("utf-8")
    about = {"by": by.strip(), "sha256": _digest(text), "values": plain.used}
    written = json.dumps(about, indent=1, ensure_ascii=False) + "\n"
    return write_atomically(approval_path(study), written)


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()


def _approval(study: Study) -> Approval:
    path = approval_path(study)
    if not path.is_file():
        return Approval(by="", sha256="", values={})
    try:
        tree = json.loads(path.read_text("utf-8"))
    except ValueError:
        tree = {}
    found, faults = read_settings(Approval, tree)
    if found is None:
        raise StudyError(
            f"{path.name} is no approval ({faults[0]}); delete it and approve the text again with: "
            f'expertise report {study.name} --approve "who read it"'
        )
    return found


def _check(file: str, text: str, known: set[str]) -> None:
    for line, words in enumerate(text.splitlines(), 1):
        for name in PLACE.findall(words):
            if name not in known:
                raise StudyError(
                    f"{file}, line {line}: there is no number {name!r}{nearest(name, known)}; "
                    "every name stands in numbers.csv beside the report"
                )
            if name.startswith(FIGURE) and PLACE.sub("", words).strip():
                raise StudyError(
                    f"{file}, line {line}: {name!r} is a figure; put it on a line of its own"
                )


def _marked(held: str, tokens: Sequence[str]) -> str:
    """Put private characters around each sentence that holds a changed number."""
    pieces = _ENDS.split(held)
    for place, piece in enumerate(pieces):
        if any(token in piece for token in tokens):
            lead = _LEAD.match(piece)
            assert lead is not None
            pieces[place] = f"{lead[0]}{_OPEN}{piece[lead.end() :]}{_CLOSE}"
    return "".join(pieces)


def _with_pictures(html: str, names: Sequence[str], pictures: Mapping[str, StoryAxes]) -> str:
    """Put figures in the place of paragraphs that hold nothing else, side by side if several."""

    def shown(found: re.Match[str]) -> str:
        held = [names[int(place)] for place in _TOKEN.findall(found[1])]
        if not all(name in pictures for name in held):
            return found[0]
        drawn = "".join(figure_html(pictures[name], small=True) for name in held)
        return f'<div class="pictures">{drawn}</div>'

    return re.sub(rf"<p>((?:{_TOKEN.pattern}\s*)+)</p>", shown, html)
