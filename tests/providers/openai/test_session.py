"""A live session: what is sent, what comes back, how it changes, and how it ends."""

from __future__ import annotations

import asyncio
import time

import pytest

from bridge.audio.formats import PCM16_8K, ULAW_8K, AudioChunk
from bridge.errors import AudioFormatError, SessionClosed
from bridge.ports import client_events as client
from bridge.ports import server_events as event
from bridge.ports.model import RealtimeSession, ToolResponse
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.providers.openai import OpenAIRealtimeModel
from tests.fakes.openai_realtime import (
    Call,
    FakeOpenAI,
    Hang,
    Raise,
    Say,
    Script,
)
from tests.fakes.openai_realtime import Drop as DropStep
from tests.providers.openai.line import CONFIG, SILENCE, SPEECH, ULAW, connected


async def test_it_stands_behind_the_door() -> None:
    """The type checker agrees that this is a RealtimeSession."""
    async with connected() as call:
        door: RealtimeSession = call.session

        assert door.is_connected


# Talking.


async def test_a_whole_turn() -> None:
    """The caller speaks, is heard to stop, and is answered in the telephone's own format."""
    script = Script(answers=[Say("At seven.", seconds=0.3)])
    async with connected(script) as call:
        call.speak(SPEECH + SILENCE)
        await call.until(event.ResponseDone)

    kinds = [type(each).__name__ for each in call.events]
    order = ["SpeechStarted", "SpeechStopped", "AudioCommitted", "ResponseCreated", "AudioDelta"]
    audio = b"".join(each.delta for each in call.events if isinstance(each, event.AudioDelta))
    assert [kind for kind in dict.fromkeys(kinds) if kind in order] == order
    assert len(audio) == 300 * 8
    assert bytes(call.served.received) == SPEECH + SILENCE


async def test_a_caller_who_speaks_up() -> None:
    """The model stops by itself, which is an interruption of that response."""
    script = Script(answers=[Say(seconds=30, pace=0.02)])
    async with connected(script) as call:
        await call.session.create_response()
        created = await call.until(event.ResponseCreated)
        await call.until(event.AudioDelta)
        call.speak(SPEECH)
        interrupted = await call.until(event.Interrupted)
        done = await call.until(event.ResponseDone)
        item_id = (await call.until(event.AudioDelta)).item_id
        await call.session.send_event(client.ItemTruncate(item_id, heard_ms=60))
        await call.served.until(lambda: call.served.conversation.audio_ms[item_id] == 60)

    assert interrupted.response_id == created.response_id
    assert (done.status, done.reason) == (ResponseStatus.CANCELLED, "turn_detected")
    assert call.served.errors == []


async def test_a_truncation_never_goes_too_far() -> None:
    """However much the carrier claims to have played."""
    async with connected(Script(otherwise=[Say(seconds=0.2), Hang()])) as call:
        await call.session.create_response()
        item_id = (await call.until(event.AudioDelta)).item_id
        await call.until(event.TranscriptDone)
        await call.session.send_event(client.ItemTruncate(item_id, heard_ms=100))
        await call.session.send_event(client.ItemTruncate("unknown", heard_ms=100))
        await call.session.send_event(client.ItemTruncate(item_id, heard_ms=0))
        await call.served.until(lambda: bool(call.served.said("conversation.item.delete")))

    assert call.served.errors == []


async def test_speaking_first_and_stopping() -> None:
    """A response with instructions of its own, and a cancel."""
    async with connected(Script(otherwise=[Hang()])) as call:
        await call.session.create_response("Say hello.")
        await call.until(event.ResponseCreated)
        await call.session.interrupt()
        done = await call.until(event.ResponseDone)

    assert call.served.said("response.create")[0]["response"] == {"instructions": "Say hello."}
    assert done.reason == "client_cancelled"


