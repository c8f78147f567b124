"""What a study declared about individual change and about those who left, computed."""

from collections.abc import Mapping

import pandas as pd

from expertise.errors import StudyError
from expertise.outcomes.change import Change, reliable_change
from expertise.outcomes.imputation import Tipping, impute_scores, tipping_point
from expertise.study.rules import measured_with
from expertise.study.schema import StudyFile

BASELINE = "baseline"


def individual_change(study: StudyFile, outcomes: pd.DataFrame) -> Mapping[str, Change]:
    """Return who changed by more than chance under the declared rule, per perspective.

    Raises
    ------
    StudyError
        study.toml declares no [change].
    """
    rule = study.change
    if rule is None:
        raise StudyError(
            "study.toml declares no [change]; name outcome, first and last wave, and the rule"
        )
    what = measured_with(study, rule.outcome)
    answers = outcomes[outcomes["variable"] == rule.outcome].rename(columns={"value": "score"})
    answers = answers.astype({"wave": str})
    return {
        name: reliable_change(
            answers[answers["perspective"] == name],
            waves=(rule.first, rule.last),
            reliability=float(what.reliability or 0),
            better=what.better,
            primary=rule.rule,
            others=rule.sensitivity,
            mic=what.mic,
        )
        for name in study.perspectives
        if _twice(answers[answers["perspective"] == name], (rule.first, rule.last))
    }


def _twice(answers: pd.DataFrame, waves: tuple[str, str]) -> bool:
    """Whether at least two people of a perspective answered at both waves."""
    told = answers[answers["wave"].isin(waves) & answers["score"].notna()]
    return int((told.groupby("participant")["wave"].nunique() == 2).sum()) >= 2


def dropout_sensitivity(study: StudyFile, people: pd.DataFrame, outcomes: pd.DataFrame) -> Tipping:
    """Return how the difference between arms changes when those who left did worse.

    Missing scores are filled in from a joint normal model over waves (and
    the baseline), then shifted in the first arm.

    Raises
    ------
    StudyError
        study.toml declares no [dropout].
    """
    plan = study.dropout
    if plan is None:
        raise StudyError("study.toml declares no [dropout]; name outcome, arm, arms, wave, deltas")
    role = plan.perspective or next(iter(study.perspectives))
    chosen = (outcomes["variable"] == plan.outcome) & (outcomes["perspective"] == role)
    long = outcomes.loc[chosen, ["participant", "wave", "value"]].astype({"wave": str})
    long = long.rename(columns={"value": "score"})
    if plan.baseline:
        before = people[["participant", plan.baseline]].rename(columns={plan.baseline: "score"})
        long = pd.concat([before.assign(wave=BASELINE), long], ignore_index=True)
    label = study.people.covariates[plan.arm].label
    words = {level: label(level, study.language) for level in plan.arms}
    arms = people[["participant"]].assign(arm=people[plan.arm].astype(str).map(words))
    together = long.merge(arms.dropna(), on="participant")
    imputed = impute_scores(together, seed=study.seed, arm="arm")
    first, second = (words[level] for level in plan.arms)
    return tipping_point(
        imputed, (first, second), plan.wave, deltas=plan.deltas,
        measured=measured_with(study, plan.outcome).label(study.language),
    )  # fmt: skip
