"""What the rooms are wired to in tests: a leg, a store that can be down, and a service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bridge.agent.agent import Agent
from bridge.audio.formats import ULAW_8K
from bridge.config import Config
from bridge.errors import Ending, Fault, StoreError
from bridge.ports import leg
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallSummary, Claim, Saved, Standing
from bridge.store.memory import MemoryStore
from bridge.wiring.formats import negotiate
from bridge.wiring.service import Service
from tests.fakes.model import FakeModel

__all__ = ["CALL", "FRAME", "FakeLeg", "MoodyStore", "a_service", "record", "until"]

CALL = "CA" + "1" * 32
FRAME = b"\xff" * 160


class FakeLeg:
    """A leg worked by hand; remembers what it was told to do."""

    def __init__(self) -> None:
        self.done: list[leg.LegCommand] = []
        self.frames_in = 0
        self._listener: leg.LegListener | None = None
        self._hear: leg.Hear | None = None

    @property
    def attached(self) -> bool:
        return self._listener is not None

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        self._listener, self._hear = listener, hear

    def do(self, command: leg.LegCommand) -> None:
        self.done.append(command)

    def happens(self, *events: leg.LegEvent) -> None:
        assert self._listener is not None
        for event in events:
            if isinstance(event, leg.Heard) and self._hear is not None:
                self.frames_in += 1
                self._hear(event.audio)
            else:
                self._listener(event)

    def starts(self) -> None:
        self.happens(leg.Started(CALL, ULAW_8K))

    def is_lost(self) -> None:
        self.happens(leg.Ended(Ending(Fault.CARRIER, "lost"), lost=True))

    def hangs_up(self) -> None:
        self.happens(leg.Ended(Ending(Fault.CALLER, "hangup")))


class MoodyStore:
    """The store in memory, which is `down` at times, and remembers what it was asked."""

    def __init__(self, inner: MemoryStore) -> None:
        self.down = False
        self.shared = False
        self.asked: list[str] = []
        self.saved: list[CallRecord] = []
        self.hangs: asyncio.Event | None = None
        self.tools = inner.tools
        self.mailbox = inner.mailbox
        self._inner = inner

    async def standing(self, call_id: str, *, leg_ended: bool = False) -> Standing:
        await self._used("standing")
        return await self._inner.standing(call_id, leg_ended=leg_ended)

    async def expect(self, record: CallRecord) -> None:
        await self._used("expect")
        await self._inner.expect(record)

    async def claim(self, call_id: str, *, fence: int, claim_id: str, worker: str) -> Claim | None:
        await self._used("claim")
        return await self._inner.claim(call_id, fence=fence, claim_id=claim_id, worker=worker)

    async def save(self, claim: Claim, record: CallRecord) -> Saved:
        await self._used("save")
        self.saved.append(record)
        return await self._inner.save(claim, record)

    async def release(self, claim: Claim, record: CallRecord, *, planned: bool = False) -> Saved:
        await self._used("release, planned" if planned else "release")
        self.saved.append(record)
        return await self._inner.release(claim, record, planned=planned)

    async def end(self, call_id: str, verdict: Verdict, *, claim: Claim | None = None) -> Saved:
        await self._used("end")
        return await self._inner.end(call_id, verdict, claim=claim)

    async def look(self, call_id: str) -> CallRecord | None:
        await self._used("look")
        return await self._inner.look(call_id)

    async def calls(self) -> Sequence[CallSummary]:
        await self._used("calls")
        return await self._inner.calls()

    async def close(self) -> None:
        self.asked.append("close")

    async def _used(self, operation: str) -> None:
        self.asked.append(operation)
        if self.hangs is not None:
            await self.hangs.wait()
        if self.down:
            raise StoreError("the store is down")


def record(service: Service, call_id: str = CALL) -> CallRecord:
    return service.new_record(call_id, carrier="test")


@asynccontextmanager
async def a_service(
    agent: Agent | None = None,
    model: FakeModel | None = None,
    *,
    expected_seconds: float = 60.0,
    **settings: str,
) -> AsyncIterator[tuple[Service, FakeModel, MoodyStore]]:
    """A service that is closed afterwards, and has to have let go of all its sessions."""
    config = Config.from_environ({"BRIDGE_DRAIN_SECONDS": "0", **settings})
    model = model or FakeModel()
    store = MoodyStore(MemoryStore(asyncio.get_running_loop().time))
    path = negotiate(model, ULAW_8K, config.audio)
    agent = agent or Agent("Be kind.")
    service = Service(config, agent, model, store, path, expected_seconds=expected_seconds)
    try:
        yield service, model, store
    finally:
        await service.close()
    model.check()


async def until(condition: Callable[[], Any]) -> None:
    """Wait for what tells nobody that it happened."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.002)
