"""One call, from the dialled model to the verdict."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bridge.agent.agent import Agent
from bridge.agent.context import CallContext
from bridge.agent.hooks import CallEnded
from bridge.call.vocabulary import Moment
from bridge.errors import AuthError, Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports import server_events as model
from bridge.ports.client_events import Message, ResponseCreate
from bridge.ports.conversation import CallerSaid
from bridge.ports.model import RequiresResumption
from bridge.ports.session import RealtimeConfig
from bridge.ports.store import CallRecord, CallState, Claim, Cut, Left, PendingChange
from bridge.wiring.service import Service
from tests.fakes.model import FakeModel, FakeSession
from tests.telemetry.test_metrics import Page
from tests.wiring.parts import CALL, FRAME, FakeLeg, MoodyStore, a_service, record, until

OVER = Ending(Fault.NOBODY, "over")


@dataclass
class Stage:
    """A call that has begun on `caller`."""

    service: Service
    model: FakeModel
    store: MoodyStore
    caller: FakeLeg
    attending: asyncio.Task[Ending]

    async def session(self) -> FakeSession:
        return await self.model.sessions_made(1)

    async def over(self) -> None:
        await asyncio.wait_for(self.attending, 5)


@asynccontextmanager
async def a_call(
    agent: Agent | None = None,
    fake: FakeModel | None = None,
    *,
    known: CallRecord | None = None,
) -> AsyncIterator[Stage]:
    """`known`: the call comes back, and this is what is known of it."""
    async with a_service(agent, fake) as (service, fake_model, store):
        claim = await service.claim(CALL, 0)
        assert claim is not None
        if known is not None:
            claim = Claim(CALL, claim.fence, claim.claim_id, known, resumed=True)
        caller = FakeLeg()
        attending = asyncio.create_task(service.attend(caller, claim, record(service)))
        await until(lambda: caller.attached or attending.done())
        stage = Stage(service, fake_model, store, caller, attending)
        yield stage
        if not stage.attending.done():
            caller.hangs_up()
        await stage.over()


async def test_the_verdict_is_stored_before_the_carrier_can_ask() -> None:
    """Only then the leg is let go."""
    async with a_call() as stage:
        stage.caller.starts()
        await stage.session()
        call = stage.service.switchboard.find(CALL)
        assert call is not None
        stage.store.hangs = asyncio.Event()
        call.end(Ending(Fault.OPERATOR, "hung_up"), leg.Hangup("Bye."))
        await until(lambda: "end" in stage.store.asked)
        assert not any(isinstance(command, leg.Finish) for command in stage.caller.done)
        stage.store.hangs.set()
        await stage.over()

        standing = await stage.store.standing(CALL)

    assert stage.caller.done[-1] == leg.Finish(leg.Hangup("Bye."))
    assert (standing.state, standing.verdict) == (CallState.ENDED, leg.Hangup("Bye."))


async def test_a_key_that_is_refused_ends_in_words() -> None:
    """At once: nobody waits for a second try."""
    async with a_call(fake=FakeModel([AuthError("no")])) as stage:
        stage.caller.starts()
        await stage.over()

    assert stage.caller.done[-1] == leg.Finish(leg.Hangup(phrases.APOLOGY))
    assert stage.model.dials == 1


async def test_a_fault_of_ours_in_dialling_ends_in_words_too() -> None:
    """Never dead air, and the metrics say whose fault it was."""
    async with a_call(fake=FakeModel([ZeroDivisionError()])) as stage:
        stage.caller.starts()
        await stage.over()
        metrics = stage.service.metrics.render()[0].decode()

    assert stage.caller.done[-1] == leg.Finish(leg.Hangup(phrases.APOLOGY))
    assert 'bridge_provider_connects_total{outcome="fault",provider="fake"} 1.0' in metrics


async def test_a_call_that_is_cut_off_from_within_leaves_its_record() -> None:
    """The server is stopped, or a fault tears the call down: it can come back elsewhere."""
    async with a_call() as stage:
        stage.caller.starts()
        session = await stage.session()
        session.emit(model.InputTranscriptDone("I want bread.", "item"))
        stage.attending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stage.attending
        stage.attending = asyncio.create_task(asyncio.sleep(0, OVER))
        standing = await stage.store.standing(CALL)

    assert standing.state is CallState.WAITING
    assert stage.store.saved[-1].history == (CallerSaid("I want bread."),)
    assert session.closed


async def test_a_slow_hook_does_not_keep_the_next_leg_waiting() -> None:
    """The call can go on while the author's code is still at work for the leg before."""
    told, finish = asyncio.Event(), asyncio.Event()
    agent = Agent("Be kind.")

    @agent.on("call_started")
    async def slow(event: object, call: CallContext) -> None:
        told.set()
        await finish.wait()

    async with a_call(agent) as stage:
        stage.caller.starts()
        session = await stage.session()
        call = stage.service.switchboard.find(CALL)
        assert call is not None
        async with asyncio.timeout(10):
            await told.wait()
            stage.caller.is_lost()
            await call.gone()
        assert session.closed
        assert not stage.attending.done()
        finish.set()
        await stage.over()


