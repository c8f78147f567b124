"""The pages of who leads the study: people, invitations, the reveal, agreement, export."""

from typing import Any
from uuid import uuid4

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from expertise.agreement.coefficient import Coefficient
from expertise.cocoding.web.app import Site, form
from expertise.cocoding.web.door import Guest
from expertise.errors import ExpertiseError
from expertise.words import interval, number


class Research:
    """Pages for facilitators only.

    Parameters
    ----------
    site : Site
        Whose door and circle they use.
    """

    def __init__(self, site: Site) -> None:
        self.site, self.circle = site, site.circle

    def routes(self) -> tuple[Route, ...]:
        """Return the routes to add to the site."""
        return (
            Route("/research", self.overview),
            Route("/research/codings.csv", self.export),
            Route("/research/{action}", self.change, methods=["POST"]),
        )

    async def overview(self, request: Request) -> Response:
        """Show who takes part and how far they are; nothing of what they chose."""
        guest = await self._leader(request)
        return await run_in_threadpool(self._page, guest)

    async def change(self, request: Request) -> Response:
        """Do one of the actions on the page, and show it again."""
        sent = await form(request)
        guest = await self._leader(request, changing=True, csrf=sent.get("csrf", "-"))
        actions = {
            "add": self._add, "invite": self._invite, "hand-out": self._hand_out,
            "reveal": self._reveal,
        }  # fmt: skip
        action = actions.get(request.path_params["action"])
        if action is None:
            raise HTTPException(404)
        try:
            shown = await run_in_threadpool(action, guest, sent)
        except ExpertiseError as fault:
            shown = {"problem": str(fault), "status": 422}
        return await run_in_threadpool(self._page, guest, **shown)

    async def export(self, request: Request) -> Response:
        """Give every coding that counts as CSV: places and codes, no words of a text."""
        await self._leader(request)
        if not await run_in_threadpool(self.circle.revealed):
            raise HTTPException(403, "codings can be exported after the round together was opened")
        table = (await run_in_threadpool(self.circle.ledger)).coded("alone")
        headers = {"Content-Disposition": 'attachment; filename="codings.csv"'}
        return Response(table.to_csv(index=False), media_type="text/csv", headers=headers)

    def _add(self, guest: Guest, sent: Any) -> dict[str, Any]:
        member = self.circle.add(
            sent.get("name", ""), sent.get("perspective", ""),
            triads=_listed(sent.get("triads", "")), teams=_listed(sent.get("teams", "")),
        )  # fmt: skip
        return {"link": self.link(member.coder.id), "link_for": member.name}

    def _invite(self, guest: Guest, sent: Any) -> dict[str, Any]:
        coder = sent.get("coder", "")
        name = self.circle.start(coder)["name"]
        if coder == guest.coder:  # who asks stays in on the device they ask from
            return {"link": self.link(coder), "link_for": name}
        self.site.door.sign_out(coder)
        return {"link": self.link(coder), "link_for": name, "done": "others_ended"}

    def _hand_out(self, guest: Guest, sent: Any) -> dict[str, Any]:
        readers = sent.get("readers", "2")
        self.circle.hand_out(int(readers) if readers.isdecimal() and len(readers) < 4 else 2)
        return {"done": "handed_out"}

    def _reveal(self, guest: Guest, sent: Any) -> dict[str, Any]:
        message = {"kind": "reveal", "id": str(uuid4()), "anyway": "anyway" in sent}
        error = self.circle.handle(guest.coder, message)["error"]
        return {"problem": error, "status": 422} if error else {"done": "revealed_now"}

    def link(self, coder: str) -> str:
        """Return a fresh invitation as an address."""
        return f"{self.site.origins[0]}/invite/{self.site.door.invite(coder)}"

    async def _leader(self, request: Request, *, changing: bool = False, csrf: str = "") -> Guest:
        guest = await self.site.known(request, changing=changing, csrf=csrf)
        given = await run_in_threadpool(self.circle.start, guest.coder)
        if not given["facilitator"]:
            raise HTTPException(403, "this page is for who leads the study")
        return guest

    def _page(self, guest: Guest, status: int = 200, **shown: Any) -> Response:
        revealed = self.circle.revealed()
        names = {card["code"]: card["name"] for card in self.circle.book.cards()}
        agreement = self.circle.agreement() if revealed else {}
        people = self.circle.progress()
        return self.site.page(
            "research.html", status, csrf=guest.csrf, revealed=revealed,
            people=people.to_dict("records"),
            agreement=[(names[c], _shown(one, self.circle.lang)) for c, one in agreement.items()],
            **shown,
        )  # fmt: skip


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _shown(one: Coefficient, lang: str) -> str:
    """Return a coefficient and its interval, or why there is none."""
    if one.estimate != one.estimate:
        return " ".join(note.text(lang) for note in one.notes)
    if one.conf_low != one.conf_low:
        return number(one.estimate, 2, lang)
    return interval(one.estimate, one.conf_low, one.conf_high, lang)