async def test_a_cancel_that_comes_too_late_is_harmless() -> None:
    """An error that nobody needs to do anything about."""
    async with connected() as call:
        await call.session.interrupt()
        error = await call.until(event.Error)

    assert error.severity is event.Severity.HARMLESS


async def test_a_second_response_is_refused_by_name() -> None:
    """Whoever asked learns that none will come."""
    async with connected(Script(otherwise=[Hang()])) as call:
        await call.session.create_response()
        await call.session.create_response()
        error = await call.until(event.Error)

    assert error.refused_response
    assert error.error.request_id


async def test_parallel_tool_calls() -> None:
    """Both are told, both are answered, and nothing is asked for."""
    script = Script(answers=[[Call("hours", {"day": "Monday"}, "a"), Call("menu", {}, "b")]])
    async with connected(script) as call:
        await call.session.create_response()
        await call.until(event.ResponseDone)
        answers = [ToolResponse("a", {"opens": 7}), ToolResponse("b", "bread")]
        await call.session.send_tool_response(*answers)
        await call.served.until(lambda: len(call.served.said("conversation.item.create")) == 2)

    told = [each for each in call.events if isinstance(each, event.FunctionCallDone)]
    outputs = [item["item"]["output"] for item in call.served.said("conversation.item.create")]
    assert [(each.call_id, each.name) for each in told] == [("a", "hours"), ("b", "menu")]
    assert outputs == ['{"opens": 7}', "bread"]
    assert len(call.served.said("response.create")) == 1


@pytest.mark.parametrize("script", [{"omit_call_names": True}, {"beta_names": True}])
async def test_older_servers(script: dict[str, bool]) -> None:
    """Names left out, and names of the beta protocol, cost nothing."""
    played = Script(answers=[[Say(seconds=0.1), Call("hours")]], **script)  # type: ignore[arg-type]
    async with connected(played) as call:
        await call.session.create_response()
        await call.until(event.ResponseDone)

    kinds = {type(each) for each in call.events}
    assert {event.AudioDelta, event.TranscriptDone, event.FunctionCallDone} <= kinds


async def test_words_instead_of_audio() -> None:
    """A message of the user's, and one that wants its answer at once."""
    async with connected() as call:
        await call.session.send_text("Hello.")
        await call.session.send_event(client.Message("system", "Be brief.", respond=True))
        await call.until(event.ResponseDone)

    assert call.served.kinds[1:] == ["conversation.item.create"] * 2 + ["response.create"]


async def test_turns_by_hand() -> None:
    """Without detection audio is committed, or cleared, when we say so."""
    config = RealtimeConfig(turn_detection=VadConfig.disabled(), input_audio_format=ULAW)
    async with connected(config=config) as call:
        call.speak(SPEECH)
        await call.session.clear_audio()
        await call.until(event.AudioCleared)
        call.speak(SPEECH)
        await call.session.commit_audio()
        await call.until(event.AudioCommitted)

    assert call.served.errors == []


async def test_audio_in_the_session_s_format_only() -> None:
    """Whoever sends another is told, and the model hears nothing of it."""
    async with connected() as call:
        with pytest.raises(AudioFormatError):
            await call.session.send_audio(AudioChunk(b"\0\0", PCM16_8K))
        with pytest.raises(AudioFormatError):
            await call.session.send_audio_base64("not base64!")
        with pytest.raises(AudioFormatError):
            await call.session.send_event(client.AudioDelta(b"\0\0", PCM16_8K))
        await call.session.send_audio(AudioChunk(b"a", ULAW_8K))
        await call.session.send_audio_base64("Yg==")
        await call.session.send_event(client.AudioDelta(b"c"))
        await call.served.until(lambda: len(call.served.received) == 3)

    assert bytes(call.served.received) == b"abc"


async def test_events_come_in_the_turn_of_their_bytes() -> None:
    """No queue and no task between the socket and whoever listens."""
    async with connected() as call:
        socket = call.session._socket
        assert socket is not None
        before = len(call.events)
        socket.data_received(b'\x81\x25{"type":"input_audio_buffer.cleared"}')

        assert call.events[before:] == [event.AudioCleared()]


