"""The Dutch pipeline on transcripts, careless typing and the test sets of UD."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from expertise.errors import StudyError
from expertise.narratives.corpus import read_corpus
from expertise.narratives.dutch import dutch_pipeline, lemma_of, narrated, pipeline_note
from expertise.narratives.lexicons import list_lexicons, read_lexicon


@pytest.fixture(scope="module")
def nlp():
    return dutch_pipeline(phrases={"own": ["in de kou staan"]})


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("ik was moe. toen ging ik", ["ik was moe.", "toen ging ik"]),
        ("Dr. de Vries zei bijv. niks. Ik ook", ["Dr. de Vries zei bijv. niks.", "Ik ook"]),
        ("nou... ja, dat dus", ["nou... ja, dat dus"]),
        ("Ik dacht... Nee.", ["Ik dacht...", "Nee."]),
        ('"Ga weg!" zei ze. Ik ging', ['"Ga weg!" zei ze.', "Ik ging"]),
        ("(Echt.) Ja", ["(Echt.)", "Ja"]),
        ("wat?! nee", ["wat?!", "nee"]),
        ("fijn 😀 Morgen weer 😢 en toen", ["fijn 😀", "Morgen weer 😢 en toen"]),
        ("ik lag\nin bed\n\nniemand kwam", ["ik lag", "in bed", "niemand kwam"]),
        ("I: hoe was dat?\nR: zwaar", ["I: hoe was dat?", "R: zwaar"]),
        (
            "Dit is een regel die het programma heeft afgebroken omdat hij te\nlang was. Klaar.",
            [
                "Dit is een regel die het programma heeft afgebroken omdat hij te\nlang was.",
                "Klaar.",
            ],
        ),
        ("op 3.5.2019 om 10.30 uur. o.a. Jan", ["op 3.5.2019 om 10.30 uur.", "o.a. Jan"]),
        ("", []),
        ("\n\n", [""]),
    ],
)
def test_sentences_survive_transcripts_and_missing_capitals(nlp, text, sentences):
    assert [sentence.text.strip() for sentence in nlp(text).sents] == sentences


def test_text_is_never_changed(nlp):
    for text in [
        "  a  b\r\n\tc ",
        "👩‍👩‍👧 hoop\u202e x",
        "e\u0301" * 50,
        "a" * 10_000,
        " " * 50_000 + "x",
    ]:
        assert nlp(text).text == text


def test_speaker_and_role_stand_on_every_token(nlp):
    doc = nlp.make_doc("Interviewer: en toen?\nR: ik hield vol.\nInterviewer: mooi")
    doc.user_data.update(role="patient", speakers={"Interviewer": "interviewer", "R": "narrator"})
    doc = nlp(doc)
    roles = {token.text: token._.role for token in doc}
    assert roles["toen"] == roles["mooi"] == "interviewer"
    assert roles["hield"] == "patient"
    assert doc[-1]._.speaker == "Interviewer"
    assert [token.text for token, own in zip(doc, narrated(doc), strict=True) if own] == [
        "ik",
        "hield",
        "vol",
        ".",
        "\n",
    ]


def test_without_labels_every_word_is_the_narrators(nlp):
    doc = nlp("Zij zei: kom.")
    assert narrated(doc).all()
    assert {token._.role for token in doc} == {"narrator"}


def test_lexicons_match_lemmas_and_own_phrases(nlp):
    doc = nlp("ik hoopte en stond in de kou")
    assert {(span.text, span.label_) for span in doc.spans["lexicons"]} >= {("hoopte", "hope")}
    assert "own" not in {span.label_ for span in doc.spans["lexicons"]}
    own = nlp("ze laat mij in de kou staan")
    assert ("in de kou staan", "own") in {(s.text, s.label_) for s in own.spans["lexicons"]}


def test_every_lexicon_names_its_source_and_has_no_doubles():
    labels = []
    for name in list_lexicons():
        lexicon = read_lexicon(name)
        assert lexicon.name == name
        assert lexicon.source
        assert set(lexicon.title) == {"en", "nl"}
        labels += lexicon.phrases
        for phrases in lexicon.phrases.values():
            assert len(set(phrases)) == len(phrases)
    assert len(set(labels)) == len(labels)
    pepper = {"praktisch", "existentieel", "politiek-kritisch", "persoonlijk", "ethisch"}
    assert pepper | {"relationeel"} == set(read_lexicon("experiential").phrases)


@pytest.mark.parametrize(("treebank", "words"), [("alpino", 11_046), ("lassysmall", 28_995)])
def test_lemmas_agree_with_universal_dependencies(real_data, treebank, words):
    path = real_data / "dutch" / f"nl_{treebank}-ud-test.conllu"
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines()]
    gold = [
        (row[1], row[2].replace("_", "")) for row in rows if len(row) == 10 and row[0].isdigit()
    ]
    assert len(gold) == words
    right = [lemma_of(word).casefold() == lemma.casefold() for word, lemma in gold]
    assert np.mean(right) >= 0.94


def test_a_memory_zone_leaves_nothing_behind(nlp):
    nlp("wij wachten")
    before = len(nlp.vocab.strings)
    with nlp.memory_zone():
        assert nlp("quaxen zorglbaar")[0].lemma_
        assert len(nlp.vocab.strings) > before
    assert len(nlp.vocab.strings) == before
    assert nlp("wij wachtten")[1].lemma_ == "wachten"


def test_refusals_name_what_is_allowed():
    with pytest.raises(StudyError, match=r"unknown lexicon 'hoop'; allowed are agency, contact"):
        dutch_pipeline(lexicons=["hoop"])
    with pytest.raises(StudyError, match=r"'nl_core_news_sm' has no version; name it as"):
        dutch_pipeline("nl_core_news_sm")
    with pytest.raises(StudyError, match=r"'nl_geen_model' is not installed; install nl_geen"):
        dutch_pipeline("nl_geen_model==1.0.0")


def test_a_trained_model_must_have_the_version_that_is_named(tmp_path, monkeypatch):
    import spacy

    monkeypatch.setattr(spacy, "load", lambda name: spacy.blank("nl", meta={"version": "3.7.0"}))
    with pytest.raises(StudyError, match=r"installed in version 3.7.0, but 3.8.0 is asked for"):
        dutch_pipeline("nl_model==3.8.0")
    trained = dutch_pipeline("nl_model==3.7.0")
    assert "expertise_lemmas" not in trained.pipe_names
    assert "trained model" in pipeline_note(trained).text()
    assert "spaCy" in pipeline_note(dutch_pipeline(lexicons=[])).text("nl")


@pytest.fixture(scope="module")
def bare(nlp):
    """Blank Dutch with the same abbreviations."""
    blank = spacy.blank("nl")
    blank.tokenizer.rules = nlp.tokenizer.rules
    return blank.tokenizer


def test_words_are_cut_as_blank_dutch_cuts_them(nlp, bare):
    for narrative in read_corpus(Path(__file__).parents[2] / "corpora/drie-kunnen-meer-dan-een"):
        words = [token.text for token in nlp.tokenizer(narrative.text)]
        assert words == [token.text for token in bare(narrative.text)]


@given(st.text(max_size=30) | st.text("aZé1.,-'’/:@()€ \n", max_size=30))
def test_any_text_is_cut_as_blank_dutch_cuts_it(nlp, bare, text):
    assert [token.text for token in nlp.tokenizer(text)] == [token.text for token in bare(text)]


def test_the_pipeline_can_be_written_down(nlp):
    again = spacy.blank("nl").tokenizer.from_bytes(nlp.tokenizer.to_bytes())
    assert [token.text for token in again("(moe).")] == ["(", "moe", ")", "."]
