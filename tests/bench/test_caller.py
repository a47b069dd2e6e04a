"""One call of the load, its transport a list."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.bench.caller import Caller, Identity, ask_voice
from bridge.bench.frames import FrameReader, text_frame
from bridge.bench.orders import OrderFailed
from bridge.bench.stamps import StampReader
from bridge.wire.twilio import frames as words
from bridge.wire.twilio import media

WHO = Identity(7, "CA" + "c" * 32, "MZ" + "s" * 32, {"token": "t"})
ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Wire(asyncio.Transport):
    """Remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True


def answered() -> tuple[Caller, Wire]:
    """A caller whose stream was accepted; what it has said so far is forgotten."""
    caller, wire = Caller(WHO, "ws://127.0.0.1:1/media", "token"), Wire()
    caller.connection_made(wire)
    wire.written = b""
    caller.data_received(ACCEPTED)
    return caller, wire


def said(wire: Wire) -> list[words.TwilioEvent]:
    sent, wire.written = wire.written, b""
    return [media.read_event(message) for _, message in FrameReader().feed(sent)]


async def test_it_introduces_itself_as_a_carrier_does() -> None:
    """Connected, then the start with the token."""
    caller, wire = answered()

    connected, start = said(wire)

    assert isinstance(connected, words.Connected)
    assert isinstance(start, words.Start)
    assert start.call_id == WHO.call_sid
    assert start.parameters == {"token": "t"}
    assert caller.opened.done()


async def test_its_frames_count_and_bear_its_stamp() -> None:
    """Numbered chunks of 20 ms, for ever."""
    caller, wire = answered()
    said(wire)
    reader = StampReader(ULAW_8K)

    for _ in range(100):
        caller.tick()

    heard = [event for event in said(wire) if isinstance(event, words.Media)]
    assert [event.chunk for event in heard] == list(range(1, 101))
    assert {len(event.audio) for event in heard} == {160}
    assert [reader.feed(event.audio) for event in heard[:16]][-1] == WHO.number
    assert len(caller.report()["sent_at"]) == 100


async def test_a_mark_comes_back_when_it_was_reached() -> None:
    """After the audio before it was played, not at once."""
    caller, wire = answered()
    said(wire)
    payload = base64.b64encode(bytes(400)).decode()
    audio = {"event": "media", "streamSid": WHO.stream_sid, "media": {"payload": payload}}
    caller.data_received(text_frame(json.dumps(audio).encode()))
    caller.data_received(text_frame(media.write_mark(WHO.stream_sid, "m").encode()))

    caller.tick()
    at_once = [event for event in said(wire) if isinstance(event, words.Mark)]
    await asyncio.sleep(0.06)
    caller.tick()
    later = [event for event in said(wire) if isinstance(event, words.Mark)]

    assert at_once == []
    assert [mark.name for mark in later] == ["m"]
    assert caller.report()["heard"] == [400]


async def test_a_refused_stream_is_an_error() -> None:
    """Of the one who waits for it."""
    caller, wire = Caller(WHO, "ws://127.0.0.1:1/media", "token"), Wire()
    caller.connection_made(wire)

    caller.data_received(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    caller.connection_lost(None)

    assert wire.closed
    with pytest.raises(OrderFailed):
        await caller.opened


async def test_a_webhook_that_does_not_connect_the_call() -> None:
    """The load wants a stream; a bridge that is full says something else."""
    answer = b"HTTP/1.1 200 OK\r\n\r\n<Response><Reject/></Response>"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(OrderFailed, match="Reject"):
            await ask_voice(f"http://127.0.0.1:{port}", "token", WHO.call_sid)
