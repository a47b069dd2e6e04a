"""The engine of a runner: connecting, ending, and everything in between that takes time."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref

import pytest

from bridge.errors import (
    AuthError,
    ConnectError,
    NotConnected,
    RealtimeError,
    ResumptionRefused,
    SessionClosed,
)
from bridge.ports import client_events as client
from bridge.ports import runner_events as runner
from bridge.ports import server_events as event
from bridge.ports.conversation import CallerSaid
from bridge.ports.model import RequiresResumption, ToolCall, ToolResponse
from bridge.ports.runner_events import (
    Cause,
    Closed,
    Finished,
    Lost,
    Resumed,
    ResumptionFailed,
    RunnerEvent,
    ToolFinished,
)
from bridge.ports.server_events import Disconnected, Drop
from bridge.runner.runner import RealtimeRunner
from bridge.runner.state import Idle
from bridge.runner.vocabulary import UpdateResult
from tests.fakes.model import Answers, FakeModel, Gate, turns
from tests.runner.stage import OLD, Stage, created, done, instruct
from tests.runner.tooling import FakeTool, HeldTool

BUSY = ConnectError("busy")
BAD = TypeError("a mistake in the adapter")

# Connecting


async def test_what_may_pass_is_tried_again() -> None:
    """Three times in all; the third connects."""
    async with Stage(FakeModel([BUSY, BUSY])) as stage:
        assert stage.model.dials == 3
        assert stage.runner.is_connected
        assert stage.all_heard(ResumptionFailed) == []


async def test_after_three_attempts_the_last_error_is_raised() -> None:
    """Whoever connects may try again later."""
    stage = Stage(FakeModel([BUSY, BUSY, ConnectError("the last straw")]))

    with pytest.raises(ConnectError, match="the last straw"):
        await stage.runner.connect()
    async with stage:
        assert stage.model.dials == 4


async def test_what_cannot_help_is_not_tried() -> None:
    """A wrong key stays wrong."""
    stage = Stage(FakeModel([AuthError("key")]))

    with pytest.raises(AuthError):
        await stage.runner.connect()
    assert stage.model.dials == 1
    assert not stage.runner.is_connected
    await stage.runner.close()


async def test_a_token_is_given_up_only_when_it_was_refused() -> None:
    """A busy provider says nothing about the token."""
    model = FakeModel([BUSY, ResumptionRefused("unknown"), None])
    stage = Stage(model, token="t0", history=(CallerSaid("Hello."),))

    async with stage:
        assert [resumption.token for resumption in model.resumptions] == ["t0", "t0", None]
        assert model.resumptions[-1].history == (CallerSaid("Hello."),)
        assert stage.runner.resume_token is None


async def test_the_first_token_serves_until_there_is_another() -> None:
    """A session that is lost before it gave one is resumed with the older."""
    async with Stage(token="t0") as stage:
        await stage.swap()

        assert [resumption.token for resumption in stage.model.resumptions] == ["t0", "t0"]


async def test_connecting_twice_is_connecting_once() -> None:
    """One after the other, or at the same time."""
    gate = Gate()
    stage = Stage(FakeModel([gate]))
    connecting = [asyncio.create_task(stage.runner.connect()) for _ in range(2)]
    await turns()
    gate.set()
    await asyncio.gather(*connecting)
    async with stage:
        await stage.runner.connect()

        assert stage.model.dials == 1


async def test_connecting_in_a_gap_leaves_it_to_the_runner() -> None:
    """It is connecting already."""
    gate = Gate()
    async with Stage(FakeModel([None, gate])) as stage:
        stage.session.drop()
        await turns()
        await stage.runner.connect()
        gate.set()
        await stage.model.sessions_made(2)

        assert stage.model.dials == 2


async def test_connecting_may_be_cancelled() -> None:
    """Nothing is left of it, and another attempt begins anew."""
    stage = Stage(FakeModel([Gate()]))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await stage.runner.connect()
    tasks = asyncio.all_tasks()
    async with stage:
        assert stage.runner.is_connected

    assert tasks == {asyncio.current_task()}


async def test_a_mistake_in_the_adapter_is_raised_and_leaves_no_mark() -> None:
    """It is not the provider's fault; and it is not `connected`."""
    stage = Stage(FakeModel([BAD]))

    with pytest.raises(TypeError):
        await stage.runner.connect()
    async with stage:
        assert stage.model.dials == 2


