"""Those who wait, and those for whom there is no room."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.types import Message
from starlette.websockets import WebSocket

from bridge.web.anteroom import Anteroom
from bridge.web.twilio import TwilioRoutes
from bridge.wire.twilio import frames, media, signature
from tests.web.apps import PUBLIC, TOKEN, an_app

PATH = "/twilio/media"
START = frames.Start("MZ1", "AC1", "CA1", {"token": "none of ours"})


def test_who_leaves_makes_room() -> None:
    """However they leave."""
    room = Anteroom(2)
    with suppress(ZeroDivisionError), room, room:
        full = room.full
        raise ZeroDivisionError

    assert full
    assert not room.full


def test_nobody_waits_where_there_is_no_room_at_all() -> None:
    assert Anteroom(0).full


class Socket:
    """A signed handshake, and what the application made of it."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._given: asyncio.Queue[Message] = asyncio.Queue()
        self._news = asyncio.Event()
        self.gives({"type": "websocket.connect"})

    def gives(self, message: Message) -> None:
        self._given.put_nowait(message)

    def of(self, routes: TwilioRoutes) -> Any:
        signed = signature.sign_url(signature.socket_url(PUBLIC + PATH), TOKEN)
        headers = [(b"x-twilio-signature", signed.encode())]
        scope = {"type": "websocket", "path": PATH, "headers": headers}
        return routes.media(WebSocket(scope, self._given.get, self._send))

    async def told(self) -> str:
        """What it was sent last, as soon as it was sent anything."""
        await self._news.wait()
        return self.sent[-1]

    async def _send(self, message: Message) -> None:
        self.sent.append(message["type"])
        self._news.set()


async def test_sockets_that_do_not_begin_have_their_room() -> None:
    """Whoever comes when it is full is turned away; who has said which call it is has left it."""
    async with an_app() as app, asyncio.TaskGroup() as tasks:
        routes = TwilioRoutes(app.service, max_waiting=1)
        first, crowded, later = Socket(), Socket(), Socket()
        waits = tasks.create_task(first.of(routes))
        assert await first.told() == "websocket.accept"

        await crowded.of(routes)
        assert crowded.sent == ["websocket.close"]
        assert app.counted('bridge_bad_frames_total{peer="twilio",reason="handshake-crowded"} 1.0')

        first.gives({"type": "websocket.receive", "text": media.write_event(START)})
        await waits
        tasks.create_task(later.of(routes))
        assert await later.told() == "websocket.accept"
        later.gives({"type": "websocket.disconnect", "code": 1000})
