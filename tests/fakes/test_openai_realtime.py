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
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

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

SILENCE = bytes(24_000)  # half a second of PCM16 at 24 kHz

Event = dict[str, Any]


@asynccontextmanager
async def official(fake: FakeOpenAI) -> AsyncIterator[AsyncRealtimeConnection]:
    """The vendor's own client, connected to the fake by its public options."""
    client = AsyncOpenAI(api_key="key", websocket_base_url=fake.url.replace("http", "ws"))
    async with client, client.realtime.connect(model="gpt-realtime") as connection:
        yield connection


class Raw:
    """A client that says whatever a test wants."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.events: list[Event] = []

    async def send(self, message: str) -> None:
        await self._connection.send(message)

    async def say(self, kind: str, **fields: Any) -> None:
        await self.send(json.dumps({"type": kind, **fields}))

    async def hear(self, kind: str) -> Event:
        """The next event of this type; those before it are kept in `events`."""
        while True:
            event: Event = json.loads(await self._connection.recv())
            self.events.append(event)
            if event["type"] == kind:
                return event

    async def error(self) -> Event:
        error: Event = (await self.hear("error"))["error"]
        return error

    async def speak(self, audio: bytes) -> None:
        """Like a caller: 20 ms at a time, but all at once."""
        for start in range(0, len(audio), 960):
            words = base64.b64encode(audio[start : start + 960]).decode()
            await self.say("input_audio_buffer.append", audio=words)


@asynccontextmanager
async def raw(fake: FakeOpenAI) -> AsyncIterator[Raw]:
    url = fake.url.replace("http", "ws") + "/realtime?model=gpt-realtime"
    async with connect(url, additional_headers={"Authorization": "Bearer key"}) as connection:
        client = Raw(connection)
        await client.hear("conversation.created")
        yield client


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


# Refusals.


@pytest.mark.parametrize(
    ("session", "code", "param"),
    [
        ({"instructions": "x"}, "missing_required_parameter", "session.type"),
        ({"type": "realtime", "voice": "cedar"}, "unknown_parameter", "session.voice"),
        ({"type": "realtime", "temperature": 0.8}, "unknown_parameter", "session.temperature"),
        (
            {"type": "realtime", "modalities": ["audio"]},
            "unknown_parameter",
            "session.modalities",
        ),
        (
            {"type": "realtime", "output_modalities": ["audio", "text"]},
            "invalid_value",
            "session.output_modalities",
        ),
        (
            {"type": "realtime", "reasoning": {"effort": "low"}},
            "unknown_parameter",
            "session.reasoning",
        ),
        (
            {"type": "realtime", "tools": [{"type": "function", "name": "no blanks"}]},
            "invalid_value",
            "session.tools[0].name",
        ),
        ({"type": "realtime", "model": "gpt-realtime-2"}, "invalid_value", "session.model"),
    ],
)
async def test_a_bad_update_is_refused_as_a_whole(session: Event, code: str, param: str) -> None:
    """One wrong field, and nothing of the update counts; the error names both."""
    async with FakeOpenAI(tolerant=True) as fake, raw(fake) as client:
        await client.say(
            "session.update", event_id="mine", session={**session, "instructions": "New."}
        )
        error = await client.error()

    assert (error["code"], error["param"], error["event_id"]) == (code, param, "mine")
    assert fake.sessions[0].session["instructions"] != "New."


@pytest.mark.parametrize(
    "audio",
    [
        {"input": {"format": {"type": "audio/pcm", "rate": 16_000}}},
        {"input": {"format": {"type": "g711_ulaw"}}},
        {"input": {"format": {"type": "audio/pcmu", "rate": 8_000}}},
        {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}},
        {"input": {"turn_detection": {"type": "none"}}},
    ],
)
async def test_audio_settings_that_do_not_exist(audio: Event) -> None:
    """Formats have one rate each, and words of the beta protocol are none."""
    async with FakeOpenAI(tolerant=True) as fake, raw(fake) as client:
        await client.say("session.update", session={"type": "realtime", "audio": audio})
        await client.error()

    assert fake.problems


async def test_the_voice_is_fixed_once_it_was_heard() -> None:
    """Before, it can be changed; afterwards the whole update is refused."""
    change = {"type": "realtime", "audio": {"output": {"voice": "cedar"}}}
    again = {"type": "realtime", "audio": {"output": {"voice": "marin"}}}
    async with FakeOpenAI(tolerant=True) as fake, raw(fake) as client:
        await client.say("session.update", session=change)
        await client.hear("session.updated")
        await client.say("response.create")
        await client.hear("response.done")
        await client.say("session.update", session=again)
        error = await client.error()

    assert error["code"] == "cannot_update_voice"
    assert fake.sessions[0].session["audio"]["output"]["voice"] == "cedar"


async def test_one_response_at_a_time() -> None:
    """A second is refused, and what is out of the conversation may run beside."""
    script = Script(answers=[Say(seconds=30, pace=0.05), Say(seconds=0.1)])
    async with FakeOpenAI(script) as fake, raw(fake) as client:
        await client.say("response.create")
        await client.hear("response.created")
        await client.say("response.create")
        error = await client.error()
        await client.say("response.create", response={"conversation": "none"})
        aside = await client.hear("response.done")
        await client.say("response.cancel")
        cancelled = await client.hear("response.done")
        await client.say("response.cancel")
        nothing = await client.error()

    assert error["code"] == "conversation_already_has_active_response"
    assert (aside["response"]["status"], aside["response"]["conversation_id"]) == (
        "completed",
        None,
    )
    assert cancelled["response"]["status_details"]["reason"] == "client_cancelled"
    assert nothing["code"] == "response_cancel_not_active"


async def test_truncation() -> None:
    """Up to the length of the audio, of the model's audio only, and only what is there."""
    async with FakeOpenAI(Script(otherwise=Say(seconds=0.4))) as fake, raw(fake) as client:
        await client.say("response.create")
        item_id = (await client.hear("response.done"))["response"]["output"][0]["id"]

        async def truncate(item_id: str, audio_end_ms: int) -> None:
            await client.say(
                "conversation.item.truncate",
                item_id=item_id,
                content_index=0,
                audio_end_ms=audio_end_ms,
            )

        await truncate(item_id, 401)
        too_long = await client.error()
        await truncate("nobody", 10)
        unknown = await client.error()
        await truncate(item_id, 150)
        truncated = await client.hear("conversation.item.truncated")
        await truncate(item_id, 200)
        too_late = await client.error()

    assert too_long["message"] == "Audio content of 400ms is already shorter than 401ms"
    assert unknown["code"] == "item_truncate_invalid_item_id"
    assert truncated["audio_end_ms"] == 150
    assert too_late["code"] == "invalid_value"


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"type": "function_call_output", "call_id": "x", "output": ""}, "invalid_tool_call_id"),
        (
            {"type": "message", "role": "user", "content": [{"type": "input_text"}]},
            "missing_required_parameter",
        ),
        (
            {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "x"}]},
            "invalid_value",
        ),
        (
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_audio", "audio": "AAAA"}],
            },
            "invalid_value",
        ),
        (
            {"id": "x" * 33, "type": "message", "role": "user", "content": []},
            "string_above_max_length",
        ),
    ],
)
async def test_items_that_cannot_be(item: Event, code: str) -> None:
    """Answers to nobody, texts without text, audio in the model's mouth."""
    async with FakeOpenAI(tolerant=True) as fake, raw(fake) as client:
        await client.say("conversation.item.create", item=item)
        error = await client.error()

    assert error["code"] == code


