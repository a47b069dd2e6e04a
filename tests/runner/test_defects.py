"""
Known faults of realtime runners, each held against ours. A docstring says how it ought to be.

D9 and D10 concern a transport and an agent that do not exist here; D26 and D27 are the
adapters' alone. Where an adapter has a share in another one, its own tests have that.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from bridge.errors import (
    ConnectError,
    RealtimeError,
    ResumptionRefused,
    ServerError,
    SessionClosed,
    UnsupportedConfig,
)
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.conversation import AgentSaid, CallerSaid
from bridge.ports.model import Memory, RequiresResumption, ToolCall, ToolResponse
from bridge.ports.phrases import GO_ON
from bridge.ports.runner_events import (
    Cause,
    Closed,
    Lost,
    Resumed,
    ResumptionFailed,
    RunnerEvent,
    ToolFinished,
    ToolOutcome,
)
from bridge.ports.server_events import Drop
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.runner.config import RunnerConfig
from bridge.runner.handler import EventHandler
from bridge.runner.inbox import session_inbox
from bridge.runner.state import Generating, Idle, PendingResumption
from bridge.runner.vocabulary import UpdateResult
from bridge.runner.waiting import collect_audio, send_text_and_wait
from tests.fakes.model import Answers, FakeModel, Gate, turns
from tests.runner.stage import OLD, Stage, created, done, instruct
from tests.runner.tooling import FakeTool, HeldTool

BUSY = ConnectError("busy")
RIGID = [RequiresResumption()] * 3
"""A provider that cannot change a live session."""


async def test_d01_a_resumption_does_not_end_run() -> None:
    """While a new session takes over, `run` goes on, and then hears the new one."""
    heard: list[RunnerEvent] = []

    class Handler(EventHandler):
        async def on_event(self, happened: RunnerEvent) -> None:
            heard.append(happened)

    async with Stage(FakeModel(changes=RIGID), handler=Handler(), listen=False) as stage:
        running = asyncio.create_task(stage.runner.run())
        result = await stage.runner.update_session(instruct("new"))
        stage.session.emit(created("r9"))
        await turns()

        assert result is UpdateResult.APPLIED
        assert not running.done()
        assert heard[-1] == created("r9")
        await stage.runner.close()
        assert await running == Closed()


async def test_d02_the_newest_token_is_what_a_session_is_resumed_with() -> None:
    """An event of its own, and the next session has it (reading it is the adapter's share)."""
    async with Stage() as stage:
        stage.session.emit(event.ResumptionToken("t1"), event.ResumptionToken("t2"))
        await stage.swap()

        assert stage.runner.resume_token == "t2"
        assert stage.model.resumptions[-1].token == "t2"


async def test_d03_nothing_is_torn_down_in_the_middle_of_a_sentence() -> None:
    """Between ResponseCreated and ResponseDone an update waits (the adapter tells of both)."""
    async with Stage(FakeModel(changes=RIGID)) as stage:
        stage.session.emit(created(), event.AudioDelta("a1", b"12"))
        result = await stage.runner.update_session(instruct("new"))
        during = stage.model.dials
        stage.session.emit(done())
        await stage.model.sessions_made(2)

        assert result is UpdateResult.QUEUED
        assert during == 1


async def test_d04_a_resumption_that_fails_leaves_the_old_session_at_work() -> None:
    """It is tried again by itself, later each time; meanwhile nothing is lost."""
    async with Stage(FakeModel([None, BUSY], changes=RIGID)) as stage:
        result = await stage.runner.update_session(instruct("new"))
        await stage.runner.send_text("still there?")
        await turns()
        told_meanwhile = list(stage.model.sessions[0].said)
        await stage.model.sessions_made(2)
        await turns()

        assert result is UpdateResult.QUEUED
        assert told_meanwhile == [client.Message("user", "still there?")]
        assert [one.final for one in stage.all_heard(ResumptionFailed)] == [False]
        assert stage.runner.config == instruct("new")
        assert stage.model.configs[-1] == instruct("new")


async def test_d05_a_queued_resumption_that_fails_kills_nothing() -> None:
    """After the third attempt the update is given up and the old session goes on."""
    async with Stage(FakeModel([None, BUSY, BUSY, BUSY], changes=RIGID)) as stage:
        stage.session.emit(created())
        await stage.runner.update_session_with_bridge(instruct("new"), "hello")
        stage.session.emit(done())
        while not any(one.final for one in stage.all_heard(ResumptionFailed)):
            await asyncio.sleep(0.01)

        assert [one.attempts for one in stage.all_heard(ResumptionFailed)] == [1, 2, 3]
        assert stage.runner.is_connected
        assert stage.runner.state == Idle()
        assert stage.runner.config == OLD
        assert stage.session.said == []


async def test_d05_a_bridge_message_that_fails_costs_no_healthy_session() -> None:
    """It is a step of its own: told once, and no reason to connect again."""
    async with Stage(FakeModel(changes=RIGID)) as stage:
        updating = asyncio.create_task(
            stage.runner.update_session_with_bridge(instruct("new"), "hello")
        )
        session = await stage.model.sessions_made(2)
        session.refuse(client.Message("user", "hello"), UnsupportedConfig("no words"))
        await updating
        await turns()

        assert stage.model.dials == 2
        assert stage.runner.is_connected


async def test_d06_tools_run_side_by_side_and_hold_nothing_up() -> None:
    """So many at once as were asked for; events are heard meanwhile."""
    tool = HeldTool()
    options = RunnerConfig(max_concurrent_tools=2)
    async with Stage(tools=[tool], options=options) as stage:
        await stage.call("look", "look", "look")
        running = tool.running
        stage.session.emit(event.AudioDelta("a2", b"12"))
        heard = stage.heard[-1]
        tool.gate.set()
        await turns()

        assert running == 2
        assert heard == event.AudioDelta("a2", b"12")
        assert len(stage.all_heard(ToolFinished)) == 3


async def test_d06_a_tool_may_wait_for_what_happens_next() -> None:
    """An event that comes while it runs wakes it: no deadlock."""
    heard = asyncio.Event()

    async def wait(call: ToolCall) -> str:
        await heard.wait()
        return "heard"

    async with Stage(tools=[FakeTool("wait", wait)], listen=False) as stage:
        stage.runner.attach(
            lambda happened: heard.set() if isinstance(happened, event.SpeechStarted) else None
        )
        await stage.call("wait")
        stage.session.emit(event.SpeechStarted())
        await turns()

        assert stage.session.said == [Answers((ToolResponse("c1", "heard", "wait"),))]


async def test_d07_a_bad_frame_is_an_event_and_ends_nothing() -> None:
    """It is told, and so is what comes after it; an unknown event comes with all it carries."""
    unknown = event.Unknown("response.new_thing", {"a": 1})
    async with Stage() as stage:
        stage.session.emit(event.BadFrame("not JSON", 9), unknown, created())

        assert stage.heard == [event.BadFrame("not JSON", 9), unknown, created()]
        assert stage.runner.is_connected


async def test_d08_what_a_frame_said_is_in_no_error_and_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not cut at a byte, but not there at all (reading frames is the adapter's)."""
    text = "Bitte nicht weitersagen: ü"
    with caplog.at_level(logging.DEBUG):
        async with Stage() as stage:
            stage.session.emit(
                event.Error(event.ErrorInfo("t", text)),
                event.TranscriptDelta("a1", text),
                event.InputTranscriptDone(text, "u1"),
                event.Unknown("x", {"text": text}),
            )

    assert text not in caplog.text
    assert text not in repr(stage.heard)


async def test_d11_the_token_of_now_is_used_and_not_that_of_the_moment_of_asking() -> None:
    """(a) A token that comes while an update waits is the one it resumes with."""
    async with Stage(FakeModel(changes=RIGID)) as stage:
        stage.session.emit(event.ResumptionToken("t1"), created())
        await stage.runner.update_session(instruct("new"))
        stage.session.emit(event.ResumptionToken("t2"), done())
        await stage.model.sessions_made(2)

        assert stage.model.resumptions[-1].token == "t2"


async def test_d11_no_configuration_touches_the_token() -> None:
    """(b) `extra` is the user's, and merged key by key; the token is the runner's."""
    config = RealtimeConfig(extra={"thinking": {"level": 1}, "kept": True})
    async with Stage(FakeModel(changes=RIGID), config=config) as stage:
        stage.session.emit(event.ResumptionToken("t1"))
        await stage.runner.update_session(RealtimeConfig(extra={"thinking": {"budget": 2}}))

        assert stage.model.resumptions[-1].token == "t1"
        assert stage.model.configs[-1].extra == {
            "thinking": {"level": 1, "budget": 2},
            "kept": True,
        }


async def test_d11_whoever_takes_events_one_by_one_keeps_the_token_too() -> None:
    """(c) The token is learned whether or not anybody listens."""
    async with Stage(listen=False) as stage:
        stage.session.emit(event.ResumptionToken("t1"))

        assert stage.runner.resume_token == "t1"


async def test_d12_of_two_updates_at_once_the_later_wins() -> None:
    """One resumption at a time; what is asked meanwhile follows, and no session is left over."""
    gate = Gate()
    async with Stage(FakeModel([None, gate], changes=RIGID)) as stage:
        first = asyncio.create_task(stage.runner.update_session(instruct("one")))
        await turns()
        second = asyncio.create_task(stage.runner.update_session(instruct("two")))
        await turns()
        dials = stage.model.dials
        gate.set()
        results = set(await asyncio.gather(first, second))

        assert dials == 2
        assert results == {UpdateResult.APPLIED}
        assert [config.instruction for config in stage.model.configs] == ["old", "one", "two"]
        assert stage.runner.config == instruct("two")
        assert [session.closed for session in stage.model.sessions] == [True, True, False]


async def test_d13_a_live_session_is_sent_only_what_changes() -> None:
    """And `applied` is said when the provider has confirmed it (asking it is the adapter's)."""
    gate = Gate()
    config = RealtimeConfig(instruction="old", voice="sage", turn_detection=VadConfig())
    async with Stage(FakeModel(changes=[gate]), config=config) as stage:
        updating = asyncio.create_task(stage.runner.update_session(instruct("new")))
        await turns()
        early = updating.done()
        gate.set()

        assert not early
        assert await updating is UpdateResult.APPLIED
        assert stage.session.mutations == [instruct("new")]


async def test_d13_every_field_of_a_change_is_passed_on() -> None:
    """Not just five of them."""
    change = RealtimeConfig(
        modalities=("text",),
        turn_detection=VadConfig.disabled(),
        tool_choice="none",
        max_response_output_tokens=7,
    )
    async with Stage() as stage:
        await stage.runner.update_session(change)

        assert stage.session.mutations == [change]
        assert stage.runner.config == OLD.merge(change)


async def test_d14_a_new_life_begins_without_the_old_ones_debts() -> None:
    """Nothing is pending or being said; the newest configuration counts."""
    async with Stage(FakeModel(changes=[RequiresResumption()])) as stage:
        stage.session.emit(created())
        await stage.runner.update_session(instruct("new"))
        before = stage.runner.state
        await stage.runner.close()
        await stage.runner.connect()
        state = stage.runner.state
        stage.session.emit(created(), done())
        await turns()

        assert before == PendingResumption(instruct("new"))
        assert state == Idle()
        assert stage.model.dials == 2
        assert stage.model.configs[-1] == instruct("new")


async def test_d14_a_lost_session_leaves_no_state_behind() -> None:
    """What it was saying is over; the new one is asked to take up the thread."""
    async with Stage() as stage:
        stage.session.emit(created())
        session = await stage.swap()
        asked = stage.runner.state
        session.emit(created("r2"), done("r2"))

        assert asked == Generating()
        assert session.said == [client.ResponseCreate(GO_ON)]
        assert stage.runner.state == Idle()


@pytest.mark.parametrize(
    ("drop", "outcome"),
    [
        (Drop.REFUSED, Lost(Drop.REFUSED, "policy")),
        (Drop.LOST, None),
        (Drop.EXPIRED, None),
    ],
)
async def test_d15_ends_are_told_apart(drop: Drop, outcome: Lost | None) -> None:
    """What cannot be mended is an outcome; everything else is followed by a new session."""
    async with Stage() as stage:
        stage.session.drop(drop, detail="policy")
        await turns()
        told = stage.all_heard(event.Disconnected)

        assert [one.drop for one in told] == [drop]
        if outcome is None:
            assert stage.runner.session_id == "s2"
            assert [one.cause for one in stage.all_heard(Resumed)] == [Cause.DROP]
            await stage.runner.close()
            assert await stage.runner.wait() == Closed()
        else:
            assert await stage.runner.wait() == outcome


async def test_d15_a_server_that_goes_away_is_left_before_it_does() -> None:
    """In a pause, with the new session ready before the old one is closed."""
    async with Stage() as stage:
        stage.session.emit(event.GoingAway(60.0))
        await stage.model.sessions_made(2)
        await turns()
        [resumed] = stage.all_heard(Resumed)

        assert resumed == Resumed(Cause.ROTATION, Memory.NONE, 1, 0.0)
        assert stage.all_heard(event.Disconnected) == []


async def test_d16_nothing_is_sent_before_the_session_is_ready() -> None:
    """Not the caller's audio, not a message; then in order (being ready is the adapter's)."""
    gate = Gate()
    stage = Stage(FakeModel([gate]))
    connecting = asyncio.create_task(stage.runner.connect())
    await turns()
    stage.runner.feed(b"12")
    stage.runner.tell(client.Message("system", "vip"))
    gate.set()
    await connecting
    async with stage:
        assert stage.session.told == [client.Message("system", "vip"), b"12"]


async def test_d16_a_refused_token_is_followed_by_the_history() -> None:
    """And what became of the memory is told."""
    model = FakeModel([None, ResumptionRefused("unknown")], memory=Memory.REPLAYED)
    async with Stage(model) as stage:
        await stage.runner.send_text("Hello.")
        stage.session.emit(event.ResumptionToken("t1"))
        await stage.swap()

        assert [one.token for one in model.resumptions] == [None, "t1", None]
        assert model.resumptions[-1].history == (CallerSaid("Hello."),)
        assert [one.memory for one in stage.all_heard(Resumed)] == [Memory.REPLAYED]


async def test_d17_an_interruption_is_an_event_and_cuts_the_memory() -> None:
    """The history holds what was heard (stopping the model is the adapter's)."""
    async with Stage() as stage:
        size = stage.session.output_format.size(1000)
        stage.session.emit(
            created(),
            event.AudioDelta("a1", bytes(size)),
            event.TranscriptDone("a1", "We are open from seven to six."),
            event.Interrupted("r1"),
        )
        stage.runner.truncate("a1", 400)
        await turns()

        assert stage.heard[-1] == event.Interrupted("r1")
        assert stage.session.said == [client.ItemTruncate("a1", 400)]
        assert stage.runner.history == (AgentSaid("We are open"),)


async def test_d17_tools_that_are_taken_back_stop_and_are_not_answered() -> None:
    """Whatever they still say."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        await stage.call("look")
        stage.session.emit(event.ToolCallCancelled(("c1",)))
        await turns()

        assert tool.cancelled == 1
        assert [one.outcome for one in stage.all_heard(ToolFinished)] == [ToolOutcome.CANCELLED]
        assert stage.session.said == []
        assert stage.runner.state == Idle()


async def test_d18_a_slow_listener_hears_first_what_is_urgent() -> None:
    """Speech overtakes the voice that is queued, and the queue has an end."""
    inbox = session_inbox(max_audio_size=6)
    for number in range(5):
        inbox.put(event.AudioDelta(f"a{number}", b"12"))
    inbox.put(event.SpeechStarted())

    assert await inbox.get() == event.SpeechStarted()
    assert await inbox.get() == event.AudioDelta("a2", b"12")
    assert inbox.dropped == 2


async def test_d18_a_slow_handler_holds_up_neither_tools_nor_resumptions() -> None:
    """The session's own work does not wait for it."""
    gate = asyncio.Event()

    class Slow(EventHandler):
        async def on_event(self, happened: RunnerEvent) -> None:
            await gate.wait()

    tool = FakeTool()
    async with Stage(tools=[tool], handler=Slow(), listen=False) as stage:
        running = asyncio.create_task(stage.runner.run())
        await stage.call("look")
        await stage.swap()

        assert len(tool.calls) == 1
        assert stage.runner.session_id == "s2"
        gate.set()
        await stage.runner.close()
        assert await running == Closed()


@pytest.mark.parametrize("method", ["on_audio", "on_response_done", "on_error", "on_event"])
async def test_d19_a_handler_that_raises_ends_nothing(method: str) -> None:
    """It is counted; a queued resumption happens all the same."""

    async def raising(*_: Any) -> None:
        raise ZeroDivisionError

    handler = EventHandler()
    setattr(handler, method, raising)
    async with Stage(FakeModel(changes=RIGID), handler=handler, listen=False) as stage:
        running = asyncio.create_task(stage.runner.run())
        stage.session.emit(created(), event.AudioDelta("a1", b"12"))
        await stage.runner.update_session(instruct("new"))
        stage.session.emit(event.Error(event.ErrorInfo("t", "m")), done())
        await stage.model.sessions_made(2)
        await turns()

        assert not running.done()
        assert stage.runner.handler_errors >= 1
        await stage.runner.close()
        await running


async def test_d19_a_tool_that_breaks_ends_nothing() -> None:
    """The model is told that it failed, and nobody is told what it said."""

    async def breaking(call: ToolCall) -> None:
        raise SystemExit("the caller's name")

    async with Stage(tools=[FakeTool("look", breaking)]) as stage:
        await stage.call("look")
        [answers, _] = stage.session.said

        assert isinstance(answers, Answers)
        assert answers.responses[0].output["error"]["code"] == "tool_failed"
        assert "the caller's name" not in str(answers.responses[0].output)


async def test_d19_an_answer_that_cannot_be_sent_ends_nothing() -> None:
    """The session went in that moment; the next one is told."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        await stage.call("look")
        tool.gate.set()
        session = await stage.swap()

        assert session.said == [
            client.Message("system", 'The tool look answered meanwhile: {"call": "c1"}'),
            client.ResponseCreate(),
        ]


async def test_d20_parallel_calls_are_answered_together_and_asked_for_once() -> None:
    """One response, after all answers and after the response that called."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        stage.session.emit(created())
        for call_id in ("c1", "c2", "c3"):
            stage.session.emit(event.FunctionCallDone(call_id, "look", "{}"))
        tool.gate.set()
        await turns()
        before_done = list(stage.session.said)
        stage.session.emit(done())
        await turns()
        [answers, response] = stage.session.said

        assert before_done == []
        assert isinstance(answers, Answers)
        assert {one.call_id for one in answers.responses} == {"c1", "c2", "c3"}
        assert response == client.ResponseCreate()


async def test_d20_a_model_that_goes_on_by_itself_is_not_asked() -> None:
    """Its answers go out at once and together."""
    async with Stage(FakeModel(responds_to_tools=True), tools=[FakeTool()]) as stage:
        await stage.call("look", "look")
        [answers] = stage.session.said

        assert isinstance(answers, Answers)
        assert len(answers.responses) == 2


@pytest.mark.parametrize("arguments", ['{"a": ', "[1, 2]", '"text"'])
async def test_d21_malformed_arguments_are_told_to_the_model(arguments: str) -> None:
    """The tool does not run with nothing instead."""
    tool = FakeTool()
    async with Stage(tools=[tool]) as stage:
        await stage.call("look", arguments=arguments)
        [answers, _] = stage.session.said

        assert tool.calls == []
        assert isinstance(answers, Answers)
        assert answers.responses[0].output["error"]["code"] == "invalid_arguments"


@pytest.mark.parametrize("memory", [Memory.NATIVE, Memory.REPLAYED])
async def test_d22_an_answer_belongs_to_the_session_that_asked(memory: Memory) -> None:
    """Another session gets it in words, never under a call id that it does not know."""
    tool = HeldTool()
    async with Stage(FakeModel(memory=memory), tools=[tool], token="t0") as stage:
        await stage.call("look")
        session = await stage.swap()
        tool.gate.set()
        await turns()

        assert session.said == [
            client.Message("system", 'The tool look answered meanwhile: {"call": "c1"}'),
            client.ResponseCreate(),
        ]


async def test_d23_tools_are_swapped_for_real() -> None:
    """New ones run, those taken away do not, and those of a waiting update already do."""
    old, new = FakeTool("old"), FakeTool("new")
    async with Stage(FakeModel(changes=RIGID), tools=[old]) as stage:
        stage.session.emit(created())
        result = await stage.runner.update_session(RealtimeConfig(), tools=[new])
        stage.session.emit(event.FunctionCallDone("c1", "old", "{}"))
        await turns()
        still = len(old.calls)
        stage.session.emit(done())
        await turns()
        stage.session.emit(created("r2"), done("r2"))
        await stage.model.sessions_made(2)
        await turns()
        await stage.call("new", "old")
        outcomes = {one.name: one.outcome for one in stage.all_heard(ToolFinished)[1:]}

        assert result is UpdateResult.QUEUED
        assert still == 1
        assert stage.model.configs[-1].tools == (new.definition,)
        assert outcomes == {"new": ToolOutcome.ANSWERED, "old": ToolOutcome.UNKNOWN_TOOL}


async def test_d24_events_taken_one_by_one_are_a_whole_runners() -> None:
    """Tools run, the state moves, and a gap is no end of the stream."""
    tool = FakeTool()
    async with Stage(tools=[tool], listen=False) as stage:
        await stage.call("look")
        await stage.swap()
        stage.session.emit(created("r9"))
        taken = [await stage.runner.next_event() for _ in range(8)]

        assert len(tool.calls) == 1
        assert taken[-1] == created("r9")
        assert stage.runner.state == Generating()


async def test_d25_what_a_session_cannot_be_asked_is_said() -> None:
    """No field vanishes: a change is taken or refused, and a refusal is not tried again."""
    unsupported = UnsupportedConfig("tool_choice")
    async with Stage(FakeModel(changes=[unsupported])) as stage:
        with pytest.raises(UnsupportedConfig, match="tool_choice"):
            await stage.runner.update_session(RealtimeConfig(tool_choice="none"))

        assert stage.runner.config == OLD

    refusing = Stage(FakeModel([unsupported]))
    with pytest.raises(UnsupportedConfig):
        await refusing.runner.connect()
    assert refusing.model.dials == 1


async def test_d28_waiting_for_an_answer_ends() -> None:
    """With an error, with the session, or in time; and on whatever `connect` returns."""
    session = await FakeModel().connect(OLD)
    session.emit(event.Error(event.ErrorInfo("t", "no", "bad")))
    with pytest.raises(ServerError):
        await send_text_and_wait(session, "hello")
    with pytest.raises(RealtimeError, match="within"):
        await collect_audio(session, timeout=0.01)
    session.drop()
    with pytest.raises(SessionClosed):
        await collect_audio(session)


async def test_d29_a_wish_reaches_the_session_as_it_is() -> None:
    """With its instructions; a message with its role (their wire words are the adapter's share)."""
    async with Stage() as stage:
        await stage.runner.create_response("Speak slowly.")
        await stage.runner.send_client_event(client.Message("assistant", "I did."))
        await turns()

        assert stage.session.said == [
            client.ResponseCreate("Speak slowly."),
            client.Message("assistant", "I did."),
        ]


@pytest.mark.parametrize("output", [7, [1, 2], None, "text", {"a": 1}])
async def test_d30_any_answer_is_passed_on_with_its_name(output: Any) -> None:
    """A number, a list, nothing at all (wrapping it is the adapter's)."""

    async def look(call: ToolCall) -> Any:
        return output

    async with Stage(tools=[FakeTool("look", look)]) as stage:
        await stage.call("look")

        assert stage.session.said[0] == Answers((ToolResponse("c1", output, "look"),))


@pytest.mark.parametrize("changes", [[], RIGID], ids=["live", "resumed"])
@pytest.mark.parametrize("respond", [True, False])
async def test_d31_a_bridge_message_means_the_same_everywhere(
    changes: list[RequiresResumption], respond: bool
) -> None:
    """Told to the session that has the change; answered if that was asked for, else not."""
    async with Stage(FakeModel(changes=changes)) as stage:
        await stage.runner.update_session_with_bridge(instruct("new"), "hello", respond=respond)
        await turns()

        assert stage.session.said == [client.Message("user", "hello", respond=respond)]
        assert (stage.runner.state == Generating()) is respond


async def test_d32_secrets_are_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A token is one (keys and URLs are the adapter's)."""
    with caplog.at_level(logging.DEBUG):
        async with Stage(
            FakeModel([None, ResumptionRefused("unknown")]), token="t-secret"
        ) as stage:
            stage.session.emit(event.ResumptionToken("t-secret"))
            await stage.swap()

    assert "t-secret" not in caplog.text
    assert "t-secret" not in repr(stage.heard)
    assert "t-secret" not in repr(stage.model.resumptions)