# Ending


async def test_closing_ends_everything_in_order() -> None:
    """The session's end, then the runner's; and nothing after it."""
    async with Stage() as stage:
        session = stage.session
        await stage.runner.close()
        session.emit(created())

    assert stage.heard == [Disconnected(Drop.CLOSED), Finished(Closed())]
    assert await stage.runner.wait() == Closed()
    assert session.closes == 1


async def test_closing_twice_is_harmless() -> None:
    """At the same time, or later."""
    async with Stage() as stage:
        await asyncio.gather(stage.runner.close(), stage.runner.close())
        await stage.runner.close()

    assert stage.all_heard(Finished) == [Finished(Closed())]


async def test_closing_what_was_never_connected_ends_it_too() -> None:
    """Whoever waits for it is told."""
    stage = Stage()
    await stage.runner.close()

    assert stage.heard == [Finished(Closed())]
    assert await stage.runner.run() == Closed()


async def test_closing_may_be_cancelled_and_takes_its_course() -> None:
    """The session is closed all the same."""
    async with Stage() as stage:
        stage.session.close_gate = Gate()
        closing = asyncio.create_task(stage.runner.close())
        await turns()
        closing.cancel()
        await turns()
        stage.session.close_gate.set()

        assert await stage.runner.wait() == Closed()


@pytest.mark.parametrize("hangs", [Gate(), BUSY], ids=["in the attempt", "before the next"])
async def test_closing_while_it_connects(hangs: Gate | ConnectError) -> None:
    """Whoever connects is told; no session is left over, and nobody waits."""
    stage = Stage(FakeModel([hangs, Gate()]))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    async with asyncio.timeout(0.5):
        await stage.runner.close()

    with pytest.raises(NotConnected, match="closed"):
        await connecting
    assert asyncio.all_tasks() == {asyncio.current_task()}
    stage.model.check()


@pytest.mark.parametrize("overlaps", [True, False])
async def test_closing_while_it_resumes(overlaps: bool) -> None:
    """The new session never comes, and the old one is closed."""
    model = FakeModel([None, Gate()], overlaps_sessions=overlaps, changes=[RequiresResumption()])
    async with Stage(model) as stage:
        updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
        await turns()
        await stage.runner.close()

        assert model.dials == 2
        with pytest.raises(SessionClosed):
            await updating
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("overlaps", [True, False])
async def test_closing_while_the_old_session_is_being_closed(overlaps: bool) -> None:
    """The closing that was interrupted is finished."""
    model = FakeModel(overlaps_sessions=overlaps, changes=[RequiresResumption()])
    async with Stage(model) as stage:
        gate = stage.session.close_gate = Gate()
        updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
        await turns()
        closing = asyncio.create_task(stage.runner.close())
        await turns()
        gate.set()
        await closing
        await asyncio.gather(updating, return_exceptions=True)

        assert model.sessions[0].closes == 2


