"""A stream and its socket together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bridge.simulator.connection import Connection
from bridge.simulator.journal import Journal
from bridge.simulator.media_socket import Closed, HandshakeFailed
from bridge.simulator.network import Network
from bridge.simulator.stream import StreamIdentity
from bridge.wire.twilio import frames
from tests.simulator.agents import closing, listening
from tests.simulator.servers import SmallBridge, Talk, serving
from tests.simulator.sounds import tone

URL = "wss://bridge.example/media"


@asynccontextmanager
async def connected(bridge: SmallBridge) -> AsyncIterator[Connection]:
    """A started stream to the bridge."""
    loop = asyncio.get_running_loop()
    async with serving(bridge):
        connection = Connection(StreamIdentity("MZ1", "CA1", "AC1"), Journal(loop.time()))
        await connection.open(Network(bridge.origins), URL, {})
        connection.stream.start(loop.time())
        yield connection
        connection.abort()


async def test_hangs_up_in_good_order() -> None:
    """Connected, start, stop, and a closing handshake."""
    bridge = SmallBridge({}, listening)
    async with connected(bridge) as connection:
        await connection.hang_up()

    kinds = [type(event) for event in bridge.talks[0].events]
    assert kinds == [frames.Connected, frames.Start, frames.Stop]
    assert bridge.talks[0].lost == 1000
    assert connection.over.done()


async def test_is_cut_without_a_word() -> None:
    """The bridge sees neither a stop nor a close frame."""
    bridge = SmallBridge({}, listening)
    async with connected(bridge) as connection:
        connection.cut()

    assert connection.over.result().broken
    assert bridge.talks[0].of(frames.Stop) == []


async def test_the_bridge_closes() -> None:
    """The stream is over, and says who ended it."""
    async with connected(SmallBridge({}, closing)) as connection:
        how = await connection.over

    assert how == Closed(31921, "the bridge closed it (1000)")


async def test_messages_reach_the_stream() -> None:
    """Text is played, and binary is a violation; after the end nothing is taken."""

    async def agent(talk: Talk) -> None:
        await talk.until(frames.Start)
        await talk.say(tone(1))
        await talk.socket.send_bytes(b"binary")
        await talk.socket.close()

    async with connected(SmallBridge({}, agent)) as connection:
        await connection.over

    stream = connection.stream
    assert stream.playout.queued_seconds > 0
    stream.text("nonsense", 0.0)
    assert len(stream.playout.heard) == 1


async def test_a_connection_that_was_refused_sends_nothing() -> None:
    """Its stream may go on ticking, for nobody."""
    bridge = SmallBridge({}, agent=None)
    async with serving(bridge):
        connection = Connection(StreamIdentity("MZ1", "CA1", "AC1"), Journal(0.0))
        with pytest.raises(HandshakeFailed):
            await connection.open(Network(bridge.origins), URL, {})

    connection.stream.start(1.0)
    connection.abort()

    assert not connection.congested
    assert not connection.over.done()
