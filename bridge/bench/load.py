"""
The load: a process with many calls on one timer.

Rule: calls begin evenly over a second or so, as they would be placed, and each of them
sends its frames in a rhythm of its own.
"""

from __future__ import annotations

import asyncio
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bridge.bench.caller import Caller, Identity, ask_voice
from bridge.bench.orders import Handler, OrderFailed, obey
from bridge.bench.pacer import Pacer
from bridge.wire.twilio.signature import socket_url

__all__ = ["Load"]

PLACING_SECONDS = 10.0  # after which a call counts as not answered
GOODBYE_SECONDS = 3.0


class Load:
    """The calls of one process."""

    def __init__(self) -> None:
        self._pacer = Pacer(0.020)
        self._callers: list[Caller] = []
        self._webhook_ms: list[float] = []

    async def connect(
        self, origins: list[str], calls: int, token: str, path: str, over: float
    ) -> int:
        """
        Place `calls` calls in turn at `origins`, within `over` seconds. How many are there.

        With a `path` their media streams are opened there; without one the voice webhook
        says where. A call that cannot be placed is missing, and `report` does not know it.
        """
        self._callers, self._webhook_ms = [], []
        async with asyncio.TaskGroup() as placing:
            for number in range(calls):
                origin = origins[number % len(origins)]
                placing.create_task(self._place(number, origin, token, path))
                await asyncio.sleep(over / calls)
        return len(self._callers)

    def calls(self) -> dict[int, dict[str, Any]]:
        """What each call sent and heard, by its number."""
        return {caller.number: caller.report() for caller in self._callers}

    async def report(self) -> dict[str, Any]:
        """What each call sent and heard, and how late the load itself was."""
        late, self._pacer.wheel.late_ms = self._pacer.wheel.late_ms, []
        return {
            "calls": self.calls(),
            "lost": sum(caller.gone.done() for caller in self._callers),
            "webhook_ms": self._webhook_ms,
            "late_ms": late,
        }

    async def hang_up(self) -> None:
        """End all calls."""
        for caller in self._callers:
            self._pacer.remove(caller.tick)
        await asyncio.gather(*(caller.hang_up(GOODBYE_SECONDS) for caller in self._callers))
        self._callers = []

    async def _place(self, number: int, origin: str, token: str, path: str) -> None:
        try:
            async with asyncio.timeout(PLACING_SECONDS):
                caller = await self._answered(number, origin, token, path)
        except (OrderFailed, OSError, TimeoutError):
            return
        self._callers.append(caller)
        self._pacer.add(caller.tick)

    async def _answered(self, number: int, origin: str, token: str, path: str) -> Caller:
        call_sid, stream_sid = "CA" + token_hex(16), "MZ" + token_hex(16)
        url, parameters = socket_url(origin + path), {"token": ""}
        if not path:
            verb, seconds = await ask_voice(origin, token, call_sid)
            url, parameters = verb.stream_url, dict(verb.parameters)
            self._webhook_ms.append(seconds * 1000)
        caller = Caller(Identity(number, call_sid, stream_sid, parameters), url, token)
        parts = urlsplit(url)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: caller, parts.hostname or "", parts.port or 80)
        await caller.opened
        return caller


async def _main() -> None:
    load = Load()
    handlers: dict[str, Handler] = {
        "connect": load.connect,
        "report": load.report,
        "hang_up": load.hang_up,
    }
    await obey(handlers)


if __name__ == "__main__":
    uvloop.run(_main())
