"""Reads cycles.toml: what was planned, done, seen and learned, who was there, who recognised it."""

from dataclasses import dataclass, field, fields
from html import escape
from pathlib import Path
from typing import Literal

import pandas as pd

from expertise.cycles.drawing import plot_member_check, plot_presence, plot_timeline
from expertise.errors import StudyError, listed, nearest
from expertise.figures import StoryAxes
from expertise.files.settings import load_toml, read_settings
from expertise.result import notes_html, table_html
from expertise.words import Note, note, say

SCHEMA = 1
ROLES = ("patient", "naaste", "professional")
ANSWERS = ("yes", "partly", "no", "rather_not")
frozen = dataclass(frozen=True, slots=True, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One cycle of one team; months count from the start of the study.

    `present` counts people by role; `plan`, `act`, `observe`, `learned` are
    the four steps, `changed` what is different now, `disagreement` what the
    group did not agree on, `data` the results that were looked at.
    """

    id: str
    team: str
    start: float
    plan: str
    act: str
    observe: str
    learned: str
    end: float | None = None
    changed: str = ""
    decided: str = ""
    reason: str = ""
    disagreement: str = ""
    next: str = ""
    data: tuple[str, ...] = ()
    present: dict[str, int] = field(default_factory=dict)


@frozen
class Theme:
    """A theme that was brought back to the people it is about, in both languages."""

    nl: str
    en: str


@frozen
class MemberCheck:
    """How people of one role answered "do you recognise this?" about a theme."""

    theme: str
    role: str
    month: float
    yes: int
    partly: int
    no: int
    rather_not: int


@frozen
class CyclesFile:
    """The whole of cycles.toml."""

    schema: Literal[1]
    cycles: tuple[Cycle, ...]
    source: str = ""
    themes: dict[str, Theme] = field(default_factory=dict)
    member_checks: tuple[MemberCheck, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cycles:
    """The action cycles of a study.

    Attributes
    ----------
    cycles : tuple of Cycle
        In the order of time.
    themes : dict of Theme
        What was brought back.
    member_checks : tuple of MemberCheck
        The answers, by theme and role.
    roles : tuple of str
        The perspectives of the study, in its order.
    names : dict of str to dict
        What people call a role, by language, as study.toml has it.
    source : str
        A sentence on where they come from, under every picture.
    notes : tuple of Note
        Cycles without one of the roles.
    """

    cycles: tuple[Cycle, ...]
    themes: dict[str, Theme]
    member_checks: tuple[MemberCheck, ...]
    roles: tuple[str, ...]
    names: dict[str, dict[str, str]]
    source: str
    notes: tuple[Note, ...]

    def table(self) -> pd.DataFrame:
        """Return a row a cycle, without who was there."""
        kept = [one.name for one in fields(Cycle) if one.name != "present"]
        return pd.DataFrame([{name: getattr(one, name) for name in kept} for one in self.cycles])

    def presence(self) -> pd.DataFrame:
        """Return who was there: columns `id team start role n_people`, also where nobody was."""
        return pd.DataFrame(
            [
                {"id": one.id, "team": one.team, "start": one.start, "role": role,
                 "n_people": one.present.get(role, 0)}
                for one in self.cycles
                for role in self.roles
            ]
        )  # fmt: skip

    def member_check(self) -> pd.DataFrame:
        """Return the answers per theme and role, a row an answer: `n_people` of `asked`."""
        rows = [
            {"theme": one.theme, "role": one.role, "month": one.month, "answer": answer,
             "n_people": getattr(one, answer), "asked": sum(getattr(one, a) for a in ANSWERS)}
            for one in self.member_checks
            for answer in ANSWERS
        ]  # fmt: skip
        columns = ["theme", "role", "month", "answer", "n_people", "asked"]
        return pd.DataFrame(rows, columns=columns)

    def plot(self, lang: str = "nl") -> StoryAxes:
        """Draw when each team began, and how long its cycles lasted."""
        return plot_timeline(self.table(), lang, self.source)

    def plot_presence(self, lang: str = "nl") -> StoryAxes:
        """Draw how many people of each role were there, over time."""
        return plot_presence(self.presence(), self._called(lang), lang, self.source)

    def plot_member_check(self, lang: str = "nl", *, minimum: int = 10) -> StoryAxes:
        """Draw who recognised each theme, by role; roles with few answers are left out."""
        themes = {key: getattr(theme, lang) for key, theme in self.themes.items()}
        return plot_member_check(
            self.member_check(), themes, self._called(lang), lang, minimum, self.source
        )

    def _called(self, lang: str) -> dict[str, str]:
        return {role: self.names.get(role, {}).get(lang, role) for role in self.roles}

    def __repr__(self) -> str:
        head = say("cycles.heading", n=len(self.cycles), teams=self.table()["team"].nunique())
        table = self.table()[["id", "team", "start", "end", "plan"]]
        return "\n".join([head, table.to_string(index=False), *(f"- {one}" for one in self.notes)])

    def _repr_html_(self) -> str:
        head = say("cycles.heading", n=len(self.cycles), teams=self.table()["team"].nunique())
        table = self.table()[["id", "team", "start", "end", "plan"]]
        return f"<p>{escape(head)}</p>" + table_html(table) + notes_html(self.notes)


def read_cycles(path: str | Path, *, roles: tuple[str, ...] = ()) -> Cycles:
    """Read the action cycles of a study.

    Parameters
    ----------
    path : path
        A cycles.toml (schema 1), or the study folder that holds it.
    roles : tuple of str, optional
        The perspectives of the study; a cycle without one of them is noted. By
        default those of study.toml, and without it patient, naaste and professional.

    Returns
    -------
    Cycles

    Raises
    ------
    StudyError
        Every fault of the file in one sentence: unknown keys, unknown roles or
        themes, cycles that end before they begin, an id given twice, a
        negative count.

    Examples
    --------
    >>> cycles = read_cycles("studies/drie-kunnen-meer-dan-een")
    >>> cycles.table()["team"].nunique()
    12
    """
    file = Path(path) / "cycles.toml" if Path(path).is_dir() else Path(path)
    tree = load_toml(file)
    names = _names(file.parent / "study.toml")
    roles = roles or tuple(names) or ROLES
    if tree.get("schema") != SCHEMA:
        raise StudyError(
            f"{file.name}: schema is {tree.get('schema')!r}; this version of expertise reads "
            f"schema {SCHEMA}"
        )
    found, faults = read_settings(CyclesFile, tree)
    if found is None or (faults := _faults(found, roles)):
        raise StudyError(f"{file.name}: {'; '.join(faults)}")
    ordered = tuple(sorted(found.cycles, key=lambda one: (one.start, one.id)))
    notes = [
        note("cycles.without_role", id=one.id, team=one.team, role=role)
        for one in ordered
        for role in roles
        if not one.present.get(role)
    ]
    return Cycles(
        cycles=ordered, themes=found.themes, member_checks=found.member_checks,
        roles=roles, names=names, source=found.source, notes=tuple(notes),
    )  # fmt: skip


def _names(study: Path) -> dict[str, dict[str, str]]:
    """Return what a study calls its roles, by language; nothing where there is no study."""
    roles = load_toml(study).get("perspectives", {}) if study.is_file() else {}
    return {
        role: {lang: words[lang]["label"] for lang in ("nl", "en") if lang in words}
        for role, words in roles.items()
    }


def _faults(found: CyclesFile, roles: tuple[str, ...]) -> list[str]:
    out, seen = [], set()
    for one in found.cycles:
        where = f"cycle {one.id!r}"
        if one.id in seen:
            out.append(f"{where} is given twice; each cycle has its own id")
        seen.add(one.id)
        if one.end is not None and one.end <= one.start:
            out.append(f"{where} ends in month {one.end:g} and begins in {one.start:g}; swap them")
        out += [
            _unknown(f"{where}, present", role, roles) for role in one.present if role not in roles
        ]
        if min(one.present.values(), default=0) < 0:
            out.append(f"{where}, present: a count is negative; write how many were there")
    for check in found.member_checks:
        where = f"member check of {check.theme!r}"
        if check.theme not in found.themes:
            out.append(_unknown(where, check.theme, tuple(found.themes)))
        if check.role not in roles:
            out.append(_unknown(where, check.role, roles))
        if min(getattr(check, answer) for answer in ANSWERS) < 0:
            out.append(f"{where}: a count is negative; write how many answered")
    return out


def _unknown(where: str, name: str, allowed: tuple[str, ...]) -> str:
    return f"{where}: unknown {name!r}{nearest(name, allowed)}; allowed are {listed(allowed)}"
