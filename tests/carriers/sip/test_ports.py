"""Pairs of ports on loopback."""

from __future__ import annotations

import asyncio
import socket

from bridge.carriers.sip.ports import Ports
from tests.carriers.sip.phone import HOST, free_ports, until


async def test_rtp_is_even_and_rtcp_is_above() -> None:
    """As RFC 3550 has it, also where the range begins with an odd port."""
    first, last = free_ports()
    pair = Ports(HOST, first + 1, last).take()
    assert pair is not None

    assert pair.port % 2 == 0
    assert pair.port > first
    assert pair.rtcp_port == pair.port + 1

    pair.close()


async def test_an_end_is_an_end() -> None:
    """And ports that are given back can be taken again, the oldest first."""
    first, _ = free_ports()
    ports = Ports(HOST, first, first + 3)
    taken = [pair for _ in range(3) if (pair := ports.take()) is not None]

    assert ports.take() is None

    for pair in taken:
        pair.close()
    again = ports.take()
    assert again is not None
    again.close()


async def test_a_port_of_somebody_elses_is_passed_by() -> None:
    first, last = free_ports()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, first + 1))
        pair = Ports(HOST, first, last).take()
        assert pair is not None

        assert pair.port > first

        pair.close()


async def test_datagrams_go_both_ways() -> None:
    """Each port's by itself, and with the address they came from."""
    ports = Ports(HOST, *free_ports())
    one, other = ports.take(), ports.take()
    assert one is not None
    assert other is not None
    came: list[tuple[str, bytes, tuple[str, int]]] = []
    other.open(
        lambda data, source: came.append(("rtp", data, source)),
        lambda data, source: came.append(("rtcp", data, source)),
    )
    one.send_rtp(b"voice", (HOST, other.port))
    one.send_rtcp(b"report", (HOST, other.rtcp_port))
    await until(lambda: len(came) == 2)

    assert sorted(came) == [
        ("rtcp", b"report", (HOST, one.rtcp_port)),
        ("rtp", b"voice", (HOST, one.port)),
    ]

    one.close()
    other.close()


async def test_what_cannot_be_sent_is_counted() -> None:
    """It may be lost on the way as well; a pair that is closed twice is closed."""
    pair = Ports(HOST, *free_ports()).take()
    assert pair is not None
    pair.send_rtp(b"x" * 100_000, (HOST, 9))
    pair.close()
    pair.close()
    pair.send_rtp(b"late", (HOST, 9))
    await asyncio.sleep(0)

    assert pair.unsent == 2
