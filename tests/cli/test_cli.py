"""Every command is also a function, says what it does, and fails in one sentence."""

import re
import subprocess
import sys

import pytest

from expertise.cli import COMMANDS, command, main


def test_check_says_that_all_is_well(capsys):
    assert main(["check", "studies/vuurwerkramp"]) == 0
    out = capsys.readouterr().out
    assert "no problems found" in out
    assert "child" in out


def test_a_known_error_is_one_sentence(capsys, tmp_path):
    assert main(["check", str(tmp_path / "niets")]) == 1
    err = capsys.readouterr().err
    assert err.startswith("expertise: there is no folder 'niets'")
    assert err.count("\n") == 1


def test_problems_give_exit_code_1(capsys, tmp_path):
    assert main(["new", str(tmp_path / "studies" / "x")]) == 0
    assert main(["check", str(tmp_path / "studies" / "x")]) == 1
    assert "to mend" in capsys.readouterr().out


def test_new_asks_nothing_without_a_person(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["new", str(tmp_path / "studies" / "stil"), "--waves", "T0=0, T1=3"]) == 0
    assert "months = 3" in (tmp_path / "studies" / "stil" / "study.toml").read_text("utf-8")
    assert "expertise check" in capsys.readouterr().out


def test_new_asks_five_questions(capsys, tmp_path, monkeypatch):
    answers = iter(["Zicht", "patient, naaste", "T0=0, T1=6", "", "nl"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))
    assert main(["new", str(tmp_path / "studies" / "zicht")]) == 0
    text = (tmp_path / "studies" / "zicht" / "study.toml").read_text("utf-8")
    assert 'title = "Zicht"' in text
    assert "[perspectives.naaste]" in text
    assert "[perspectives.professional]" not in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out) > 80
    assert command(name).__doc__.startswith(f"`expertise {name}`")


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert set(COMMANDS) <= {*re.findall(r"^    (\w+)", shown, re.MULTILINE)}


def test_a_check_does_not_wait_for_a_language():
    told = "import sys; from expertise.cli import main; main(['check', 'studies/vuurwerkramp'])"
    ended = subprocess.run(
        [sys.executable, "-c", f"{told}; assert not {{'spacy', 'deduce'}} & {{*sys.modules}}"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
