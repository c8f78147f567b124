"""What a study file must fulfil beyond its types: every broken rule as one sentence."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from expertise.errors import ExpertiseError, listed, nearest
from expertise.files.safe import inside
from expertise.files.settings import leaves
from expertise.mixed.formula import parse_formula
from expertise.mixed.nodes import columns_of
from expertise.study.schema import SCHEMA, Instrument, Model, StudyFile, Table

SECRET_KEY = re.compile(
    r"(?i)(^|_)(password|wachtwoord|passwd|secret|token|api_?key|private_?key)$"
)
SECRET_VALUE = re.compile(
    r"://[^/\s:@]+:[^/\s@]+@|-----BEGIN|\b(sk|ghp|xox[bp])[-_][A-Za-z0-9]{16,}"
)
KEYS = ("participant", "person", "perspective", "triad", "team", "institution", "wave", "months")


def broken_schema(tree: Mapping[str, Any]) -> Iterator[str]:
    """Yield what makes the file unreadable as this schema: its number, a secret in it."""
    schema = tree.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        yield (
            f"schema: this study file has schema {schema} and this version of expertise reads "
            f"schema {SCHEMA}; install a newer expertise"
        )
    elif schema != SCHEMA:
        yield (
            f"schema: {schema!r} is no schema that this version of expertise reads; bring the file "
            f"up to date with docs/study-file.md and write {SCHEMA}"
        )
    for where, value in leaves(dict(tree)):
        key = where.rsplit(".", 1)[-1]
        if SECRET_KEY.search(key) or (isinstance(value, str) and SECRET_VALUE.search(value)):
            yield (
                f"{where}: this looks like a secret; a study file is shared, so take it out and "
                "keep it in an environment variable"
            )


def broken_rules(study: StudyFile, folder: Path) -> list[str]:
    """Return every rule that a well-typed study file breaks, in the order of the file."""
    return [
        *_paths(study, folder),
        *_perspectives(study),
        *_waves(study),
        *_ranges(study),
        *(fault for name, table in study.tables.items() for fault in _table(study, name, table)),
        *_models(study),
        *_declared(study),
        *_triads(study),
        *_numbers(study),
    ]


def _paths(study: StudyFile, folder: Path) -> Iterator[str]:
    # These belong to the study; corpora and notebooks lie two floors up.
    own = ("codebook", "cycles", "codings", "joint")
    files = {"people.file": study.people.file} | {name: getattr(study, name) for name in own}
    files |= {f"tables.{name}.file": table.file for name, table in study.tables.items()}
    for where, file in files.items():
        if file:
            try:
                inside(folder, file)
            except ExpertiseError as fault:
                yield f"{where}: {fault}"
    for where, name in {"notebook": study.notebook, "corpus": study.corpus}.items():
        if name and not re.fullmatch(r"[\w-]+", name):
            yield (
                f"{where}: {name!r} must be a plain name of letters, digits, '-' and '_', "
                "without folders"
            )


def _perspectives(study: StudyFile) -> Iterator[str]:
    if not study.perspectives:
        yield "perspectives: there is none; name at least one, for example [perspectives.patient]"
    slots = Counter(role.slot for role in study.perspectives.values() if role.slot)
    for name, role in study.perspectives.items():
        where = f"perspectives.{name}"
        if not 0 <= role.slot <= 3:
            yield f"{where}.slot: {role.slot} is not allowed; write 1, 2 or 3, or leave it out"
        elif slots[role.slot] > 1:
            yield f"{where}.slot: {role.slot} is given twice; each perspective has its own colour"
        if role.asked:
            yield from _known(
                f"{where}.asked.covariate", role.asked.covariate, study.people.covariates
            )


def _waves(study: StudyFile) -> Iterator[str]:
    if not study.waves:
        yield "waves: there is none; write at least one [[waves]]"
    for name, count in Counter(wave.id for wave in study.waves).items():
        if count > 1:
            yield f"waves: the id {name!r} is given {count} times; each wave has its own"
    for before, after in zip(study.waves, study.waves[1:], strict=False):
        if after.months <= before.months:
            yield (
                f"waves: {after.id} (month {after.months:g}) does not come after {before.id} "
                f"(month {before.months:g}); write waves in the order of time"
            )


def _ranges(study: StudyFile) -> Iterator[str]:
    ranged: dict[str, Any] = {f"instruments.{k}": v for k, v in study.instruments.items()}
    ranged |= {f"people.covariates.{k}": v for k, v in study.people.covariates.items()}
    ranged |= {f"perspectives.{k}.asked": v.asked for k, v in study.perspectives.items() if v.asked}
    for where, thing in ranged.items():
        low, high = thing.minimum, thing.maximum
        if low is not None and high is not None and low > high:
            yield f"{where}: the minimum {low:g} lies above the maximum {high:g}; swap them"
    for role in study.people.person:
        yield from _known("people.person", role, study.perspectives)
        if not study.people.perspective:
            yield "people.person: a seat needs a role; name the column perspective as well"
    for name in study.people.covariates:
        if name in KEYS or name in variables(study):
            yield f"people.covariates.{name}: the name is taken; choose another name"


def _table(study: StudyFile, name: str, table: Table) -> Iterator[str]:
    where = f"tables.{name}"
    if table.layout == "long" and not table.wave and len(study.waves) > 1:
        yield f"{where}.wave: this key is missing; name the column that holds the wave"
    roles_known = table.perspective or study.people.perspective or len(study.perspectives) == 1
    for column, cell in table.columns.items():
        place = f"{where}.columns.{column}"
        yield from _known(f"{place}.instrument", cell.instrument, study.instruments)
        if cell.perspective:
            yield from _known(f"{place}.perspective", cell.perspective, study.perspectives)
        elif not roles_known:
            yield f"{place}.perspective: this key is missing; write {listed(study.perspectives)}"
        if cell.wave:
            yield from _known(f"{place}.wave", cell.wave, [wave.id for wave in study.waves])
        elif table.layout == "wide" and len(study.waves) > 1:
            yield f"{place}.wave: this key is missing; write {listed(w.id for w in study.waves)}"


def _models(study: StudyFile) -> Iterator[str]:
    primary = [name for name, model in study.models.items() if model.primary]
    if len(primary) > 1:
        yield f"models: {listed(primary)} are all primary; name one beforehand"
    for name, model in study.models.items():
        yield from _model(study, f"models.{name}", model)


def _model(study: StudyFile, where: str, model: Model) -> Iterator[str]:
    known = [*columns(study)]
    yield from _known(f"{where}.outcome", model.outcome, variables(study))
    try:
        formula = parse_formula(model.formula)
    except ExpertiseError as fault:
        yield f"{where}.formula: {fault}"
        return
    response = set(columns_of(formula.outcome)) if formula.outcome else set()
    predictors = set(parse_formula("~" + model.formula.split("~", 1)[1]).columns)
    for name in sorted(predictors):
        yield from _known(f"{where}.formula", name, known)
    if model.outcome not in response:
        yield (
            f"{where}.formula: the left side does not hold the outcome {model.outcome!r}; "
            f"write {model.outcome} ~ …"
        )
    for name in sorted(response & predictors):
        yield f"{where}.formula: {name!r} is the outcome and predicts itself; take it off the right"
    if model.reml and model.family != "gaussian":
        yield f"{where}.reml: REML exists for gaussian models only; take this key out"


def _declared(study: StudyFile) -> Iterator[str]:
    """Check what is declared about individual change and about those who left."""
    waves, people = [wave.id for wave in study.waves], study.people.covariates
    if change := study.change:
        yield from _known("change.outcome", change.outcome, variables(study))
        yield from _known("change.first", change.first, waves)
        yield from _known("change.last", change.last, waves)
        if change.outcome in variables(study):
            what = measured_with(study, change.outcome)
            if what.reliability is None or not 0 < what.reliability < 1:
                yield "change: the instrument needs a reliability between 0 and 1, with its source"
            if what.better == "neither":
                yield "change: the instrument says neither higher nor lower is better; choose one"
    if dropout := study.dropout:
        yield from _known("dropout.outcome", dropout.outcome, variables(study))
        yield from _known("dropout.wave", dropout.wave, waves)
        yield from _known("dropout.arm", dropout.arm, people)
        if len(dropout.arms) != 2:
            yield "dropout.arms: name two levels; the difference is the first minus the second"
        levels = people[dropout.arm].levels if dropout.arm in people else ()
        for level in dropout.arms:
            yield from _known("dropout.arms", level, levels or dropout.arms)
        if dropout.baseline:
            yield from _known("dropout.baseline", dropout.baseline, people)
        if 0.0 not in dropout.deltas or len(dropout.deltas) < 2:
            yield "dropout.deltas: name at least two, with 0 (missing at random) among them"

    # A sheet of codings means nothing without the words and the texts it names.
    needed = {"codings": ("codebook", "corpus"), "joint": ("codings",)}
    for name, others in needed.items():
        for other in others:
            if getattr(study, name) and not getattr(study, other):
                yield f"{name}: this needs the key {other}, which is missing; name that as well"


def _triads(study: StudyFile) -> Iterator[str]:
    """Check what is declared about perspectives side by side."""
    plan = study.triads
    if plan is None:
        return
    waves, roles = [wave.id for wave in study.waves], study.perspectives
    yield from _known("triads.outcome", plan.outcome, variables(study))
    yield from _known("triads.wave", plan.wave or waves[0], waves)
    for name in (*plan.roles, *plan.refused):
        yield from _known("triads.roles" if name in plan.roles else "triads.refused", name, roles)
    if len(set(plan.roles or roles)) < 2 or len(set(plan.roles)) < len(plan.roles):
        yield "triads.roles: name two or more different perspectives, or leave the key out"
    for item, names in plan.items.items():
        for name in names:
            yield from _known(f"triads.items.{item}", name, variables(study))
    if len(plan.items) == 1 or not all(plan.items.values()):
        yield "triads.items: name two or more items, each with its variables"
    for item, names in plan.items.items():
        ranges = [measured_with(study, name) for name in names if name in variables(study)]
        if any(one.minimum is None or one.maximum is None for one in ranges):
            yield f"triads.items.{item}: its instrument needs a minimum and a maximum"
    if plan.criterion:
        yield from _known("triads.criterion", plan.criterion, variables(study))
    if plan.consent:
        yield from _known("triads.consent", plan.consent, study.people.consent)
    for name, count in plan.refused.items():
        if count < 0:
            yield f"triads.refused.{name}: {count} is no count; write 0 or more"


def _numbers(study: StudyFile) -> Iterator[str]:
    if study.disclosure.minimum < 5:
        yield f"disclosure.minimum: {study.disclosure.minimum} is too small; write 5 or more"
    if study.planned and study.planned.participants < 1:
        yield "planned.participants: write a whole number above zero"
    if study.planned and not 0 < study.planned.retention <= 1:
        yield f"planned.retention: {study.planned.retention:g} is no share; write 0.8 for 80 %"


def _known(where: str, name: str, allowed: Iterable[str]) -> Iterator[str]:
    names = list(allowed)
    if name not in names:
        yield f"{where}: unknown {name!r}{nearest(name, names)}; the study has {listed(names)}"


def variables(study: StudyFile) -> list[str]:
    """Return the names of all measured variables: the instrument, or instrument_item."""
    cells = (cell for table in study.tables.values() for cell in table.columns.values())
    return list(dict.fromkeys(variable(cell.instrument, cell.item) for cell in cells))


def variable(instrument: str, item: str) -> str:
    """Return the name under which a model finds an item."""
    return instrument if item == "total" else f"{instrument}_{item}"


def measured_with(study: StudyFile, name: str) -> Instrument:
    """Return the instrument behind a variable."""
    cells = (cell for table in study.tables.values() for cell in table.columns.values())
    found = next(cell for cell in cells if variable(cell.instrument, cell.item) == name)
    return study.instruments[found.instrument]


def find_term(term: str, names: Sequence[str]) -> str | None:
    """Return the coefficient with these parts, in whatever order they are written.

    >>> find_term("armE:waveT3", ["waveT3", "waveT3:armE"])
    'waveT3:armE'
    """
    parts = set(term.split(":"))
    return next((name for name in names if set(name.split(":")) == parts), None)


def columns(study: StudyFile) -> list[str]:
    """Return every column that a model of this study may name."""
    keys = [
        key
        for key in KEYS
        if key in ("participant", "perspective", "wave", "months") or getattr(study.people, key)
    ]
    return [*keys, *study.people.covariates, *variables(study)]