async def test_a_call_that_comes_back_has_lasted_a_while() -> None:
    """The longest call is counted from its beginning, not from its latest leg."""
    agent = Agent("Be kind.", max_call_seconds=100.0)
    known = CallRecord(CALL, carrier="test", started_at=time.time() - 1_000)
    async with a_call(agent, known=known) as stage:
        stage.caller.starts()
        session = await stage.session()
        await session.until(lambda session: ResponseCreate(phrases.GOODBYE_TIME) in session.said)


async def test_a_call_that_comes_back_is_not_begun_again() -> None:
    """It has its configuration, its history and its token, and is not greeted."""
    agent = Agent("Be kind.", greeting="Hello.")
    known = CallRecord(
        CALL,
        carrier="test",
        started_at=time.time(),
        config=RealtimeConfig(instruction="Be brief."),
        history=(CallerSaid("I want bread."),),
        resume_token="t-1",
    )
    async with a_call(agent, known=known) as stage:
        stage.caller.starts()
        session = await stage.session()
        stage.caller.happens(leg.Heard(FRAME))
        await session.until(lambda session: bool(session.audio))

    assert session.config.instruction == "Be brief."
    assert session.resumption.history == known.history
    assert session.resumption.token == "t-1"
    assert session.said == []


@pytest.mark.parametrize("left", list(Left))
async def test_a_call_that_comes_back_is_counted_by_its_cause(left: Left) -> None:
    known = CallRecord(CALL, carrier="test", history=(CallerSaid("Bread?"),), left=left)
    async with a_call(known=known) as stage:
        await stage.session()
        await until(lambda: stage.service.switchboard.find(CALL))
        metrics = stage.service.metrics
        await until(
            lambda: Page(metrics)("bridge_resumptions_total", cause=left, outcome="replayed")
        )
        seconds = Page(metrics)("bridge_resumption_silence_seconds_sum", cause=left)
        stage.caller.is_lost()
        await stage.over()

    assert seconds is not None
    assert 0 < seconds < 5
    assert stage.store.saved[0].left is Left.WORKER_LOST
    assert stage.store.saved[-1].left is Left.LEG_LOST


async def test_who_was_cut_off_is_known_until_somebody_goes_on() -> None:
    """The next worker may be lost, too, before it has said a word."""
    waits = asyncio.Event()
    known = CallRecord(CALL, carrier="test", history=(CallerSaid("Bread?"),), cut=Cut.AGENT)
    async with a_call(fake=FakeModel([waits]), known=known) as stage:
        stage.caller.starts()
        await until(lambda: bool(stage.store.saved))
        stage.caller.is_lost()
        await stage.over()

    assert {saved.cut for saved in stage.store.saved} == {Cut.AGENT}


