"""SIP's sockets on loopback."""

from __future__ import annotations

import asyncio
import socket

import pytest

from bridge.carriers.sip.transports import Tls, Transports
from bridge.errors import CarrierError
from bridge.wire.sip.places import Place, Transport
from tests.carriers.sip.phone import HOST, until
from tests.fakes.certificate import localhost_contexts
from tests.wire.sip.scripts import Caller, endpoint

MESSAGE = Caller(endpoint()).request("OPTIONS").render()


class End:
    """One side: what came to it, and whom it could not reach."""

    def __init__(self, tls: Tls | None = None, **options: int) -> None:
        self.came: list[tuple[bytes, Place]] = []
        self.lost: list[Place] = []
        self.transports = Transports(
            lambda data, source: self.came.append((data, source)), self.lost.append, tls, **options
        )

    async def listen(self, *kinds: Transport) -> None:
        await self.transports.open([Place(kind, HOST, 0) for kind in kinds])

    def place(self, kind: Transport, host: str = HOST) -> Place:
        return Place(kind, host, self.transports.ports[kind])


def contexts() -> Tls:
    return Tls(*localhost_contexts())


@pytest.mark.parametrize("kind", list(Transport))
async def test_a_message_arrives_and_its_answer_comes_back(kind: Transport) -> None:
    """By the way that the message came, for streams by the same connection."""
    near, far = End(contexts()), End(contexts())
    await far.listen(kind)
    await near.listen(Transport.UDP)
    near.transports.send(MESSAGE, far.place(kind, "localhost"))
    await until(lambda: far.came)
    [(data, source)] = far.came
    far.transports.send(data, source)
    await until(lambda: near.came)

    assert data == MESSAGE
    assert source.transport is kind
    assert bool(source.connection) == kind.reliable
    assert near.came[0][0] == MESSAGE
    assert (near.lost, far.lost) == ([], [])

    await near.transports.close()
    await far.transports.close()


async def test_udp_and_tcp_share_a_port_that_was_left_open() -> None:
    """Contact names one for both."""
    end = End()
    await end.listen(Transport.TCP, Transport.UDP)
    ports = end.transports.ports

    assert ports[Transport.UDP] == ports[Transport.TCP]

    await end.transports.close()


async def test_messages_that_wait_for_a_connection_keep_their_order() -> None:
    """And one connection is enough."""
    near, far = End(), End()
    await far.listen(Transport.TCP)
    to = far.place(Transport.TCP)
    for _ in range(3):
        near.transports.send(MESSAGE, to)
    await until(lambda: len(far.came) == 3)
    near.transports.send(MESSAGE, to)
    await until(lambda: len(far.came) == 4)

    assert len({source for _, source in far.came}) == 1

    await near.transports.close()
    await far.transports.close()


async def test_who_does_not_listen_is_unreachable() -> None:
    end = End()
    with socket.create_server((HOST, 0)) as other:
        nobody = Place(Transport.TCP, HOST, other.getsockname()[1])
    end.transports.send(MESSAGE, nobody)
    await until(lambda: end.lost)

    assert end.lost == [nobody]

    await end.transports.close()


@pytest.mark.parametrize("host", ["nobody.invalid", "2001:db8::1"])
async def test_a_name_that_nobody_has_is_unreachable(host: str) -> None:
    """And so is an address of a family that we do not speak."""
    end = End()
    await end.listen(Transport.UDP)
    nobody = Place(Transport.UDP, host, 5060)
    end.transports.send(MESSAGE, nobody)
    await until(lambda: end.lost)

    assert end.lost == [nobody]

    await end.transports.close()


async def test_without_udp_nothing_goes_out_by_udp() -> None:
    end = End()
    await end.listen(Transport.TCP)
    somebody = Place(Transport.UDP, HOST, 5060)
    end.transports.send(MESSAGE, somebody)
    await until(lambda: end.lost)

    assert end.lost == [somebody]

    await end.transports.close()


async def test_a_connection_that_breaks_is_told() -> None:
    """By every name that it had: its peer's address, and whom it was opened for."""
    near, far = End(), End()
    await far.listen(Transport.TCP)
    to = far.place(Transport.TCP, "localhost")
    near.transports.send(MESSAGE, to)
    await until(lambda: far.came)
    await far.transports.close()
    await until(lambda: near.lost)

    assert to in near.lost
    assert {place.host for place in near.lost} == {HOST, "localhost"}

    await near.transports.close()


async def test_a_port_that_is_taken_is_an_error() -> None:
    """And nothing is left open."""
    end = End()
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(CarrierError, match="SIP cannot listen"):
            await end.transports.open(
                [Place(Transport.UDP, HOST, 0), Place(Transport.TCP, HOST, port)]
            )


async def test_one_host_does_not_take_all_connections() -> None:
    """Those it has are kept, and the next is cut off."""
    end = End(most_of_one_host=2)
    await end.listen(Transport.TCP)
    port = end.transports.ports[Transport.TCP]
    connections = [await asyncio.open_connection(HOST, port) for _ in range(3)]
    for _, writer in connections[:2]:
        writer.write(MESSAGE)
    await until(lambda: len(end.came) == 2)

    assert await _is_cut_off(connections[2][0])

    for _, writer in connections:
        writer.close()
    await end.transports.close()


async def _is_cut_off(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True
