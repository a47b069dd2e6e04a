"""A session with the fake server, and its events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from bridge.ports.model import Resumption
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.providers.gemini import GeminiLiveModel, GeminiSession
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Script

__all__ = ["OLDER", "OLDEST", "connected", "live", "until"]

OLDER = "gemini-3.1-flash-live-preview"
OLDEST = "gemini-2.5-flash-native-audio-preview-12-2025"

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


async def until(session: GeminiSession, kind: type[E]) -> tuple[E, list[ServerEvent]]:
    """The next event of this kind, and all events up to it."""
    events: list[ServerEvent] = []
    while (event := await session.next_event()) is not None:
        events.append(event)
        if isinstance(event, kind):
            return event, events
    raise AssertionError(f"the session ended without {kind.__name__}, after {events}")
