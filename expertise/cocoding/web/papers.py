"""Pages by which a helper prints the papers, and enters what came back on them."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from expertise.cocoding.paper import entered_codings, paper_page, sheets, shown_to
from expertise.cocoding.people import Member
from expertise.cocoding.web.app import Site, form
from expertise.cocoding.web.door import Guest
from expertise.coding.acts import check_uuid
from expertise.coding.paper import PaperLine, enter, enter_again, numbered_sentences
from expertise.errors import ExpertiseError

LINES = 16


class Papers:
    """Printing and entering, for facilitators; `Research` asks who that is.

    Parameters
    ----------
    site : Site
    leader : callable
        Returns the facilitator on this device, or refuses.
    """

    def __init__(self, site: Site, leader: Any) -> None:
        self.site, self.circle, self._leader = site, site.circle, leader

    def routes(self) -> tuple[Route, ...]:
        """Return the routes, which go before those with a name in their path."""
        return (
            Route("/research/paper/print", self.printed),
            Route("/research/paper", self.shown),
            Route("/research/paper", self.entered, methods=["POST"]),
        )

    async def printed(self, request: Request) -> Response:
        """Give someone's paper, to print from the browser."""
        await self._leader(request)
        who = self._who(request.query_params)
        return Response(await run_in_threadpool(paper_page, self.site, who), media_type="text/html")

    async def shown(self, request: Request) -> Response:
        """Show which fragments someone has on paper, or the form for one of them."""
        guest = await self._leader(request)
        return await run_in_threadpool(self._page, guest, dict(request.query_params))

    async def entered(self, request: Request) -> Response:
        """Enter a paper, or take back what was entered."""
        sent = await form(request)
        guest = await self._leader(request, changing=True, csrf=sent.get("csrf", "-"))
        try:
            shown = await run_in_threadpool(self._enter, guest, sent)
        except ExpertiseError as fault:
            return await run_in_threadpool(self._page, guest, sent, 422, problem=str(fault))
        place = {name: sent[name] for name in ("coder", *(["document"] if "again" in sent else []))}
        return await run_in_threadpool(self._page, guest, place, **shown)

    def _enter(self, guest: Guest, sent: Mapping[str, str]) -> dict[str, Any]:
        who, document = self._who(sent), sent.get("document", "")
        session = self.circle.session(who, entered_by=guest.coder)
        entry = sent.get("entry", "")
        check_uuid(entry)
        if "again" in sent:
            enter_again(
                session, document, entered_codings(self.circle, who.coder.id, document), entry
            )
            return {"done": "paper_again_done"}
        lines = [
            PaperLine(sentences=sent.get(f"sentences-{n}", ""), code=sent.get(f"code-{n}", ""),
                      why=sent.get(f"why-{n}", ""), shared="shared" in sent,
                      doubt=f"doubt-{n}" in sent)
            for n in range(LINES) if sent.get(f"sentences-{n}", "").strip() or sent.get(f"code-{n}")
        ]  # fmt: skip
        n = enter(
            session, document, lines, book=self.circle.book, sentences=self._sentences(document),
            sheet=sent.get("sheet", ""), entry=entry, end=sent.get("end", "finish"),
            lang=self.circle.lang,
        )  # fmt: skip
        return {"done": "paper_entered", "n": n}

    def _page(
        self, guest: Guest, place: Mapping[str, str], status: int = 200, **shown: Any
    ) -> Response:
        who, document = self._who(place), place.get("document", "")
        found = {one.id: (at, one) for at, one in enumerate(sheets(self.circle, who), 1)}
        states = {
            one["document"]: one["state"]
            for one in self.circle.handle(who.coder.id, {"kind": "sync"})["desk"]["texts"]
        }
        values: dict[str, Any] = {"parts": [
            {"document": one.id, "n": at, "topics": one.topics, "state": states.get(one.id, "")}
            for at, one in found.values()
        ]}  # fmt: skip
        if document:
            if document not in found:
                raise HTTPException(404)
            at, one = found[document]
            places = self._sentences(document)
            helper = self.circle.members[guest.coder]
            values |= {
                "document": document, "n": at, "state": states.get(document, ""),
                "most": len(places), "topics": one.topics, "cards": self.circle.book.cards(),
                "sentences": [one.text[a:b] for a, b in places] if shown_to(helper, one) else [],
                "entry": str(uuid4()), "typed": place, "lines": range(LINES),
            }  # fmt: skip
        return self.site.page("papers.html", status, csrf=guest.csrf, who=who, **values, **shown)

    def _who(self, place: Mapping[str, str]) -> Member:
        found = self.circle.members.get(place.get("coder", ""))
        if found is None:
            raise HTTPException(404)
        return found

    def _sentences(self, document: str) -> list[tuple[int, int]]:
        text = {one.id: one.text for one in self.circle.fragments}.get(document)
        if text is None:
            raise HTTPException(404)
        return numbered_sentences({document: text})[document]
