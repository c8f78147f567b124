"""From answers to totals, subscales and classes, with an account of what was missing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from expertise.errors import DataError, listed, nearest
from expertise.figures import StoryAxes
from expertise.instruments.answers import Matrix, read_answers
from expertise.instruments.library import load_instrument
from expertise.instruments.schema import Instrument, Scale
from expertise.instruments.scores_plot import plot_scores
from expertise.result import Result, tidy_table
from expertise.words import Note, note

BLOCK = 16_384  # questionnaires at a time: the work stays in the processor's cache
TURNED_AT, TURNED_N = -0.3, 30


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Scored(Result):
    """Scores of every questionnaire.

    `keys`, `scores`, `classes`, `n_missing` and `n_imputed` have the same rows
    as the table that was scored; the last four have a column a scale
    (`classes` only where the instrument has classes). Classes are ids in
    English; `instrument.scale(name).classes["nl"]` holds the Dutch words.
    """

    instrument: Instrument
    keys: pd.DataFrame
    scores: pd.DataFrame
    classes: pd.DataFrame
    n_missing: pd.DataFrame
    n_imputed: pd.DataFrame
    conf_level: float
    notes: tuple[Note, ...]

    @property
    def total(self) -> pd.Series:
        """The total of every questionnaire; refused where the parts may not be summed."""
        if "total" not in self.scores:
            raise _no_scale(self.instrument, "total")
        return self.scores["total"]

    def heading(self) -> str:
        """Name the instrument and the number of questionnaires."""
        return f"{self.instrument.title}: {len(self.scores)} questionnaires"

    def tidy(self) -> pd.DataFrame:
        """Return the mean of each scale with its interval, by perspective and wave if known.

        The intervals are Student's and treat questionnaires in a cell as
        independent; between waves or perspectives use a mixed model.
        """
        by = [name for name in ("perspective", "wave") if name in self.keys]
        table = self.augment()
        rows = []
        for values, part in table.groupby([*by, "scale"], observed=True, sort=False, dropna=False):
            scores = part["score"].dropna()
            n = len(scores)
            error = scores.std() / np.sqrt(n) if n > 1 else np.nan
            half = error * stats.t.ppf((1 + self.conf_level) / 2, n - 1) if n > 1 else np.nan
            mean = scores.mean() if n else np.nan
            rows.append(
                dict(zip(by, values, strict=False))
                | {"term": values[-1], "estimate": mean, "std_error": error}
                | {"conf_low": mean - half, "conf_high": mean + half}
                | {"conf_level": self.conf_level, "n": n}
                | self._people(part.loc[scores.index])
            )
        return tidy_table(rows)

    @staticmethod
    def _people(part: pd.DataFrame) -> dict[str, int]:
        return {"n_people": part["participant"].nunique()} if "participant" in part else {}

    def glance(self) -> pd.DataFrame:
        """Return how many questionnaires were scored whole, filled in, or not at all."""
        filled = self.n_imputed.to_numpy().any(axis=1)
        unscored = self.scores.isna().to_numpy().any(axis=1)
        return pd.DataFrame(
            [
                {
                    "instrument": self.instrument.name,
                    "n": len(self.scores),
                    "n_imputed": int(filled.sum()),
                    "n_not_scored": int(unscored.sum()),
                }
            ]
        )

    def plot(self, scale: str | None = None, lang: str = "en") -> StoryAxes:
        """Draw how the scores of one scale (by default the first) lie, with its cut-offs."""
        name = scale or self.instrument.scales[0].name
        if name not in self.scores:
            raise _no_scale(self.instrument, name)
        return plot_scores(self.scores[name], self.instrument, name, lang)

    def augment(self) -> pd.DataFrame:
        """Return the long table: a row a questionnaire and scale."""
        parts = []
        for name in self.scores:
            part = self.keys.assign(
                instrument=self.instrument.name,
                scale=name,
                score=self.scores[name],
                n_missing=self.n_missing[name],
                n_imputed=self.n_imputed[name],
            )
            parts.append(part.assign(**{"class": self.classes.get(name)}))
        return pd.concat(parts, ignore_index=True)


def score(
    table: pd.DataFrame,
    instrument: str | Path | Instrument,
    *,
    items: Sequence[str] | None = None,
    max_missing: int | Mapping[str, int] | None = None,
    key: Mapping[str, Sequence[int]] | None = None,
    scales: Sequence[str] | None = None,
    already_reversed: bool = False,
    conf_level: float = 0.95,
) -> Scored:
    """Score questionnaires, all rows at once.

    Parameters
    ----------
    table : DataFrame
        Wide: a row a questionnaire, columns ``<instrument>_1`` … or those in
        `items`; every other column is kept as a key. Or long: columns `item`
        (number) and `value`, the other columns saying whose and when; rows of
        other instruments in a column `instrument` are passed over.
    instrument : str, Path or Instrument
        A name from `list_instruments()` or a study's own file.
    items : sequence of str, optional
        The item columns of a wide table, in the order of the form.
    max_missing : int or mapping, optional
        The most missing answers, per scale, that are replaced by the mean of
        the person's other answers on that scale; with more, the score is
        missing. A mapping gives it scale by scale. May be left out only where
        the instrument's file holds a rule whose source was read.
    key : mapping, optional
        Item numbers of each subscale, for instruments whose key is not shipped.
    scales : sequence of str, optional
        Only these scales; by default all.
    already_reversed : bool
        The table holds reversed items already turned round.
    conf_level : float
        For the means in `tidy()`.

    Returns
    -------
    Scored
        Not computed: T-scores, percentiles and norms (these belong to the
        owners), and totals of profiles that may not be summed.

    Raises
    ------
    DataError
        An answer out of range (with row and column), a wrong number of items,
        an unknown instrument or scale, no choice for missing answers, or items
        that look reversed twice.

    Examples
    --------
    >>> answers = pd.DataFrame([[1] * 9, [3] * 9], columns=[f"phq9_{i}" for i in range(1, 10)])
    >>> list(score(answers, "phq9").classes["total"])
    ['mild', 'severe']
    """
    if not 0 < conf_level < 1:
        raise DataError(f"conf_level is {conf_level:g}; it lies between 0 and 1, such as 0.95")
    if not isinstance(instrument, Instrument):
        instrument = load_instrument(instrument)
    instrument = _chosen(_keyed(instrument, key), scales)
    if isinstance(max_missing, Mapping):
        for name in max_missing:
            if name not in [scale.name for scale in instrument.scales]:
                raise _no_scale(instrument, name)
    allowed = {scale.name: _allowed(instrument, scale, max_missing) for scale in instrument.scales}
    keys, values = read_answers(table, instrument, items)
    if not already_reversed:
        _reverse(values, instrument)
    where = {item: j for j, item in enumerate(instrument.used)}
    parts = [
        [_scaled(block[:, [where[i] for i in scale.items]], scale, instrument, allowed[scale.name])
         for scale in instrument.scales]
        for block in _blocks(values)
    ]  # fmt: skip
    names = [scale.name for scale in instrument.scales]
    scores, missing, imputed = (
        pd.DataFrame(
            {name: np.concatenate([part[j][k] for part in parts]) for j, name in enumerate(names)},
            index=keys.index,
        )
        for k in range(3)
    )
    return Scored(
        instrument=instrument,
        keys=keys,
        scores=scores,
        classes=_classes(scores, values, where, instrument),
        n_missing=missing,
        n_imputed=imputed,
        conf_level=conf_level,
        notes=_notes(instrument, scores, imputed),
    )


def _blocks(values: Matrix) -> Iterator[Matrix]:
    for start in range(0, max(len(values), 1), BLOCK):
        yield values[start : start + BLOCK]


def _keyed(instrument: Instrument, key: Mapping[str, Sequence[int]] | None) -> Instrument:
    """Put the study's item numbers where the owner's key is not shipped."""
    open_ = [scale for scale in instrument.scales if not scale.items]
    if not open_:
        if key is not None:
            raise DataError(f"{instrument.name} needs no key: its scales are known; leave out key")
        return instrument
    wanted = ", ".join(f"{scale.name} ({scale.size} items)" for scale in open_)
    if key is None or set(key) != {scale.name for scale in open_}:
        raise DataError(
            f"the item numbers of {instrument.name} are not shipped; "
            f"give key={{…}} with those of {wanted}, from the owner: {instrument.owner}"
        )
    filled = []
    for scale in instrument.scales:
        members = tuple(key.get(scale.name, scale.items))
        numbers = [i for i in members if isinstance(i, int) and 1 <= i <= instrument.count]
        if len(set(numbers)) != scale.size or len(members) != scale.size:
            raise DataError(
                f"key[{scale.name!r}] must name {scale.size} different items of "
                f"{instrument.name}, from 1 to {instrument.count}; it has {listed(members, 60)}"
            )
        filled.append(replace(scale, items=members))
    return replace(instrument, scales=tuple(filled))


def _no_scale(instrument: Instrument, name: str) -> DataError:
    have = [scale.name for scale in instrument.scales]
    if name in instrument.refused:
        return DataError(
            f"{instrument.name} has no {name}: {instrument.refused[name]['en']}; use {listed(have)}"
        )
    return DataError(
        f"{instrument.name} has no scale {name!r}{nearest(name, have)}; it has {listed(have)}"
    )


def _chosen(instrument: Instrument, scales: Sequence[str] | None) -> Instrument:
    if scales is None:
        return instrument
    have = {scale.name: scale for scale in instrument.scales}
    for name in scales:
        if name not in have:
            raise _no_scale(instrument, name)
    return replace(instrument, scales=tuple(have[name] for name in scales))


def _allowed(
    instrument: Instrument, scale: Scale, max_missing: int | Mapping[str, int] | None
) -> int:
    """Return how many answers of a scale may be missing: chosen, or by the file's rule."""
    chosen = max_missing.get(scale.name) if isinstance(max_missing, Mapping) else max_missing
    if chosen is None:
        chosen = instrument.missing.get("at_most") if scale.imputable else 0
    if chosen is None:
        hint = instrument.missing.get("unverified")
        told = f" (unverified: {hint})" if hint else ""
        raise DataError(
            f"no rule for missing answers on {instrument.name} was found{told}; choose "
            "max_missing, the most missing answers a scale may have (0: only complete ones)"
        )
    if not isinstance(chosen, int) or not 0 <= chosen < scale.size:
        raise DataError(
            f"max_missing is {chosen} for {scale.name} of {instrument.name}; "
            f"allowed are whole numbers 0 to {scale.size - 1}"
        )
    if chosen and not scale.imputable:
        raise DataError(
            f"max_missing is {chosen}, but {scale.name} of {instrument.name} is no sum of its "
            "answers and cannot be filled in; leave out max_missing"
        )
    return chosen


