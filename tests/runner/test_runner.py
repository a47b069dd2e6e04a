"""RealtimeRunner: the face of a conversation, for programs with and without a telephone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.audio.formats import PCM16_16K, PCM16_24K, AudioChunk
from bridge.errors import (
    AudioFormatError,
    NotConnected,
    RealtimeError,
    ServerError,
    UnsupportedConfig,
)
from bridge.ports import client_events as client
from bridge.ports import runner_events as runner
from bridge.ports import server_events as event
from bridge.ports.conversation import AgentSaid, CallerSaid, ToolUsed
from bridge.ports.model import RequiresResumption, ToolCall, ToolResponse
from bridge.ports.runner_events import Closed, Finished, RunnerEvent
from bridge.ports.server_events import Disconnected, Drop
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.runner.config import RunnerConfig
from bridge.runner.handler import EventHandler
from bridge.runner.runner import RealtimeRunner
from bridge.runner.state import ExecutingTool, Generating, Idle, PendingResumption
from bridge.runner.vocabulary import UpdateResult
from tests.fakes.model import Answers, FakeModel, Gate, turns
from tests.runner.stage import OLD, Stage, created, done, instruct
from tests.runner.tooling import FakeTool, HeldTool

WEATHER = ToolDefinition("get_weather").with_description("Get weather for a location")


class Listener(EventHandler):
    """Keeps what it hears."""

    def __init__(self) -> None:
        self.voice = b""
        self.events: list[RunnerEvent] = []
        self.errors: list[RealtimeError] = []

    async def on_audio(self, audio: bytes, item_id: str) -> None:
        self.voice += audio

    async def on_error(self, error: RealtimeError) -> None:
        self.errors.append(error)

    async def on_event(self, happened: RunnerEvent) -> None:
        self.events.append(happened)


async def test_a_small_program() -> None:
    """Build, connect, run, close: a question is heard, a tool is run, an answer comes."""
    model, listener = FakeModel(), Listener()
    agent = (
        RealtimeRunner.builder()
        .model(model)
        .instruction("You are a helpful voice assistant.")
        .voice("alloy")
        .tool_fn(WEATHER, lambda call: {"temperature": 72, "condition": "sunny"})
        .event_handler(listener)
        .build()
    )
    await agent.connect()
    running = asyncio.create_task(agent.run())
    await agent.send_text("How is the weather?")
    await agent.create_response()
    session = model.session
    session.emit(created("r1"), event.FunctionCallDone("c1", "get_weather", '{"city": "Bonn"}'))
    session.emit(done("r1"))
    await session.until(lambda one: client.ResponseCreate() in one.said[2:])
    session.emit(created("r2"), event.AudioDelta("a1", b"It is"))
    session.emit(event.TranscriptDone("a1", "It is sunny."), done("r2"))
    await turns()
    await agent.close()

    assert await running == Closed()
    assert model.configs == [
        RealtimeConfig("You are a helpful voice assistant.", "alloy", tools=(WEATHER,))
    ]
    assert session.said == [
        client.Message("user", "How is the weather?"),
        client.ResponseCreate(),
        Answers((ToolResponse("c1", {"temperature": 72, "condition": "sunny"}, "get_weather"),)),
        client.ResponseCreate(),
    ]
    assert listener.voice == b"It is"
    assert listener.events[-1] == Finished(Closed())
    assert agent.history == (
        CallerSaid("How is the weather?"),
        ToolUsed(
            "c1", "get_weather", '{"city": "Bonn"}', '{"temperature": 72, "condition": "sunny"}'
        ),
        AgentSaid("It is sunny."),
    )
    model.check()


async def test_what_is_known_of_a_session() -> None:
    """Before it, with it, in a gap, and after it."""
    stage = Stage(FakeModel([None, Gate()]))

    def known() -> tuple[bool, str | None]:
        return stage.runner.is_connected, stage.runner.session_id

    before = known()
    async with stage:
        during = known()
        stage.session.drop()
        await turns()
        in_a_gap = known()
        state_in_a_gap = stage.runner.state

    assert (before, during, in_a_gap, known()) == (
        (False, None),
        (True, "s1"),
        (False, None),
        (False, None),
    )
    assert state_in_a_gap == PendingResumption(OLD)
    assert stage.runner.state == Idle()


async def test_what_it_is_doing_can_be_asked() -> None:
    """Four words."""
    tool = HeldTool()
    async with Stage(tools=[tool]) as stage:
        states = [stage.runner.state]
        stage.session.emit(created())
        states.append(stage.runner.state)
        await stage.call("look")
        states.append(stage.runner.state)
        tool.gate.set()
        await turns()
        stage.session.emit(created("r2"), done("r2"))

        assert states == [Idle(), Generating(), ExecutingTool()]
        assert stage.runner.state == Idle()


# The caller's audio


async def test_audio_may_come_in_three_ways() -> None:
    """Bytes, base64 or a chunk; all the same to the session."""
    async with Stage() as stage:
        await turns()
        stage.runner.feed(b"ab")
        await stage.runner.send_audio(b"cd")
        await stage.runner.send_audio(AudioChunk(b"ef", PCM16_24K).to_base64())
        await stage.runner.send_audio(AudioChunk(b"gh", PCM16_24K))
        await stage.runner.send_client_event(client.AudioDelta(b"ij"))
        await stage.runner.send_client_event(client.AudioDelta(b"kl", PCM16_24K))

        assert stage.session.audio == b"abcdefghijkl"


async def test_audio_in_another_format_is_refused() -> None:
    """Nobody resamples in secret; nonsense is no audio."""
    async with Stage() as stage:
        for audio in (AudioChunk(b"ab", PCM16_16K), "not base64!", "YQ=="):
            with pytest.raises(AudioFormatError):
                await stage.runner.send_audio(audio)
        with pytest.raises(AudioFormatError):
            await stage.runner.send_client_event(client.AudioDelta(b"ab", PCM16_16K))


async def test_before_the_first_session_nobody_knows_a_format() -> None:
    """Bytes are held, whatever they are; for the others there is nobody to ask."""
    stage = Stage()
    stage.runner.feed(b"ab")
    with pytest.raises(NotConnected):
        await stage.runner.send_audio(AudioChunk(b"cd", PCM16_24K))
    async with stage:
        assert stage.session.audio == b"ab"


async def test_audio_of_a_gap_is_not_lost() -> None:
    """However it came."""
    async with Stage(FakeModel([None, gate := Gate()])) as stage:
        stage.session.drop()
        await turns()
        stage.runner.feed(b"ab")
        await stage.runner.send_audio(AudioChunk(b"cd", PCM16_24K))
        gate.set()
        await stage.model.sessions_made(2)
        await turns()

        assert stage.session.audio == b"abcd"
        assert stage.runner.dropped_audio == 0


# What it is told


async def test_a_client_event_goes_where_it_belongs() -> None:
    """What concerns the runner goes through it, the rest as it is."""
    item = client.ConversationItemCreate({"type": "message"})
    async with Stage() as stage:
        for happened in (
            client.Message("system", "vip"),
            item,
            client.InputAudioBufferClear(),
            client.ItemTruncate("a1", 100),
            client.ResponseCreate("speak"),
            client.UpdateSession(instruct("new")),
            client.ResponseCancel(),
        ):
            await stage.runner.send_client_event(happened)

        assert stage.session.said == [
            client.Message("system", "vip"),
            item,
            client.InputAudioBufferClear(),
            client.ItemTruncate("a1", 100),
            client.ResponseCreate("speak"),
            client.ResponseCancel(),
        ]
        assert stage.session.mutations == [instruct("new")]
        assert stage.runner.state == Generating()


async def test_what_a_session_has_no_word_for_is_said_to_whoever_sent_it() -> None:
    """And the runner goes on."""
    item = client.ConversationItemCreate({"type": "message"})
    async with Stage() as stage:
        stage.session.refuse(item, UnsupportedConfig("no items here"))

        with pytest.raises(UnsupportedConfig):
            await stage.runner.send_client_event(item)
        await stage.runner.clear_audio()
        assert stage.session.said == [client.InputAudioBufferClear()]


async def test_without_a_session_there_is_nobody_to_tell() -> None:
    """What has to be sent now is refused."""
    stage = Stage()
    for refused in (
        stage.runner.interrupt(),
        stage.runner.commit_audio(),
        stage.runner.clear_audio(),
        stage.runner.send_text("hello"),
        stage.runner.send_client_event(client.Message("user", "hello")),
        stage.runner.send_client_event(client.InputAudioBufferCommit()),
    ):
        with pytest.raises(NotConnected):
            await refused
    await stage.runner.close()


async def test_what_can_wait_waits_for_the_first_session() -> None:
    """A greeting may be asked for before there is anybody to speak."""
    stage = Stage()
    stage.runner.ask_response("greet")
    stage.runner.tell(client.Message("system", "vip"))
    async with stage:
        assert stage.session.said == [
            client.Message("system", "vip"),
            client.ResponseCreate("greet"),
        ]


async def test_the_model_can_be_interrupted() -> None:
    """In one word to the session."""
    async with Stage() as stage:
        await stage.runner.interrupt()

        assert stage.session.said == [client.ResponseCancel()]


# Tools


async def test_tools_of_the_owners_are_answered_by_the_owner() -> None:
    """Told, not run; one response follows when all are answered."""
    tool = FakeTool()
    options = RunnerConfig(auto_execute_tools=False)
    async with Stage(tools=[tool], options=options) as stage:
        await stage.call("look", "look")
        await stage.runner.send_tool_response(ToolResponse("c2", {"b": 2}))
        half = list(stage.session.said)
        await stage.runner.send_tool_response(ToolResponse("c1", [1]))
        await turns()

        assert tool.calls == []
        assert half == []
        assert stage.session.said == [
            Answers((ToolResponse("c2", {"b": 2}, "look"), ToolResponse("c1", [1], "look"))),
            client.ResponseCreate(),
        ]


async def test_answers_may_be_left_to_the_owner() -> None:
    """The tool runs; what of it is told is somebody else's decision."""
    tool = FakeTool()
    options = RunnerConfig(auto_respond_tools=False)
    async with Stage(tools=[tool], options=options) as stage:
        await stage.call("look")
        await turns()
        before = list(stage.session.said)
        await stage.runner.send_tool_response(ToolResponse("c1", "nothing found"))
        await turns()

        assert len(tool.calls) == 1
        assert before == []
        assert stage.session.said[0] == Answers((ToolResponse("c1", "nothing found", "look"),))


