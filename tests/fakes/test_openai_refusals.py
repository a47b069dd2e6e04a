"""What the real Realtime API refuses, the fake refuses, too."""

from __future__ import annotations

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.fakes.openai_realtime import (
    FakeOpenAI,
    Say,
    Script,
)
from tests.fakes.raw_client import Event, raw


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
