"""A session with the fake server, and its events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from bridge.ports import server_events as event
from bridge.ports.model import Resumption
from bridge.ports.server_events import Disconnected, ServerEvent
from bridge.ports.session import RealtimeConfig, ToolDefinition
from bridge.providers.gemini import GeminiLiveModel, GeminiSession
from bridge.providers.gemini.endpoint import DeveloperApi
from bridge.providers.gemini.patience import Patience
from bridge.wire.gemini import GeminiTranslator, capabilities_of, write_setup
from tests.fakes.gemini_ears import tone
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Script

__all__ = [
    "FRAME",
    "HOURS",
    "OLDER",
    "OLDEST",
    "SILENCE",
    "SPEECH",
    "bare",
    "connected",
    "feed",
    "kinds",
    "live",
    "spoken",
    "until",
]

OLDER = "gemini-3.1-flash-live-preview"
OLDEST = "gemini-2.5-flash-native-audio-preview-12-2025"

FRAME = bytes(640)  # 20 ms of silence
SPEECH = tone(0.3, 16_000)
SILENCE = bytes(2 * 16_000)
HOURS = ToolDefinition("hours", parameters={"properties": {"day": {"type": "string"}}})

E = TypeVar("E", bound=ServerEvent)


@asynccontextmanager
async def connected(
    fake: FakeGemini,
    config: RealtimeConfig | None = None,
    resumption: Resumption | None = None,
    **model: Any,
) -> AsyncIterator[GeminiSession]:
    """A session that is closed when the block is left."""
    live_model = GeminiLiveModel("test-key", base_url=fake.url, **model)
    session = await live_model.connect(config or RealtimeConfig(), resumption)
    _HEARD[session] = Heard(session)
    try:
        yield session
    finally:
        await session.close()


@asynccontextmanager
async def live(
    script: Script | None = None, config: RealtimeConfig | None = None, **model: Any
) -> AsyncIterator[tuple[FakeGemini, GeminiSession]]:
    """A server that answers by `script`, and a session with it."""
    async with (
        FakeGemini(script or Script(playback=0)) as fake,
        connected(fake, config, **model) as session,
    ):
        yield fake, session


@asynccontextmanager
async def bare(
    base_url: str, *, patience: Patience | None = None, consent: float = 60.0
) -> AsyncIterator[GeminiSession]:
    """A session whose patience is the test's."""
    capabilities = capabilities_of("gemini-3.8-live")
    setup = write_setup(RealtimeConfig(), capabilities, model="models/gemini-3.8-live")
    session = GeminiSession(
        GeminiTranslator(capabilities),
        capabilities,
        patience or Patience(silence=60.0, blockage=60.0),
        consent=consent,
    )
    api = DeveloperApi("test-key", base_url)
    try:
        await session.open(api.url, headers=await api.headers())
        await session.begin(setup, resuming=False)
        yield session
    finally:
        await session.close()


class Heard:
    """All that a session told, in the order in which it told it."""

    def __init__(self, session: GeminiSession) -> None:
        self._events: list[ServerEvent] = []
        self._told = asyncio.Event()
        session.attach(self._hear)

    def _hear(self, told: ServerEvent) -> None:
        self._events.append(told)
        self._told.set()

    async def until(self, kind: type[E]) -> tuple[E, list[ServerEvent]]:
        past: list[ServerEvent] = []
        while not (past and isinstance(past[-1], kind)):
            while not self._events:
                assert not (past and isinstance(past[-1], Disconnected)), f"ended after {past}"
                self._told.clear()
                await self._told.wait()
            past.append(self._events.pop(0))
        last = past[-1]
        assert isinstance(last, kind)
        return last, past


_HEARD: WeakKeyDictionary[GeminiSession, Heard] = WeakKeyDictionary()


async def until(session: GeminiSession, kind: type[E]) -> tuple[E, list[ServerEvent]]:
    """The next event of this kind, and all events since the last one asked for."""
    if session not in _HEARD:
        _HEARD[session] = Heard(session)
    return await _HEARD[session].until(kind)


def spoken(events: list[ServerEvent]) -> bytes:
    return b"".join(heard.delta for heard in events if isinstance(heard, event.AudioDelta))


def kinds(events: list[ServerEvent]) -> list[str]:
    return [type(told).__name__ for told in events]


def feed(session: GeminiSession, audio: bytes) -> None:
    """As a telephone does it: 20 ms at a time."""
    for at in range(0, len(audio), len(FRAME)):
        session.feed(audio[at : at + len(FRAME)])
