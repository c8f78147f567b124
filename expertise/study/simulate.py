"""Invents a study of triads whose truth is known, so that every analysis can be tried on it."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from expertise.errors import DataError, DesignError
from expertise.words import Note, note

Vector = NDArray[np.float64]
Codes = NDArray[np.intp]
ROLES = ("patient", "naaste", "professional")
MONTHS = (0, 6, 12, 18, 24)
STARTS = (3, 9, 15, 21)  # months at which groups of teams begin their action cycle
SERIES = range(-11, 37)  # months in which teams count their conversations
ITEMS, WELLBEING_ITEMS = 6, 5
TELLER = ("participant", "perspective", "triad", "team", "institution")
CONSENT = ("use", "coded_by", "quote_to", "own_triad_may_read")
RELATIONS = ("partner", "ouder", "kind", "broer of zus", "vriend", "buur")
PROFESSIONS = ("verpleegkundige", "psycholoog", "psychiater", "ambulant begeleider",
               "ervaringsdeskundige", "maatschappelijk werker")  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """What is true in a simulated study; scores run from 0 to 100.

    Attributes
    ----------
    level, trend : float
        Collaboration at the start as patients rate it, and its change a month
        without any action.
    bias : dict
        How much higher each role rates the same collaboration.
    gain : dict
        What the action cycle of the team adds, as each role rates it.
    noise : dict
        SD of one rating, by role.
    spread : dict
        SD between teams, professionals, triads and participants.
    wellbeing, wellbeing_gain, wellbeing_trend : dict, dict, float
        The same for wellbeing, which patients and naasten report.
    leaving : float
        Monthly-wave log-odds of leaving for someone who rated 50.
    leaving_slope : float
        What each point below 50 at the last rating adds to it.
    joining, joining_ratio : float
        Share of a team's conversations at which a naaste is present, and by
        how much its action cycle multiplies that share.
    """

    level: float = 55.0
    trend: float = 0.1
    bias: dict[str, float] = field(
        default_factory=lambda: {"patient": 0.0, "naaste": -8.0, "professional": 6.0}
    )
    gain: dict[str, float] = field(
        default_factory=lambda: {"patient": 5.0, "naaste": 9.0, "professional": 5.0}
    )
    noise: dict[str, float] = field(
        default_factory=lambda: {"patient": 8.0, "naaste": 9.0, "professional": 7.0}
    )
    spread: dict[str, float] = field(
        default_factory=lambda: {"team": 3.0, "professional": 3.0, "triad": 5.0, "participant": 4.0}
    )
    wellbeing: dict[str, float] = field(default_factory=lambda: {"patient": 42.0, "naaste": 50.0})
    wellbeing_gain: dict[str, float] = field(
        default_factory=lambda: {"patient": 3.0, "naaste": 5.0}
    )
    wellbeing_trend: float = 0.15
    leaving: float = -3.4
    leaving_slope: float = 0.06
    joining: float = 0.28
    joining_ratio: float = 1.5

    def coefficients(self) -> dict[str, float]:
        """Return the fixed effects of ``collaboration ~ perspective * active + months``."""
        out = {"(Intercept)": self.level, "months": self.trend, "active": self.gain["patient"]}
        for role in ROLES[1:]:
            out[f"perspective{role}"] = self.bias[role]
            out[f"perspective{role}:active"] = self.gain[role] - self.gain["patient"]
        return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Simulation:
    """A simulated study.

    Attributes
    ----------
    people : DataFrame
        A row a seat in a triad: participant, perspective, triad, team,
        institution, professional (who serves the patient, often several),
        start (month at which the team's cycle begins), age, relation,
        profession, consent.
    answers : DataFrame
        A row a seat and wave: participant, wave, active (0 or 1: whether the
        team had begun), collaboration. Missing where someone had left or did
        not answer.
    form : DataFrame
        The collaboration form, answers 0–4: participant, wave, and a column
        for each other role and item.
    items : DataFrame
        Wellbeing of patients and naasten: participant, wave, wellbeing (four
        times the sum) and a column an item, answered 0–5.
    conversations : DataFrame
        A row a team and month, from a year before the first wave to a year
        after the last: team, month, conversations, with_naaste (at how many
        of these a naaste was present).
    truth : Truth
        What was put in.
    seed : int
        Start of everything random.
    notes : tuple of Note
        That nobody lived this.
    """

    people: pd.DataFrame
    answers: pd.DataFrame
    form: pd.DataFrame
    items: pd.DataFrame
    conversations: pd.DataFrame
    truth: Truth
    seed: int
    notes: tuple[Note, ...]


def simulate_study(
    telling: pd.DataFrame | None = None,
    *,
    triads: int = 144,
    truth: Truth | None = None,
    seed: int = 2020,
) -> Simulation:
    """Invent a study of triads in teams that begin an action cycle one after another.

    Every role rates the collaboration of its triad at 0, 6, 12, 18 and 24
    months; patients and naasten also report wellbeing. A rating is the level,
    the trend, the bias of the role, the gain of the role once the team has
    begun, what its team, professional, triad and the person themselves add,
    and noise of the role. Teams also count each month at how many
    conversations a naaste was present. Teams begin in four groups, spread over the
    institutions. Someone who rated the collaboration low, or whose triad
    someone left, leaves sooner: what is missing depends on the past only.
    About one triad in seven has no naaste and one in sixteen no professional
    who takes part.

    Parameters
    ----------
    telling : DataFrame, optional
        People who tell their story, with columns participant, perspective,
        triad, team, institution (and age, relation, profession, consent):
        they keep these, and their teams and institutions are the study's.
    triads : int
        How many, at least 12.
    truth : Truth, optional
        Other effects than the usual ones.
    seed : int
        The same seed gives the same study, whatever else runs.

    Returns
    -------
    Simulation

    Raises
    ------
    DesignError
        Fewer than twelve triads, or fewer than those who tell.
    DataError
        `telling` lacks a column.

    Notes
    -----
    Ratings are rounded to whole points and kept within 0 and 100. Items are
    rounded and cut off at the ends of their scale, so a total of items shows
    slightly less than the truth behind it.

    Examples
    --------
    >>> made = simulate_study(triads=24, seed=1)
    >>> made.people["triad"].nunique(), made.answers["wave"].nunique()
    (24, 5)
    """
    told = _told(telling)
    if triads < max(12, told["triad"].nunique()):
        raise DesignError(
            f"{triads} triads is too few; a simulated study has 12 or more, and all who tell"
        )
    true = truth or Truth()
    parts = np.random.SeedSequence(seed).spawn(5)
    people = _people(told, triads, np.random.default_rng(parts[0]))
    ratings = _ratings(people, true, np.random.default_rng(parts[1]))
    stays = _stays(people, ratings, true, np.random.default_rng(parts[2]))
    answers, form, items = _answers(people, ratings, stays, true, np.random.default_rng(parts[3]))
    conversations = _conversations(people, true, np.random.default_rng(parts[4]))
    return Simulation(
        people=people, answers=answers, form=form, items=items, conversations=conversations,
        truth=true, seed=seed, notes=(note("simulation.simulated", seed=seed),),
    )  # fmt: skip


def _conversations(people: pd.DataFrame, true: Truth, rng: np.random.Generator) -> pd.DataFrame:
    """Return how many conversations each team had a month, and at how many a naaste was."""
    teams = people.drop_duplicates("team")
    months, start = np.array(SERIES), teams["start"].to_numpy()
    usual = rng.uniform(20, 45, len(teams))
    share = true.joining * np.exp(rng.normal(0, 0.15, len(teams)))
    # As for ratings, the month in which the cycle begins still counts as before it.
    ratio = np.where(months > start[:, None], true.joining_ratio, 1.0)
    held = rng.poisson(usual[:, None], ratio.shape) + 1
    joined = rng.binomial(held, np.minimum(share[:, None] * ratio, 0.95))
    return pd.DataFrame(
        {
            "team": np.repeat(teams["team"].to_numpy(), len(months)),
            "month": np.tile(months, len(teams)),
            "conversations": held.ravel(),
            "with_naaste": joined.ravel(),
        }
    )


def _told(telling: pd.DataFrame | None) -> pd.DataFrame:
    if telling is None:
        places = [f"instelling {'ABCD'[k % 4]}" for k in range(12)]
        rows = [
            (f"T{k + 1:02d}-{role}", role, f"T{k + 1:02d}", f"team {k + 1}", places[k])
            for k in range(12)
            for role in ROLES
        ]
        return pd.DataFrame(rows, columns=list(TELLER))
    for name in TELLER:
        if name not in telling:
            raise DataError(f"the people who tell have no column {name!r}; add it")
    return telling


def _people(told: pd.DataFrame, triads: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return a row a seat: those who tell first, then the others, team by team."""
    teams = told.drop_duplicates("team")[["team", "institution"]].reset_index(drop=True)
    own = told.drop_duplicates("triad").set_index("triad")["team"]
    others = [f"T{k}" for k in range(len(own) + 1, triads + 1)]
    weights = rng.dirichlet(np.full(len(teams), 12.0))
    drawn = rng.choice(teams["team"].to_numpy(), size=len(others), p=weights)
    team = pd.concat([own, pd.Series(drawn, index=others)])
    rows = []
    for triad, name in team.items():
        rows += [
            {"triad": triad, "perspective": role, "team": name}
            for role, absent in zip(ROLES, (0.0, 1 / 7, 1 / 16), strict=True)
            if triad in own.index or rng.random() >= absent
        ]
    people = pd.DataFrame(rows)
    people.insert(0, "participant", people["triad"] + "-" + people["perspective"])
    people["institution"] = people["team"].map(teams.set_index("team")["institution"])
    # The order within an institution sets the step, so that no institution begins first as a whole.
    place = teams.groupby("institution", sort=False).cumcount()
    turn = pd.factorize(teams["institution"])[0] + place
    people["start"] = people["team"].map(
        dict(zip(teams["team"], [STARTS[k % 4] for k in turn], strict=True))
    )
    people["professional"] = people["triad"].map(_caseloads(team, rng))
    return _described(people, told, rng)


def _caseloads(team: "pd.Series[str]", rng: np.random.Generator) -> dict[str, str]:
    """Give each triad its professional: about three triads each, within a team."""
    out: dict[str, str] = {}
    for place, name in enumerate(pd.unique(team)):
        here = team.index[team == name]
        staff = [f"P{place + 1:02d}{letter}" for letter in "abcdefghijkl"[: -(-len(here) // 3)]]
        # Everyone on the staff has a patient; the rest fall where they fall.
        rest = rng.choice(staff, size=len(here) - len(staff)).tolist()
        out |= dict(zip(here, [*staff, *rest], strict=True))
    return out


def _described(people: pd.DataFrame, told: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    out, n = people.copy(), len(people)
    role = out["perspective"]
    out["age"] = np.where(role == "professional", rng.integers(24, 66, n), rng.integers(18, 79, n))
    out["relation"] = np.where(role == "naaste", rng.choice(RELATIONS, n), "")
    # A professional has one profession in all their triads.
    staff = sorted(out["professional"].unique())
    jobs = dict(zip(staff, rng.choice(PROFESSIONS, len(staff)), strict=True))
    out["profession"] = out["professional"].map(jobs).where(role == "professional", "")
    out["use"] = "yes"
    out["coded_by"] = "patient naaste professional"
    out["quote_to"] = rng.choice(["nobody", "inside", "council", "public"], n)
    out["own_triad_may_read"] = rng.choice(["yes", "no"], n)
    known = told.set_index("participant")
    teller = out["participant"].isin(known.index)
    for name in ("age", "relation", "profession", *CONSENT):
        if name in known:
            given = out["participant"].map(known[name])
            out[name] = out[name].where(~teller, given.fillna(""))
    return out.astype({"age": int})


def _ratings(people: pd.DataFrame, true: Truth, rng: np.random.Generator) -> dict[str, Vector]:
    """Return what everyone would rate, seats × waves, before anyone leaves."""
    role = people["perspective"]
    months, start = np.array(MONTHS, float), people["start"].to_numpy(float)
    active = (months > start[:, None]).astype(float)

    def by_role(values: dict[str, float]) -> Vector:
        column: Vector = role.map(values).to_numpy(float)[:, None]
        return column

    def shared(name: str, spread: float) -> Vector:
        codes: Codes = pd.factorize(people[name])[0]
        column: Vector = rng.normal(0, spread, codes.max() + 1)[codes][:, None]
        return column

    course = true.level + true.trend * months + by_role(true.bias) + by_role(true.gain) * active
    course = course + sum(shared(name, spread) for name, spread in true.spread.items())
    course = course + rng.normal(size=active.shape) * by_role(true.noise)
    well = by_role(true.wellbeing) + true.wellbeing_trend * months
    well = well + by_role(true.wellbeing_gain) * active + shared("triad", 4) + shared(
        "participant", 8
    )  # fmt: skip
    well = well + rng.normal(0, 8, active.shape)
    return {
        "active": active, "collaboration": np.clip(np.round(course), 0, 100), "wellbeing": well,
    }  # fmt: skip


def _stays(
    people: pd.DataFrame, ratings: dict[str, Vector], true: Truth, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Return who still takes part, seats × waves; leaving depends on what was seen before."""
    triad: Codes = pd.factorize(people["triad"])[0]
    stays = np.ones(ratings["active"].shape, bool)
    for wave in range(1, len(MONTHS)):
        before = stays[:, wave - 1]
        left = np.bincount(triad, weights=~before)[triad] > 0
        low = 50 - ratings["collaboration"][:, wave - 1]
        odds = true.leaving + true.leaving_slope * low + 0.7 * left
        stays[:, wave] = before & (rng.random(len(before)) > 1 / (1 + np.exp(-odds)))
    return stays


def _answers(
    people: pd.DataFrame,
    ratings: dict[str, Vector],
    stays: NDArray[np.bool_],
    true: Truth,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return the answers that were given: ratings, the form and wellbeing item by item."""
    here = stays & (rng.random(stays.shape) > 0.03)
    keys = pd.DataFrame(
        {
            "participant": np.repeat(people["participant"].to_numpy(), len(MONTHS)),
            "wave": np.tile([f"m{month}" for month in MONTHS], len(people)),
        }
    )
    role = np.repeat(people["perspective"].to_numpy(), len(MONTHS))
    rated, seen = ratings["collaboration"].ravel(), here.ravel()
    form = keys.copy()
    # How hard each item is, and how much easier it is to feel heard by one role than another.
    ease = rng.normal(0, 0.3, ITEMS)
    for about, liked in zip(ROLES, (0.2, 0.0, -0.2), strict=True):
        asked = seen & (role != about)
        given = _items((rated - 55) / 12 + 2 + liked, ease, 4, rng)
        given[~asked[:, None] | (rng.random(given.shape) < 0.02)] = np.nan
        form[[f"{about}_{item}" for item in range(1, ITEMS + 1)]] = given
    answers = keys.assign(
        active=np.where(seen, ratings["active"].ravel(), np.nan),
        collaboration=np.where(seen, rated, np.nan),
    )
    given = _items(ratings["wellbeing"].ravel() / 20, rng.normal(0, 0.2, WELLBEING_ITEMS), 5, rng)
    given[~seen] = np.nan
    items = keys.assign(wellbeing=4 * given.sum(axis=1))
    items[[f"item_{k}" for k in range(1, WELLBEING_ITEMS + 1)]] = given
    return answers, form, items[role != "professional"].reset_index(drop=True)


def _items(latent: Vector, ease: Vector, top: int, rng: np.random.Generator) -> Vector:
    """Return whole answers from 0 to `top`, rows × items."""
    noise = rng.normal(0, 0.6, (len(latent), len(ease)))
    # Adding 0 makes the zero that rounding leaves negative a plain one.
    return np.clip(np.round(latent[:, None] + ease + noise), 0, top) + 0.0
