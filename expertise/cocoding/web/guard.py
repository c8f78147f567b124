"""What holds for every request: size, host, origin, and the headers of every answer."""

import json
import logging
import traceback
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("expertise.cocoding")
LARGEST = 64 * 1024  # bytes of a request
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
    "Cache-Control": "no-store",
}
SAFE = ("GET", "HEAD")


def as_json(content: Mapping[str, Any], status: int = 200) -> Response:
    """Return JSON in ASCII: no text, however broken, can fail on its way out."""
    return Response(json.dumps(content), status, media_type="application/json")


def refusal(status: int, sentence: str) -> Response:
    """Return a refusal that says why."""
    return as_json({"error": sentence}, status)


class Guard:
    """Refuses what is too large, meant for another host, or sent by another site.

    Parameters
    ----------
    origins : tuple of str
        Addresses under which people reach this server, as `https://example.org`.
    """

    def __init__(self, app: ASGIApp, origins: tuple[str, ...]) -> None:
        self._app, self._origins = app, origins
        self._hosts = {origin.partition("//")[2] for origin in origins}
        self._secure = all(origin.startswith("https:") for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look at a request before anything reads it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._added(message)]}
            await send(message)

        problem = self._problem(scope["method"], headers)
        if problem is not None:
            await problem(scope, receive, answer)
            return
        body = await _body(receive)
        if body is None:
            await refusal(413, f"a request has at most {LARGEST} bytes")(scope, receive, answer)
            return

        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            await self._app(scope, again, answer)
        except Exception as fault:
            # The answer is out. A message may hold what someone wrote: name the place only.
            place = traceback.extract_tb(fault.__traceback__)[-1]
            LOG.error("%s at %s:%s", type(fault).__name__, place.filename, place.lineno)

    def _problem(self, method: str, headers: Mapping[str, str]) -> Response | None:
        length = headers.get("content-length", "0")
        if (
            not length.isascii()
            or not length.isdigit()
            or len(length) > 15
            or int(length) > LARGEST
        ):
            return refusal(413, f"a request has at most {LARGEST} bytes")
        if headers.get("host") not in self._hosts:
            return refusal(421, "this server has another address")
        if method not in SAFE and headers.get("origin") not in self._origins:
            return refusal(403, "this request came from another site")
        return None

    def _added(self, message: Message) -> list[tuple[bytes, bytes]]:
        there = {name.lower() for name, _ in message["headers"]}
        wanted = dict(HEADERS)
        if self._secure:
            wanted["Strict-Transport-Security"] = "max-age=31536000"
        return [(name.lower().encode(), value.encode()) for name, value in wanted.items()
                if name.lower().encode() not in there]  # fmt: skip


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body, or None when it grows too large."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return bytes(body)
        body += message.get("body", b"")
        if len(body) > LARGEST:
            return None
        if not message.get("more_body"):
            return bytes(body)
