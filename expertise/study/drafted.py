"""Guesses what the columns of a data file are, and writes a commented study.toml from them."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from expertise.files.guess import named_as_id
from expertise.files.tables import TableFile

WAVE_NAME = re.compile(r"(?i)^(wave|golf|meting|meetmoment|moment|tijdstip|tijd|time|visit|t)$")
ROLE_NAME = re.compile(r"(?i)^(perspective|perspectief|rol|role|informant|respondenttype|wie)$")
NUMBERED = re.compile(r"^(?P<stem>.*?[^\W\d_]|.*?)[_. ]?(?:[tT]|[mM])?[_.]?(?P<number>\d+)$")
FEW = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The answers a draft starts from; a role has its words (nl, nl plural, en, en plural)."""

    title: str
    language: str
    perspectives: Mapping[str, tuple[str, str, str, str]]
    waves: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What the columns of a file seem to be."""

    participant: str
    perspective: str = ""
    wave: str = ""
    shared: bool = False  # whether several roles look at one participant
    measures: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    covariates: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def layout(self) -> str:
        """Long where a column holds the wave or the role, wide otherwise."""
        return "long" if self.wave or self.perspective else "wide"


def guess_columns(file: TableFile, draft: Draft) -> Guess:
    """Guess which column is the participant, role or wave, and which are measures.

    Parameters
    ----------
    file : TableFile
        The data file with its labels.
    draft : Draft
        Roles and waves.

    Returns
    -------
    Guess
        Numbers that end in a wave's place (`phq1`, `phq_t2`) are measures at
        that wave; in a long file every number that varies within people is.
        Everything else becomes a covariate. A guess is for a person to check.
    """
    table = file.table
    participant = next((name for name in table if named_as_id(str(name))), str(table.columns[0]))
    rest = [str(name) for name in table if name != participant]
    wave = next((name for name in rest if WAVE_NAME.match(name)), "")
    perspective = next((name for name in rest if _is_role(file, name, draft)), "")
    rest = [name for name in rest if name not in (wave, perspective)]
    long = bool(wave or perspective)
    measures = _long(table, participant, rest) if long else _wide(table, rest, draft)
    covariates = {
        name: _levels(file, name) for name in rest if name not in measures and _usable(table, name)
    }
    comments = {name: _comment(file, name) for name in rest}
    roles = table.groupby(participant)[perspective].nunique() if perspective else pd.Series(1)
    return Guess(
        participant=participant, perspective=perspective, wave=wave, shared=bool(roles.max() > 1),
        measures=measures, covariates=covariates, comments=comments, labels=file.value_labels,
    )  # fmt: skip


def _is_role(file: TableFile, name: str, draft: Draft) -> bool:
    values = {str(value).casefold() for value in file.table[name].dropna().unique()}
    return bool(ROLE_NAME.match(name)) or (bool(values) and values <= set(draft.perspectives))


def _wide(table: pd.DataFrame, names: Sequence[str], draft: Draft) -> dict[str, tuple[str, str]]:
    """Pair columns that differ in their number only with the waves, in order."""
    stems: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        match = NUMBERED.match(name)
        if match and pd.api.types.is_numeric_dtype(table[name]):
            stems.setdefault(match["stem"], []).append((int(match["number"]), name))
    waves = list(draft.waves)
    return {
        name: (identifier(stem), wave)
        for stem, found in stems.items()
        if 2 <= len(found) <= len(waves)
        for wave, (_, name) in zip(waves, sorted(found), strict=False)
    }


def _long(
    table: pd.DataFrame, participant: str, names: Sequence[str]
) -> dict[str, tuple[str, str]]:
    numeric = [name for name in names if pd.api.types.is_numeric_dtype(table[name])]
    varies = table.groupby(participant)[numeric].nunique().max() > 1
    return {name: (identifier(name), "") for name in numeric if varies[name]}


def _usable(table: pd.DataFrame, name: str) -> bool:
    number = bool(pd.api.types.is_numeric_dtype(table[name]))
    return number or bool(2 <= table[name].nunique() <= FEW)


def _levels(file: TableFile, name: str) -> tuple[str, ...]:
    """Return the levels of a category, or nothing for a number."""
    labelled = file.value_labels.get(name, {})
    if 2 <= len(labelled) <= FEW:
        return tuple(labelled)
    column = file.table[name].dropna()
    if pd.api.types.is_numeric_dtype(column):
        return ()
    return tuple(sorted(map(str, column.unique())))


def _comment(file: TableFile, name: str) -> str:
    label = file.labels.get(name, "")
    values = file.value_labels.get(name, {})
    coded = ", ".join(f"{value} = {text}" for value, text in list(values.items())[:FEW])
    text = "; ".join(part for part in (label, coded) if part)
    return " ".join(text.split())


def identifier(name: str) -> str:
    """Return a name that a formula can hold.

    >>> identifier("PHQ-9 totaal")
    'phq_9_totaal'
    """
    text = re.sub(r"\W+", "_", name).strip("_").lower()
    return text if text and not text[0].isdigit() else f"v_{text}".rstrip("_")


def role_of(column: str, roles: Sequence[str]) -> str:
    """Guess whose view a column holds from a part of its name; "…" leaves it to a person.

    >>> role_of("hoop_n1", ["patient", "naaste"]), role_of("hoop1", ["patient", "naaste"])
    ('naaste', '…')
    """
    if len(roles) == 1:
        return roles[0]
    parts = [part for part in re.split(r"[\W\d_]+", column.casefold()) if part]
    found = {
        role for role in roles for part in parts if role.casefold().startswith(part)
        and (len(part) > 2 or sum(other.startswith(part) for other in roles) == 1)
    }  # fmt: skip
    return found.pop() if len(found) == 1 else "…"


def draft_toml(
    draft: Draft,
    guess: Guess | None,
    *,
    file: str,
    digest: str,
    name: str,
) -> str:
    """Return the text of a commented study.toml; lines that a person must check end in `?`."""
    lines = [
        "# A draft. Complete what is marked with '?', then run: expertise check studies/" + name,
        "schema = 1",
        f"title = {quoted(draft.title)}",
        'question = "…" # What do you want to know, in the words of those it is about?',
        'asked_by = "…" # Who asked it, and who was asked whether it is the right question?',
        f"language = {quoted(draft.language)}",
        f"notebook = {quoted(name)}",
        'unknown = ["…"] # What will this study not be able to say?',
        "",
        *_perspectives(draft),
        *_waves(draft),
        *_people(guess, file, digest),
        *_tables(guess, draft, file, digest),
        *_model(guess, draft),
        "[planned] # expertise check predicts which tables are too small to release",
        "participants = 100 # How many people are planned per perspective?",
        "retention = 0.8 # What share will still answer at the last wave?",
        "",
    ]
    return "\n".join(lines)


def key(name: str) -> str:
    """Return a name as a TOML key, quoted where it must be.

    >>> print(key("naaste"), key("patiënt"))
    naaste "patiënt"
    """
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def quoted(text: str) -> str:
    """Return text as a TOML string.

    >>> print(quoted("een stap"))
    "een stap"
    """
    return json.dumps(text, ensure_ascii=False)


def _perspectives(draft: Draft) -> Iterable[str]:
    for slot, (name, words) in enumerate(draft.perspectives.items(), 1):
        nl, nl_plural, en, en_plural = map(quoted, words)
        yield f"[perspectives.{key(name)}]"
        if slot <= 3:
            yield f"slot = {slot} # colour and marker"
        yield f"nl = {{ label = {nl}, plural = {nl_plural} }}"
        yield f"en = {{ label = {en}, plural = {en_plural} }}"
        yield ""


def _waves(draft: Draft) -> Iterable[str]:
    for wave, months in draft.waves.items():
        yield "[[waves]]"
        yield f"id = {quoted(wave)}"
        yield f"months = {months:g} # since the start"
        yield f"nl = {quoted(f'na {months:g} maanden' if months else 'bij de start')}"
        yield f"en = {quoted(f'after {months:g} months' if months else 'at the start')}"
        yield ""


def _people(guess: Guess | None, file: str, digest: str) -> Iterable[str]:
    yield "[people] # one row a person: role, triad, team, institution and consent belong here"
    yield f"file = {quoted(file)}"
    yield f"sha256 = {quoted(digest)} # a changed file is noticed"
    yield f"participant = {quoted(guess.participant if guess else '…')} # the column with the id"
    if guess and guess.perspective:
        yield f"# perspective = {quoted(guess.perspective)} # only where each person has one role"
    yield ""
    for column, levels in (guess.covariates if guess else {}).items():
        comment = guess.comments.get(column, "") if guess else ""
        yield from _covariate(
            column, levels, comment, guess.labels.get(column, {}) if guess else {}
        )


def _covariate(
    column: str, levels: tuple[str, ...], comment: str, labels: Mapping[str, str]
) -> Iterable[str]:
    yield f"[people.covariates.{key(identifier(column))}]" + (f" # {comment}" if comment else "")
    yield f"column = {quoted(column)}"
    if levels:
        yield f"levels = {quoted_list(levels)} # the first is the reference?"
        for level in levels:
            if text := labels.get(level):
                yield f"labels.{quoted(level)} = {{ nl = {quoted(text)}, en = {quoted(text)} }}"
    else:
        yield 'kind = "number"'
    yield ""


def quoted_list(texts: Iterable[str]) -> str:
    """Return texts as a TOML list."""
    return "[" + ", ".join(map(quoted, texts)) + "]"


def _tables(guess: Guess | None, draft: Draft, file: str, digest: str) -> Iterable[str]:
    measures = guess.measures if guess else {}
    for instrument in dict.fromkeys(instrument for instrument, _ in measures.values()):
        column = next(name for name, (stem, _) in measures.items() if stem == instrument)
        comment = guess.comments.get(column, "") if guess else ""
        yield f"[instruments.{key(instrument)}]" + (f" # {comment}" if comment else "")
        yield f"nl = {quoted(instrument)} # the name people read?"
        yield f"en = {quoted(instrument)}"
        yield 'better = "neither" # is "higher" or "lower" better?'
        yield "# minimum = 0 # lowest score allowed, not the lowest seen"
        yield "# maximum = 100"
        yield ""
    if not guess or not measures:
        return
    yield "[tables.measures]"
    yield f"file = {quoted(file)}"
    yield f"sha256 = {quoted(digest)}"
    yield f"layout = {quoted(guess.layout)}"
    yield f"participant = {quoted(guess.participant)}"
    if guess.wave:
        yield f"wave = {quoted(guess.wave)}"
    if guess.perspective:
        yield f"perspective = {quoted(guess.perspective)}"
    yield ""
    yield "[tables.measures.columns]"
    for column, (instrument, wave) in measures.items():
        cell = [f"instrument = {quoted(instrument)}"]
        if not guess.perspective:
            cell.append(f"perspective = {quoted(role_of(column, list(draft.perspectives)))}")
        cell += [f"wave = {quoted(wave)}"] * bool(wave)
        mark = " # whose view?" if not guess.perspective and len(draft.perspectives) > 1 else ""
        yield f"{quoted(column)} = {{ {', '.join(cell)} }}{mark}"
    yield ""


def _model(guess: Guess | None, draft: Draft) -> Iterable[str]:
    if not guess or not guess.measures:
        return
    outcome = next(iter(guess.measures.values()))[0]
    roles = guess.perspective and len(draft.perspectives) > 1
    fixed = "perspective * wave" if roles else "wave" if len(draft.waves) > 1 else "1"
    yield "[models.primary] # named before you look at results"
    yield "primary = true"
    yield f"outcome = {quoted(outcome)}"
    nested = " + (1 | participant:perspective)" if roles and guess.shared else ""
    yield f"formula = {quoted(f'{outcome} ~ {fixed} + (1 | participant){nested}')}"
    yield 'estimand = { nl = "…", en = "…" } # What does it estimate, for whom, in words?'
    yield ""
