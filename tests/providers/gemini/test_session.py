"""A session in use: what is said, called, cut off and lost, over a real socket."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.audio.formats import PCM16_8K, PCM16_16K, AudioChunk
from bridge.errors import AudioFormatError, Fault, ServerError, SessionClosed, UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.model import Applied, RequiresResumption, ToolResponse
from bridge.ports.server_events import Drop, ResponseStatus, ServerEvent
from bridge.ports.session import RealtimeConfig, ToolDefinition, VadConfig
from bridge.providers.gemini import GeminiSession
from bridge.providers.gemini.endpoint import DeveloperApi
from bridge.providers.gemini.patience import Patience
from bridge.wire.gemini import GeminiTranslator, capabilities_of, write_setup
from tests.fakes.gemini_ears import tone
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import (
    Calls,
    CancelCalls,
    Cut,
    GoAway,
    Hang,
    Pause,
    Raw,
    Say,
    Script,
    call,
)
from tests.providers.gemini.calls import OLDER, OLDEST, connected, live, until

FRAME = bytes(640)  # 20 ms of silence
SPEECH = tone(0.3, 16_000)
SILENCE = bytes(2 * 16_000)
HOURS = ToolDefinition("hours", parameters={"properties": {"day": {"type": "string"}}})


def spoken(events: list[ServerEvent]) -> bytes:
    return b"".join(heard.delta for heard in events if isinstance(heard, event.AudioDelta))


def kinds(events: list[ServerEvent]) -> list[str]:
    return [type(told).__name__ for told in events]


def feed(session: GeminiSession, audio: bytes) -> None:
    """As a telephone does it: 20 ms at a time."""
    for at in range(0, len(audio), len(FRAME)):
        session.feed(audio[at : at + len(FRAME)])


# A conversation


async def test_the_caller_speaks_and_the_model_answers() -> None:
    pcm = tone(0.5, 24_000)
    script = Script([(Say("From seven.", pcm=pcm),)], heard="When do you open?", playback=0)
    async with live(script) as (fake, session):
        feed(session, SPEECH + SILENCE)
        _, events = await until(session, event.ResponseDone)

    assert bytes(fake.session.audio) == SPEECH + SILENCE
    assert spoken(events) == pcm
    assert event.InputTranscriptDone("When do you open?", "item_1") in events
    assert event.TranscriptDone("item_2", "From seven.", "resp_2") in events
    assert kinds(events).index("InputTranscriptDone") < kinds(events).index("ResponseCreated")


async def test_a_listener_hears_each_event_as_it_comes() -> None:
    """Those that came before it, too; `next_event` has nothing to tell from then on."""
    heard: list[ServerEvent] = []
    done = asyncio.Event()

    def listen(told: ServerEvent) -> None:
        heard.append(told)
        if isinstance(told, event.ResponseDone):
            done.set()

    async with live() as (_, session):
        session.attach(listen)
        await session.create_response("Greet the caller.")
        await done.wait()

    assert isinstance(heard[0], event.SessionCreated)
    assert isinstance(heard[-1], event.Disconnected)
    assert heard[-1].drop is Drop.CLOSED


async def test_the_caller_interrupts() -> None:
    """Speech over the model's voice cuts the response; what was said of it is told."""
    script = Script([(Say("Once upon a time"), Hang())])
    async with live(script) as (_, session):
        await session.create_response()
        created, _ = await until(session, event.ResponseCreated)
        feed(session, SPEECH)
        cut, _ = await until(session, event.Interrupted)
        done, _ = await until(session, event.ResponseDone)

    assert cut.response_id == created.response_id == done.response_id
    assert done.status is ResponseStatus.CANCELLED


async def test_turn_taking_is_the_configurations() -> None:
    """A caller who must not interrupt does not."""
    config = RealtimeConfig(turn_detection=VadConfig(interrupt_response=False))
    script = Script([(Say("First."), Pause(0.3), Say("Last."))], playback=0)
    async with live(script, config) as (_, session):
        await session.create_response()
        await until(session, event.ResponseCreated)
        feed(session, SPEECH)
        done, _ = await until(session, event.ResponseDone)

    assert done.status is ResponseStatus.COMPLETED


async def test_turns_are_committed_by_hand() -> None:
    """And the answer that comes by itself is not asked for a second time."""
    config = RealtimeConfig(turn_detection=VadConfig.disabled())
    async with live(Script(playback=0), config) as (fake, session):
        feed(session, SPEECH)
        await session.commit_audio()
        await session.create_response()
        await until(session, event.ResponseDone)
        feed(session, SPEECH)
        await session.commit_audio()
        await until(session, event.ResponseDone)

    inputs = fake.session.sent("realtime_input")
    assert sum(given.activity_start is not None for given in inputs) == 2
    assert sum(given.activity_end is not None for given in inputs) == 2
    assert fake.session.answering.turns == 2


