"""A session of ours, connected to the fake, and all that it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bridge.audio.formats import AudioEncoding
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig, VadConfig
from bridge.providers.openai import OpenAIRealtimeModel, OpenAISession
from tests.fakes.openai.sound import from_pcm24
from tests.fakes.openai_realtime import (
    FakeOpenAI,
    FakeSession,
    Script,
    tone,
)

ULAW = AudioEncoding.G711_ULAW
CONFIG = RealtimeConfig(
    instruction="A bakery.",
    voice="cedar",
    input_audio_format=ULAW,
    output_audio_format=ULAW,
    turn_detection=VadConfig(silence_duration_ms=200),
)
SPEECH = from_pcm24(tone(0.4, 300), {"type": "audio/pcmu"})
SILENCE = b"\xff" * 8 * 300


class Line:
    """A connected session and what it has told."""

    def __init__(self, session: OpenAISession, served: FakeSession) -> None:
        self.session = session
        self.served = served
        self.events: list[ServerEvent] = []
        self._news = asyncio.Event()
        session.attach(self._hear)

    def _hear(self, happened: ServerEvent) -> None:
        self.events.append(happened)
        self._news.set()

    async def until(self, kind: type[ServerEvent]) -> Any:
        """The first event of this kind."""
        while True:
            for happened in self.events:
                if isinstance(happened, kind):
                    return happened
            self._news.clear()
            await self._news.wait()

    def speak(self, audio: bytes) -> None:
        for start in range(0, len(audio), 160):
            self.session.feed(audio[start : start + 160])


@asynccontextmanager
async def connected(
    script: Script | None = None, config: RealtimeConfig = CONFIG, *, tolerant: bool = False
) -> AsyncIterator[Line]:
    async with FakeOpenAI(script or Script(), tolerant=tolerant) as fake:
        session = await OpenAIRealtimeModel("key", base_url=fake.url).connect(config)
        yield Line(session, fake.sessions[0])
        await session.close()