async def test_an_answer_that_json_cannot_say_is_the_owners_mistake() -> None:
    """Raised to the one who made it, and nothing is sent."""
    async with Stage(options=RunnerConfig(auto_execute_tools=False)) as stage:
        await stage.call("look")

        with pytest.raises(TypeError, match="JSON cannot say"):
            await stage.runner.send_tool_response(ToolResponse("c1", float("nan")))
        assert stage.runner.state == ExecutingTool()


async def test_tools_are_swapped_with_their_handlers() -> None:
    """The model gets other tools, and they run."""
    old, new = FakeTool("old"), FakeTool("new")
    async with Stage(tools=[old]) as stage:
        result = await stage.runner.update_session(RealtimeConfig(), tools=[new])
        await stage.call("new", "old")
        await turns()

        assert result is UpdateResult.APPLIED
        assert stage.session.mutations == [RealtimeConfig(tools=(new.definition,))]
        assert len(new.calls) == 1
        assert old.calls == []


# Updates


async def test_an_update_is_applied_where_the_session_can_be_changed() -> None:
    """By what changes, and nothing else."""
    async with Stage() as stage:
        result = await stage.runner.update_session(instruct("new"))

        assert result is UpdateResult.APPLIED
        assert stage.session.mutations == [instruct("new")]
        assert stage.model.dials == 1