async def test_audio_in_another_format_is_refused() -> None:
    async with live() as (fake, session):
        with pytest.raises(AudioFormatError):
            await session.send_audio(AudioChunk(FRAME, PCM16_8K))
        with pytest.raises(AudioFormatError):
            await session.send_audio_base64("no base64!")
        await session.send_audio(AudioChunk(FRAME, PCM16_16K))
        await session.send_audio_base64(AudioChunk(FRAME, PCM16_16K).to_base64())
        await session.send_event(client.AudioDelta(FRAME))
        await fake.session.until_sent("realtime_input", 3)

    assert bytes(fake.session.audio) == FRAME * 3


@pytest.mark.parametrize("model", ["gemini-3.8-live", OLDER, OLDEST])
async def test_every_generation_is_spoken_to_in_its_own_way(model: str) -> None:
    """A greeting, a note that needs no answer, and a question: the server takes them all."""
    async with live(model=model) as (fake, session):
        await session.create_response("Greet the caller.")
        await until(session, event.ResponseDone)
        await session.send_text("By the way: it rains.")
        await session.send_event(client.Message("system", "He is a regular."))
        await session.send_event(client.Message("user", "Well?", respond=True))
        done, _ = await until(session, event.ResponseDone)

        assert done.status is ResponseStatus.COMPLETED
        assert fake.session.open


async def test_a_pause_is_told_and_ends_the_callers_turn() -> None:
    async with live() as (_, session):
        feed(session, SPEECH)
        await session.commit_audio()
        await until(session, event.ResponseDone)


@pytest.mark.parametrize(
    "said", [client.SessionUpdate({}), client.InputAudioBufferClear(), client.ResponseCancel()]
)
async def test_what_has_no_effect_is_refused_or_nothing(said: client.ClientEvent) -> None:
    async with live() as (fake, session):
        if isinstance(said, client.ResponseCancel):
            await session.send_event(said)
        else:
            with pytest.raises(UnsupportedConfig):
                await session.send_event(said)
        await session.send_event(client.ItemTruncate("item_1", 20))
        session.feed(FRAME)
        await fake.session.until_sent("realtime_input")

    assert [message.kind for message in fake.session.messages] == ["setup", "realtime_input"]


# Stopping the model


@pytest.mark.parametrize("model", ["gemini-3.8-live", OLDER, OLDEST])
async def test_the_model_is_stopped(model: str) -> None:
    """The caller hears no more of the answer, whether or not there is a word to stop it (D17)."""
    script = Script([(Say("Once upon"), Pause(0.3), Say("a time"))], playback=0)
    async with live(script, model=model) as (_, session):
        await session.create_response()
        await until(session, event.TranscriptDelta)
        await session.interrupt()
        cut, _ = await until(session, event.Interrupted)
        done, _ = await until(session, event.ResponseDone)
        await session.create_response()
        _, rest = await until(session, event.ResponseDone)

    created = [told for told in rest if isinstance(told, event.ResponseCreated)]
    assert done.status is ResponseStatus.CANCELLED
    assert cut.response_id == done.response_id
    assert len(created) == 1
    assert event.TranscriptDone in {type(told) for told in rest}


# Tools


async def test_all_tools_of_a_turn_are_answered_at_once() -> None:
    """D20. The model goes on by itself, in the response that called them."""
    calls = (call("hours", "c-1", day="mon"), call("hours", "c-2", day="tue"))
    script = Script([(Calls(calls), Say("Seven, both days."))], playback=0)
    async with live(script, RealtimeConfig(tools=(HOURS,))) as (fake, session):
        await session.create_response()
        first, _ = await until(session, event.FunctionCallDone)
        second, _ = await until(session, event.FunctionCallDone)
        await session.send_tool_response(
            ToolResponse(second.call_id, 7), ToolResponse(first.call_id, {"at": 7})
        )
        done, events = await until(session, event.ResponseDone)

    (response,) = fake.session.sent("tool_response")
    assert (first.name, json.loads(first.arguments)) == ("hours", {"day": "mon"})
    assert [answer.response for answer in response.function_responses] == [{"result": 7}, {"at": 7}]
    assert done.response_id == first.response_id
    assert "ResponseCreated" not in kinds(events)


async def test_a_call_that_was_taken_back_is_not_answered() -> None:
    """The server would close the connection on it."""
    script = Script([(Calls((call("hours", "c-1"),)),)])
    async with live(script, RealtimeConfig(tools=(HOURS,))) as (fake, session):
        await session.create_response()
        await until(session, event.FunctionCallDone)
        feed(session, SPEECH)
        cancelled, _ = await until(session, event.ToolCallCancelled)
        await session.send_tool_response(ToolResponse("c-1", 7))
        feed(session, SILENCE)
        await until(session, event.ResponseDone)

        assert cancelled.call_ids == ("c-1",)
        assert fake.session.sent("tool_response") == []


