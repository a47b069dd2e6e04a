"""Writing to a carrier never waits, whatever it does with what is written."""

from __future__ import annotations

import asyncio

from starlette.types import Message
from starlette.websockets import WebSocket

from bridge.web.socket import AsgiSocket
from tests.wiring.parts import until


class Peer:
    """The server's side of ASGI: what it gives, and what it was sent."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.broken = False
        self._given: asyncio.Queue[Message] = asyncio.Queue()
        self.gives({"type": "websocket.connect"})

    def gives(self, message: Message) -> None:
        self._given.put_nowait(message)

    async def receive(self) -> Message:
        return await self._given.get()

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        if self.broken:
            raise OSError
        self.sent.append(message)

    async def socket(self, **options: float) -> AsgiSocket:
        socket = WebSocket({"type": "websocket"}, self.receive, self.send)
        await socket.accept()
        self.sent.clear()
        return AsgiSocket(socket, **options)

    @property
    def told(self) -> list[str | int]:
        """Texts and the closing code."""
        return [message.get("text") or message["code"] for message in self.sent]


async def test_what_is_written_is_sent_in_order_and_before_the_close() -> None:
    peer = Peer()
    async with await peer.socket() as socket:
        socket.write("one")
        socket.write_audio(b"<", b"two", b">", "three")
        socket.write_audio(b"<", b"four", b">", "")
        socket.close(1008)
        socket.close(1000)
        socket.write("five")

    assert peer.told == ["one", "<dHdv>", "three", "<Zm91cg==>", 1008]


async def test_whoever_leaves_closes() -> None:
    peer = Peer()
    async with await peer.socket() as socket:
        socket.write("one")

    assert peer.told == ["one", 1000]


async def test_what_waits_is_known() -> None:
    """The leg bounds it."""
    peer = Peer()
    async with await peer.socket() as socket:
        peer.reads.clear()
        for text in ("one", "two", "three"):
            socket.write(text)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert socket.buffered() == len("twothree")
        peer.reads.set()

    assert socket.buffered() == 0


async def test_a_peer_that_reads_nothing_keeps_nobody() -> None:
    """Its socket is given up."""
    peer = Peer()
    async with asyncio.timeout(2), await peer.socket(goodbye_seconds=0.05) as socket:
        peer.reads.clear()
        socket.write("one")

    assert peer.told == []


async def test_a_peer_that_is_gone_is_written_to_in_vain() -> None:
    peer = Peer()
    async with await peer.socket() as socket:
        peer.broken = True
        socket.write("one")
        await asyncio.sleep(0.01)
        socket.write("two")
        assert socket.buffered() == 0

    assert peer.told == []


class Ear:
    """Hears what comes."""

    def __init__(self) -> None:
        self.heard: list[str | bytes] = []
        self.codes: list[int] = []

    def attach(self, socket: AsgiSocket) -> None:
        socket.attach(self.heard.append, self.codes.append)


async def test_messages_come_as_they_are_and_then_the_end() -> None:
    peer, ear = Peer(), Ear()
    async with await peer.socket() as socket:
        ear.attach(socket)
        peer.gives({"type": "websocket.receive", "text": "one"})
        peer.gives({"type": "websocket.receive", "bytes": b"two"})
        peer.gives({"type": "websocket.receive", "text": ""})
        peer.gives({"type": "websocket.disconnect", "code": 1001})
        await socket.ended(2.0)

    assert ear.heard == ["one", b"two", ""]
    assert ear.codes == [1001]


async def test_who_attaches_later_hears_the_rest() -> None:
    peer, first, second = Peer(), Ear(), Ear()
    async with await peer.socket() as socket:
        first.attach(socket)
        peer.gives({"type": "websocket.receive", "text": "one"})
        await until(lambda: first.heard)
        second.attach(socket)
        peer.gives({"type": "websocket.receive", "text": "two"})
        peer.gives({"type": "websocket.disconnect", "code": 1000})
        await socket.ended(2.0)

    assert (first.heard, second.heard) == (["one"], ["two"])
    assert (first.codes, second.codes) == ([], [1000])


async def test_nobody_waits_for_an_end_for_ever() -> None:
    peer = Peer()
    async with asyncio.timeout(2), await peer.socket() as socket:
        await socket.ended(0.01)
        Ear().attach(socket)
        await socket.ended(0.01)


async def test_an_end_without_a_code_is_abnormal() -> None:
    peer, ear = Peer(), Ear()
    async with await peer.socket() as socket:
        ear.attach(socket)
        peer.gives({"type": "websocket.disconnect"})
        await socket.ended(2.0)

    assert ear.codes == [1006]
