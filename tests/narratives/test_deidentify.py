"""Who is told about stays hidden: found, replaced alike within a triad, reviewed by people."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

from expertise.cli import main
from expertise.errors import DataError, FileError, PrivacyError
from expertise.files.keys import make_key, read_key
from expertise.narratives.corpus import read_corpus
from expertise.narratives.deidentification import deidentify, identifiers
from expertise.narratives.patterns import find_patterns, patterns, resolved
from expertise.narratives.pseudonyms import Pseudonyms
from expertise.narratives.review import apply_review, review_page

HERE = Path(__file__).parent
INVENTED = HERE.parents[1] / "corpora" / "drie-kunnen-meer-dan-een"
SECRET = bytes(range(32))


def marked(path):
    """Read texts in which [kind|words] marks an identifier: id, text, spans."""
    for block in re.split(r"^@ ", path.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        name, _, body = block.partition("\n")
        text, gold, at = "", [], 0
        for match in re.finditer(r"\[(\w+)\|([^\]]+)\]", body):
            text += body[at : match.start()]
            gold.append((len(text), len(text) + len(match[2]), match[1]))
            text, at = text + match[2], match.end()
        yield name, text + body[at:], gold


def measured(texts, gold, found):
    """Return the share of gold spans wholly covered, and of found spans that touch one."""
    hit = true = 0
    for name, text in texts.items():
        covered = {at for start, end, _ in found[name] for at in range(start, end)}
        hit += sum(
            all(at in covered or not text[at].isalnum() for at in range(start, end))
            for start, end, _ in gold[name]
        )
        true += sum(
            any(start < stop and begin < end for begin, stop, _ in gold[name])
            for start, end, _ in found[name]
        )
    return hit / sum(map(len, gold.values())), true / sum(map(len, found.values()))


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("keys") / "triads.key")


@pytest.mark.parametrize("pattern", patterns(), ids=lambda pattern: pattern.example.strip())
def test_every_pattern_finds_its_example(pattern):
    match = pattern.regex.search(pattern.example)
    assert match
    assert match["it"].strip() == match["it"]


@pytest.mark.parametrize(
    "text",
    [
        "Ik ben al twintig jaar zijn vrouw.", "Na 12 jaar huwelijk was het op.",
        "Het waren er drie.",
        "Het kostte 2000 euro.", "We spraken van half 3 tot 4.", "Ik was 3 weken weg.",
        "Bij mijn eerste opname was ik bang.", "Er is een nummer voor.", "om 10.30 uur", "lijn 53",
        "Hij liep 2000 meter.", "Dat is 1 van de 2.", "de derde keer", "Ik was twee keer opgenomen",
    ],
)  # fmt: skip
def test_patterns_leave_other_numbers_alone(text):
    assert find_patterns(text) == []


# First runs, before rules were mended on a file, are in docs/narratives.md; so are the misses.
@pytest.mark.parametrize(
    ("source", "recall_floor"),
    [
        ("hard", 0.99),
        ("fresh", 0.99),
        ("unseen", 0.98),
        ("varied", 0.97),
        ("other", 0.98),
        ("later", 0.97),
    ],
)
def test_identifiers_in_texts_written_to_be_hard(source, recall_floor):
    rows = list(marked(HERE / "data" / f"{source}.txt"))
    texts = {name: text for name, text, _ in rows}
    found = {name: identifiers({name: text})[name] for name, text in texts.items()}
    recall, precision = measured(texts, {name: gold for name, _, gold in rows}, found)
    assert recall >= recall_floor
    assert precision >= 0.96


def test_what_longer_finds_leave_of_one_stays_covered():
    house = [(0, 12, "organisation"), (5, 15, "address")]
    assert resolved(house, "Wijkhuis Pier 80. Ja") == [(0, 12, "organisation"), (12, 15, "address")]
    names = [(0, 10, "person"), (15, 25, "person"), (8, 17, "place")]
    assert resolved(names, "x" * 40) == [(0, 10, "person"), (10, 15, "place"), (15, 25, "person")]


def test_identifiers_in_texts_on_which_no_rule_was_mended():
    rows = list(marked(HERE / "data" / "apart.txt"))
    texts = {name: text for name, text, _ in rows}
    found = {name: identifiers({name: text})[name] for name, text in texts.items()}
    recall, precision = measured(texts, {name: gold for name, _, gold in rows}, found)
    assert recall >= 0.92
    assert precision >= 0.95


def test_a_name_that_is_also_a_word_is_found_among_names():
    text = "Daar zaten Jos, Toontje, Frans en ik. Frans zweeg. Zij sprak Frans en Duits."
    found = [text[start:end] for start, end, _ in identifiers({"a": text})["a"]]
    assert found.count("Frans") >= 2
    assert "Duits" not in found


def test_identifiers_in_the_invented_corpus_by_kind():
    corpus = read_corpus(INVENTED)
    gold = pd.read_csv(INVENTED / "gold.csv", keep_default_na=False)
    spans = {n.id: [] for n in corpus}
    for row in gold.itertuples():
        spans[row.text].append((row.start, row.end, row.kind))
    texts = {n.id: n.text for n in corpus}
    found = {}
    for triad in corpus.table["triad"].unique():
        found |= identifiers({n.id: n.text for n in corpus.only(triad=triad)})
    recall, precision = measured(texts, spans, found)
    assert recall >= 0.97
    assert precision >= 0.97
    floors = {"person": 0.97, "date": 0.97, "place": 0.95, "organisation": 0.92, "age": 0.95}
    for kind, floor in floors.items():
        of_kind = {name: [s for s in rows if s[2] == kind] for name, rows in spans.items()}
        assert measured(texts, of_kind, found)[0] >= floor, kind


def test_one_person_has_one_stand_in_within_a_triad(make_corpus, key):
    corpus = read_corpus(
        make_corpus(
            {
                "p1-a": "Mijn vrouw Ria kwam op 3 mei 2021. Ria huilde. Wij wonen in Zwolle.",
                "n1-a": "Ik ben Ria de Boer, 56 jaar. Mijn man Kees lag in Zwolle.",
                "p2-a": "Mijn vrouw Ria kwam op 3 mei 2021.",
            }
        )
    )
    result = deidentify(corpus, key=key, progress=False)
    spans = result.spans
    ria = {
        doc: result.originals[doc][start:end]
        for doc, start, end in zip(spans.document, spans.start, spans.end, strict=True)
    }
    assert list(spans.columns) == ["document", "start", "end", "kind", "replacement"]
    people = spans[spans.kind == "person"]
    first = people[people.document == "p1-a"].replacement.unique()
    assert len(first) == 1
    own = people[people.document == "n1-a"].replacement.iloc[0]
    assert own.split()[0] == first[0]
    assert own.count(" ") == 1
    for text in result.texts.values():
        assert not re.search("Ria|Kees|Boer|Zwolle|56", text)
    assert spans[spans.kind == "place"].replacement.nunique() == 1
    dates = spans[spans.kind == "date"].set_index("document").replacement
    assert "3 mei 2021" not in set(dates)
    assert ria
    again = deidentify(corpus, key=key, progress=False)
    pd.testing.assert_frame_equal(again.spans, spans)
    assert "Ria" not in repr(result) + result._repr_html_()
    assert "not yet reviewed" in repr(result)
    assert result.glance().to_dict("records") == [{"n": len(spans), "n_texts": 3}]
    assert corpus["p1-a"].text.startswith("Mijn vrouw Ria")


def test_texts_that_are_not_in_dutch_are_named(make_corpus, key):
    dutch = "Ik kwam in de kliniek en niemand zei iets tegen mij, dat was het moeilijkst."
    english = "The nurses were kind and listened to everything that I told them about my worries."
    found = deidentify(
        read_corpus(make_corpus({"p1-a": dutch, "p2-a": english})), key=key, progress=False
    )
    assert "1 texts are in another language, or in dialect (p2-a)" in repr(found)
    assert "another language" not in repr(deidentify(dutch, key=key))


def test_listed_nicknames_share_the_stand_in(key):
    people = pd.DataFrame({"name": ["Hendrikus", "Pluis"], "person": ["x", "x"], "triad": ["", ""]})
    result = deidentify("Pluis kwam. Later zat Hendrikus daar.", key=key, people=people)
    assert result.spans.replacement.nunique() == 1
    assert len(result.spans) == 2


def test_dates_shift_by_whole_weeks_and_keep_their_distances():
    stand_ins = Pseudonyms(SECRET, "1")
    assert 5 <= abs(stand_ins.weeks) <= 26
    moved = [stand_ins.replace(words, "date") for words in ("3-5-2021", "10-5-2021")]
    days = [pd.to_datetime(words, dayfirst=True, format="%d-%m-%Y") for words in moved]
    assert (days[1] - days[0]).days == 7
    assert (days[0] - pd.Timestamp("2021-05-03")).days == 7 * stand_ins.weeks
    assert stand_ins.replace("maandag 3 mei 2021", "date").startswith("maandag ")
    for words in ("afgelopen kerst", "31 april 2020", "'98", "de negende"):
        assert stand_ins.replace(words, "date") == "[datum]"
    assert re.fullmatch(r"\d{4}", stand_ins.replace("2004", "date"))
    assert re.fullmatch(r"eind \w+", stand_ins.replace("eind mei", "date"))
    assert re.fullmatch(
        r"maandag de \d+ \w+ \d{4}", stand_ins.replace("maandag de 3 mei 2021", "date")
    )
    assert {Pseudonyms(SECRET, str(n)).weeks for n in range(99)} > {stand_ins.weeks}
    year = Pseudonyms(SECRET, "1", "generalise")
    assert [year.replace(words, "date") for words in ("3 mei 2021", "mei", "3-5-1984")] == [
        "2021", "[datum]", "1984",
    ]  # fmt: skip


def test_other_kinds_become_bands_and_labels():
    stand_ins = Pseudonyms(SECRET, "1")
    ages = [
        stand_ins.replace(age, "age")
        for age in ("43", "7 jaar", "93", "Achttien", "43-jarige", "eind dertig")
    ]
    assert ages == ["40–44", "5–9 jaar", "90+", "15–19", "40–44-jarige", "[leeftijd]"]
    assert stand_ins.replace("06-12345678", "phone") == "[telefoonnummer]"
    place = stand_ins.replace("Zwolle", "place")
    assert re.fullmatch(r"\[plaats [B-Z]{3}\]", place)
    assert place == stand_ins.replace("zwolle", "place")
    assert place != Pseudonyms(SECRET[::-1], "1").replace("Zwolle", "place")


def test_stand_ins_do_not_depend_on_the_order_of_names_and_never_meet():
    names = ["Ria", "Kees Bakker", "Fatima", "Bo", "J. de Wit"] + [f"Naam{n}" for n in range(40)]
    given = []
    for order in (names, names[::-1]):
        stand_ins = Pseudonyms(SECRET, "7")
        stand_ins.prepare(order)
        given.append([stand_ins.replace(name, "person") for name in names])
    assert given[0] == given[1]
    assert len(set(given[0])) == len(names)
    assert given[0][4].split()[0].endswith(".")


def test_keys_stay_outside_repositories_and_corpora(tmp_path, make_corpus, key):
    assert len(read_key(key)) == 32
    assert key.stat().st_mode & 0o077 == 0
    with pytest.raises(PrivacyError, match=r"there is a key at .*triads.key already"):
        make_key(key)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    sentence = r"the key my.key lies inside the git work tree repo/, where it could be shared"
    with pytest.raises(PrivacyError, match=sentence):
        make_key(tmp_path / "repo" / "my.key")
    (tmp_path / "repo" / "my.key").write_text("ab" * 32)
    with pytest.raises(PrivacyError, match=sentence):
        deidentify("Ria", key=tmp_path / "repo" / "my.key")
    folder = make_corpus({"p1-a": "hoop"})
    inside = make_key(folder / "k.key")
    with pytest.raises(PrivacyError, match=r"the key k.key lies inside the corpus corpus/"):
        deidentify(read_corpus(folder), key=inside)
    (tmp_path / "short.key").write_text("ab")
    with pytest.raises(FileError, match=r"short.key is not a key of 64 hexadecimal digits"):
        read_key(tmp_path / "short.key")
    with pytest.raises(FileError, match="does not exist"):
        read_key(tmp_path / "none.key")


def test_impossible_wishes_are_refused(key):
    with pytest.raises(DataError, match=r"dates is 'shfit'; allowed are shift, generalise \(did"):
        deidentify("Ria", key=key, dates="shfit")
    with pytest.raises(DataError, match=r"people has no column 'person'; it has name; give"):
        deidentify("Ria", key=key, people=pd.DataFrame({"name": ["Ria"]}))


def judged(page, drop=(), extra=()):
    """Return the file that the page's button saves."""
    html = page.read_text("utf-8")
    spans, texts = [], {}
    for name, digest, body in re.findall(
        r'data-document="(.*?)" data-sha256="(\w+)">(.*?)</p>', html, re.S
    ):
        texts[name] = digest
        spans += [
            {
                "document": name,
                "start": int(a),
                "end": int(b),
                "kind": kind,
                "keep": kind not in drop,
            }
            for a, b, kind in re.findall(
                r'data-start="(\d+)" data-end="(\d+)" data-kind="(\w+)"', body
            )
        ]
    return {"schema": 1, "texts": texts, "spans": [*spans, *extra]}