def _reverse(values: Matrix, instrument: Instrument) -> None:
    """Turn reversed items round, in place; refuse when they run against the rest afterwards."""
    turned = [j for j, item in enumerate(instrument.used) if item in instrument.reversed]
    if not turned:
        return
    values[:, turned] = instrument.low + instrument.high - values[:, turned]
    rest = [j for j in range(values.shape[1]) if j not in turned]
    if not rest or len(values) < TURNED_N:
        return
    pair = np.column_stack([values[:, turned].sum(axis=1), values[:, rest].sum(axis=1)])
    pair = pair[~np.isnan(pair).any(axis=1)]
    if len(pair) < TURNED_N or (np.ptp(pair, axis=0) == 0).any():
        return
    r = float(np.corrcoef(pair.T)[0, 1])
    if r < TURNED_AT:
        raise DataError(
            f"the reversed items of {instrument.name} ({listed(instrument.reversed, 20)}) run "
            f"against its other items (r = {r:.2f}): they seem to be reversed in the table "
            "already; pass already_reversed=True"
        )


def _scaled(
    answers: Matrix, scale: Scale, instrument: Instrument, allowed: int
) -> tuple[Matrix, np.ndarray, np.ndarray]:
    """Return score, number missing and number filled in of one scale."""
    low, high, size = instrument.low, instrument.high, scale.size
    empty = np.isnan(answers)
    missing = empty.sum(axis=1)
    if scale.rule == "decrements":
        level = np.where(empty, low, answers).astype(int) - int(low)
        steps = np.array(scale.decrements)[np.arange(size), level]
        raw = 1 - steps.sum(axis=1) - scale.constant * (level > 0).any(axis=1)
    elif scale.rule == "top":
        raw = (answers == high).all(axis=1).astype(float)
    else:
        points = (answers >= scale.least) * 1.0 if scale.rule == "count" else answers
        filled = np.where(empty, 0.0, points).sum(axis=1)
        answered = np.maximum(size - missing, 1)
        if scale.rule in ("sum", "count"):
            raw = np.where(missing == 0, filled, filled * (size / answered))
        else:
            raw = filled / answered
            if scale.rule == "percent":
                raw = (raw - low) / (high - low) * 100
    scored = missing <= allowed
    return np.where(scored, raw, np.nan), missing, np.where(scored, missing, 0)