async def test_closing_in_a_gap() -> None:
    """Between two attempts nothing is under way but a timer, and that is stopped."""
    async with Stage(FakeModel([None, BUSY])) as stage:
        stage.session.drop()
        await turns()
        await stage.runner.close()
        await asyncio.sleep(0.03)

    assert stage.model.dials == 2
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_stops_the_tools() -> None:
    """They are cancelled before the session goes."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        await stage.call("look")

    finished = stage.all_heard(ToolFinished)
    assert tool.cancelled == 1
    assert [one.outcome for one in finished] == [runner.ToolOutcome.CANCELLED]
    assert stage.heard.index(finished[0]) < stage.heard.index(Disconnected(Drop.CLOSED))


async def test_a_tool_may_close_the_runner_that_runs_it() -> None:
    """A tool that hangs up, say. It is cancelled itself, and nothing hangs."""
    stage: Stage

    async def hang_up(call: ToolCall) -> None:
        await stage.runner.close()

    stage = Stage(tools=[FakeTool("hang_up", hang_up)])
    async with stage, asyncio.timeout(0.5):
        await stage.call("hang_up")

        assert await stage.runner.wait() == Closed()


async def test_a_session_that_does_not_close_cleanly_does_not_matter() -> None:
    """The end is told all the same, whoever made the mistake."""
    for error in (ConnectError("broken pipe"), RealtimeError("what?")):
        async with Stage() as stage:
            stage.session.close_error = error

        assert stage.heard[-1] == Finished(Closed())


async def test_once_over_nothing_is_done_any_more() -> None:
    """Wishes are quietly nothing, and what waits for an answer is refused."""
    async with Stage() as stage:
        await stage.runner.close()
        told = list(stage.session.told)
        stage.runner.feed(b"12")
        stage.runner.ask_response()
        stage.runner.tell(client.Message("user", "hello"))
        stage.runner.truncate("a1", 100)
        await stage.runner.send_tool_response(ToolResponse("c1", 1))
        for refused in (
            stage.runner.send_text("hello"),
            stage.runner.commit_audio(),
            stage.runner.interrupt(),
            stage.runner.update_session(instruct("new")),
        ):
            with pytest.raises(NotConnected):
                await refused
        await turns()

        assert stage.session.told == told
        assert stage.runner.state == Idle()


async def test_nothing_is_decided_once_it_begins_to_end() -> None:
    """A drop during the end is not followed by a session."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        await stage.call("look")
        closing = asyncio.create_task(stage.runner.close())
        await asyncio.sleep(0)
        stage.session.drop()
        await closing

        assert stage.model.dials == 1


# Another life


async def test_a_runner_can_be_connected_again() -> None:
    """With what was configured and what was said; a listener stays."""
    async with Stage(token="t0") as stage:
        await stage.runner.update_session(instruct("new"))
        await stage.runner.send_text("Hello.")
        stage.session.emit(event.ResumptionToken("t1"))
        await stage.runner.close()
        stage.heard.clear()
        await stage.runner.connect()
        stage.session.emit(created())

        assert stage.model.configs[-1] == OLD.merge(instruct("new"))
        assert stage.model.resumptions[-1].history == (CallerSaid("Hello."),)
        assert stage.model.resumptions[-1].token == "t1"
        assert stage.heard == [created()]
        assert stage.runner.is_connected


async def test_a_new_life_waits_for_the_end_of_the_old_one() -> None:
    """Connecting while it closes begins when it is closed."""
    async with Stage() as stage:
        gate = stage.session.close_gate = Gate()
        closing = asyncio.create_task(stage.runner.close())
        connecting = asyncio.create_task(stage.runner.connect())
        await turns()
        early = stage.model.dials
        gate.set()
        await asyncio.gather(closing, connecting)

        assert early == 1
        assert stage.model.dials == 2


async def test_whoever_waited_for_the_old_life_learns_of_its_end() -> None:
    """Although there is a new one by the time they wake."""
    stage = Stage(listen=False)
    running = asyncio.create_task(stage.runner.run())
    waiting = asyncio.create_task(stage.runner.wait())
    async with stage:
        await stage.runner.close()
        await stage.runner.connect()
        await turns()

        assert running.done()
        assert waiting.done()
        assert stage.runner.is_connected
    assert await running == await waiting == Closed()


async def test_giving_up_at_the_last_moment_leaves_a_session_that_is_used() -> None:
    """Whoever connects again finds it."""
    stage = Stage(FakeModel([gate := Gate()]))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    gate.set()
    while not stage.runner.is_connected:
        await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)
    async with stage:
        assert stage.model.dials == 1
        assert connecting.cancelled()


# One session after another


async def test_what_a_new_session_says_first_is_not_lost() -> None:
    """Its first words may come together with itself."""
    async with Stage() as stage:
        await stage.swap()
        stage.session.emit(created("r9"))

        assert stage.heard[-1] == created("r9")
        assert [type(one) for one in stage.heard] == [Disconnected, Resumed, event.ResponseCreated]


async def test_a_session_that_dies_as_it_is_born_is_noticed() -> None:
    """Its end may come before anybody listens; the next one is asked for."""

    async with Stage(FakeModel([None, Drop.LOST])) as stage:
        await stage.swap()
        await stage.model.sessions_made(3)
        await turns()

        assert stage.runner.is_connected
        assert stage.runner.state == Idle()
        assert len(stage.all_heard(Resumed)) == 2