async def test_a_change_is_kept_for_whoever_comes_next() -> None:
    async with a_call() as stage:
        stage.caller.starts()
        await stage.session()
        call = stage.service.switchboard.find(CALL)
        assert call is not None
        result = await call.change(RealtimeConfig(instruction="Be brief."), None)
        stage.caller.is_lost()
        await stage.over()

    kept = stage.store.saved[-1].config
    assert result == "applied"
    assert kept is not None
    assert kept.instruction == "Be brief."


async def test_a_change_that_was_pending_is_completed() -> None:
    """The worker before did not live to; the model is told, too."""
    change = PendingChange(RealtimeConfig(instruction="Be brief."), "You are brief now.", 1)
    known = CallRecord(CALL, carrier="test", history=(CallerSaid("Bread?"),), pending=change)
    async with a_call(known=known) as stage:
        stage.caller.starts()
        session = await stage.session()
        told = Message("user", "You are brief now.")
        await session.until(lambda session: told in session.said)
        stage.caller.is_lost()
        await stage.over()

    assert session.config.instruction == "Be brief."
    assert stage.store.saved[-1].pending is None
    assert stage.store.saved[-1].config == session.config


async def test_a_change_that_waits_is_kept() -> None:
    """With what is in force, apart."""
    fake = FakeModel(changes=[RequiresResumption()])
    async with a_call(fake=fake) as stage:
        stage.caller.starts()
        session = await stage.session()
        session.emit(model.ResponseCreated("r1"))
        live = stage.service.switchboard.find(CALL)
        assert live is not None
        assert await live.change(RealtimeConfig(instruction="Be brief."), "Hush.") == "queued"
        stage.caller.is_lost()
        await stage.over()
        kept = stage.store.saved[-1]

    assert kept.config is not None
    assert kept.config.instruction == "Be kind."
    assert kept.pending is not None
    assert kept.pending.change.instruction == "Be brief."
    assert (kept.pending.bridge_message, kept.pending.attempts) == ("Hush.", 0)


async def test_the_end_is_told_with_the_length_of_the_whole_call() -> None:
    ended: list[CallEnded] = []
    agent = Agent("Be kind.")

    @agent.on("call_ended")
    async def end(event: CallEnded, call: CallContext) -> None:
        ended.append(event)

    known = replace(CallRecord(CALL, carrier="test"), started_at=time.time() - 500)
    async with a_call(agent, known=known) as stage:
        stage.caller.starts()

    [event] = ended
    assert event.ending.reason == "hangup"
    assert 499 < event.seconds < 600


async def test_what_was_carried_is_counted_while_it_is_carried() -> None:
    """Whoever scrapes in the middle of a call sees it."""
    async with a_call() as stage:
        stage.caller.starts()
        session = await stage.session()
        stage.caller.happens(leg.Heard(FRAME), leg.Heard(FRAME))
        session.emit(model.ResponseCreated("r"), model.AudioDelta("i", bytes(48_000), "r"))
        await until(lambda: any(isinstance(done, leg.Play) for done in stage.caller.done))
        stage.service.tallies.update()
        during = stage.service.metrics.render()[0].decode()

    after = stage.service.metrics.render()[0].decode()
    for metrics in (during, after):
        assert 'bridge_frames_total{direction="in",peer="test"} 2.0' in metrics
        assert 0.9 < audio_out(metrics) <= 1


async def test_its_timeline_tells_what_happened_when() -> None:
    async with a_call() as stage:
        stage.caller.starts()
        await stage.session()
        call = stage.service.switchboard.find(CALL)
        assert call is not None
        await until(lambda: len(list(call.timeline)) >= 2)
        happened = {entry.happened.what for entry in call.timeline}

    assert happened == {Moment.ANSWERED, Moment.MODEL_READY}


def audio_out(metrics: str) -> float:
    """Seconds that were sent to the caller."""
    name = 'bridge_audio_seconds_total{direction="out",peer="test"} '
    [line] = [line for line in metrics.splitlines() if line.startswith(name)]
    return float(line.removeprefix(name))