def test_people_judge_every_span(tmp_path, make_corpus, key):
    corpus = read_corpus(make_corpus({"p1-a": "👩‍👩‍👧 Ik ben Ria, 43 jaar, met <b>hoop</b>."}))
    found = deidentify(corpus, key=key, progress=False)
    with pytest.raises(PrivacyError, match="2 spans have not been reviewed"):
        found.save(tmp_path / "new", corpus)
    page = review_page(found, tmp_path / "review.html")
    html = page.read_text("utf-8")
    assert "&lt;b&gt;hoop" in html
    assert "http" not in html.replace("http-equiv", "")
    text = corpus["p1-a"].text
    at = text.index("hoop")
    extra = {"document": "p1-a", "start": at, "end": at + 4, "kind": "other", "keep": True}
    file = tmp_path / "review.json"
    file.write_text(json.dumps(judged(page, drop={"age"}, extra=[extra])), "utf-8")
    final = apply_review(found, file)
    assert final.reviewed
    assert "43" in final.texts["p1-a"]
    assert "<b>[weggelaten]</b>" in final.texts["p1-a"]
    assert "Ria" not in final.texts["p1-a"]
    saved = read_corpus(final.save(tmp_path / "new", corpus))
    assert saved["p1-a"].text == final.texts["p1-a"]
    for name in ("role", "triad", "use", "coded_by", "quote_to", "own_triad_may_read"):
        assert getattr(saved["p1-a"], name) == getattr(corpus["p1-a"], name)
    with pytest.raises(FileError, match="new/ holds a corpus already; choose an empty folder"):
        final.save(tmp_path / "new", corpus)


