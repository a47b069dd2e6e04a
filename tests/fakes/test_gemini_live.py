"""The fake Gemini Live server: what the real one refuses is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from google.genai import types
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.fakes.gemini_ears import Ears, tone
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Calls, Hang, Say, Script, call

STUDIO = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
VERTEX = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"
MODEL = "gemini-3.8-live"
SPEECH = tone(0.3, 16_000)
SILENCE = bytes(2 * 16_000)
HOURS = types.FunctionDeclaration(name="hours", description="When it is open.")


@asynccontextmanager
async def raw(
    script: Script | None = None, path: str = STUDIO, **headers: str
) -> AsyncIterator[tuple[FakeGemini, ClientConnection]]:
    headers = headers or {"x-goog-api-key": "test-key"}
    async with (
        FakeGemini(script or Script(playback=0)) as fake,
        connect(
            f"ws://127.0.0.1:{fake.port}{path}", additional_headers=headers, ping_interval=None
        ) as socket,
    ):
        yield fake, socket


def setup(model: str = MODEL, **more: Any) -> dict[str, Any]:
    generation = {"responseModalities": ["AUDIO"]} | more.pop("generationConfig", {})
    return {"setup": {"model": f"models/{model}", "generationConfig": generation, **more}}


async def send(socket: ClientConnection, *messages: Any) -> None:
    for message in messages:
        await socket.send(json.dumps(message))


async def set_up(socket: ClientConnection, message: dict[str, Any] | None = None) -> None:
    await send(socket, message or setup())
    while "setupComplete" not in json.loads(await socket.recv()):
        pass


async def close_code(socket: ClientConnection) -> int | None:
    """Read until the server is fed up."""
    try:
        while True:
            await socket.recv()
    except ConnectionClosed:
        return socket.close_code


def audio(pcm: bytes = SPEECH, mime_type: str = "audio/pcm;rate=16000") -> dict[str, Any]:
    blob = {"data": base64.b64encode(pcm).decode(), "mimeType": mime_type}
    return {"realtimeInput": {"audio": blob}}


TURN = {"role": "user", "parts": [{"text": "Hello?"}]}
MODEL_TURN = {"role": "model", "parts": [{"text": "Hello!"}]}


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ({"clientContent": {"turnComplete": True}}, 1007),
        (setup("gemini-9-live"), 1008),
        ({"setup": {"model": MODEL, "generationConfig": {"responseModalities": ["AUDIO"]}}}, 1008),
        (setup(generationConfig={"responseModalities": ["audio"]}), 1007),
        (setup(generationConfig={"responseModalities": ["TEXT"]}), 1007),
        (setup(nonsense=1), 1007),
        (setup(realtimeInputConfig={"nonsense": 1}), 1007),
        (setup(realtimeInputConfig={"activityHandling": "SHOUT"}), 1007),
        (setup() | {"realtimeInput": {"text": "x"}}, 1007),
        (setup(sessionResumption={"handle": "unheard-of"}), 1008),
        (setup(generationConfig={"thinkingConfig": {"thinkingLevel": "LOW"}}), 1007),
        (setup("gemini-3.8-live-extended-thinking"), 1007),
        (setup("gemini-3.1-flash-live-preview", proactivity={"proactiveAudio": True}), 1007),
        (
            setup(
                "gemini-2.5-flash-native-audio-preview-12-2025",
                historyConfig={"initialHistoryInClientContent": True},
            ),
            1007,
        ),
        ([], 1007),
    ],
)
async def test_a_wrong_setup_closes_the_connection(first: Any, code: int) -> None:
    async with raw() as (_, socket):
        await send(socket, first)

        assert await close_code(socket) == code


@pytest.mark.parametrize(
    "message",
    [
        setup(),
        {"realtimeInput": {"mediaChunks": [{"data": "AAAA", "mimeType": "audio/pcm"}]}},
        {"realtimeInput": {"activityStart": {}}},
        audio(mime_type="audio/pcm"),
        audio(b"odd"),
        {"toolResponse": {"functionResponses": [{"id": "x", "name": "x", "response": {}}]}},
        {"clientContent": {"turns": [{"role": "system", "parts": [{"text": "x"}]}]}},
        {"nonsense": {}},
        {},
    ],
)
async def test_a_wrong_message_closes_the_connection(message: dict[str, Any]) -> None:
    async with raw() as (_, socket):
        await set_up(socket)
        await send(socket, message)

        assert await close_code(socket) == 1007


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("gemini-3.1-flash-live-preview", {"clientContent": {"turns": [TURN]}}),
        ("gemini-3.1-flash-live-preview", {"contextUpdate": {"tools": {"tools": []}}}),
        (
            "gemini-2.5-flash-native-audio-preview-12-2025",
            {"clientContent": {"turns": [TURN, MODEL_TURN], "turnComplete": False}},
        ),
    ],
)
async def test_each_model_has_its_own_rules(model: str, message: dict[str, Any]) -> None:
    async with raw() as (_, socket):
        await set_up(socket, setup(model))
        await send(socket, message)

        assert await close_code(socket) == 1007


async def test_nothing_may_come_before_the_setup_is_complete() -> None:
    async with raw(Script(setup_seconds=30)) as (_, socket):
        await send(socket, setup(), audio())

        assert await close_code(socket) == 1007


async def test_an_announced_history_has_to_be_complete_first() -> None:
    history = setup(historyConfig={"initialHistoryInClientContent": True})
    async with raw() as (fake, socket):
        await set_up(socket, history)
        await send(socket, {"clientContent": {"turns": [TURN, MODEL_TURN], "turnComplete": True}})
        await fake.session.until_sent("client_content")
        answered = fake.session.answering.turns

    async with raw() as (_, socket):
        await set_up(socket, history)
        await send(socket, audio())
        code = await close_code(socket)

    assert answered == 0
    assert code == 1007


async def test_a_session_is_resumed_only_when_its_socket_is_gone() -> None:
    resumable = setup(sessionResumption={})
    async with raw() as (fake, first):
        await set_up(first, resumable)
        handle = json.loads(await first.recv())["sessionResumptionUpdate"]["newHandle"]
        url = f"ws://127.0.0.1:{fake.port}{STUDIO}"
        headers = {"x-goog-api-key": "test-key"}
        again = setup(sessionResumption={"handle": handle})

        async with connect(url, additional_headers=headers) as second:
            await send(second, again)
            too_early = await close_code(second)
        await first.close()
        await fake.sessions[0].ended.wait()
        async with connect(url, additional_headers=headers) as third:
            await set_up(third, again)
        resumed = fake.session.resumed_from
        fake.expire_handles()
        async with connect(url, additional_headers=headers) as fourth:
            await send(fourth, again)
            too_late = await close_code(fourth)

    assert (too_early, too_late) == (1011, 1008)
    assert resumed is fake.sessions[0]


async def test_a_cancelled_call_must_not_be_answered() -> None:
    script = Script(otherwise=(Calls((call("hours", "c-1"),)),))
    async with raw(script) as (_, socket):
        await set_up(socket)
        await send(socket, {"realtimeInput": {"text": "When?"}})
        while "toolCall" not in json.loads(await socket.recv()):
            pass
        await send(socket, audio())
        while "toolCallCancellation" not in json.loads(await socket.recv()):
            pass
        answer = {"id": "c-1", "name": "hours", "response": {}}
        await send(socket, {"toolResponse": {"functionResponses": [answer]}})

        assert await close_code(socket) == 1007


async def test_speech_over_an_answer_interrupts_it() -> None:
    async with raw(Script(otherwise=(Say(), Hang()), speech_events=True)) as (_, socket):
        await set_up(socket)
        await send(socket, {"realtimeInput": {"text": "Tell me a story."}})
        await socket.recv()
        await send(socket, audio())
        told: list[str] = []
        while "turnComplete" not in told:
            message = json.loads(await socket.recv())
            told += list(message.get("serverContent", message))

    assert told[-3:] == ["voiceActivity", "interrupted", "turnComplete"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws/elsewhere", {"x-goog-api-key": "test-key"}, 404),
        (VERTEX, {"Authorization": "Bearer stolen"}, 401),
        (VERTEX, {"x-goog-api-key": "test-key"}, 401),
    ],
)
async def test_a_wrong_door_does_not_open(path: str, headers: dict[str, str], status: int) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with raw(None, path, **headers):
            pass

    assert caught.value.response.status_code == status


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        (STUDIO, {"x-nothing": "x"}, 1008),
        (STUDIO, {"x-goog-api-key": "wrong"}, 1007),
        (f"{STUDIO}?key=wrong", {"x-nothing": "x"}, 1007),
    ],
)
async def test_a_wrong_key_closes_the_connection(
    path: str, headers: dict[str, str], code: int
) -> None:
    async with raw(None, path, **headers) as (_, socket):
        assert await close_code(socket) == code


async def test_a_script_cannot_say_what_the_server_never_says() -> None:
    async with raw() as (fake, socket):
        await set_up(socket)

        with pytest.raises(AssertionError, match="never says"):
            await fake.session.say({"serverContent": {"nonsense": True}})


def test_ears_find_the_edges_of_speech() -> None:
    """In the time of the audio, however it is cut."""
    ears = Ears()
    sound = SILENCE[:8_000] + SPEECH + SILENCE

    changes = [
        (change, ears.heard_ms)
        for at in range(0, len(sound), 300)
        for change in ears.hear(sound[at : at + 300], 16_000)
    ]

    assert [change for change, _ in changes] == ["start", "end"]
    assert changes[0][1] == 250 + 40 - 10
    assert changes[1][1] == pytest.approx(250 + 300 + 500, abs=20)


def test_quiet_is_no_speech() -> None:
    assert Ears().hear(tone(0.5, 16_000, level=100), 16_000) == []
