"""A synthetic twin: tables of the same shape, with nobody's answers in them."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from expertise.files.safe import inside, sha256
from expertise.files.write import write_table
from expertise.study import Study
from expertise.study.rules import variable
from expertise.study.schema import Table


def write_twin(study: Study, folder: Path, *, seed: int) -> dict[str, str]:
    """Write a table of invented people for each data file of a study.

    Ids and names of triads, teams and institutions are new. Each column is
    drawn on its own: numbers from a normal distribution with the mean and SD
    of the same perspective and wave (of everyone, where these are fewer people
    than the minimum), levels by their shares (rare ones left out), missing
    answers by their share. So the twin has the columns, sizes and ranges of the data,
    and no association between any two answers.

    Parameters
    ----------
    study : Study
        The real one.
    folder : Path
        A copy of the study folder without its data.
    seed : int
        Start of what is drawn.

    Returns
    -------
    dict
        The hash of each real file to the hash of its twin.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(7,)))
    ids = {one: f"S{k:04d}" for k, one in enumerate(study.people["participant"], 1)}
    frames: dict[str, list[pd.DataFrame]] = {}
    settings = study.settings
    frames.setdefault(settings.people.file, []).append(_people(study, ids, rng))
    for table in settings.tables.values():
        frames.setdefault(table.file, []).append(_answers(study, table, ids, rng))
    decimals = {settings.people.file: settings.people.decimal}
    decimals |= {one.file: one.decimal for one in settings.tables.values()}
    real = dict(zip(study.files["file"], study.files["sha256"], strict=True))
    out = {}
    for file, parts in frames.items():
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.merge(part, on=list(set(whole) & set(part)), how="outer", sort=False)
        path = inside(folder, file)
        path.parent.mkdir(parents=True, exist_ok=True)
        mark = decimals[file] or "."
        made = write_table(
            whole, path.with_suffix(".csv"), decimal=mark, delimiter=";" if mark == "," else ","
        )
        made.replace(path)
        out[real[file]] = sha256(path)
    if settings.cycles:
        _rename_teams(study.people, inside(folder, settings.cycles))
    return out


def _new(key: str, names: "pd.Series[str]") -> list[str]:
    return [f"{key} {code + 1}" if code >= 0 else "" for code in pd.factorize(names)[0]]


def _rename_teams(people: pd.DataFrame, cycles: Path) -> None:
    """Give the cycles of a team the name that the team has in the twin; no real one stays."""
    if not cycles.is_file() or "team" not in people:
        return
    new = dict(zip(people["team"], _new("team", people["team"]), strict=True))
    text = cycles.read_text("utf-8")

    def renamed(found: re.Match[str]) -> str:
        other = f"team {len(set(new.values())) + 1}"
        return f'{found[1]}"{new.setdefault(found[3], other)}"'

    # Only this value: what stands behind it on its line is a remark, and goes.
    line = r"""^(\s*team\s*=\s*)(["'])(.*?)\2.*$"""
    cycles.write_text(re.sub(line, renamed, text, flags=re.M), "utf-8")


def _people(study: Study, ids: dict[str, str], rng: np.random.Generator) -> pd.DataFrame:
    people, what = study.people, study.settings.people
    out = pd.DataFrame({what.participant: people["participant"].map(ids)})
    if what.perspective:
        out[what.perspective] = people["perspective"].astype(str)
    for key in ("triad", "team", "institution"):
        if name := getattr(what, key):
            out[name] = _new(key, people[key])
    for role, column in what.person.items():
        out[column] = _seats(study, role, column)
    for name, covariate in what.covariates.items():
        if covariate.column not in out:
            values = people[name]
            low, high = covariate.minimum, covariate.maximum
            if covariate.kind == "number":
                out[covariate.column] = _numbers(values, low, high, True, rng)
            else:
                out[covariate.column] = _levels(study, values, rng)
    for column in what.consent.values():
        out[column] = "yes"
    return out


def _seats(study: Study, role: str, column: str) -> "pd.Series[str]":
    """Return new names for those who sit in the seats of a role, the same seats together."""
    people, covariates = study.people, study.settings.people.covariates
    own = people["person"].where(people["perspective"] == role)
    # A covariate of the same column may also say whom the others of the triad work with.
    names = next((people[name] for name, one in covariates.items() if one.column == column), own)
    codes = pd.factorize(names)[0]
    return pd.Series([f"{role} {code + 1}" if code >= 0 else "" for code in codes])


def _levels(
    study: Study, values: "pd.Series[str]", rng: np.random.Generator
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    counts = values.astype(str).value_counts()
    common = counts[counts >= study.settings.disclosure.minimum]
    if common.empty:  # names of people or places: new ones, as many
        new = [f"L{k}" for k in range(1, len(counts) + 1)]
        return rng.choice(new, len(values))
    return rng.choice(common.index.to_numpy(), len(values), p=common / common.sum())


def _answers(
    study: Study, table: Table, ids: dict[str, str], rng: np.random.Generator
) -> pd.DataFrame:
    answers = study.outcomes
    named = {variable(one.instrument, one.item) for one in table.columns.values()}
    answers = answers[answers["variable"].isin(named)]
    invented = answers.assign(value=_values(study, answers, rng))
    if table.layout == "long":
        keys = ["participant", "perspective", "wave"]
        wide = invented.pivot(index=keys, columns="variable", values="value").reset_index()
        out = pd.DataFrame({table.participant: wide["participant"].map(ids)})
        if table.perspective:
            out[table.perspective] = wide["perspective"].astype(str)
        if table.wave:
            out[table.wave] = wide["wave"].astype(str)
        for column, cell in table.columns.items():
            out[column] = wide[variable(cell.instrument, cell.item)]
        return out
    out = pd.DataFrame({table.participant: list(ids.values())})
    first = study.settings.waves[0].id
    only = next(iter(study.settings.perspectives))
    for column, cell in table.columns.items():
        here = invented[
            (invented["variable"] == variable(cell.instrument, cell.item))
            & (invented["wave"] == (cell.wave or first))
            & (invented["perspective"] == (cell.perspective or only))
        ]
        values = here.set_index(here["participant"].map(ids))["value"]
        out[column] = out[table.participant].map(values)
    return out


def _values(study: Study, answers: pd.DataFrame, rng: np.random.Generator) -> "pd.Series[float]":
    out = pd.Series(np.nan, index=answers.index)
    minimum = study.settings.disclosure.minimum
    for _, rows in answers.groupby("variable", sort=True):
        what = study.settings.instruments[str(rows["instrument"].iloc[0])]
        whole = bool((rows["value"].dropna() % 1 == 0).all())
        for _, cell in rows.groupby(["perspective", "wave"], observed=True, sort=True):
            known = cell["value"] if cell["value"].notna().sum() >= minimum else rows["value"]
            drawn = _numbers(known, what.minimum, what.maximum, whole, rng, len(cell))
            missing = rng.random(len(cell)) < cell["value"].isna().mean()
            out[cell.index] = np.where(missing, np.nan, drawn)
    return out


def _numbers(
    values: "pd.Series[float]",
    low: float | None,
    high: float | None,
    whole: bool,
    rng: np.random.Generator,
    n: int | None = None,
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    mean, sd = values.mean(), values.std()
    drawn = rng.normal(0 if np.isnan(mean) else mean, 1 if np.isnan(sd) else sd, n or len(values))
    drawn = np.clip(drawn, low, high) if low is not None or high is not None else drawn
    return np.round(drawn) if whole else np.round(drawn, 3)
