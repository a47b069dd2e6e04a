"""A session in use: what is said, called, and cut off, over a real socket."""

from __future__ import annotations

import asyncio
import json

import pytest

from bridge.audio.formats import PCM16_8K, PCM16_16K, AudioChunk
from bridge.errors import AudioFormatError, ServerError, SessionClosed, UnsupportedConfig
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.model import Applied, RequiresResumption, ToolResponse
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.providers.gemini import GeminiLiveModel
from tests.fakes.gemini_ears import tone
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import (
    Calls,
    Hang,
    Pause,
    Say,
    Script,
    call,
)
from tests.providers.gemini.calls import (
    FRAME,
    HOURS,
    OLDER,
    OLDEST,
    SILENCE,
    SPEECH,
    bare,
    connected,
    feed,
    kinds,
    live,
    spoken,
    until,
)

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


async def test_events_wait_until_somebody_asks() -> None:
    """The last one is Disconnected; behind it there is nothing."""
    async with FakeGemini(Script(playback=0, resumable=False)) as fake:
        session = await GeminiLiveModel("test-key", base_url=fake.url).connect(RealtimeConfig())
        await session.create_response("Greet the caller.")
        told = [await session.next_event()]
        while not isinstance(told[-1], event.ResponseDone):
            told.append(await session.next_event())
        await session.close()
        rest = [later async for later in session.events()]
        end = await session.next_event()

    assert {event.SessionCreated, event.ResponseCreated} <= {type(early) for early in told}
    assert isinstance(rest[-1], event.Disconnected)
    assert rest[-1].drop is Drop.CLOSED
    assert end is None


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
    assert "AudioDelta" in kinds(events)
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


async def test_the_model_goes_on_without_an_answer_that_it_took_back() -> None:
    script = Script([(Calls((call("hours", "c-1"),), taken_back_after=0.0), Say())], playback=0)
    async with live(script, RealtimeConfig(tools=(HOURS,))) as (_, session):
        await session.create_response()
        done, events = await until(session, event.ResponseDone)

    assert event.ToolCallCancelled(("c-1",)) in events
    assert done.status is ResponseStatus.COMPLETED


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
    async with FakeGemini() as fake, bare(fake.url) as session:
        changing = asyncio.create_task(session.mutate_context(RealtimeConfig(instruction="No.")))
        await fake.session.until_sent("context_update")
        await fake.session.drop(code, "Request contains an invalid argument.")

        with pytest.raises(error):
            await changing


async def test_a_change_that_the_end_overtakes_is_told() -> None:
    async with FakeGemini() as fake, bare(fake.url) as session:
        changing = asyncio.create_task(session.mutate_context(RealtimeConfig(instruction="No.")))
        await fake.session.until_sent("context_update")
        await session.close()

        with pytest.raises(SessionClosed):
            await changing


async def test_a_change_of_a_closed_session_is_told() -> None:
    async with live() as (_, session):
        await session.close()

        with pytest.raises(SessionClosed):
            await session.mutate_context(RealtimeConfig(instruction="No."))


async def test_two_sessions_do_not_know_each_other() -> None:
    async with FakeGemini(Script(playback=0)) as fake, connected(fake) as one:
        async with connected(fake) as other:
            await one.create_response()
            await until(one, event.ResponseDone)
        _, events = await until(other, event.Disconnected)

    assert "ResponseCreated" not in kinds(events)