def _classes(
    scores: pd.DataFrame, values: Matrix, where: Mapping[int, int], instrument: Instrument
) -> pd.DataFrame:
    classes = {}
    for scale in instrument.scales:
        if scale.cuts:
            codes = np.digitize(scores[scale.name], scale.cuts, right=scale.above)
            codes[scores[scale.name].isna()] = -1
            names = list(scale.classes["en"])
            classes[scale.name] = pd.Categorical.from_codes(codes, names, ordered=True)
    if instrument.kinds:
        codes = np.full(len(scores), -1)
        for k, kind in reversed(list(enumerate(instrument.kinds))):
            fits = np.ones(len(scores), dtype=bool)
            for need in kind.need:
                answers = values[:, [where[item] for item in need["items"]]]
                reached = answers >= need["from"] if "from" in need else answers <= need["up_to"]
                fits &= reached.sum(axis=1) >= need["least"]
            codes[fits] = k
        codes[np.isnan(values).any(axis=1)] = -1
        classes["kind"] = pd.Categorical.from_codes(codes, [kind.id for kind in instrument.kinds])
    return pd.DataFrame(classes, index=scores.index)


def _notes(instrument: Instrument, scores: pd.DataFrame, imputed: pd.DataFrame) -> tuple[Note, ...]:
    notes = []
    if filled := int(imputed.to_numpy().any(axis=1).sum()):
        notes.append(note("instruments.imputed", n=filled, of=len(scores)))
    if left := int(scores.isna().to_numpy().any(axis=1).sum()):
        notes.append(note("instruments.not_scored", n=left, of=len(scores)))
    if not instrument.may_show_items:
        notes.append(note("instruments.owner", title=instrument.title, owner=instrument.owner))
    return tuple(notes)
