"""The fake is proven by the official client, and refuses what the real API refuses."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.fakes.openai_realtime import (
    Call,
    Drop,
    Fail,
    FakeOpenAI,
    Raise,
    Say,
    Script,
    tone,
)
from tests.fakes.raw_client import Raw, raw

SILENCE = bytes(24_000)  # half a second of PCM16 at 24 kHz

Event = dict[str, Any]


@asynccontextmanager
async def official(fake: FakeOpenAI) -> AsyncIterator[AsyncRealtimeConnection]:
    """The vendor's own client, connected to the fake by its public options."""
    client = AsyncOpenAI(api_key="key", websocket_base_url=fake.url.replace("http", "ws"))
    async with client, client.realtime.connect(model="gpt-realtime") as connection:
        yield connection


# The official client.


async def test_the_official_client_has_a_whole_turn() -> None:
    """Configured, spoken to, answered: all by voice activity, and every event is well-formed."""
    script = Script(
        answers=[Say("We open at seven o'clock, sir.", seconds=0.3)], transcripts=["When?"]
    )
    kinds, audio = [], bytearray()
    async with FakeOpenAI(script) as fake, official(fake) as connection:
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": "A bakery.",
                "audio": {
                    "input": {
                        "format": {"type": "audio/pcm", "rate": 24_000},
                        "transcription": {"model": "gpt-transcribe"},
                        "turn_detection": {"type": "server_vad", "silence_duration_ms": 300},
                    }
                },
            }
        )
        for part in (tone(0.5, 300), SILENCE):
            await connection.input_audio_buffer.append(audio=base64.b64encode(part).decode())
        async for event in connection:
            kinds.append(event.type)
            if event.type == "response.output_audio.delta":
                audio += base64.b64decode(event.delta)
            if event.type == "response.done":
                assert event.response.status == "completed"
                break
        session = fake.sessions[0]

    assert kinds == [
        "session.created",
        "conversation.created",
        "session.updated",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created",
        "rate_limits.updated",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        *["response.output_audio_transcript.delta", "response.output_audio.delta"] * 3,
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "conversation.item.done",
        "response.output_item.done",
        "response.done",
    ]
    assert len(audio) == 0.3 * 48_000
    assert session.session["instructions"] == "A bakery."
    assert bytes(session.received) == tone(0.5, 300) + SILENCE


async def test_the_official_client_answers_a_tool_call() -> None:
    """A call, its output, and the response that knows it."""
    script = Script(answers=[Call("hours", {"day": "Monday"}), Say("Seven.", seconds=0.1)])
    call_ids: list[str] = []
    async with FakeOpenAI(script) as fake, official(fake) as connection:
        await connection.response.create()
        async for event in connection:
            if event.type == "response.function_call_arguments.done":
                call_ids.append(event.call_id)
                assert (event.name, json.loads(event.arguments)) == ("hours", {"day": "Monday"})
            if event.type == "response.done":
                break
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": call_ids[0], "output": "seven"}
        )
        await connection.response.create()
        async for event in connection:
            if event.type == "response.output_audio_transcript.done":
                assert event.transcript == "Seven."
            if event.type == "response.done":
                break

    assert [item["type"] for item in fake.sessions[0].conversation.items] == [
        "function_call",
        "function_call_output",
        "message",
    ]


# Callers.


