"""Says a model and its main result in plain words that follow the intervals."""

from collections.abc import Mapping
from math import exp

from expertise.errors import DesignError, listed, nearest
from expertise.mixed.fitted import Fitted
from expertise.mixed.nodes import columns_of
from expertise.mixed.variables import Layout, Variable
from expertise.words import LANGUAGES, digits_for, number, say

MOST_SENTENCES = 3
KINDS = {
    ("gaussian", "identity"): "amount",
    ("binomial", "logit"): "odds",
    ("cumulative", "logit"): "answer",
    ("poisson", "log"): "count",
    ("negative-binomial", "log"): "count",
}
QUIET = ("mixed.reference", "mixed.event")
Labels = Mapping[str, str]
Parts = tuple[tuple[Variable, int | None], ...]


def describe(
    fit: Fitted, lang: str = "nl", term: str | None = None, labels: Labels | None = None
) -> str:
    """Return one paragraph: what was modelled, and what came out of it.

    The words follow the interval of each result: one that holds "no
    difference" is said not to be settled, whatever its estimate.

    Parameters
    ----------
    fit : MixedFit
    lang : {"nl", "en"}
    term : str, optional
        The coefficient that answers the question. Otherwise the highest
        interactions, or the first three coefficients without any.
    labels : mapping, optional
        Words for columns and levels, such as those of a study:
        ``{"score": "herstel", "peer": "met ervaringswerker"}``.

    Raises
    ------
    DesignError
        For an unknown coefficient or language.

    Examples
    --------
    >>> import pandas as pd
    >>> from expertise.mixed.fit import fit_mixed
    >>> rows = [(p, t, p % 5 + t + (p * t) % 3) for p in range(12) for t in range(3)]
    >>> table = pd.DataFrame(rows, columns=["person", "wave", "score"])
    >>> text = describe(fit_mixed("score ~ wave + (1 | person)", table), "en")
    >>> text.split(". ")[2]
    'For one more unit of wave, score is higher: by 1.50 (95% interval 1.22 to 1.78).'
    """
    if lang not in LANGUAGES:
        raise DesignError(f"unknown language {lang!r}; allowed are {listed(LANGUAGES)}")
    if term is not None and term not in fit.names:
        raise DesignError(
            f"{term!r} is no coefficient of the model{nearest(term, fit.names)}; "
            f"it has {listed(fit.names)}"
        )
    words = _Words(labels or {})
    sentences = [_model(fit, lang, words), *_residuals(fit, lang, words)]
    sentences += [_result_of(fit, at, lang, words) for at in _chosen(fit, term)]
    sentences += [note.text(lang) for note in fit.notes if note.key not in QUIET]
    return " ".join(sentences)


class _Words(dict[str, str]):
    """Words for columns and levels; what has none keeps its own name."""

    def __missing__(self, name: str) -> str:
        return name


def _result_of(fit: Fitted, at: int, lang: str, words: _Words) -> str:
    """Return the result of one coefficient in a sentence."""
    row = fit.tidy().query("component == 'fixed'").iloc[at]
    values = [float(row[name]) for name in ("estimate", "conf_low", "conf_high")]
    state = direction(values[1], values[2])
    kind = KINDS.get((fit.family, fit.link.name), "latent")
    ratio = kind not in ("amount", "latent")
    if ratio:
        values = [exp(min(value, 700.0)) for value in values]
    elif state == "down":
        values = [-values[0], -values[2], -values[1]]
    every = parts_of(fit.design.layout)
    parts = every[at]
    return _where(parts, every, lang, words) + say(
        f"mixed_use.{'together' if len(parts) > 1 else kind}_{state}",
        lang,
        subject=_subject(parts, lang, words),
        outcome=words[fit.design.outcome],
        result=result(values, fit.conf_level, lang, ratio=ratio),
    )