async def test_an_update_waits_for_a_moment_where_it_cannot() -> None:
    """Whoever asked knows that it is queued; it comes after the answer."""
    async with Stage(FakeModel(changes=[RequiresResumption()])) as stage:
        stage.session.emit(created())
        result = await stage.runner.update_session(instruct("new"))
        waiting = stage.runner.state
        stage.session.emit(done())
        await stage.model.sessions_made(2)

        assert result is UpdateResult.QUEUED
        assert waiting == PendingResumption(instruct("new"))
        assert stage.model.configs == [OLD, instruct("new")]


async def test_a_refused_update_raises_what_the_provider_says() -> None:
    """And nothing has changed."""
    async with Stage(FakeModel(changes=[ServerError("invalid", "no such voice")])) as stage:
        with pytest.raises(ServerError, match="no such voice"):
            await stage.runner.update_session(RealtimeConfig(voice="none"))

        assert stage.runner.config == OLD


async def test_a_bridge_message_may_ask_for_an_answer() -> None:
    """With `respond` the model speaks about it, else it knows it and is silent."""
    async with Stage() as stage:
        await stage.runner.update_session_with_bridge(instruct("one"), "silent")
        await stage.runner.update_session_with_bridge(instruct("two"), "spoken", respond=True)
        await turns()

        assert stage.session.said == [
            client.Message("user", "silent"),
            client.Message("user", "spoken", respond=True),
        ]


