"""Sums of a mixed model: chunks equal one table, sums add, files come back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError, DesignError, FileError
from expertise.mixed.chunks import reduce_mixed
from expertise.mixed.deviance import Deviance
from expertise.mixed.fit import fit_mixed
from expertise.mixed.newton import minimise
from expertise.mixed.reduction import prepare, reduce_rows
from expertise.mixed.sums import MixedSums
from expertise.mixed.sums_fit import fit_sums

FORMULA = "score ~ wave * arm + (wave | person) + (1 | team)"
LEVELS = {"arm": ["care", "usual"], "team": range(5)}


def study(people=60, waves=4):
    rng = np.random.default_rng(2)
    person = np.repeat(np.arange(people), waves)
    wave = np.tile(np.arange(waves, dtype=float), people)
    b = rng.normal(size=(people, 2)) * [2, 0.5]
    score = 5 + wave + b[person, 0] + b[person, 1] * wave + rng.normal(size=len(person))
    table = pd.DataFrame(
        {
            "score": score,
            "wave": wave,
            "arm": np.where(person % 2, "care", "usual"),
            "person": [f"p{at}" for at in person],
            "team": person % 5,
        }
    )
    return table[rng.random(len(table)) > 0.2].reset_index(drop=True)


def same(sums, fit, df="satterthwaite"):
    other = fit_sums(sums, df=df)
    pd.testing.assert_frame_equal(other.tidy(), fit.tidy(), rtol=1e-7)
    glance = ["n", "n_people", "n_dropped", "log_likelihood", "aic", "bic", "n_parameters"]
    pd.testing.assert_frame_equal(other.glance()[glance], fit.glance()[glance], rtol=1e-9)
    return other


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "normal"])
def test_chunks_give_the_fit_of_the_table(df):
    data = study()
    data.loc[3, "score"] = np.nan
    fit = fit_mixed(FORMULA, data, df=df)
    for chunks in (data, [data[:70], data[70:73], data[73:]], [data[at::3] for at in range(3)]):
        same(reduce_mixed(FORMULA, chunks, levels=LEVELS), fit, df)


def test_people_are_closed_when_many_are_open_and_may_not_come_back():
    data = study()
    chunks = [data[at : at + 20] for at in range(0, len(data), 20)]
    sums = reduce_mixed(FORMULA, chunks, levels=LEVELS, hold=12)
    same(sums, fit_mixed(FORMULA, data))
    with pytest.raises(DesignError, match="come back after it was closed"):
        reduce_mixed(FORMULA, [*chunks, data[:5]], levels=LEVELS, hold=12)


def test_sums_add_and_their_order_does_not_matter():
    data = study()
    half = data["person"].isin([f"p{at}" for at in range(25)])
    parts = [reduce_mixed(FORMULA, rows, levels=LEVELS) for rows in (data[half], data[~half])]
    fit = fit_mixed(FORMULA, data)
    same(MixedSums.total(parts), fit)
    same(MixedSums.total(parts[::-1]), fit)
    later = data.assign(wave=data["wave"] + 1000, score=data["score"] + 1e6)
    moved = [reduce_mixed(FORMULA, rows, levels=LEVELS) for rows in (later[half], later[~half])]
    same(MixedSums.total(moved), fit_mixed(FORMULA, later))


def test_size_depends_on_patterns_not_on_people():
    sizes = []
    for people in (200, 2000):
        rng = np.random.default_rng(0)
        data = pd.DataFrame(
            {
                "y": rng.normal(size=4 * people),
                "t": np.tile(np.arange(4.0), people),
                "g": np.repeat(np.arange(people), 4),
            }
        )
        sizes.append(reduce_mixed("y ~ t + (t | g)", data).V.size)
    assert sizes[0] == sizes[1]


def test_people_in_other_pairs_of_teams_are_told_apart():
    # 1 + 4 = 2 + 3: memberships must not be recognised by a sum of codes
    rng = np.random.default_rng(1)
    pairs = np.array([(0, 1), (0, 4), (1, 3), (2, 3), (1, 4), (2, 2)])[rng.integers(0, 6, 300)]
    data = pd.DataFrame(
        {
            "y": rng.normal(size=600) + 2 * pairs.ravel(),
            "person": np.repeat(np.arange(300), 2),
            "team": pairs.ravel(),
        }
    )
    formula = "y ~ 1 + (1 | person) + (1 | team)"
    fit = fit_mixed(formula, data)
    deviance = Deviance(reduce_rows(prepare(fit.design)), reml=True)
    whole = replace(deviance.reduction, groups=deviance.reduction.every)
    best = minimise(deviance).point
    assert len(deviance.reduction.groups.pattern) < 300
    again = Deviance(whole, reml=True)(best.factors).deviance
    assert_allclose(again, best.deviance, rtol=1e-12)
    same(reduce_mixed(formula, data, levels={"team": range(5)}), fit)


def test_saved_sums_come_back(tmp_path):
    sums = reduce_mixed(FORMULA, study(), levels=LEVELS)
    back = MixedSums.load(sums.save(tmp_path / "sums.npz"))
    assert (back.formula, back.n, back.people) == (sums.formula, sums.n, sums.people)
    assert list(tmp_path.iterdir()) == [tmp_path / "sums.npz"]
    same(back, fit_mixed(FORMULA, study()))
    (tmp_path / "other.npz").write_bytes(b"no")
    with pytest.raises(FileError, match="holds no sums of a mixed model"):
        MixedSums.load(tmp_path / "other.npz")
    with pytest.raises(FileError, match="holds no sums"):
        MixedSums.load(tmp_path / "absent.npz")


def test_another_schema_is_refused(tmp_path, monkeypatch):
    sums = reduce_mixed(FORMULA, study(), levels=LEVELS)
    monkeypatch.setattr("expertise.mixed.sums.SCHEMA", 2)
    path = sums.save(tmp_path / "sums.npz")
    monkeypatch.undo()
    with pytest.raises(FileError, match="another schema than 1"):
        MixedSums.load(path)


@pytest.mark.parametrize(
    ("formula", "levels", "sentence"),
    [
        ("score ~ poly(wave, 2) + (1 | person)", {}, "depends on all rows at once"),
        ("score ~ arm + (1 | person)", {}, "'arm' holds categories; declare its levels"),
        ("score ~ wave + (1 | person) + (1 | team)", {}, "2 groupings without declared levels"),
        ("score ~ wave + (1 | team)", {"team": range(5)}, "0 groupings without"),
        ("score ~ wave + (1 | person) + (wave | team)", {"team": range(5)}, "crossed grouping"),
        ("score ~ C(wave) + (1 | person)", {}, "write the column of C"),
        ("score ~ wave + (1 | person)", {"x": [1]}, "levels are declared of x"),
        ("score ~ wave", {}, "needs an outcome, a fixed part and a random term"),
    ],
)
def test_plans_that_are_refused(formula, levels, sentence):
    with pytest.raises(DesignError, match=sentence):
        reduce_mixed(formula, study(), levels=levels)


def test_what_else_is_refused():
    data = study()
    with pytest.raises(DataError, match="'team' is 4 in row"):
        reduce_mixed(FORMULA, data, levels={**LEVELS, "team": range(4)})
    with pytest.raises(DesignError, match="no complete rows"):
        reduce_mixed(FORMULA, data[:0], levels=LEVELS)
    double = data.assign(twice=2 * data["wave"])
    sums = reduce_mixed("score ~ wave + twice + (1 | person)", double)
    with pytest.raises(DesignError, match="'twice' depends on wave"):
        fit_sums(sums)
    one = reduce_mixed("score ~ wave + (1 | person)", data)
    other = reduce_mixed("score ~ 1 + (1 | person)", data)
    with pytest.raises(DesignError, match="formula and levels must be the same"):
        MixedSums.total([one, other])
    with pytest.raises(DesignError, match="no sums to add"):
        MixedSums.total([])
    with pytest.raises(DesignError, match="unknown df 'auto'"):
        fit_sums(one, df="auto")
    with pytest.raises(DesignError, match="defined for REML"):
        fit_sums(one, df="kenward-roger", reml=False)


def test_views_that_need_rows_say_so():
    fit = fit_sums(reduce_mixed(FORMULA, study(), levels=LEVELS))
    for view in (fit.augment, fit.random_effects, fit.linear_predictor):
        with pytest.raises(DesignError, match="needs the rows, and these are sums"):
            view()
