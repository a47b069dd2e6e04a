"""
What carriers, strangers, providers and tools do wrong, as far as no other journey has it.

The whole list, with the tests of every fault, is docs/explanation/faults.md.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from pathlib import Path

from websockets.asyncio.client import ClientConnection

from bridge.agent.agent import Agent
from bridge.call.digits import MAX_DIGITS
from bridge.config import Config
from bridge.ports.store import CallState
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait
from bridge.simulator.journal import Moment, What
from bridge.store.memory import MemoryStore
from bridge.web.app import Bridge
from bridge.wire import ticket
from bridge.wire.twilio import frames, media, webhook
from tests.fakes.balancer import HAProxy
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder
from tests.journeys.hand import STREAM, HandMadeCall, closing_code
from tests.journeys.stage import (
    INSTRUCTIONS,
    PUBLIC,
    QUICK,
    Stage,
    bridge_process,
    on_stage,
    openai,
    until,
)
from tests.journeys.test_bad_frames import counted
from tests.journeys.test_lost_models import told

BAKERY = "tests.journeys.agents:bakery"
MINUTE = 60.0


def a_ticket(stage: Stage, call: HandMadeCall, clock: float, fence: int = 0) -> str:
    """As a worker gives it whose clock is so many seconds ahead of ours."""
    expires_at = time.time() + clock + ticket.LIFE_SECONDS
    named = ticket.Ticket(call.call_sid, call.account_sid, fence, expires_at)
    return ticket.issue(named, stage.service.ticket_keys, secrets.token_bytes(ticket.NONCE_SIZE))


async def taken(stage: Stage, call: HandMadeCall, token: str) -> ClientConnection:
    """A stream with this ticket, which opens the call."""
    socket = await call.open()
    await call.begin(socket, token=token)
    await until(lambda: stage.service.switchboard.find(call.call_sid))
    return socket


async def refused(call: HandMadeCall, token: str, account_id: str | None = None) -> bool:
    """Whether a stream with this ticket is closed as it should be."""
    socket = await call.open()
    await call.begin(socket, token=token, account_id=account_id)
    return await closing_code(socket) == 1008


# Tickets


async def test_workers_whose_clocks_differ() -> None:
    """
    A ticket is good for two minutes, and one more for the clocks. A clock that is ahead only
    makes its tickets live longer; the tickets of one that is far behind are good nowhere else.
    """
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        for clock in (5 * MINUTE, -2.5 * MINUTE):
            call = HandMadeCall(stage)
            await (await taken(stage, call, a_ticket(stage, call, clock))).close()
        call = HandMadeCall(stage)

        assert await refused(call, a_ticket(stage, call, -5 * MINUTE))
        await counted(stage, "ticket-expired", 1)


class Forgetful(MemoryStore):
    """A store that may lose everything, as Redis may."""

    def __init__(self) -> None:
        super().__init__(time.monotonic)

    def forget(self) -> None:
        super().__init__(time.monotonic)

    def bridge(self, agent: Agent, config: Config) -> Bridge:
        return Bridge(agent, config, store=self)


async def test_a_store_that_forgets_does_not_know_used_tickets() -> None:
    """Then a ticket may be shown again, for as long as it lives, and not any longer."""
    store = Forgetful()
    async with (
        FakeOpenAI() as fake,
        on_stage(Agent(INSTRUCTIONS), openai(fake), make=store.bridge) as stage,
    ):
        call = HandMadeCall(stage)
        for _ in range(2):
            await (await taken(stage, call, call.token or a_ticket(stage, call, 0.0))).close()
            await until(lambda: not len(stage.service.switchboard))
            store.forget()

        assert await refused(call, a_ticket(stage, call, -3 * MINUTE - 1))
        await counted(stage, "ticket-expired", 1)


async def test_a_stream_of_nobodys_costs_no_session() -> None:
    """The model is dialled for calls that a signed webhook has named, and for no stream."""
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        call, other = HandMadeCall(stage), HandMadeCall(stage)

        assert await refused(call, "")
        assert await refused(call, a_ticket(stage, call, 0.0)[:-8] + "AAAAAAAA")
        assert await refused(call, a_ticket(stage, other, 0.0))
        assert await refused(call, a_ticket(stage, call, 0.0), account_id="AC" + "9" * 32)
        assert fake.requests == []


async def test_a_webhook_that_is_delivered_twice() -> None:
    """Two tickets for one fence: one of them opens the call, and the other disturbs nobody."""
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        call = HandMadeCall(stage)
        await call.ask()
        first = call.token
        await call.ask()
        socket = await taken(stage, call, call.token)

        assert first != call.token
        assert await refused(call, first)
        assert socket.state.name == "OPEN"
        assert len(fake.sessions) == 1
        await socket.close()


# Frames


async def test_frames_in_any_order_and_of_any_size() -> None:
    """What TCP brings is heard as it comes; a stop before the start stops nothing."""
    pieces = [bytes([number]) * size for number, size in enumerate((160, 1, 8_000, 160), 1)]
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        call = HandMadeCall(stage)
        await call.ask()
        socket = await call.open()
        await socket.send(media.write_event(frames.Stop(STREAM)))
        await call.begin(socket)
        for chunk, audio in zip((1, 4, 2, 9), pieces, strict=True):
            await socket.send(HandMadeCall.frame(chunk, audio))
        session = await fake.session(0)
        await session.until(lambda: len(session.received) >= 8_321)

        assert bytes(session.received) == b"".join(pieces)
        await counted(stage, "before-start", 1)
        await socket.close()


async def test_a_flood_of_keys() -> None:
    """The model is told of as many as fingers can press, and goes on hearing the caller."""
    flood = [media.write_event(frames.Dtmf(STREAM, "1"))] * 2_000
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        socket = await HandMadeCall(stage).stream()
        session = await fake.session(0)
        for frame in flood:
            await socket.send(frame)
        for chunk in range(50):
            await socket.send(HandMadeCall.frame(chunk))
        await session.until(lambda: len(session.received) >= 50 * 160 and bool(told(session)))
        entries = [text for _, text in told(session)]

        assert socket.state.name == "OPEN"
        socket.transport.abort()  # a client that reads nothing hears no goodbye

    assert len(entries) < 5
    assert all(len(re.findall("1", entry)) <= MAX_DIGITS for entry in entries)


async def test_a_broken_stream_ends_no_call_and_a_completed_call_is_over() -> None:
    """The session is let go of at once, and the record stays until Twilio says that it is over."""
    async with FakeOpenAI() as fake, on_stage(Agent(INSTRUCTIONS), openai(fake)) as stage:
        call = HandMadeCall(stage)
        socket = await call.stream()
        session = await fake.session(0)
        socket.transport.abort()
        await until(lambda: session.closed and not len(stage.service.switchboard), 2.0)
        broken = await stage.service.standing(call.call_sid, leg_ended=False)
        completed = webhook.CallStatus(call.call_sid, call.account_sid, "completed")
        await call.post("/twilio/status", webhook.write_call_status(completed))
        over = await stage.service.standing(call.call_sid, leg_ended=False)

        assert (broken.state, over.state) == (CallState.WAITING, CallState.ENDED)
        assert await call.asks_next() == ["Hangup"]


# Strangers


async def test_idle_connections_cost_little(tmp_path: Path, record_property: Recorder) -> None:
    """Ten thousand of them have to fit into 300 MB; these are some, with half a request each."""
    count, settings = 400, {"BRIDGE_PROVIDER": "offline"}
    async with bridge_process(BAKERY, settings, tmp_path / "log") as stage:
        port = int(stage.origin.rpartition(":")[2])
        before = await stage.metric("process_resident_memory_bytes")
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(count)]
        for _, writer in idle:
            writer.write(b"GET /twilio/media HTTP/1.1\r\nHost: x\r\n")
        ready = await stage.ask("GET", "/readyz")
        each = (await stage.metric("process_resident_memory_bytes") - before) / count
        for _, writer in idle:
            writer.transport.abort()

    record_property("bytes of memory for an idle connection", round(each))
    print(f"bytes of memory for an idle connection: {each:.0f}")
    assert ready.status_code == 200
    assert each < 30_000


async def test_the_balancer_dies() -> None:
    """All its streams break; by way of another one the carrier finds the call as it was."""
    speaks = asyncio.Event()

    def listen(moment: Moment) -> None:
        if moment.what is What.AGENT_BEGAN:
            speaks.set()

    origins: dict[str, str] = {}
    first = Script(answers=[Say("From seven to six, as on every day.", seconds=6.0)])
    async with (
        FakeOpenAI(first, Script(otherwise=[Say("As I said."), Call("hang_up")])) as fake,
        on_stage(Agent(INSTRUCTIONS, vad=QUICK), openai(fake), origins=origins) as stage,
    ):
        one, other = balancers = HAProxy(stage.origin), HAProxy(stage.origin)
        try:
            await asyncio.gather(*(asyncio.to_thread(each.start) for each in balancers))
            origins[PUBLIC] = one.origin
            steps = CallerSays(sound.word()), Wait(20.0)
            calling = asyncio.create_task(stage.place(*steps, listener=listen))
            await speaks.wait()
            origins[PUBLIC] = other.origin
            await asyncio.to_thread(one.kill)
            report = await calling
        finally:
            await asyncio.gather(*(asyncio.to_thread(each.remove) for each in balancers))
        remembered = told(fake.sessions[1])

    assert [stream.broken for stream in report.streams] == [True, False]
    assert ("user", "Hello.") in remembered
    assert report.ended.word == "hung-up"
    assert report.violations == ()
