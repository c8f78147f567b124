"""What the tests of coding share: a fresh store on either database."""

from uuid import NAMESPACE_OID, uuid5

import pytest

from expertise.coding.acts import Act
from expertise.coding.codebook import Code, Codebook
from expertise.coding.opening import open_store


def uid(name):
    """A stable uuid for a readable name."""
    return str(uuid5(NAMESPACE_OID, str(name)))


def act(name, kind, coder="a", **more):
    """An act with a readable id, on the text d1 in the round alone."""
    given = {"round": "alone", "document": "d1", "sha256": "0" * 64} | more
    if kind == "applied":
        given = {"code": "hoop", "start": 0, "end": 4} | given
    return Act(uuid=uid(name), kind=kind, coder=coder, **given)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """The address of an empty store, on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("new_database")()


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
