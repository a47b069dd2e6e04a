"""
A bridge that is watched from both of its ends: what a model told it, and what it sent.

Both are stamped in the bridge's own process, so that the time between them is the bridge's.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from starlette.types import Message, Receive, Scope, Send

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.ports.model import EventListener, RealtimeModel, RealtimeSession, Resumption
from bridge.ports.server_events import ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.providers.framing import Splitter
from bridge.web.app import Bridge
from bridge.web.direct import EXTENSION, DirectProtocol
from bridge.wiring.models import model_of

__all__ = ["Sent", "StampedBridge"]


@dataclass(frozen=True, slots=True)
class Sent:
    """A frame on its way to the carrier: media, mark or clear."""

    at: float
    kind: str
    audio: bytes = field(repr=False)


class StampedBridge(Bridge):
    """Remembers what each media stream was sent and when, and each event of the model's."""

    def __init__(self, agent: Agent, config: Config) -> None:
        self.told: list[tuple[float, ServerEvent]] = []
        """By all sessions, in the order of their arrival."""
        self.fed = bytearray()
        """The caller's audio, as the sessions were given it."""
        self.streams: list[list[Sent]] = []
        model = cast("RealtimeModel", _StampedModel(model_of(config), self))
        super().__init__(agent, config, model=model)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await super().__call__(scope, receive, send)
            return
        sent: list[Sent] = []
        self.streams.append(sent)

        def stamp(text: str) -> None:
            sent.append(_read(text))

        async def stamped(message: Message) -> None:
            if message["type"] == "websocket.send":
                stamp(message["text"])
            await send(message)

        extensions = dict(scope.get("extensions", {}))
        if EXTENSION in extensions:
            direct = _StampedConnection(extensions[EXTENSION]["connection"], stamp)
            extensions[EXTENSION] = {"connection": direct}
        await super().__call__({**scope, "extensions": extensions}, receive, stamped)


def _read(text: str) -> Sent:
    at = time.perf_counter()
    frame = json.loads(text)
    payload = frame["media"]["payload"] if frame["event"] == "media" else ""
    return Sent(at, frame["event"], base64.b64decode(payload))


class _StampedConnection:
    """A connection of our own server's, which ASGI's `send` would see nothing of."""

    def __init__(self, connection: DirectProtocol, stamp: Callable[[str], None]) -> None:
        self._connection = connection
        self._stamp = stamp

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    @property
    def transport(self) -> Any:
        return _StampedTransport(self._connection.transport, self._stamp)


class _StampedTransport:
    def __init__(self, transport: Any, stamp: Callable[[str], None]) -> None:
        self._transport = transport
        self._stamp = stamp

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, frames: bytes) -> None:
        for _, text in Splitter(len(frames)).feed(frames):
            self._stamp(text.decode())
        self._transport.write(frames)


class _StampedModel:
    def __init__(self, model: RealtimeModel, bridge: StampedBridge) -> None:
        self._model = model
        self._bridge = bridge

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> RealtimeSession:
        session = await self._model.connect(config, resumption)
        return cast("RealtimeSession", _StampedSession(session, self._bridge))


class _StampedSession:
    def __init__(self, session: RealtimeSession, bridge: StampedBridge) -> None:
        self._session = session
        self._bridge = bridge

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def attach(self, listener: EventListener) -> None:
        def stamped(event: ServerEvent) -> None:
            self._bridge.told.append((time.perf_counter(), event))
            listener(event)

        self._session.attach(stamped)

    def feed(self, audio: bytes) -> None:
        self._bridge.fed += audio
        self._session.feed(audio)
