"""A small study on the invented corpus, and people who code it."""

import shutil
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from expertise.cocoding.circle import open_circle
from expertise.cocoding.web.serve import make_site
from expertise.reporting.pdf import chromium
from tests.cocoding.driving import Process, prepare, serving
from tests.written import ROLES, head

with warnings.catch_warnings():  # it asks for a package that is not on the index yet
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

ROOT = Path(__file__).parents[2]
CORPUS = "drie-kunnen-meer-dan-een"
ORIGIN = "http://localhost:8765"
MORE = """
corpus = "drie-kunnen-meer-dan-een"
codebook = "codebook.toml"
"""
STUDY = (
    head("Drie kunnen meer dan één (proef)", *ROLES, waves=[("1", 0)], more=MORE)
    + """
[people]
file = "data/people.csv"
participant = "participant"
perspective = "perspective"
triad = "triad"
team = "team"
institution = "institution"
drop = ["person", "age", "relation", "profession", "use", "coded_by", "quote_to", "own_triad_may_read"]
"""
)
CONTACT = """
[contact]
name = "Noor de Vries"
phone = "06-00000000"
hours = "elke werkdag van 9 tot 17 uur"
"""


def make_study(root, contact=CONTACT):
    """A study folder beside a copy of the invented corpus."""
    folder = root / "studies" / "proef"
    (folder / "data").mkdir(parents=True)
    corpus = root / "corpora" / CORPUS
    shutil.copytree(ROOT / "corpora" / CORPUS, corpus)
    shutil.copy(corpus / "people.csv", folder / "data" / "people.csv")
    shutil.copy(ROOT / "studies" / CORPUS / "codebook.toml", folder / "codebook.toml")
    (folder / "study.toml").write_text(STUDY + contact, "utf-8")
    return folder


@pytest.fixture
def folder(tmp_path):
    return make_study(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    """The address of an empty store on each database; None is the usual one in private/."""
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("new_database")()


@pytest.fixture
def circle(folder, store):
    opened = open_circle(folder, store)
    yield opened
    opened.store.close()


@pytest.fixture
def site(circle):
    return make_site(circle, (ORIGIN,))


@pytest.fixture
def make_other():
    """Return a function that makes the site of another study."""
    opened = []

    def make(root):
        opened.append(open_circle(make_study(root)))
        return make_site(opened[-1], (ORIGIN,))

    yield make
    for one in opened:
        one.store.close()


class Visitor:
    """A browser of one person: keeps a cookie, sends origin and token as the page does."""

    def __init__(self, site, member=None):
        self.site, self.research = site
        self.app = self.site.app(*self.research.routes())
        self.http = TestClient(self.app, base_url=ORIGIN, raise_server_exceptions=False)
        self.member = member
        if member is not None:
            token = self.site.door.invite(member.coder.id)
            answer = self.http.post("/begin", data={"token": token}, headers={"Origin": ORIGIN})
            assert answer.status_code == 200
            self.csrf = self.http.get("/start").json()["csrf"]

    def send(self, message, **more):
        headers = {"Origin": ORIGIN, "X-CSRF": self.csrf} | more.pop("headers", {})
        return self.http.post("/message", json=message, headers=headers, **more)

    def form(self, path, **fields):
        return self.http.post(path, data={"csrf": self.csrf} | fields, headers={"Origin": ORIGIN})


@pytest.fixture
def come_in(site):
    """Return a function that lets a member in on a new device."""
    return lambda member=None: Visitor(site, member)


@pytest.fixture(scope="module")
def quiet(tmp_path_factory):
    """One study for all tests in which nothing may change: its circle and three visitors."""
    circle = open_circle(make_study(tmp_path_factory.mktemp("quiet")))
    site = make_site(circle, (ORIGIN,))
    samira, leader = circle.add("Samira", "patient"), circle.facilitator()
    visitors = {"samira": Visitor(site, samira), "leader": Visitor(site, leader)}
    yield SimpleNamespace(circle=circle, stranger=Visitor(site), **visitors)
    circle.store.close()


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def server(folder):
    prepare(folder, Samira="patient", Bram="naaste")
    with serving(folder) as running:
        yield running


@pytest.fixture
def process(folder):
    prepare(folder, Samira="patient")
    with serving(folder, Process) as running:
        yield running