def test_a_script_may_take_calls_back_by_itself() -> None:
    assert CancelCalls().after == 0.0


# Changing the session


async def test_instructions_and_tools_change_in_the_live_session() -> None:
    async with live() as (fake, session):
        outcome = await session.mutate_context(RealtimeConfig(instruction="Be brief.", tools=()))

    (update,) = fake.session.sent("context_update")
    assert outcome == Applied()
    assert update.system_instruction.parts[0].text == "Be brief."
    assert update.tools.tools == []


@pytest.mark.parametrize(
    ("model", "change"),
    [
        ("gemini-3.8-live", RealtimeConfig(voice="Puck")),
        ("gemini-3.8-live", RealtimeConfig(instruction="Be brief.", voice="Puck")),
        (OLDER, RealtimeConfig(instruction="Be brief.")),
        (OLDEST, RealtimeConfig(tools=())),
    ],
)
async def test_everything_else_wants_a_new_session(model: str, change: RealtimeConfig) -> None:
    async with live(model=model) as (fake, session):
        outcome = await session.mutate_context(change)

    assert outcome == RequiresResumption()
    assert [message.kind for message in fake.session.messages] == ["setup"]


async def test_a_change_of_nothing_is_done() -> None:
    async with live() as (_, session):
        assert await session.mutate_context(RealtimeConfig()) == Applied()


@pytest.mark.parametrize(
    ("code", "error"), [(1007, ServerError), (1008, ServerError), (1011, SessionClosed)]
)
async def test_a_refused_change_is_told(code: int, error: type[Exception]) -> None:
    """Google refuses by closing: nothing is reported as applied that was not."""
    async with live() as (fake, session):
        changing = asyncio.create_task(session.mutate_context(RealtimeConfig(instruction="No.")))
        await fake.session.until_sent("context_update")
        await fake.session.drop(code, "Request contains an invalid argument.")

        with pytest.raises(error):
            await changing


async def test_a_change_of_a_closed_session_is_told() -> None:
    async with live() as (_, session):
        await session.close()

        with pytest.raises(SessionClosed):
            await session.mutate_context(RealtimeConfig(instruction="No."))


# The end


@pytest.mark.parametrize(
    ("code", "reason", "drop", "fault"),
    [
        (1011, "Deadline expired before operation could complete.", Drop.EXPIRED, Fault.PROVIDER),
        (1011, "Internal error encountered.", Drop.LOST, Fault.PROVIDER),
        (1008, "You exceeded your current quota.", Drop.REFUSED, Fault.OPERATOR),
        (1000, "", Drop.LOST, Fault.PROVIDER),
        (1006, "", Drop.LOST, Fault.PROVIDER),
    ],
)
async def test_an_end_is_told_once_and_is_the_last_event(
    code: int, reason: str, drop: Drop, fault: Fault
) -> None:
    async with live() as (fake, session):
        await fake.session.drop(code, reason)
        end, _ = await until(session, event.Disconnected)

        assert (end.drop, end.fault, end.code) == (drop, fault, code)
        assert await session.next_event() is None
        assert not session.is_connected
        session.feed(FRAME)
        with pytest.raises(SessionClosed):
            await session.create_response()


async def test_a_drop_in_the_middle_of_the_callers_words_keeps_them() -> None:
    script = Script([(Cut(1006),)], heard="I want")
    async with live(script) as (_, session):
        feed(session, SPEECH + SILENCE)
        _, events = await until(session, event.Disconnected)

    assert event.InputTranscriptDone("I want", "item_1") in events


async def test_an_announced_end_is_told_and_comes() -> None:
    async with live(Script([(GoAway(0.05), Hang())])) as (_, session):
        await session.create_response()
        going, _ = await until(session, event.GoingAway)
        end, _ = await until(session, event.Disconnected)

    assert going.seconds == 0.05
    assert end.drop is Drop.EXPIRED


async def test_handles_come_and_go() -> None:
    """None while the model speaks, a new one when it is done."""
    async with live() as (fake, session):
        await session.create_response()
        _, events = await until(session, event.ResponseDone)
        newest, _ = await until(session, event.ResumptionToken)

    before = [told.token for told in events if isinstance(told, event.ResumptionToken)]
    assert before == ["handle-1", None]
    assert newest.token == "handle-2"
    assert set(fake.handles) == {"handle-1", "handle-2"}


async def test_a_session_without_a_handle_says_so() -> None:
    async with live(Script(resumable=False)) as (_, session):
        told, _ = await until(session, event.ResumptionToken)

    assert told.token is None