def _where(parts: Parts, every: list[Parts], lang: str, words: _Words) -> str:
    """Say at which values a coefficient holds that interactions change."""
    own = {variable.node for variable, _ in parts}
    beside = {
        str(variable.node): variable.levels[variable.reference] if variable.levels else 0
        for more in every
        if own < {variable.node for variable, _ in more}
        for variable, _ in more
        if variable.node not in own
    }
    if not beside:
        return ""
    places = ", ".join(f"{words[name]} = {words[str(value)]}" for name, value in beside.items())
    return say("mixed_use.where", lang, places=places) + " "


def direction(low: float, high: float) -> str:
    """Return `up`, `down`, or `open` where the interval holds zero."""
    return "up" if low > 0 else "down" if high < 0 else "open"


def result(values: list[float], conf_level: float, lang: str, *, ratio: bool = False) -> str:
    """Write an estimate and its interval for a sentence, with the digits it warrants."""
    digits = digits_for(values[2] - values[1])
    estimate, low, high = (number(value, digits, lang) for value in values)
    percent = number(100 * conf_level, 0 if round(100 * conf_level, 6) % 1 == 0 else 1, lang)
    key = "mixed_use.ratio" if ratio else "mixed_use.amount"
    return say(key, lang, estimate=estimate, low=low, high=high, percent=percent)


def parts_of(layout: Layout) -> list[Parts]:
    """Return for each coefficient its variables, with the place of a factor's level."""
    found: list[Parts] = []
    for variables in layout.variables:
        labels: list[Parts] = [()]
        for variable, full in variables:
            places: list[int | None] = list(range(len(variable.names(full))))
            if variable.levels:
                places = [k for k in range(len(variable.levels)) if full or k != variable.reference]
            labels = [(*old, (variable, place)) for place in places for old in labels]
        found += labels
    return found


def _model(fit: Fitted, lang: str, words: _Words) -> str:
    design = fit.design
    terms = [" × ".join(words[str(node)] for node in term) for term in design.layout.terms if term]
    predictors = ", ".join(terms) or say("mixed_use.level_alone", lang)
    largest = max(design.random, key=lambda term: term.size, default=None)
    return say(
        "mixed_use.model" if largest is not None else "mixed_use.model_alone",
        lang,
        outcome=words[design.outcome],
        predictors=predictors,
        n=fit.n,
        people=fit.n_people,
        group="" if largest is None else words[largest.group],
    )


def _residuals(fit: Fitted, lang: str, words: _Words) -> list[str]:
    """Say what the model lets residuals be: alike in time, of unequal size."""
    whitening = fit.solution.whitening
    if whitening is None:
        return []
    none = "mixed.no_correlation" in [note.key for note in fit.notes]
    said = [say("mixed_use.hold_on", lang)] if whitening.carry.any() and not none else []
    if whitening.layout is not None:
        columns = listed(words[name] for name in whitening.layout.columns)
        said.append(say("mixed_use.unequal", lang, columns=columns))
    return said


def _chosen(fit: Fitted, term: str | None) -> list[int]:
    if term is not None:
        return [fit.names.index(term)]
    orders = [len(parts) for parts in parts_of(fit.design.layout)]
    most = max(orders, default=0)
    return [at for at, order in enumerate(orders) if order == most and order][:MOST_SENTENCES]


def _subject(parts: Parts, lang: str, words: _Words) -> str:
    said = []
    for variable, place in parts:
        if variable.levels and place is not None:
            levels = [words[str(level)] for level in variable.levels]
            level, reference = levels[place], levels[variable.reference]
            key = "mixed_use.level" if place != variable.reference else "mixed_use.level_itself"
            name = str(next(columns_of(variable.node)))
            said.append(say(key, lang, column=words[name], level=level, reference=reference))
        else:
            said.append(say("mixed_use.unit", lang, column=words[str(variable.node)]))
    return f" {say('mixed_use.and', lang)} ".join(said)