async def test_a_caller_who_speaks_up_cuts_the_answer() -> None:
    """The response is cancelled because a turn was detected, and its item is incomplete."""
    script = Script(answers=[Say(seconds=30, pace=0.05)])
    async with FakeOpenAI(script) as fake, raw(fake) as client:
        await client.say("response.create")
        await client.hear("response.output_audio.delta")
        await client.speak(tone(0.3, 300))
        done = await client.hear("response.done")

    assert done["response"]["status"] == "cancelled"
    assert done["response"]["status_details"]["reason"] == "turn_detected"
    assert done["response"]["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(("name", "size"), [("audio/pcmu", 8), ("audio/pcma", 8)])
async def test_g711_both_ways(name: str, size: int) -> None:
    """A caller in G.711 is heard, and answered in it: eight bytes for a millisecond."""
    import audioop

    encode = audioop.lin2ulaw if name == "audio/pcmu" else audioop.lin2alaw
    narrow, _ = audioop.ratecv(tone(0.5, 300) + bytes(48_000), 2, 1, 24_000, 8_000, None)
    words = {"type": name}
    async with FakeOpenAI(Script(otherwise=Say(seconds=0.2))) as fake, raw(fake) as client:
        session = {"type": "realtime", "audio": {"input": {"format": words}}}
        session["audio"]["output"] = {"format": words}  # type: ignore[index]
        await client.say("session.update", session=session)
        await client.speak(encode(narrow, 2))
        await client.hear("response.done")

    deltas = [e["delta"] for e in client.events if e["type"] == "response.output_audio.delta"]
    assert sum(len(base64.b64decode(delta)) for delta in deltas) == 200 * size


async def test_silence_is_no_speech() -> None:
    """A quiet line makes no events."""
    async with FakeOpenAI() as fake, raw(fake) as client:
        await client.speak(bytes(96_000))
        await client.say("response.create")
        await client.hear("response.done")

    assert not [e for e in client.events if e["type"].startswith("input_audio_buffer.")]


async def test_without_voice_activity_detection_turns_are_committed_by_hand() -> None:
    """No speech events, a commit that creates no response, and no commit of next to nothing."""
    async with FakeOpenAI() as fake, raw(fake) as client:
        session = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}
        await client.say("session.update", session=session)
        await client.speak(tone(0.08, 300))
        await client.say("input_audio_buffer.commit")
        too_short = await client.error()
        await client.speak(tone(0.5, 300))
        await client.say("input_audio_buffer.commit")
        await client.hear("input_audio_buffer.committed")
        await client.hear("conversation.item.done")

    assert too_short["code"] == "input_audio_buffer_commit_empty"
    assert fake.sessions[0].responding is False


# Scripts.


async def test_what_goes_wrong_by_script() -> None:
    """Errors out of the blue, failed responses, a broken call and a close code."""
    script = Script(
        answers=[
            [Raise("server_error", "server_error"), Fail()],
            [Call("a"), Call("b", "{not json")],
            [Say(seconds=0.1), Drop(1011, "overloaded")],
        ]
    )
    async with FakeOpenAI(script) as fake, raw(fake) as client:
        await client.say("response.create")
        error = await client.error()
        failed = await client.hear("response.done")
        await client.say("response.create")
        calls = (await client.hear("response.done"))["response"]["output"]
        await client.say("response.create")
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear("response.done")

    assert error["type"] == "server_error"
    assert failed["response"]["status_details"]["error"]["code"] == "rate_limit_exceeded"
    assert [call["name"] for call in calls] == ["a", "b"]
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011


async def test_a_session_expires() -> None:
    """With its error first, and the close code that looks so harmless."""
    async with FakeOpenAI(Script(end_after=0.01)) as fake, raw(fake) as client:
        error = await client.error()
        with pytest.raises(ConnectionClosed) as closed:
            await client.hear("nothing")

    assert error["code"] == "session_expired"
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001


async def test_text_instead_of_audio() -> None:
    """A session that is to write writes."""
    async with FakeOpenAI(Script(otherwise=Say("Seven."))) as fake, raw(fake) as client:
        await client.say(
            "session.update", session={"type": "realtime", "output_modalities": ["text"]}
        )
        await client.say("response.create")
        text = await client.hear("response.output_text.done")
        await client.hear("response.done")

    assert text["text"] == "Seven."
    assert "response.output_audio.delta" not in {event["type"] for event in client.events}


async def test_it_runs_as_a_process_of_its_own() -> None:
    """For load: it prints where it is, and serves."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.openai_realtime",
        "--seconds",
        "0.2",
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip().replace("http", "ws")
    async with connect(
        f"{url}/realtime?model=m", additional_headers={"Authorization": "Bearer k"}
    ) as connection:
        client = Raw(connection)
        await client.say("response.create")
        done = await client.hear("response.done")
    process.terminate()
    await process.wait()

    assert done["response"]["status"] == "completed"