async def test_a_bad_frame_costs_only_itself() -> None:
    """The session goes on."""
    async with connected() as call:
        call.served.send_raw("{")
        call.served.send_raw('{"type":"news","x":1}')
        await call.until(event.BadFrame)
        await call.until(event.Unknown)
        await call.session.create_response()
        await call.until(event.ResponseDone)

        assert call.session.is_connected


# Ending.


async def test_our_own_close_is_told_last_and_once() -> None:
    """It is no drop. Closing again, or sending, does nothing that hurts."""
    async with connected() as call:
        await call.session.close()
        await call.session.close()
        call.session.feed(SPEECH)
        with pytest.raises(SessionClosed):
            await call.session.send_text("Anybody?")
        with pytest.raises(SessionClosed):
            await call.session.send_audio(AudioChunk(b"a", ULAW_8K))

    ends = [each for each in call.events if isinstance(each, event.Disconnected)]
    assert [end.drop for end in ends] == [Drop.CLOSED]
    assert call.events[-1] is ends[0]
    assert not call.session.is_connected
    assert call.served.close_code == 1000


@pytest.mark.parametrize(
    ("code", "drop"),
    [(1000, Drop.LOST), (1001, Drop.EXPIRED), (1006, Drop.LOST), (1011, Drop.LOST)],
)
async def test_the_provider_goes(code: int, drop: Drop) -> None:
    """Every close code has its meaning, and 1000 is no good one when we did not ask for it."""
    async with connected() as call:
        call.served.drop(code)
        end = await call.until(event.Disconnected)

    assert end.drop is drop
    assert end.code == code


async def test_a_drop_in_the_middle_of_an_answer() -> None:
    """What came before the end is told before the end."""
    script = Script(answers=[[Say(seconds=0.3), DropStep(1011)]])
    async with connected(script) as call:
        await call.session.create_response()
        await call.until(event.Disconnected)

    assert isinstance(call.events[-1], event.Disconnected)
    assert [type(each) for each in call.events].count(event.AudioDelta) == 3


async def test_a_session_that_expires() -> None:
    """By its error and by its close code."""
    async with connected(Script(end_after=0.1)) as call:
        end = await call.until(event.Disconnected)

    assert end.drop is Drop.EXPIRED


async def test_an_account_that_runs_dry() -> None:
    """A new session would meet the same end."""
    script = Script(answers=[[Raise("insufficient_quota", "insufficient_quota"), DropStep(1000)]])
    async with connected(script) as call:
        await call.session.create_response()
        error = await call.until(event.Error)
        end = await call.until(event.Disconnected)

    assert error.severity is event.Severity.FATAL
    assert end.drop is Drop.REFUSED


async def test_a_half_open_connection_is_noticed_within_five_seconds() -> None:
    """A provider that neither reads nor answers is lost, whatever TCP believes."""
    async with connected() as call:
        call.served.stall()
        began = time.monotonic()
        while not call.events or not isinstance(call.events[-1], event.Disconnected):
            call.session.feed(SILENCE[:160])
            await asyncio.sleep(0.02)
        took = time.monotonic() - began
        end = call.events[-1]

    assert isinstance(end, event.Disconnected)
    assert end.drop is Drop.LOST
    assert took < 7  # 4.9 s on a machine with nothing else to do


async def test_events_can_be_asked_for_instead() -> None:
    """One by one, to the end."""
    async with FakeOpenAI() as fake:
        session = await OpenAIRealtimeModel("key", base_url=fake.url).connect(CONFIG)
        await session.create_response()
        seen = []
        async for happened in session.events():
            seen.append(happened)
            if isinstance(happened, event.ResponseDone):
                await session.close()
        after = await session.next_event()

    assert isinstance(seen[-1], event.Disconnected)
    assert after is None
