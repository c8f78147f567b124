"""Search and comparison: people before words, positions instead of passages."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from expertise.errors import DataError
from expertise.figures import png
from expertise.narratives.comparison import dispersion, g_squared, keyness
from expertise.narratives.corpus import read_corpus
from expertise.narratives.counting import count_words
from expertise.narratives.legibility import readability, syllables
from expertise.narratives.neighbours import collocations
from expertise.narratives.search import concordance, wildcard

TEXTS = {
    "p1-a": "Ik had weer hoop. Hoopvol ging ik naar huis 👩‍👩‍👧. Zoë lachte.",
    "n1-a": "Wij hoopten op hulp. geen hoop meer.",
    "p2-a": "I: had u hoop?\nR: nee, geen zin in thee.",
}


@pytest.fixture
def corpus(make_corpus):
    return read_corpus(make_corpus(TEXTS, speakers={"I": "interviewer", "R": "narrator"}))


@pytest.mark.parametrize(
    ("query", "kind", "found"),
    [
        ("hoop*", "word", ["hoop", "Hoopvol", "hoopten", "hoop"]),
        ("HOOP", "word", ["hoop", "hoop"]),
        ("hopen", "lemma", ["hoop", "hoopten", "hoop"]),
        ("geen *", "word", ["geen hoop", "geen zin"]),
        ("h??p", "word", ["hoop", "hulp", "hoop"]),
        ("zoë", "word", ["Zoë"]),
        (r"ho+p\w*", "pattern", ["hoop", "Hoopvol", "hoopten", "hoop"]),
        ("hoop meer", "word", ["hoop meer"]),
        ("thee.", "word", []),
    ],
)
def test_concordance_finds_positions(corpus, query, kind, found):
    result = concordance(corpus, query, kind=kind)
    hits = result.hits
    words = [corpus[h.document].text[h.start : h.end] for h in hits.itertuples()]
    assert words == found
    inside = (hits.sentence_start <= hits.start) & (hits.end <= hits.sentence_end)
    assert inside.all()


def test_only_the_narrator_counts_unless_told_otherwise(corpus):
    assert "p2" not in set(concordance(corpus, "hoop").hits["participant"])
    asked = concordance(corpus, "hoop", narrator_only=False)
    assert "p2" in set(asked.hits["participant"])


def test_concordance_counts_people_and_never_shows_words(corpus):
    result = concordance(corpus, "hoop*")
    assert result.tidy().to_dict("list") == {
        "perspective": ["patient", "naaste"], "n": [2, 2], "n_people": [1, 1],
    }  # fmt: skip
    assert result.glance().to_dict("records") == [{"n": 4, "n_people": 2}]
    shown = repr(result) + result._repr_html_() + result.augment().to_string()
    assert "hulp" not in shown
    assert "lachte" not in shown
    assert "'hoop*': 4 hits in 2 texts by 2 people." in shown
    assert result.hits["sentence"].to_list() == [1, 2, 1, 2]
    assert "1/2" in result.plot().story.alt
    assert png(result.plot(lang="nl"), phone=True)


def test_patterns_have_a_time_limit_and_words_need_none(make_corpus):
    corpus = read_corpus(make_corpus({"p1-a": "a" * 40 + "!"}))
    with pytest.raises(DataError, match=r"the pattern '.*' takes more than 1 second") as no:
        concordance(corpus, "(a|aa)+$", kind="pattern")
    assert "aaaa" not in str(no.value)
    assert len(concordance(corpus, "*a*a*a*a*a*a*a*a*a*b").hits) == 0
    assert not wildcard("*a*a*a*a*a*a*b").fullmatch("a" * 20_000)
    assert wildcard("a*b?c").fullmatch("axxbyc")


@pytest.mark.parametrize(
    ("query", "kind", "sentence"),
    [
        (" ", "word", "the query is empty"),
        ("(hoop", "pattern", r"the pattern '\(hoop' cannot be read: missing \)"),
        (
            "hoop",
            "lema",
            r"kind is 'lema'; allowed are word, lemma, pattern \(did you mean 'lemma'",
        ),
    ],
)
def test_impossible_queries_are_refused(corpus, query, kind, sentence):
    with pytest.raises(DataError, match=sentence):
        concordance(corpus, query, kind=kind)


def many(make_corpus, seed=1, boost=1.0, people=12, words=60):
    rng = np.random.default_rng(seed)
    vocabulary = ["huis", "boom", "hond", "fiets", "brood", "water", "steen", "vogel"]
    texts, rows = {}, []
    for role, first in (("patient", "p"), ("naaste", "n")):
        for person in range(people):
            weight = np.ones(8)
            weight[0] = rng.gamma(2, 0.5) * (boost if role == "patient" else 1)
            said = rng.choice(vocabulary, words, p=weight / weight.sum())
            texts[f"{first}{person}-a"] = " ".join(said)
            rows.append((f"{first}{person}", role, str(person), "yes"))
    table = pd.DataFrame(rows, columns=["participant", "perspective", "triad", "use"])
    return read_corpus(make_corpus(texts, people=table))


def test_keyness_finds_the_word_that_one_side_says_more(make_corpus):
    result = keyness(many(make_corpus, boost=8.0), "patient", "naaste")
    assert result.tidy()["term"].iloc[0] == "huis"
    assert result.tidy()["conf_low"].iloc[0] > 0
    assert "n_people" in result.tidy()
    assert result.glance().to_dict("records") == [{"n": 8, "n_people": 24}]
    assert "patient" in result.plot().story.title
    assert "huis" in result.plot(lang="nl").story.alt


def test_keyness_is_a_mirror(make_corpus):
    corpus = many(make_corpus)
    one, two = keyness(corpus, "patient"), keyness(corpus, "naaste")
    left, right = (k.table.set_index("word").sort_index() for k in (one, two))
    assert_allclose(left["estimate"], -right["estimate"], atol=1e-12)
    assert_allclose(left["conf_low"], -right["conf_high"], atol=1e-12)
    assert_allclose(left["statistic"], right["statistic"], atol=1e-12)
    assert_allclose(left["dispersion"], right["dispersion"], atol=1e-12)


def test_words_of_few_people_are_left_out_with_a_note(make_corpus):
    corpus = read_corpus(
        make_corpus({"p1-a": "boom boom boom huis", "p2-a": "huis", "n1-a": "huis", "h1-a": "huis"})
    )
    result = keyness(corpus, "patient", min_people=2)
    assert result.table["word"].to_list() == ["huis"]
    assert str(result.notes[0]) == "1 words are left out: fewer than 2 people use them."
    assert np.isfinite(result.table["conf_low"]).all()


def test_g_squared_and_dispersion_equal_published_values():
    # Gries (2008), doi:10.1075/ijcl.13.4.02gri: five parts, a word with 1 to 5 uses, DP = 0.18.
    sizes = np.array([9, 10, 10, 10, 11.0])
    a = np.array([1, 2, 3, 4, 5.0])
    assert_allclose(dispersion(np.column_stack([a, sizes - a]))[0], 0.18, atol=1e-12)
    even = np.array([1.0, 1, 1])
    assert_allclose(dispersion(np.column_stack([even, even]))[0], 0, atol=1e-12)
    assert g_squared(np.array([5.0]), np.array([10.0]), 100, 200)[0] == pytest.approx(0, abs=1e-12)
    # A word that one side never uses: all its deviance is on the other side.
    assert_allclose(g_squared(np.array([4.0]), np.array([0.0]), 50, 50), 8 * np.log(2))


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ({"target": "patint"}, r"unknown perspective 'patint'; the corpus has patient.*'patient'"),
        ({"target": "patient", "reference": "patient"}, "target and reference are both 'patient'"),
        (
            {"target": "patient", "conf_level": 95},
            "conf_level is 95; write a number between 0 and 1",
        ),
        ({"target": "patient", "min_people": 0}, "min_people is 0"),
        ({"target": "naaste"}, "naaste has 1 people with words; a comparison needs at least 2"),
        ({"target": "patient", "by": "stem"}, "by is 'stem'; allowed are lemma, word"),
    ],
)
def test_impossible_comparisons_are_refused(corpus, wish, sentence):
    with pytest.raises(DataError, match=sentence):
        keyness(corpus, **wish)


@pytest.mark.proof
def test_keyness_interval_holds_its_level_when_words_cluster_in_people():
    from expertise.narratives.comparison import _compared

    rng = np.random.default_rng(7)
    covered = []
    for _ in range(4000):
        rates = rng.gamma(2, 0.01, 60)
        uses = rng.poisson(rates * 500)
        table = _compared(np.column_stack([uses, 500.0 - uses]), np.arange(60) < 30, 0.95)
        covered.append(table["conf_low"][0] <= 0 <= table["conf_high"][0])
    assert 0.935 <= np.mean(covered) <= 0.965


def test_keyness_interval_lets_words_cluster_in_people():
    from expertise.narratives.comparison import _compared

    rng = np.random.default_rng(7)
    covered, significant = [], []
    for _ in range(400):
        uses = rng.poisson(rng.gamma(2, 0.01, 60) * 500)
        table = _compared(np.column_stack([uses, 500.0 - uses]), np.arange(60) < 30, 0.95)
        covered.append(table["conf_low"][0] <= 0 <= table["conf_high"][0])
        significant.append(table["statistic"][0] > 3.84)
    assert np.mean(covered) >= 0.92
    # G² takes each use for independent evidence and cries wolf: hence the interval.
    assert np.mean(significant) > 0.15


def test_counts_are_of_the_narrators_own_words(corpus):
    counts = count_words(corpus, by="word")
    assert list(counts.columns) == ["document", "participant", "perspective", "wave", "word", "n"]
    of_p2 = set(counts[counts["document"] == "p2-a"]["word"])
    assert of_p2 == {"nee", "geen", "zin", "in", "thee"}


def test_collocations_count_company_in_a_sentence(make_corpus):
    corpus = read_corpus(
        make_corpus(
            {
                "p1-a": "rust helpt mij. rust helpt. de kat slaapt",
                "n1-a": "mij helpt rust",
                "p2-a": "kat",
            }
        )
    )
    result = collocations(corpus, "rust", window=1)
    row = result.table.set_index("word").loc["helpen"]
    assert (row["n"], row["n_people"], row["total"]) == (3, 2, 3)
    assert row["estimate"] == 14
    assert "kat" not in set(result.table["word"])
    assert result.n_people == 2
    assert "logDice" in set(result.tidy()["method"])
    assert "which 2 people use" in repr(result)
    with pytest.raises(DataError, match="no narrator uses the lemma 'zee'"):
        collocations(corpus, "zee")
    with pytest.raises(DataError, match="window is 0"):
        collocations(corpus, "rust", window=0)


@pytest.mark.parametrize(
    ("word", "n"),
    [("huis", 1), ("ziekenhuis", 3), ("zeeën", 2), ("mooie", 2), ("nieuws", 1), ("egoïst", 3),
     ("bijzonder", 3), ("b", 1), ("verpleegkundige", 5), ("eeuwen", 2), ("koeien", 2)],
)  # fmt: skip
def test_syllables(word, n):
    assert syllables(word) == n


def test_reading_ease_follows_doumas_formula(make_corpus):
    corpus = read_corpus(make_corpus({"p1-a": "De kat zat op de mat. Hij sliep.", "n1-a": "12 !"}))
    result = readability(corpus)
    row = result.texts.iloc[0]
    assert (row["words"], row["sentences"], row["syllables"]) == (8, 2, 8)
    assert_allclose(row["reading_ease"], 206.84 - 77 * 1 - 0.93 * 4)
    assert str(result.notes[0]) == "1 texts have no words of the narrator and are left out."
    assert result.augment().shape == (1, 7)
    assert result.tidy()["n_people"].to_list() == [1]
    assert np.isnan(result.tidy()["conf_low"][0])
    with pytest.raises(DataError, match="conf_level is 0"):
        readability(corpus, conf_level=0)
