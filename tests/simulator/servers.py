"""A small bridge to call: its documents are texts, and its agent is a function of the test."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator

from bridge.wire.twilio import frames, media
from bridge.wire.twilio.frames import TwilioEvent

__all__ = ["ORIGIN", "TOKEN", "Asked", "SmallBridge", "Talk", "connect", "raw_server", "serving"]

ORIGIN = "https://bridge.example"
TOKEN = "a token of no account"


@dataclass
class Talk:
    """The bridge's end of one media stream."""

    socket: WebSocket
    sid: str = ""
    events: list[TwilioEvent] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    lost: int = 0
    """The close code, when the carrier is gone."""

    async def next(self) -> TwilioEvent | None:
        """What the carrier sends next; None at the end, however often one asks."""
        if self.lost:
            return None
        try:
            event = media.read_event(await self.socket.receive_text())
        except WebSocketDisconnect as exc:
            self.lost = exc.code
            return None
        self.arrived.append(asyncio.get_running_loop().time())
        self.events.append(event)
        if isinstance(event, frames.Start):
            self.sid = event.stream_sid
        return event

    async def until(self, kind: type[TwilioEvent], count: int = 1) -> None:
        """Read until so many events of this kind were read, or the end."""
        while count:
            event = await self.next()
            if event is None:
                return
            count -= isinstance(event, kind)

    async def to_the_end(self) -> None:
        while await self.next() is not None:
            pass

    async def say(self, audio: bytes) -> None:
        await self.socket.send_text(media.write_media(self.sid, audio))

    async def mark(self, name: str) -> None:
        await self.socket.send_text(media.write_mark(self.sid, name))

    async def clear(self) -> None:
        await self.socket.send_text(media.write_clear(self.sid))

    def of(self, kind: type[TwilioEvent]) -> list[TwilioEvent]:
        return [event for event in self.events if isinstance(event, kind)]


Agent = Callable[[Talk], Awaitable[None]]
Document = str | Callable[[dict[str, str]], Response]


@dataclass(frozen=True)
class Asked:
    """A webhook that was asked for."""

    method: str
    path: str
    form: dict[str, str]
    signed: bool
    headers: dict[str, str]


class SmallBridge:
    """
    Answers webhooks with `documents` by path and carries each media stream by `agent`.

    Remembers what it was asked, and whether that was signed as Twilio does.
    """

    def __init__(self, documents: dict[str, Document], agent: Agent | None = None) -> None:
        self.documents = documents
        self.agent = agent
        self.asked: list[Asked] = []
        self.handshakes: list[Asked] = []
        self.talks: list[Talk] = []
        self.origin = ""
        self.server: uvicorn.Server | None = None
        self._validator = RequestValidator(TOKEN)
        self.app = Starlette(
            routes=[
                WebSocketRoute("/{path:path}", self._media),
                Route("/{path:path}", self._webhook, methods=["GET", "POST"]),
            ]
        )

    @property
    def origins(self) -> dict[str, str]:
        return {ORIGIN: self.origin}

    def die(self) -> None:
        """Break all connections, as the end of the process would."""
        assert self.server is not None
        for connection in list(self.server.server_state.connections):
            transport = connection.transport
            assert isinstance(transport, asyncio.Transport)
            transport.abort()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def events(self, path: str) -> list[str]:
        """The events of a stream's status callback."""
        return [asked.form["StreamEvent"] for asked in self.asked if asked.path == path]

    async def _webhook(self, request: Request) -> Response:
        body = (await request.body()).decode()
        form = dict(parse_qsl(body, keep_blank_values=True))
        url = ORIGIN + request.url.path + (f"?{request.url.query}" if request.url.query else "")
        signature = request.headers.get("x-twilio-signature", "")
        signed = bool(self._validator.validate(url, form, signature))
        headers = dict(request.headers)
        self.asked.append(Asked(request.method, request.url.path, form, signed, headers))
        document = self.documents.get(request.url.path, "")
        if callable(document):
            return document(form)
        return Response(f"<Response>{document}</Response>", media_type="text/xml")

    async def _media(self, websocket: WebSocket) -> None:
        url = ORIGIN.replace("https", "wss") + websocket.url.path
        signature = websocket.headers.get("x-twilio-signature", "")
        signed = bool(self._validator.validate(url, {}, signature))
        headers = dict(websocket.headers)
        self.handshakes.append(Asked("GET", websocket.url.path, {}, signed, headers))
        if self.agent is None:
            await websocket.close()
            return
        await websocket.accept()
        talk = Talk(websocket)
        self.talks.append(talk)
        await self.agent(talk)


def connect(
    action: str = "", path: str = "/media", attributes: str = "", parameters: str = ""
) -> str:
    """A Connect verb with a media stream."""
    action = f' action="{action}"' if action else ""
    url = ORIGIN.replace("https", "wss") + path
    return f'<Connect{action}><Stream url="{url}"{attributes}>{parameters}</Stream></Connect>'


@asynccontextmanager
async def serving(
    bridge: SmallBridge, *, certificate: Path | None = None, key: Path | None = None
) -> AsyncIterator[SmallBridge]:
    """The bridge on a port of its own, over TLS when there is a certificate."""
    listener = socket.create_server(("127.0.0.1", 0))
    scheme = "http" if certificate is None else "https"
    bridge.origin = f"{scheme}://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        bridge.app,
        ws="websockets-sansio",
        ws_ping_interval=None,
        lifespan="off",
        log_level="error",
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    bridge.server = server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.serve(sockets=[listener]))
        try:
            yield bridge
        finally:
            server.should_exit = True


@asynccontextmanager
async def raw_server(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[dict[str, str]]:
    """A TCP server that does what `serve` does; gives where ORIGIN is to be found."""
    serving: set[asyncio.Task[None] | None] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        try:
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the other side went first
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(carry, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield {ORIGIN: f"http://127.0.0.1:{port}"}
        await asyncio.gather(*filter(None, serving))
    await asyncio.sleep(0)  # the aborted transports close