def test_reviews_of_something_else_are_refused(tmp_path, key):
    found = deidentify("Ik ben Ria uit Zwolle.", key=key)
    page = review_page(found, tmp_path / "review.html")
    file = tmp_path / "review.json"
    good = judged(page)
    for change, sentence in [
        ({"schema": 2}, "review.json is not a review; save it with the button"),
        ({"spans": [{"document": "text"}]}, "is not a review"),
        ({"texts": {"text": "0" * 64}}, r"is a review of other texts \(text\)"),
        ({"spans": good["spans"][:1]}, "leaves 1 spans unjudged"),
    ]:
        file.write_text(json.dumps(good | change))
        with pytest.raises(FileError, match=sentence):
            apply_review(found, file)
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    with pytest.raises(PrivacyError, match=r"the page r.html lies inside the git work tree repo/"):
        review_page(found, tmp_path / "repo" / "r.html")


def test_the_command_writes_a_page_and_then_the_corpus(tmp_path, make_corpus, capsys):
    folder = make_corpus({"p1-a": "Mijn vrouw Ria kwam op 3 mei 2021. Ria huilde."})
    start = ["deidentify", str(folder), "--key", str(tmp_path / "my.key"), "--out"]
    assert main([*start, str(tmp_path / "judge")]) == 0
    out = capsys.readouterr().out
    assert f"A new key was made at {tmp_path / 'my.key'}" in out
    assert "not yet reviewed" in out
    assert "Ria" not in out
    page = tmp_path / "judge" / "review.html"
    file = tmp_path / "review.json"
    file.write_text(json.dumps(judged(page)), "utf-8")
    assert main([*start, str(tmp_path / "safe"), "--review", str(file)]) == 0
    assert "The corpus lies in" in capsys.readouterr().out
    assert "Ria" not in (tmp_path / "safe" / "texts" / "p1-a.txt").read_text("utf-8")
    assert main([*start, str(tmp_path / "safe"), "--review", str(file)]) == 1
    assert "safe/ holds a corpus already" in capsys.readouterr().err


def test_the_command_refuses_a_page_in_a_repository(tmp_path, make_corpus, capsys):
    folder = make_corpus({"p1-a": "Ria"})
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    out = str(tmp_path / "repo" / "judge")
    assert main(["deidentify", str(folder), "--key", str(tmp_path / "k"), "--out", out]) == 1
    assert "the page review.html lies inside the git work tree repo/" in capsys.readouterr().err
    assert not (tmp_path / "repo" / "judge").exists()
    assert not (tmp_path / "k").exists()
