"""The server's routes for those who code; the rules are in the session behind them."""

import hmac
import json
import logging
from collections.abc import Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from expertise.cocoding.circle import Circle
from expertise.cocoding.web.door import SIGNED_IN, Door, Guest
from expertise.cocoding.web.guard import Guard, as_json, refusal
from expertise.errors import CodingError, ExpertiseError, PrivacyError
from expertise.words import say

LOG = logging.getLogger("expertise.cocoding")
KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


class Site:
    """One study's pages, for people who came in through the door.

    Parameters
    ----------
    circle : Circle
    origins : tuple of str
        Addresses of the server; with https the cookie is bound to this host.
    """

    def __init__(self, circle: Circle, origins: tuple[str, ...]) -> None:
        self.circle, self.origins, self.door = circle, origins, Door(circle.store)
        self.secure = all(origin.startswith("https:") for origin in origins)
        self.cookie = "__Host-expertise" if self.secure else "expertise"
        loader = PackageLoader("expertise.cocoding.web")
        self._pages = Environment(loader=loader, autoescape=True, trim_blocks=True)
        self._files = {
            one.name: one.read_bytes()
            for folder in (files("expertise.cocoding") / "js", files(__package__) / "static")
            for one in folder.iterdir() if one.is_file()
        }  # fmt: skip

    def app(self, *more: Route) -> Guard:
        """Return the application with its guard."""
        routes = [
            Route("/", self.home),
            Route("/static/{name}", self.static),
            Route("/invite/{token}", self.invitation),
            Route("/begin", self.begin, methods=["POST"]),
            Route("/enter", self.enter, methods=["POST"]),
            Route("/start", self.start),
            Route("/message", self.message, methods=["POST"]),
            Route("/four-words", self.four_words, methods=["POST"]),
            Route("/leave", self.leave, methods=["POST"]),
            Route("/minutes", self.minutes),
            *more,
        ]
        inner = Starlette(
            routes=routes,
            exception_handlers={HTTPException: _plain, ExpertiseError: _wrong, Exception: _broken},
        )
        return Guard(inner, self.origins)

    # ---- coming in ----------------------------------------------------------

    async def home(self, request: Request) -> Response:
        """Give the page to a device that is signed in, and ask others for their words."""
        guest = await run_in_threadpool(self.guest, request)
        return self.page("page.html") if guest else self.page("enter.html", wrong=False)

    async def invitation(self, request: Request) -> Response:
        """Welcome someone; nothing is used up, for mail programs open links too."""
        token = request.path_params["token"]
        try:
            coder = await run_in_threadpool(self.door.invited, token)
            name = (await run_in_threadpool(self.circle.start, coder))["name"]
        except (PrivacyError, CodingError):
            LOG.warning("an invitation was refused")
            return self.page("refused.html", status=403)
        return self.page("invite.html", token=token, name=name)

    async def begin(self, request: Request) -> Response:
        """Use an invitation up."""
        try:
            secret = await run_in_threadpool(
                self.door.begin, (await form(request)).get("token", "")
            )
        except PrivacyError:
            LOG.warning("an invitation was refused")
            return self.page("refused.html", status=403)
        return self.signed_in(secret)

    async def enter(self, request: Request) -> Response:
        """Let another device in by four words."""
        try:
            secret = await run_in_threadpool(
                self.door.enter, (await form(request)).get("words", "")
            )
        except PrivacyError:
            LOG.warning("four words were refused")
            return self.page("enter.html", wrong=True, status=403)
        return self.signed_in(secret)

    def signed_in(self, secret: str) -> Response:
        """Send a device to its page, with its cookie."""
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(self.cookie, secret, max_age=SIGNED_IN, path="/", httponly=True,
                          secure=self.secure, samesite="lax")  # fmt: skip
        return answer

    # ---- at work ------------------------------------------------------------

    async def start(self, request: Request) -> Response:
        """Give what the page needs before its first message."""
        guest = await self.known(request)
        given = await run_in_threadpool(self.circle.start, guest.coder)
        leads = given["facilitator"]
        return as_json(given | {
            "csrf": guest.csrf, "keep": f"{self.circle.key}:{guest.coder}",
            "research": "/research" if leads else "", "minutes": "/minutes",
        })  # fmt: skip

    async def message(self, request: Request) -> Response:
        """Carry one message to the coder's session."""
        guest = await self.known(request, changing=True)
        try:
            wanted = parsed(await request.body())
        except CodingError as fault:
            return refusal(422, str(fault))
        answer = await run_in_threadpool(self.circle.handle, guest.coder, wanted)
        status = 409 if "conflict" in answer else 422 if answer["error"] else 200
        return as_json(answer, status)

    async def four_words(self, request: Request) -> Response:
        """Make four words for another device."""
        guest = await self.known(request, changing=True)
        return as_json({"words": self.door.four_words(guest.coder)})

    async def leave(self, request: Request) -> Response:
        """Sign this device out."""
        await self.known(request, changing=True)
        await run_in_threadpool(self.door.leave, request.cookies.get(self.cookie, ""))
        answer = as_json({"left": True})
        answer.delete_cookie(self.cookie, path="/", secure=self.secure, httponly=True)
        return answer

    async def minutes(self, request: Request) -> Response:
        """Give the printable page of what was decided together."""
        guest = await self.known(request)
        found = await run_in_threadpool(self.circle.handle, guest.coder, {"kind": "passages"})
        if found["error"]:
            return refusal(403, found["error"])
        return self.minutes_page(found["passages"])

    async def static(self, request: Request) -> Response:
        """Give a file of the front end, by an exact name."""
        name = request.path_params["name"]
        if name not in self._files:
            raise HTTPException(404)
        kind = KINDS[name.rpartition(".")[2]]
        return Response(self._files[name], media_type=kind, headers={"Cache-Control": "no-cache"})

    # ---- shared -------------------------------------------------------------

    def guest(self, request: Request) -> Guest | None:
        """Return who is on this device."""
        return self.door.guest(request.cookies.get(self.cookie, ""))

    async def known(self, request: Request, *, changing: bool = False, csrf: str = "") -> Guest:
        """Return who is on this device, or refuse; a change needs the page's own token."""
        guest = await run_in_threadpool(self.guest, request)
        if guest is None:
            raise HTTPException(401, "this device is not signed in")
        sent = csrf or request.headers.get("x-csrf", "")
        if changing and not hmac.compare_digest(sent.encode(), guest.csrf.encode()):
            raise HTTPException(403, "this request did not come from your page")
        return guest

    def minutes_page(self, passages: Any, css: str = "") -> Response:
        """Return the minutes; with `css` the page needs no other file."""
        names = {card["code"]: card["name"] for card in self.circle.book.cards()}
        return self.page("minutes.html", passages=passages, names=names, css=css)

    def page(self, template: str, /, status: int = 200, **values: Any) -> Response:
        """Return a page in the study's language."""

        def words(key: str, **more: str) -> str:
            return say(f"cocoding.{key}", self.circle.lang, **more)

        text = self._pages.get_template(template).render(
            words=words, lang=self.circle.lang, title=self.circle.title,
            contact=self.circle.contact, perspectives=self.circle.perspectives, **values,
        )  # fmt: skip
        return Response(text, status, media_type="text/html")


def parsed(body: bytes) -> object:
    """Read JSON, and refuse what is none.

    >>> parsed(b'{"kind": NaN}')
    Traceback (most recent call last):
    expertise.errors.CodingError: the message cannot be read; send JSON in UTF-8
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise CodingError("the message cannot be read; send JSON in UTF-8") from None


def _no_constant(name: str) -> float:
    raise ValueError(name)


async def form(request: Request) -> Mapping[str, str]:
    """Return the fields of a form; one that cannot be read is empty."""
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=200))
    except ValueError:
        return {}


async def _plain(request: Request, fault: Exception) -> Response:
    assert isinstance(fault, HTTPException)
    return refusal(fault.status_code, fault.detail)


async def _wrong(request: Request, fault: Exception) -> Response:
    return refusal(422, str(fault))


async def _broken(request: Request, fault: Exception) -> Response:
    return refusal(500, "something went wrong here; nothing was stored")
