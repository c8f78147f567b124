"""Who may come in: invitations used up by a tap, devices that stay in, four words for another."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from expertise.coding.acts import Record
from expertise.coding.store import Store
from expertise.errors import ConflictError, PrivacyError

DAY = 86_400  # seconds
INVITED, SIGNED_IN = 14 * DAY, 120 * DAY
FOUR_WORDS = 15 * 60  # seconds that four words open a device
WRONG = 20  # wrong words in that time before no words work for a while
INVITATION, DEVICE = "invitation", "device"


@cache
def short_words() -> tuple[str, ...]:
    """Return 256 short Dutch words that are easily said over a telephone."""
    return tuple((files(__package__) / "fourwords.txt").read_text("utf-8").split())


@dataclass(frozen=True, slots=True)
class Guest:
    """A coder on a device; `csrf` is what their page must send along."""

    coder: str
    csrf: str


def digest(secret: str) -> str:
    """Return what is stored of a secret; 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


class Door:
    """Invitations and devices of one study; only hashes of secrets are stored.

    Parameters
    ----------
    store : Store
        Withdrawing a coder erases their invitations and devices too.
    clock : callable
        Seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store, self._clock = store, clock
        self._words: dict[str, tuple[str, float]] = {}
        self._wrong: list[float] = []

    def invite(self, coder: str, seconds: float = INVITED) -> str:
        """Return a fresh invitation for a coder: 256 random bits, good for one device."""
        return self._make(INVITATION, coder, seconds)

    def invited(self, token: str) -> str:
        """Return whom an invitation is for; looking uses nothing up.

        Raises
        ------
        PrivacyError
            When it is unknown, used or too old.
        """
        return str(self._open(token)[1]["coder"])

    def begin(self, token: str) -> str:
        """Use an invitation up and return the secret of a new device.

        Raises
        ------
        PrivacyError
            When it is unknown, used or too old; of two taps one gets in.
        """
        record, body = self._open(token)
        try:
            self._end(record, body, "begun")
        except ConflictError:
            raise PrivacyError("invitation") from None
        return self._make(DEVICE, record.coder, SIGNED_IN)

    def guest(self, secret: str) -> Guest | None:
        """Return who is on a device, or None."""
        record = self._store.record(DEVICE, digest(secret)) if secret else None
        if record is None:
            return None
        body = json.loads(record.body)
        if body["used"] or body["until"] < self._clock():
            return None
        return Guest(coder=record.coder, csrf=digest(f"csrf:{secret}"))

    def leave(self, secret: str) -> None:
        """Sign a device out."""
        if (record := self._store.record(DEVICE, digest(secret))) is not None:
            self._sign_out(record)

    def sign_out(self, coder: str) -> None:
        """Sign every device of a coder out and end their links, as when a device was lost."""
        for kind in (DEVICE, INVITATION):
            for record in self._store.records(kind).values():
                if record.coder == coder:
                    self._sign_out(record)

    def four_words(self, coder: str) -> str:
        """Return four words that open one other device within a quarter of an hour."""
        words = " ".join(secrets.choice(short_words()) for _ in range(4))
        self._words[words] = (coder, self._clock() + FOUR_WORDS)
        return words

    def enter(self, words: str) -> str:
        """Take four words in and return the secret of a new device.

        Raises
        ------
        PrivacyError
            When they are unknown, used or too old, or too many wrong ones were tried.
        """
        now = self._clock()
        self._wrong = [moment for moment in self._wrong if moment > now - FOUR_WORDS]
        said = " ".join(words.casefold().split())
        coder, until = self._words.pop(said, ("", 0.0)) if len(self._wrong) < WRONG else ("", 0.0)
        if not coder or until < now:
            self._wrong.append(now)
            raise PrivacyError("four words")
        return self._make(DEVICE, coder, SIGNED_IN)

    def _sign_out(self, record: Record) -> None:
        body = json.loads(record.body)
        with suppress(ConflictError):  # it ended just now
            if not body["used"]:
                self._end(record, body, "left")

    def _end(self, record: Record, body: Mapping[str, Any], how: str) -> None:
        self._store.put(replace(record, body=json.dumps({**body, "used": how})), by=record.coder)

    def _make(self, kind: str, coder: str, seconds: float) -> str:
        secret = secrets.token_urlsafe(32)
        body = json.dumps({"coder": coder, "until": self._clock() + seconds, "used": ""})
        self._store.put(Record(kind=kind, key=digest(secret), body=body, coder=coder), by=coder)
        return secret

    def _open(self, token: str) -> tuple[Record, Mapping[str, Any]]:
        record = self._store.record(INVITATION, digest(token))
        body = json.loads(record.body) if record else {}
        if record is None or body["used"] or body["until"] < self._clock():
            raise PrivacyError("invitation")
        return record, body
