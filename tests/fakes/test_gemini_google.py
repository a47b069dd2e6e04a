"""Google's own client talks to the fake Gemini Live server, through public options only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from google import genai
from google.genai import types
from google.genai.live import AsyncSession

from tests.fakes.certificate import localhost_contexts
from tests.fakes.gemini_ears import tone
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Calls, Say, Script, call

MODEL = "gemini-3.8-live"
SPEECH = tone(0.3, 16_000)
SILENCE = bytes(2 * 16_000)
HOURS = types.FunctionDeclaration(name="hours", description="When it is open.")


@asynccontextmanager
async def google(script: Script, **config: Any) -> AsyncIterator[tuple[FakeGemini, AsyncSession]]:
    """A session of Google's client with the fake, through its public options only."""
    server_context, client_context = localhost_contexts()
    async with FakeGemini(script, tls=server_context) as fake:
        options = types.HttpOptions(base_url=fake.url, async_client_args={"ssl": client_context})
        client = genai.Client(api_key="test-key", http_options=options)
        live = types.LiveConnectConfig(
            response_modalities=[types.Modality.AUDIO],
            session_resumption=types.SessionResumptionConfig(),
            **config,
        )
        async with client.aio.live.connect(model=MODEL, config=live) as session:
            yield fake, session


async def turn(session: AsyncSession) -> list[types.LiveServerMessage]:
    return [message async for message in session.receive()]


async def test_googles_client_has_a_conversation() -> None:
    async with google(Script(playback=0)) as (fake, session):
        await session.send_client_content(
            turns=types.Content(role="user", parts=[types.Part(text="Hello?")])
        )
        messages = await turn(session)

    said = [message.server_content for message in messages if message.server_content]
    text = "".join(
        content.output_transcription.text or "" for content in said if content.output_transcription
    )
    audio = b"".join(message.data for message in messages if message.data)
    assert session.session_id == "session-1"
    assert text == "Hello, how can I help?"
    assert len(audio) == 0.3 * 24_000 * 2
    assert said[-1].turn_complete
    assert fake.session.sent("client_content")[0].turns[0].parts[0].text == "Hello?"


async def test_googles_client_speaks_and_is_heard() -> None:
    """Loud audio is a turn as soon as it is quiet again."""
    async with google(Script(playback=0, heard="good morning")) as (fake, session):
        for audio in (SPEECH, SILENCE):
            await session.send_realtime_input(
                audio=types.Blob(data=audio, mime_type="audio/pcm;rate=16000")
            )
        messages = await turn(session)

    heard = [
        message.server_content.input_transcription.text
        for message in messages
        if message.server_content and message.server_content.input_transcription
    ]
    assert heard == ["good morning"]
    assert bytes(fake.session.audio) == SPEECH + SILENCE


async def test_googles_client_calls_tools() -> None:
    script = Script(
        playback=0,
        otherwise=(Calls((call("hours", "c-1", day="mon"), call("hours", "c-2"))), Say()),
    )
    async with google(script, tools=[types.Tool(function_declarations=[HOURS])]) as (fake, session):
        await session.send_realtime_input(text="When do you open?")
        async for message in session.receive():
            if message.tool_call is not None:
                await session.send_tool_response(
                    function_responses=[
                        types.FunctionResponse(id=made.id, name=made.name, response={"at": 7})
                        for made in message.tool_call.function_calls or []
                    ]
                )

    (response,) = fake.session.sent("tool_response")
    assert [answer.id for answer in response.function_responses] == ["c-1", "c-2"]


async def test_googles_client_changes_the_session() -> None:
    async with google(Script(playback=0)) as (fake, session):
        await session.send_context_update(system_instruction="Be brief.", tools=[])
        await fake.session.until_sent("context_update")