async def test_an_unreadable_frame_is_dropped_and_the_session_goes_on() -> None:
    async with live() as (fake, session):
        await fake.session.socket.send("{")
        await fake.session.socket.send(b"\xff\xfe")
        await session.create_response()
        _, events = await until(session, event.ResponseDone)

    assert kinds(events).count("BadFrame") == 2


async def test_closing_is_quick_and_harmless() -> None:
    async with live() as (fake, session):
        begun = time.monotonic()
        await session.close()
        await session.close()
        took = time.monotonic() - begun
        _, events = await until(session, event.Disconnected)
        await fake.session.ended.wait()

    assert took < 2.0
    assert events[-1] == event.Disconnected(Drop.CLOSED, Fault.NOBODY, 1000)
    assert fake.session.close_code == 1000


# Silence


async def test_a_server_that_owes_an_answer_and_is_silent_is_given_up() -> None:
    async with live(Script([(Hang(),)]), patience=0.3) as (_, session):
        await session.create_response()
        end, _ = await until(session, event.Disconnected)

        assert end.drop is Drop.LOST
        assert not session.is_connected
        with pytest.raises(SessionClosed):
            await session.create_response()


async def test_a_server_that_stops_in_the_middle_is_given_up() -> None:
    async with live(Script([(Say(), Hang())]), patience=0.3) as (_, session):
        await session.create_response()
        await until(session, event.AudioDelta)
        end, _ = await until(session, event.Disconnected)

    assert end.drop is Drop.LOST


async def test_silence_that_nobody_has_to_break_is_no_end() -> None:
    """Nobody spoke; a tool runs; the server waits until its answer has been heard."""
    script = Script([(Calls((call("hours", "c-1"),)), Say(seconds=0.4))])
    async with live(script, RealtimeConfig(tools=(HOURS,)), patience=0.15) as (_, session):
        await asyncio.sleep(0.4)
        await session.create_response()
        await until(session, event.FunctionCallDone)
        await asyncio.sleep(0.4)
        await session.send_tool_response(ToolResponse("c-1", 7))
        done, _ = await until(session, event.ResponseDone)

        assert done.status is ResponseStatus.COMPLETED
        assert session.is_connected


async def test_slow_progress_is_progress() -> None:
    steps = [Raw({"usageMetadata": {"totalTokenCount": n}}) for n in range(6)]
    slow = [step for raw in steps for step in (Pause(0.1), raw)]
    async with live(Script([(*slow, Say())], playback=0), patience=0.4) as (_, session):
        await session.create_response()
        done, _ = await until(session, event.ResponseDone)

    assert done.status is ResponseStatus.COMPLETED


@asynccontextmanager
async def deaf_network() -> AsyncIterator[str]:
    """The base URL of a server behind a network that takes nothing after the setup."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_side, onward = await asyncio.open_connection("127.0.0.1", fake.port)
        writers.extend([writer, onward])
        onward.write(await reader.readuntil(b"\r\n\r\n"))
        writer.write(await server_side.readuntil(b"\r\n\r\n"))
        onward.write(await reader.read(65_536))
        writer.write(await server_side.read(65_536))
        writer.transport.pause_reading()  # type: ignore[attr-defined]

    writers: list[asyncio.StreamWriter] = []
    async with FakeGemini() as fake, await asyncio.start_server(relay, "127.0.0.1", 0) as network:
        yield f"ws://127.0.0.1:{network.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.transport.abort()


async def test_a_network_that_takes_no_audio_is_given_up() -> None:
    """Audio is dropped and counted first; the call does not stay deaf for ever."""
    capabilities = capabilities_of("gemini-3.8-live")
    setup = write_setup(RealtimeConfig(), capabilities, model="models/gemini-3.8-live")
    patience = Patience(silence=20.0, blockage=0.1)
    session = GeminiSession(GeminiTranslator(capabilities), capabilities, patience)
    async with deaf_network() as base_url:
        api = DeveloperApi("test-key", base_url)
        await session.open(api.url, headers=await api.headers())
        await session.begin(setup, resuming=False)
        while session.is_connected:
            feed(session, SILENCE)
            await asyncio.sleep(0.01)
        end, _ = await until(session, event.Disconnected)
        await session.close()

    assert session.dropped_audio > 0
    assert end.drop is Drop.LOST


async def test_two_sessions_do_not_know_each_other() -> None:
    async with FakeGemini(Script(playback=0)) as fake, connected(fake) as one:
        async with connected(fake) as other:
            await one.create_response()
            await until(one, event.ResponseDone)
        _, events = await until(other, event.Disconnected)

    assert "ResponseCreated" not in kinds(events)