async def test_items_have_places_and_names_of_their_own() -> None:
    """An item can go to the front, be found, be deleted, and not be made twice."""
    hello = {
        "id": "a",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hello."}],
    }
    async with FakeOpenAI() as fake, raw(fake) as client:
        await client.say("conversation.item.create", item=hello)
        await client.say("conversation.item.create", item=hello)
        twice = await client.error()
        await client.say(
            "conversation.item.create", item={**hello, "id": "b"}, previous_item_id="root"
        )
        await client.hear("conversation.item.done")
        order = [item["id"] for item in fake.sessions[0].conversation.items]
        await client.say("conversation.item.retrieve", item_id="a")
        found = await client.hear("conversation.item.retrieved")
        await client.say("conversation.item.delete", item_id="a")
        await client.hear("conversation.item.deleted")
        await client.say("conversation.item.delete", item_id="a")
        gone = await client.error()

    assert twice["code"] == "item_create_duplicate_item_id"
    assert order == ["b", "a"]
    assert found["item"]["content"][0]["text"] == "Hello."
    assert gone["code"] == "item_delete_invalid_item_id"


@pytest.mark.parametrize("message", ["{", '"text"', '{"type":"nonsense"}', '{"type":7}', "{}"])
async def test_what_is_no_event(message: str) -> None:
    """The connection survives it, the fake remembers it, and leaving it then fails a test."""
    fake = FakeOpenAI()
    await fake.__aenter__()
    async with raw(fake) as client:
        await client.send(message)
        await client.error()

    assert fake.problems
    with pytest.raises(AssertionError):
        await fake.__aexit__(None, None, None)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/realtime?model=m", {}, 401),
        ("/v1/realtime?model=m", {"Authorization": "Bearer other"}, 401),
        ("/v1/realtime", {"Authorization": "Bearer key"}, 400),
        ("/v2/realtime?model=m", {"Authorization": "Bearer key"}, 404),
        (
            "/v1/realtime?model=m",
            {"Authorization": "Bearer key", "OpenAI-Beta": "realtime=v1"},
            404,
        ),
    ],
)
async def test_the_door_is_guarded(path: str, headers: dict[str, str], status: int) -> None:
    """Without the right key, path and model nobody comes in, nor with the beta protocol."""
    async with FakeOpenAI(key="key") as fake:
        url = fake.url.replace("http", "ws").removesuffix("/v1") + path
        with pytest.raises(InvalidStatus) as refused:
            await connect(url, additional_headers=headers)

    assert refused.value.response.status_code == status
    assert fake.sessions == []


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
