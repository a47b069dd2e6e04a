"""The mail of calls in Redis, where whoever holds the call finds it, and the alerts of workers."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.ports.mail import ChangeWish, Letter, Posted
from bridge.ports.store import Claim
from bridge.store import records
from bridge.store.redis import scripts
from bridge.store.redis.cluster import Command
from bridge.store.redis.connection import Connection
from bridge.store.redis.keys import Keys, Times, alerts_key, ms
from bridge.store.redis.mapping import Sealed, pairs

__all__ = ["RedisMailbox"]

LONGEST_MAIL = 256  # letters to one call; the oldest go first
LONGEST_ALERTS = 1_000  # of one worker; who was not alerted finds its mail all the same


class RedisMailbox:
    """Behind the door Mailbox. Letters are sealed."""

    def __init__(self, connection: Connection, sealed: Sealed, times: Times) -> None:
        self._connection = connection
        self._sealed = sealed
        self._times = times

    async def post(self, call_id: str, letter_id: str, wish: ChangeWish) -> Posted:
        keys = Keys.of(call_id)
        body = self._sealed.text(call_id, records.write_wish(wish), f"mail:{letter_id}")
        answer = await self._connection.run(
            scripts.PUSH,
            (keys.call, keys.mail, keys.seen),
            (letter_id, body, ms(self._times.mail), LONGEST_MAIL),
            self._times.answer,
        )
        match answer[0]:
            case b"ENDED":
                return Posted.ENDED
            case b"MISSING":
                return Posted.UNKNOWN
            case _:
                await self._ring(answer[1].decode(), call_id)
                return Posted.LEFT

    async def read(self, claim: Claim) -> Sequence[Letter] | None:
        keys = Keys.of(claim.call_id)
        answer = await self._connection.run(
            scripts.READ,
            (keys.call, keys.mail),
            (claim.fence, claim.claim_id),
            self._times.answer,
        )
        match answer[0]:
            case b"OK":
                return tuple(self._letter(claim.call_id, *entry) for entry in answer[1])
            case b"MISSING":
                return ()  # the next write puts the call back
            case _:
                return None

    async def acknowledge(self, claim: Claim, place: str) -> None:
        keys = Keys.of(claim.call_id)
        await self._connection.run(
            scripts.ACK,
            (keys.call, keys.mail),
            (claim.fence, claim.claim_id, place),
            self._times.answer,
        )

    async def alert(self, call_id: str) -> None:
        key = Keys.of(call_id).call
        worker = await self._connection.ask(key, ("HGET", key, "owner"), self._times.answer)
        await self._ring((worker or b"").decode(), call_id)

    async def alerts(self, worker: str) -> Sequence[str]:
        key = alerts_key(worker)
        rung = await self._connection.ask(key, ("LPOP", key, LONGEST_ALERTS), self._times.answer)
        return tuple(dict.fromkeys(call_id.decode() for call_id in rung or ()))

    async def _ring(self, worker: str, call_id: str) -> None:
        if not worker:
            return
        key = alerts_key(worker)
        commands: list[Command] = [
            ("RPUSH", key, call_id),
            ("LTRIM", key, -LONGEST_ALERTS, -1),
            ("PEXPIRE", key, ms(self._times.mail)),
        ]
        await self._connection.ask_all(commands, self._times.answer)

    def _letter(self, call_id: str, place: bytes, content: list[bytes]) -> Letter:
        fields = dict(pairs(content))
        where = f"mail:{fields[b'id'].decode()}"
        text = self._sealed.read_text(call_id, fields[b"text"], where)
        return Letter(records.read_wish(text), place.decode())
