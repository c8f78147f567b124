"""Lays a study's answers out as the triads room takes them: a row a person and perspective."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from expertise.errors import StudyError, listed
from expertise.study.load import askable
from expertise.study.rules import measured_with
from expertise.study.schema import StudyFile, Triads

YES = ("yes", "ja", "true", "1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TriadTables:
    """Who is compared, and on what; roles, waves and items carry the words people read.

    Attributes
    ----------
    plan : Triads
        What study.toml declares.
    roles : tuple of str
        The perspectives compared, in the order of study.toml.
    slots : dict
        Their places in the house's colours.
    wave : str
        The moment at which perspectives are compared.
    scores : DataFrame
        Columns `person perspective wave score`; the person is the triad where
        the study has triads, else the participant. Empty answers are left out.
    criterion : DataFrame
        The answers on what perspectives together are set against, like `scores`.
    items : DataFrame
        Columns `person perspective wave item score`; empty without items.
    scale : (float, float)
        Ends of the items' scale: their own, or 0 to 100 where items differ in range.
    statuses : DataFrame
        Columns `person perspective status`: answered at least once, missing
        (asked, no answer), unavailable.
    consents : DataFrame or None
        Columns `person first second consent`: whether both said yes.
    refused : dict
        How many refused, by role.
    """

    plan: Triads
    roles: tuple[str, ...]
    slots: dict[str, int]
    wave: str
    scores: pd.DataFrame
    criterion: pd.DataFrame
    items: pd.DataFrame
    scale: tuple[float, float]
    statuses: pd.DataFrame
    consents: pd.DataFrame | None
    refused: dict[str, int]


def triad_tables(
    study: StudyFile, people: pd.DataFrame, outcomes: pd.DataFrame, lang: str
) -> TriadTables:
    """Return the tables behind what [triads] declares, in the words of one language.

    Raises
    ------
    StudyError
        study.toml declares no [triads]; fewer than two of its perspectives
        answered; a triad holds several people of one perspective.
    """
    plan = study.triads
    if plan is None:
        raise StudyError(
            "study.toml declares no [triads]; name the outcome on which perspectives are compared"
        )
    seats = _seats(study, people)
    whose = seats.drop_duplicates("participant").set_index("participant")["person"]
    answers = outcomes.dropna(subset="value")
    answers = answers.assign(person=answers["participant"].map(whose))
    scores = _scores(answers[answers["variable"] == plan.outcome])
    roles = [name for name in plan.roles or study.perspectives
             if (scores["perspective"] == name).any()]  # fmt: skip
    if len(roles) < 2:
        raise StudyError(
            f"triads.outcome: {plan.outcome!r} was answered by {listed(roles) or 'nobody'} only; "
            "a comparison needs two perspectives or more"
        )
    words = _words(study, plan, lang)
    items, scale = _items(study, plan, answers[answers["perspective"].isin(roles)])
    consents = _consents(plan, seats, people, roles)
    named = words["perspective"]
    return TriadTables(
        plan=plan, roles=tuple(named[one] for one in roles), scale=scale,
        slots={named[name]: role.slot for name, role in study.perspectives.items()},
        wave=words["wave"][plan.wave or study.waves[0].id],
        scores=_worded(scores[scores["perspective"].isin(roles)], words),
        criterion=_worded(_scores(answers[answers["variable"] == plan.criterion]), words),
        items=_worded(items, words), statuses=_worded(_statuses(seats, scores, roles), words),
        consents=None if consents is None else consents.replace({"first": named, "second": named}),
        refused={named[name]: count for name, count in plan.refused.items()},
    )  # fmt: skip


def _words(study: StudyFile, plan: Triads, lang: str) -> dict[str, dict[str, str]]:
    """Return the words of roles, waves and items; an instrument of its own names its item."""
    items = {
        item: measured_with(study, names[0]).label(lang) if names[0] in study.instruments else item
        for item, names in plan.items.items()
    }
    roles = {name: role.label(lang) for name, role in study.perspectives.items()}
    waves = {wave.id: wave.label(lang) for wave in study.waves}
    return {"perspective": roles, "wave": waves, "item": items}


def _worded(table: pd.DataFrame, words: dict[str, dict[str, str]]) -> pd.DataFrame:
    """Return a table with ordered words for its perspectives, waves and items."""
    out = table.copy()
    for name in words.keys() & set(out.columns):
        told = out[name].astype(str).map(words[name])
        out[name] = pd.Categorical(told, [one for one in words[name].values() if one in set(told)])
    return out


def _seats(study: StudyFile, people: pd.DataFrame) -> pd.DataFrame:
    """Return a row a person and perspective: who would answer, and whether they could be asked."""
    whom = "triad" if "triad" in people else "participant"
    seated = people[people[whom].notna()]
    parts = []
    for name in study.perspectives:
        mine = seated[seated["perspective"] == name] if "perspective" in seated else seated
        able = mine["participant"].isin(askable(study, people, name))
        parts.append(
            pd.DataFrame({
                "person": mine[whom].astype(str), "perspective": name,
                "participant": mine["participant"], "able": able,
            })
        )  # fmt: skip
    seats = pd.concat(parts, ignore_index=True)
    several = seats[seats.duplicated(["person", "perspective"])]
    if len(several):
        raise StudyError(
            f"people.triad: {several['person'].nunique()} triads hold several people of "
            f"{listed(several['perspective'].unique())}; a triad has one seat a perspective"
        )
    return seats


def _scores(answers: pd.DataFrame) -> pd.DataFrame:
    table = answers[["person", "perspective", "wave", "value"]].dropna(subset="person")
    return table.rename(columns={"value": "score"}).reset_index(drop=True)


def _items(
    study: StudyFile, plan: Triads, answers: pd.DataFrame
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Return the items on one scale: as they are, or as percentages of unlike ranges."""
    ends = {name: _range(study, name) for names in plan.items.values() for name in names}
    alike = len(set(ends.values())) == 1
    parts = [_scores(answers[:0]).assign(item="")]
    for item, names in plan.items.items():
        for name in names:
            rows = _scores(answers[answers["variable"] == name]).assign(item=item)
            if not alike:
                low, high = ends[name]
                rows["score"] = 100 * (rows["score"] - low) / (high - low)
            parts.append(rows)
    keys = ["person", "perspective", "wave", "item"]
    table = pd.concat(parts).groupby(keys, observed=True, sort=False)["score"].mean()
    return table.reset_index(), next(iter(ends.values())) if alike else (0.0, 100.0)


