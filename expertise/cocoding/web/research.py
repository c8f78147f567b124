"""The pages of who leads the study: people, invitations, the reveal, agreement, export."""

import hashlib
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from expertise.agreement.coefficient import Coefficient
from expertise.cocoding.exports import EXPORTS, exported
from expertise.cocoding.web.app import Site, form
from expertise.cocoding.web.door import Guest
from expertise.cocoding.web.papers import Papers
from expertise.coding.planning import settings_of_plan
from expertise.errors import CodingError, ExpertiseError
from expertise.words import interval, number, say


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
            Route("/research/export/{name}", self.export),
            *Papers(self.site, self._leader).routes(),
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
            shown = {"sent": sent} | await run_in_threadpool(action, guest, sent)
        except ExpertiseError as fault:
            shown = {"sent": sent, "problem": str(fault), "status": 422}
        return await run_in_threadpool(self._page, guest, **shown)

    async def export(self, request: Request) -> Response:
        """Give every coding that counts, in one of the formats, after the reveal."""
        await self._leader(request)
        name = request.path_params["name"]
        if name not in EXPORTS:
            raise HTTPException(404)
        try:
            content = await run_in_threadpool(exported, self.circle, name)
        except CodingError as fault:
            raise HTTPException(403, str(fault)) from None
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=EXPORTS[name], headers=headers)

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
        """Show a plan; store it when it is the very plan that was looked at."""
        plan = self.circle.plan(
            readers=_number(sent, "readers", 2) or 2, words=_number(sent, "words"),
            n=_number(sent, "n"), of=_listed(sent.get("of", "")), find=sent.get("find", "").strip(),
            seed=_number(sent, "seed", 1) or 1,
        )  # fmt: skip
        seen = hashlib.sha256(plan.table.to_csv().encode()).hexdigest()
        if sent.get("seen") == seen:
            self.circle.keep(plan, by=guest.coder)
            return {"done": "handed_out"}
        changed = (
            {"problem": say("cocoding.plan_changed", self.circle.lang)} if "seen" in sent else {}
        )
        names = {key: one.name for key, one in self.circle.members.items()}
        loads = plan.table.groupby("coder", sort=False)["words"].agg(["size", "sum"])
        return changed | {
            "plan": [one | {"perspectives": self._labels(one["perspectives"])}
                     for one in plan.augment().to_dict("records")],
            "seen": seen, "heading": plan.heading(self.circle.lang),
            "loads": [(names[str(key)], n, words) for key, n, words in loads.itertuples()],
            "plan_notes": [one.text(self.circle.lang) for one in plan.notes],
        }  # fmt: skip

    def _labels(self, perspectives: str) -> str:
        known = self.circle.perspectives
        return ", ".join(known[one].label(self.circle.lang) for one in perspectives.split(", "))

    def _reveal(self, guest: Guest, sent: Any) -> dict[str, Any]:
        self.circle.reveal(guest.coder, anyway="anyway" in sent)
        return {"done": "revealed_now"}

    def _before(self) -> dict[str, str]:
        """Return the settings of the plan that stands, as its form sent them."""
        made = settings_of_plan(self.circle.store)
        made["of"] = ", ".join(made.get("of", ()))
        return {name: "" if value is None else str(value) for name, value in made.items()}

    def link(self, coder: str) -> str:
        """Return a fresh invitation as an address."""
        return f"{self.site.origins[0]}/invite/{self.site.door.invite(coder)}"

    async def _leader(self, request: Request, *, changing: bool = False, csrf: str = "") -> Guest:
        guest = await self.site.known(request, changing=changing, csrf=csrf)
        given = await run_in_threadpool(self.circle.start, guest.coder)
        if not given["facilitator"]:
            raise HTTPException(403, "this page is for who leads the study")
        return guest

    def _page(self, guest: Guest, status: int = 200, sent: Any = None, **shown: Any) -> Response:
        revealed = self.circle.revealed()
        names = {card["code"]: card["name"] for card in self.circle.book.cards()}
        agreement = self.circle.agreement() if revealed else {}
        people = self.circle.progress()
        return self.site.page(
            "research.html", status, csrf=guest.csrf, revealed=revealed,
            people=people.to_dict("records"), sent=self._before() | (sent or {}), exports=EXPORTS,
            late=", ".join(self.circle.without_texts()),
            agreement=[(names[c], _shown(one, self.circle.lang)) for c, one in agreement.items()],
            **shown,
        )  # fmt: skip


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _number(sent: Any, name: str, usual: int | None = None) -> int | None:
    """Return a whole number from a form; an empty field is the usual one.

    >>> _number({"words": "150"}, "words")
    150
    """
    said = sent.get(name, "").strip()
    if not said:
        return usual
    if not (said.isascii() and said.isdecimal() and len(said) < 7):
        raise CodingError(f"{name} is {said[:20]!r}; write a whole number, or leave it empty")
    return int(said)


def _shown(one: Coefficient, lang: str) -> str:
    """Return a coefficient and its interval, or why there is none."""
    if one.estimate != one.estimate:
        return " ".join(note.text(lang) for note in one.notes)
    if one.conf_low != one.conf_low:
        return number(one.estimate, 2, lang)
    return interval(one.estimate, one.conf_low, one.conf_high, lang)
