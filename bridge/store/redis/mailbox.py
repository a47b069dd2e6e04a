"""
The mail of a call: what others want of it, left for whoever holds it now or next.

A message that nobody has acknowledged when its reader dies is read by the next one. So a
message may be read twice, and asks for something that may be done twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.ports.store import Claim, Saved
from bridge.store.redis import scripts
from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import Keys, Times
from bridge.store.redis.mapping import Sealed, pairs

__all__ = ["Mailbox", "Message", "Posted"]

LONGEST_MAIL = 256  # messages to one call; the oldest go first


class Posted(StrEnum):
    """What became of a message."""

    LEFT = "left"
    """The call's holder will read it, or whoever holds it next."""
    ENDED = "ended"
    UNKNOWN = "unknown"
    """There is no such call."""


@dataclass(frozen=True, slots=True)
class Message:
    message_id: str
    text: bytes = field(repr=False)
    place: str
    """What to acknowledge: this message and those before it."""


class Mailbox:
    """Every method raises StoreError."""

    def __init__(self, connection: Connection, sealed: Sealed, times: Times) -> None:
        self._connection = connection
        self._sealed = sealed
        self._times = times

    async def post(self, call_id: str, message_id: str, text: bytes) -> Posted:
        """Leave a message. The same `message_id` twice is one message."""
        keys = Keys.of(call_id)
        body = self._sealed.text(call_id, text, f"mail:{message_id}")
        ttl = round(self._times.mail * 1000)
        answer = await self._connection.run(
            scripts.PUSH,
            (keys.call, keys.mail, keys.seen),
            (message_id, body, ttl, LONGEST_MAIL),
            self._times.answer,
        )
        match answer[0]:
            case b"ENDED":
                return Posted.ENDED
            case b"MISSING":
                return Posted.UNKNOWN
            case _:
                return Posted.LEFT

    async def read(self, claim: Claim) -> tuple[Message, ...]:
        """What nobody has acknowledged, oldest first; nothing if the call is no longer ours."""
        keys = Keys.of(claim.call_id)
        answer = await self._connection.run(
            scripts.READ,
            (keys.call, keys.mail),
            (claim.fence, claim.claim_id),
            self._times.answer,
        )
        if answer[0] != b"OK":
            return ()
        return tuple(self._message(claim.call_id, *entry) for entry in answer[1])

    async def acknowledge(self, claim: Claim, place: str) -> Saved:
        """What was asked for up to this place is done."""
        keys = Keys.of(claim.call_id)
        answer = await self._connection.run(
            scripts.ACK,
            (keys.call, keys.mail),
            (claim.fence, claim.claim_id, place),
            self._times.answer,
        )
        return Saved.FENCED if answer[0] == b"FENCED" else Saved.OK

    def _message(self, call_id: str, place: bytes, content: list[bytes]) -> Message:
        fields = dict(pairs(content))
        message_id = fields[b"id"].decode()
        text = self._sealed.read_text(call_id, fields[b"text"], f"mail:{message_id}")
        return Message(message_id, text, place.decode())