def _range(study: StudyFile, name: str) -> tuple[float, float]:
    what = measured_with(study, name)
    # A rule of the study file.
    assert what.minimum is not None
    assert what.maximum is not None
    return what.minimum, what.maximum


def _statuses(seats: pd.DataFrame, scores: pd.DataFrame, roles: list[str]) -> pd.DataFrame:
    gave = pd.MultiIndex.from_frame(scores[["person", "perspective"]])
    answered = pd.MultiIndex.from_frame(seats[["person", "perspective"]]).isin(gave)
    silent = np.where(seats["able"], "missing", "unavailable")
    table = seats.assign(status=np.where(answered, "answered", silent))
    return table.loc[seats["perspective"].isin(roles), ["person", "perspective", "status"]]


def _consents(
    plan: Triads, seats: pd.DataFrame, people: pd.DataFrame, roles: list[str]
) -> pd.DataFrame | None:
    """Return for every two seats of a person whether both said yes."""
    if not plan.consent:
        return None
    said = people.set_index("participant")[f"consent_{plan.consent}"].astype(str).str.casefold()
    mine = seats[seats["perspective"].isin(roles)].assign(
        consent=lambda table: table["participant"].map(said.isin(YES))
    )
    pairs = mine.merge(mine, on="person", suffixes=("", "_other"))
    place = {role: at for at, role in enumerate(roles)}
    first = pairs["perspective"].map(place) < pairs["perspective_other"].map(place)
    pairs = pairs[first].assign(consent=pairs["consent"] & pairs["consent_other"])
    pairs = pairs.rename(columns={"perspective": "first", "perspective_other": "second"})
    return pairs[["person", "first", "second", "consent"]].reset_index(drop=True)
