"""Locks, hosts and public names: what a partner who clones depends on."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import expertise

ROOT = Path(__file__).parents[1]
PUBLIC_HOSTS = {"pypi.org", "files.pythonhosted.org"}
EXPORTS = {
    "core.txt": ["--no-default-groups", "--all-extras"],
    "test.txt": ["--all-groups", "--all-extras"],
    "setup.txt": ["--only-group", "setup"],
}


def pins(text):
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", text, re.M))


def test_locks_and_configs_name_only_the_public_registry():
    files = [ROOT / "uv.lock", ROOT / "pyproject.toml", ROOT / "environment.yml"]
    files += (ROOT / "requirements").glob("*.txt")
    for path in files:
        hosts = set(re.findall(r"(?:https?|file)://([^/\s\"']*)", path.read_text("utf-8")))
        assert hosts <= PUBLIC_HOSTS, path.name


@pytest.mark.parametrize("name", EXPORTS)
def test_requirements_follow_the_lock(name, tmp_path):
    uv = Path(sys.executable).with_name("uv")
    if not uv.exists():
        pytest.skip("uv is not in this environment")
    command = [uv, "export", "--quiet", "--frozen", "--offline", "--no-emit-project"]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_"))}
    made = subprocess.run(
        [*command, *EXPORTS[name]], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    kept = (ROOT / "requirements" / name).read_text("utf-8")
    assert pins(kept) == pins(made.stdout)
    assert kept.count("--hash=sha256:") == made.stdout.count("--hash=sha256:")


def test_environment_installs_the_locked_requirements():
    text = (ROOT / "environment.yml").read_text("utf-8")
    assert "-r requirements/core.txt" in text
    low = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    assert re.search(r"python=(3\.\d+)", text)[1] == re.search(r">=(3\.\d+)", low)[1]


def test_core_packages_are_locked():
    core = pins((ROOT / "requirements" / "core.txt").read_text("utf-8"))
    named = "numpy pandas statsmodels pingouin spacy jupyterlab nbval formulaic scipy"
    assert set(named.split()) <= set(core)


def test_public_names_are_sorted_and_exist():
    assert expertise.__all__ == ["__version__", *sorted(expertise.__all__[1:])]
    assert set(dir(expertise)) == set(expertise.__all__)
    for name in expertise.__all__:
        assert getattr(expertise, name).__doc__ or name == "__version__", name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = expertise.nothing


def test_public_names_differ_from_rooms():
    rooms = {path.stem for path in (ROOT / "expertise").iterdir()}
    assert not rooms & set(expertise.__all__)


HEAVY = ["numpy", "pandas", "spacy", "statsmodels", "pingouin", "matplotlib", "sqlalchemy"]
PROBE = f"""
import json, sys, time
start = time.process_time()
import expertise
spent = time.process_time() - start
print(json.dumps([spent, sorted(set(sys.modules) & set({HEAVY + ["starlette"]!r}))]))
"""


def test_import_is_light():
    made = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True, cwd=ROOT
    )
    spent, loaded = json.loads(made.stdout)
    assert loaded == []
    assert spent < 0.2
