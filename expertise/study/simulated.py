"""Writes a simulated study as a study folder, marked as simulated wherever it is shown."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd

from expertise.errors import StudyError
from expertise.files.safe import sha256, write_atomically
from expertise.files.write import write_table
from expertise.study.simulate import MONTHS, ROLES, Simulation, Truth
from expertise.words import say

TABLES = ("people", "answers", "form", "items")
# What the teams tried, invented: one action a group of teams, in the order in which they begin.
ACTIONS = (
    {
        "plan": "Naasten schuiven aan bij het eerste gesprek, als de patiënt dat goed vindt.",
        "act": "Bij elke uitnodiging vraagt het team: wie neemt u mee?",
        "observe": "Hoe waarderen patiënten, naasten en professionals de samenwerking?",
        "learned": "Vragen wie er meekomt werkt beter dan zeggen dat het mag.",
        "disagreement": "Twee professionals vinden het eerste gesprek daarvoor te vroeg.",
    },
    {
        "plan": "Eén signaleringsplan, geschreven door patiënt, naaste en professional samen.",
        "act": "Het plan ligt op tafel en ieder heeft een kopie.",
        "observe": "Weten alle drie wat er in het plan staat?",
        "learned": "Naasten zagen vroege tekenen die in geen dossier stonden.",
        "disagreement": "Een patiënt wil een eigen deel dat de naaste niet leest.",
    },
    {
        "plan": "Een vast moment waarop naasten kunnen bellen.",
        "act": "Elke dinsdag en donderdag neemt iemand van het team op.",
        "observe": "Hoe vaak bellen naasten, en waarover?",
        "learned": "Wie weet wanneer bellen kan, belt minder in paniek.",
        "disagreement": "Of bellen over een patiënt mag als die er niet bij is.",
    },
    {
        "plan": "Een naaste met ervaring geeft het team les.",
        "act": "Vier middagen over wat thuis gebeurt als de zorg naar huis gaat.",
        "observe": "Wat doen professionals daarna anders?",
        "learned": "Vragen 'hoe gaat het met ú?' verandert het gesprek.",
        "disagreement": "Over de vraag of de naaste daarvoor betaald wordt.",
    },
)


THEMES = (
    ("gezien", "gezien en gehoord worden", "being seen and heard"),
    ("samen", "samen beslissen", "deciding together"),
    ("thuis", "wat er thuis gebeurt telt mee", "what happens at home counts"),
)
# One in so many of each role comes to the meetings; in one cycle no naaste did.
PARTS, ALONE = {"patient": 5, "naaste": 6, "professional": 3}, 5
# Answers to "do you recognise this?", by role: yes, partly, no, rather not say.
RECOGNISED = {
    "patient": (0.55, 0.25, 0.12, 0.08),
    "naaste": (0.62, 0.22, 0.1, 0.06),
    "professional": (0.48, 0.38, 0.1, 0.04),
}

# Who coded the invented stories, and what they would say of themselves: invented too.
CODERS = (
    ("ervaring-1", "patient",
     "Was zelf opgenomen, en let daarom op wie er beslist. Verzonnen."),
    ("ervaring-2", "patient",
     "Kreeg jaren ambulante zorg en is nu ervaringswerker. Leest een afspraak soms als een bevel. "
     "Verzonnen."),
    ("naaste-1", "naaste",
     "Zorgt voor een zoon. Herkent uitputting snel, misschien te snel. Verzonnen."),
    ("onderzoeker-1", "researcher",
     "Is opgeleid als psycholoog en leidde het gesprek. Kent zorg vooral van de andere kant van de "
     "tafel. Verzonnen."),
)  # fmt: skip


def write_simulated(simulation: Simulation, folder: str | Path, *, corpus: str = "") -> Path:
    """Write a simulated study: study.toml, cycles.toml, data/, README.md and its truth.

    Parameters
    ----------
    simulation : Simulation
        What `simulate_study` made.
    folder : path
        The folder to write in; a study that is there already is left alone.
    corpus : str
        Name of the corpus whose people tell; its codings use codebook.toml.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    StudyError
        There is a study already.

    Examples
    --------
    >>> from expertise.study import open_study, simulate_study
    >>> made = write_simulated(simulate_study(triads=24), getfixture("tmp_path") / "proef")
    >>> open_study(made).settings.title
    'Drie kunnen meer dan één (gesimuleerde gegevens)'
    """
    target = Path(folder)
    if (target / "study.toml").exists():
        raise StudyError(f"{target.name}/ holds a study already; choose another folder")
    (target / "data").mkdir(parents=True, exist_ok=True)
    for name in (*TABLES, "conversations"):
        write_table(getattr(simulation, name), target / "data" / f"{name}.csv")
    write_table(truth_table(simulation.truth), target / "truth.csv")
    write_atomically(target / "cycles.toml", _cycles(simulation.people, simulation.seed))
    write_atomically(target / "README.md", say("simulation.readme", seed=simulation.seed))
    # Last, so that a folder without it is seen to be unfinished.
    write_atomically(target / "study.toml", _study(simulation, target, corpus))
    return target


def truth_table(truth: Truth) -> pd.DataFrame:
    """Return what was put in, a row a quantity: outcome, component, term, value."""
    rows = [("collaboration", "fixed", term, value) for term, value in truth.coefficients().items()]
    rows += [("collaboration", "sd", group, value) for group, value in truth.spread.items()]
    rows += [("collaboration", "noise", role, value) for role, value in truth.noise.items()]
    rows += [
        ("wellbeing", "fixed", "(Intercept)", truth.wellbeing["patient"]),
        ("wellbeing", "fixed", "active", truth.wellbeing_gain["patient"]),
        ("wellbeing", "fixed", "months", truth.wellbeing_trend),
        ("with_naaste", "share", "before", truth.joining),
        ("with_naaste", "ratio", "active", truth.joining_ratio),
    ]
    return pd.DataFrame(rows, columns=["outcome", "component", "term", "value"])


def _study(simulation: Simulation, folder: Path, corpus: str) -> str:
    text = (files(__package__) / "simulated.toml").read_text("utf-8")
    waves = "".join(
        f'[[waves]]\nid = "m{month}"\nmonths = {month}\n'
        f'nl = "{_when(month, "nl")}"\nen = "{_when(month, "en")}"\n\n'
        for month in MONTHS
    )
    keys = ("participant", "wave", "wellbeing")
    columns = {
        kind: "\n".join(
            f'{name} = {{ instrument = "{instrument}", item = "{name}" }}'
            for name in table
            if name not in keys
        )
        for kind, table, instrument in (
            ("form_columns", simulation.form, "form"),
            ("item_columns", simulation.items, "feeling"),
        )
    }
    told = f'corpus = "{corpus}"\ncodebook = "codebook.toml"\ncodings = "codings.csv"\n'
    narratives = told + 'joint = "joint.toml"\n' if corpus else ""
    coders = "".join(
        f"\n[coders.{name}]\nperspective = {_quoted(role)}\nstands = {_quoted(stands)}\n"
        for name, role, stands in CODERS * bool(corpus)
    )
    hashes = {name: sha256(folder / "data" / f"{name}.csv") for name in TABLES}
    return Template(text).substitute(
        hashes, **columns, waves=waves, narratives=narratives, coders=coders, seed=simulation.seed,
        notebook=folder.name, planned=len(simulation.people) // len(ROLES),
    )  # fmt: skip


def _when(month: int, lang: str) -> str:
    if month == 0:
        return "bij het begin" if lang == "nl" else "at the start"
    return f"na {month} maanden" if lang == "nl" else f"after {month} months"


def _cycles(people: pd.DataFrame, seed: int) -> str:
    """Return cycles.toml: the cycle of every team, who was there by role, and the member check."""
    teams = people.drop_duplicates("team").sort_values(["start", "team"])
    starts = sorted(people["start"].unique())
    parts = [
        "# The action cycles of the simulated study: invented, like its data.\nschema = 1\n"
        'source = "Gesimuleerd: niemand heeft dit meegemaakt."\n',
        *(f"[themes.{key}]\nnl = {_quoted(nl)}\nen = {_quoted(en)}\n" for key, nl, en in THEMES),
    ]
    for place, row in enumerate(teams.itertuples(), 1):
        here = people[people["team"] == row.team]
        action = ACTIONS[starts.index(row.start) % len(ACTIONS)]
        there = {
            role: int((here["perspective"] == role).sum()) // part + 1
            for role, part in PARTS.items()
        }
        if place == ALONE:
            there["naaste"] = 0
        lines = [
            f'[[cycles]]\nid = "C{place:02d}"\nteam = {_quoted(str(row.team))}',
            f"start = {row.start}\nend = {row.start + 6}",
            *(f"{key} = {_quoted(text)}" for key, text in action.items()),
            'changed = "De werkwijze geldt nu voor iedereen in het team."',
            'next = "Na een half jaar opnieuw kijken, met dezelfde mensen."',
            "[cycles.present]",
            *(f"{role} = {count}" for role, count in there.items()),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join([*parts, *_checks(seed)])


def _checks(seed: int) -> Iterator[str]:
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(99,)))
    for theme, _, _ in THEMES:
        for role, shares in RECOGNISED.items():
            counts = rng.multinomial(rng.integers(40, 60), shares)
            given = zip(("yes", "partly", "no", "rather_not"), counts, strict=True)
            lines = "\n".join(f"{key} = {count}" for key, count in given)
            yield f'[[member_checks]]\ntheme = "{theme}"\nrole = "{role}"\nmonth = 24\n{lines}\n'


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
