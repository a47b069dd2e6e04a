"""A client of the fake Realtime API that says whatever a test wants."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.fakes.openai_realtime import (
    FakeOpenAI,
)

Event = dict[str, Any]


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
