"""Starts the co-coding server of a study and says who comes in by which link."""

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

import uvicorn

from expertise.cocoding.circle import Circle, open_circle
from expertise.cocoding.web.app import Site
from expertise.cocoding.web.door import DEVICE
from expertise.cocoding.web.research import Research
from expertise.coding.planning import settings_of_plan
from expertise.errors import CodingError

LOCAL = ("localhost", "127.0.0.1")


def make_site(circle: Circle, origins: tuple[str, ...]) -> tuple[Site, Research]:
    """Return a study's site with the pages of who leads it."""
    site = Site(circle, origins)
    return site, Research(site)


def origins_for(address: str | None, port: int) -> tuple[str, ...]:
    """Return the addresses under which people reach the server.

    >>> origins_for(None, 8765)
    ('http://localhost:8765', 'http://127.0.0.1:8765')
    """
    if address is None:
        return tuple(f"http://{name}:{port}" for name in LOCAL)
    plain = address.rstrip("/")
    if not re.fullmatch(r"https://[\w.-]+(:\d+)?", plain):
        raise CodingError(
            f"address {address[:80]!r}: people come in over TLS only; write "
            "https://NAME as they will see it, without a path"
        )
    return (plain,)


def how_to_divide_again(circle: Circle, study: str | Path) -> str:
    """Return who has nothing to read, and the command that divides again as before; or nothing."""
    names = circle.without_texts()
    if not names:
        return ""
    made = settings_of_plan(circle.store)
    words = ["--whole"] if made["words"] is None else ["--words", made["words"]]
    more = [part for name in ("n", "find") if made[name] for part in (f"--{name}", made[name])]
    more += ["--of", *made["of"]] if made["of"] else []
    given = [study, "--readers", made["readers"], *words, *more, "--seed", made["seed"]]
    command = shlex.join(str(part) for part in given)
    return (
        f"Nothing to read yet, for the texts were divided before: {', '.join(names)}. Divide them "
        f"again; what someone opened stays theirs:\n  expertise fragments {command} --keep"
    )


def serve_study(
    study: str | Path, *, coders: Iterable[str] = (), port: int = 8765, address: str | None = None,
    host: str = "127.0.0.1", store: str | None = None, say: Callable[[str], None] = print,
) -> None:  # fmt: skip
    """Serve the co-coding page of a study until it is stopped.

    Parameters
    ----------
    study : path
        A study folder with [contact], corpus and codebook.
    coders : iterable of str
        People to add, each "NAME:PERSPECTIVE".
    port, host : int, str
        Where the server listens.
    address : str, optional
        `https://…` as people see it, when a proxy adds TLS in front; without
        it the server answers this machine only.
    store : str, optional
        `postgresql://…`; by default SQLite in the study's private/.
    say : callable
        Told the links, a line each.

    Raises
    ------
    StudyError
        Without [contact], corpus or codebook.
    CodingError
        When an address is not https, or a coder has no known perspective.
    """
    origins = origins_for(address, port)
    circle = open_circle(study, store)
    site, research = make_site(circle, origins)
    for one in coders:
        name, _, perspective = one.rpartition(":")
        circle.add(name, perspective)
    leader = circle.facilitator()
    inside = {record.coder for record in circle.store.records(DEVICE).values()}
    say(f"{circle.title}\n")
    for key, member in circle.members.items():
        if key not in inside or key == leader.coder.id:
            say(f"{member.name}: {research.link(key)}")
    if late := how_to_divide_again(circle, study):
        say(f"\n{late}")
    say("\nEach link lets one device in, within 14 days. Stop with Ctrl+C.")
    app = site.app(*research.routes())
    with circle.store:
        uvicorn.run(app, host=host, port=port, access_log=False, log_level="warning",
                    server_header=False, lifespan="off")  # fmt: skip