# What it tells


async def test_events_can_be_taken_one_by_one() -> None:
    """Until the end, and then None for ever."""
    async with Stage(listen=False) as stage:
        stage.session.emit(created())
        first = await stage.runner.next_event()

    assert first == created()
    assert [happened async for happened in stage.runner.events()] == [
        Disconnected(Drop.CLOSED),
        Finished(Closed()),
    ]
    assert await stage.runner.next_event() is None


async def test_with_a_listener_the_others_learn_only_of_the_end() -> None:
    """`run`, `events` and `next_event` wait, and return when all is over."""
    listener = Listener()
    stage = Stage(handler=listener)

    async def take_all() -> list[RunnerEvent]:
        return [happened async for happened in stage.runner.events()]

    waiting: list[asyncio.Task[Any]] = [
        asyncio.create_task(stage.runner.run()),
        asyncio.create_task(take_all()),
        asyncio.create_task(_next_of(stage.runner)),
    ]
    await turns()
    async with stage:
        stage.session.emit(created())
        await turns()
        assert not any(task.done() for task in waiting)

    assert [await task for task in waiting] == [Closed(), [], None]
    assert listener.events == []


async def _next_of(agent: RealtimeRunner) -> RunnerEvent | None:
    return await agent.next_event()


async def test_running_returns_why_it_is_over() -> None:
    """It was closed, or the model was lost."""
    async with Stage(listen=False) as stage:
        stage.session.drop(Drop.REFUSED, detail="policy")

        assert await stage.runner.run() == runner.Lost(Drop.REFUSED, "policy")
        assert await stage.runner.run() == runner.Lost(Drop.REFUSED, "policy")


async def test_a_handler_that_raises_is_counted() -> None:
    """Each method for itself: the next one is called, and the session goes on."""

    class Clumsy(Listener):
        async def on_event(self, happened: RunnerEvent) -> None:
            await super().on_event(happened)
            raise ZeroDivisionError

        async def on_error(self, error: RealtimeError) -> None:
            await super().on_error(error)
            raise ZeroDivisionError

    listener = Clumsy()
    async with Stage(handler=listener, listen=False) as stage:
        running = asyncio.create_task(stage.runner.run())
        stage.session.emit(event.Error(event.ErrorInfo("t", "no", "bad")), created())
        await turns()
        await stage.runner.close()

        assert await running == Closed()
        assert [str(error) for error in listener.errors] == ["bad: no"]
        assert len(listener.events) == 4
        assert stage.runner.handler_errors == 5


async def test_a_handler_may_close_the_runner() -> None:
    """`run` returns after the last event."""

    class Impatient(Listener):
        async def on_response_done(self, done: event.ResponseDone) -> None:
            await stage.runner.close()

    stage = Stage(handler=Impatient(), listen=False)
    async with stage:
        stage.session.emit(created(), done())

        assert await stage.runner.run() == Closed()


async def test_a_call_of_a_tool_is_told_by_name() -> None:
    """Begun, and how it ended."""
    seen: list[ToolCall] = []

    async def look(call: ToolCall) -> str:
        seen.append(call)
        return "found"

    async with Stage(tools=[FakeTool("look", look)]) as stage:
        await stage.call("look", arguments='{"for": "keys"}')
        await turns()

        assert seen == [ToolCall("c1", "look", {"for": "keys"})]
        assert stage.all_heard(runner.ToolStarted) == [runner.ToolStarted("c1", "look")]
        [finished] = stage.all_heard(runner.ToolFinished)
        assert (finished.name, finished.outcome) == ("look", runner.ToolOutcome.ANSWERED)


async def test_a_tool_that_is_only_known_is_not_offered() -> None:
    """Until an update names it; then it runs."""
    tool = FakeTool("later")
    async with Stage() as stage:
        stage.runner.register_tools([tool])
        before = stage.runner.config.tools

        await stage.runner.update_session(RealtimeConfig(tools=(tool.definition,)))
        await stage.call("later")

        assert before is None
        assert stage.runner.config.tools == (tool.definition,)
        assert tool.calls