async def test_the_new_session_is_heard_while_the_old_one_closes() -> None:
    """Closing may take its time; a tool's answer is not lost in it."""
    tool = HeldTool()
    model = FakeModel(changes=[RequiresResumption()])
    async with Stage(model, tools=[tool]) as stage:
        gate = stage.session.close_gate = Gate()
        updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
        await model.sessions_made(2)
        await turns()
        await stage.call("look")
        tool.gate.set()
        await turns()

        assert await updating is UpdateResult.APPLIED
        assert stage.session.said == [
            Answers((ToolResponse("c1", {"call": "c1"}, "look"),)),
            client.ResponseCreate(),
        ]
        gate.set()


async def test_what_a_session_must_know_comes_before_the_callers_audio() -> None:
    """The bridge message, then what was held, then what is said now."""
    model = FakeModel([None, gate := Gate()], changes=[RequiresResumption()])
    async with Stage(model) as stage:
        updating = asyncio.create_task(
            stage.runner.update_session_with_bridge(instruct("new"), "You are in the shop now.")
        )
        await turns()
        stage.runner.feed(b"12")
        gate.set()
        await updating
        stage.runner.feed(b"34")
        await turns()
        stage.runner.feed(b"56")

        assert stage.session.told == [
            client.Message("user", "You are in the shop now."),
            b"12",
            b"34",
            b"56",
        ]


async def test_messages_leave_in_the_order_in_which_they_were_given() -> None:
    """Whichever way they were given."""
    async with Stage() as stage:
        stage.runner.tell(client.Message("system", "one"))
        await stage.runner.send_text("two")
        await stage.runner.commit_audio()
        await stage.runner.create_response("three")
        await turns()

        assert stage.session.said == [
            client.Message("system", "one"),
            client.Message("user", "two"),
            client.InputAudioBufferCommit(),
            client.ResponseCreate("three"),
        ]


async def test_a_session_is_replaced_by_the_clock() -> None:
    """Before it expires, without anybody asking for it."""
    async with Stage(FakeModel(expires_in=0.04)) as stage:
        await stage.model.sessions_made(2)
        await turns()

        assert [one.cause for one in stage.all_heard(Resumed)] == [Cause.ROTATION]
        assert stage.model.sessions[0].closed


async def test_the_clock_stops_with_the_runner() -> None:
    """A session that would have been replaced is not, once all is over."""
    async with Stage(FakeModel(expires_in=0.04)) as stage:
        await stage.runner.close()
        await asyncio.sleep(0.03)

    assert stage.model.dials == 1


async def test_nothing_holds_on_to_a_runner_that_is_over() -> None:
    """No timer that would have rung in an hour."""

    class Ear:
        def hear(self, happened: RunnerEvent) -> None:
            pass

    async def live() -> weakref.ref[Ear]:
        ear = Ear()
        agent = RealtimeRunner(FakeModel(expires_in=3600.0))
        agent.attach(ear.hear)
        async with agent:
            pass
        return weakref.ref(ear)

    ear = await live()
    await turns()
    gc.collect()

    assert ear() is None


async def test_when_no_session_can_be_had_it_is_over() -> None:
    """Three attempts; then everybody is told, and no task is left."""
    async with Stage(FakeModel([None, BUSY, BUSY, BUSY])) as stage:
        stage.session.drop()
        outcome = await stage.runner.wait()

        assert outcome == Lost(Drop.LOST, "no new session after 3 attempts: busy", 3)
        assert [one.final for one in stage.all_heard(ResumptionFailed)] == [False, False, True]
        assert stage.heard[-1] == Finished(outcome)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_mistake_of_ours_ends_it_loudly(caplog: pytest.LogCaptureFixture) -> None:
    """A task that fails is not forgotten: the owner is told, and the log has the rest."""
    async with Stage(FakeModel([None, BAD])) as stage:
        stage.session.drop()
        with caplog.at_level(logging.ERROR):
            outcome = await stage.runner.wait()

    assert outcome == Lost(Drop.LOST, "a fault of the bridge")
    assert "runner resume failed" in caplog.text


# Updates


async def test_updates_wait_for_the_first_session() -> None:
    """Asked for while it connects, applied when it is there."""
    stage = Stage(FakeModel([gate := Gate()]))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
    await turns()
    gate.set()
    await connecting
    async with stage:
        assert await updating is UpdateResult.APPLIED
        assert stage.session.mutations == [instruct("new")]


