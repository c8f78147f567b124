"""Small corpora for the tests of this room."""

import hashlib
import json

import pandas as pd
import pytest

PEOPLE = pd.DataFrame(
    {
        "participant": ["p1", "n1", "h1", "p2"],
        "perspective": ["patient", "naaste", "professional", "patient"],
        "triad": ["1", "1", "1", "2"],
        "use": ["yes", "ja", "yes", "yes"],
        "coded_by": ["patient, naaste", "naaste", "", "patient"],
        "quote_to": ["public", "inside", "", "council"],
        "own_triad_may_read": ["yes", "no", "yes", ""],
    }
)


@pytest.fixture
def make_corpus(tmp_path):
    """Write a corpus from {id: text}; the participant is the id's first part."""

    def make(texts, people=PEOPLE, speakers=None):
        folder = tmp_path / "corpus"
        (folder / "texts").mkdir(parents=True)
        lines = ["schema = 1", 'title = "Proef"', "invented = true"]
        for text_id, text in texts.items():
            data = text.encode("utf-8")
            (folder / "texts" / f"{text_id}.txt").write_bytes(data)
            lines += ["[[texts]]", f'id = "{text_id}"', f'participant = "{text_id.split("-")[0]}"']
            lines += ['wave = "T1"', f'sha256 = "{hashlib.sha256(data).hexdigest()}"']
            if speakers:
                pairs = (f"{json.dumps(a)} = {json.dumps(b)}" for a, b in speakers.items())
                lines.append(f"speakers = {{ {', '.join(pairs)} }}")
        (folder / "corpus.toml").write_text("\n".join(lines), "utf-8")
        if people is not None:
            people.to_csv(folder / "people.csv", index=False)
        return folder

    return make