async def test_updates_that_wait_for_a_session_in_vain_are_rejected() -> None:
    """With the reason for which there is none."""
    stage = Stage(FakeModel([gate := Gate(), AuthError("key")]))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
    await turns()
    gate.set()

    results = await asyncio.gather(connecting, updating, return_exceptions=True)

    assert [type(result) for result in results] == [AuthError, AuthError]
    await stage.runner.close()


async def test_nobody_waits_for_an_update_before_anything_connects() -> None:
    """Said at once."""
    stage = Stage()

    with pytest.raises(NotConnected):
        await stage.runner.update_session(instruct("new"))
    await stage.runner.close()


async def test_whoever_stops_waiting_for_an_update_does_not_undo_it() -> None:
    """It is made all the same, and those who asked later are told."""
    async with Stage(FakeModel(changes=[gate := Gate()])) as stage:
        first = asyncio.create_task(stage.runner.update_session(instruct("one")))
        await turns()
        second = asyncio.create_task(stage.runner.update_session(instruct("two")))
        await turns()
        first.cancel()
        await turns()
        gate.set()

        assert await second is UpdateResult.APPLIED
        assert stage.session.mutations == [instruct("one"), instruct("two")]
        assert stage.runner.config == instruct("two")


async def test_an_update_that_is_lost_with_its_session_comes_with_the_next() -> None:
    """Whoever asked learns of it there, and the session's own error concerns nobody."""
    model = FakeModel(changes=[gate := Gate(), SessionClosed("gone")])
    async with Stage(model) as stage:
        updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
        await turns()
        await stage.swap()
        gate.set()

        assert await updating is UpdateResult.APPLIED
        assert model.configs[-1] == instruct("new")
        assert model.sessions[1].mutations == []


# Listeners


async def test_a_listener_may_do_anything_at_once() -> None:
    """What it asks for happens in order, and it is never called within itself."""
    depth = 0
    deepest = 0
    async with Stage() as stage:

        def listener(happened: RunnerEvent) -> None:
            nonlocal depth, deepest
            depth += 1
            deepest = max(deepest, depth)
            stage.heard.append(happened)
            if isinstance(happened, event.SpeechStarted):
                stage.runner.truncate("a1", 100)
                stage.runner.tell(client.Message("system", "interrupted"))
                stage.runner.ask_response("sorry")
            depth -= 1

        stage.runner.attach(listener)
        stage.session.emit(event.SpeechStarted(), event.AudioCleared())
        await turns()

        assert deepest == 1
        assert stage.session.said == [
            client.ItemTruncate("a1", 100),
            client.Message("system", "interrupted"),
            client.ResponseCreate("sorry"),
        ]


async def test_a_listener_that_raises_kills_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Neither the session's reader, nor what the runner was about to do."""
    tool = FakeTool()
    async with Stage(tools=[tool], listen=False) as stage:

        def listener(happened: RunnerEvent) -> None:
            raise ZeroDivisionError

        stage.runner.attach(listener)
        await stage.call("look")
        await stage.swap()

        assert len(tool.calls) == 1
        assert stage.model.sessions[0].listener_errors == 0
        assert isinstance(stage.model.sessions[0].said[0], Answers)
        assert stage.runner.is_connected
    assert "a listener failed at ResponseCreated" in caplog.text
    assert "a listener failed at Resumed" in caplog.text


async def test_a_listener_that_comes_late_hears_it_all() -> None:
    """Even after the end."""
    async with Stage(listen=False) as stage:
        stage.session.emit(created(), done())
    stage.runner.attach(stage.heard.append)

    assert stage.heard == [created(), done(), Disconnected(Drop.CLOSED), Finished(Closed())]


async def test_a_cut_is_remembered_and_told() -> None:
    """In the history at once, to the session in its turn."""
    async with Stage() as stage:
        audio = bytes(stage.session.output_format.size(1000))
        stage.session.emit(event.AudioDelta("a1", audio), event.TranscriptDone("a1", "One two."))
        stage.runner.truncate("a1", 0)
        await turns()

        assert stage.runner.history == ()
        assert stage.session.said == [client.ItemTruncate("a1", 0)]
