"""Messages of RFC 4475 and others, sent to a running bridge over UDP and TCP."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import pytest

from tests.journeys.sip.stage import HOST, on_sip_stage
from tests.journeys.stage import until

LETTERS = (
    "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
)


def request(
    start: str = "OPTIONS sip:a@example.com SIP/2.0",
    *more: str,
    without: str = "",
    way: str = "UDP",
    body: bytes = b"",
) -> bytes:
    method = start.partition(" ")[0]
    usual = {
        "Via": f"SIP/2.0/{way} {HOST}:9;rport;branch=z9hG4bK{abs(hash((start, more, without)))}",
        "Max-Forwards": "70",
        "From": "<sip:caller@example.net>;tag=323",
        "To": "<sip:callee@example.com>",
        "Call-ID": f"torture.{abs(hash((start, more, without, way)))}",
        "CSeq": f"9 {method}",
        "Contact": f"<sip:caller@{HOST}>",
        "Content-Length": str(len(body)),
    }
    named = {each.partition(":")[0].strip() for each in more}
    kept = [f"{name}: {value}" for name, value in usual.items() if name not in {*named, without}]
    # Our Via comes first, or no answer would find its way back.
    head = [start, *kept[:1], *more, *kept[1:]] if "Via" not in named else [start, *more, *kept]
    return "\r\n".join([*head, "", ""]).encode() + body


def cases(way: str) -> Mapping[str, tuple[bytes, int]]:
    """What is sent, and the status that comes back."""

    def asked(*words: str, **options: object) -> bytes:
        return request(*words, way=way, **options)  # type: ignore[arg-type]

    options = "OPTIONS sip:a@example.com SIP/2.0"
    return {
        "3.1.1.2 letters": (asked(f"OPTIONS sip:{LETTERS}@example.com SIP/2.0"), 200),
        "3.1.1.7 length": (asked(f"OPTIONS sip:{'a' * 800}@example.com SIP/2.0"), 200),
        "3.1.1.9 semicolons": (asked("OPTIONS sip:user;par=u%40b@example.com SIP/2.0"), 200),
        "3.1.2.1 separators": (asked(options, 'Contact: "Joe" <sip:joe@example.org>;;;;,,;'), 400),
        "3.1.2.4 overflow": (asked(options, "CSeq: 36893488147419103232 OPTIONS"), 400),
        "3.1.2.6 quotes": (asked(options, 'To: "Mr. J. User <sip:j.user@example.com>'), 400),
        "3.1.2.7 brackets": (asked("OPTIONS <sip:user@example.com> SIP/2.0"), 400),
        "3.1.2.16 version": (asked("OPTIONS sip:t.watson@example.org SIP/7.0"), 505),
        "3.1.2.17 methods": (asked(options, "CSeq: 8 INVITE"), 400),
        "3.3.1 missing": (asked(options, without="From"), 400),
        "3.3.2 scheme": (asked("OPTIONS nobodyKnowsThisScheme:content SIP/2.0"), 416),
        "3.3.5 extension": (asked(options, "Require: nothingSupportsThis"), 420),
        "3.3.6 body": (
            asked("INVITE sip:a@b.com SIP/2.0", "Content-Type: application/unknown", body=b"hi"),
            415,
        ),
        "3.3.8 twice": (asked(options, "Call-ID: one", "Call-ID: two"), 400),
        "no such method": (asked("NEWMETHOD sip:a@example.com SIP/2.0"), 405),
        "no such call": (asked("BYE sip:a@example.com SIP/2.0", "To: <sip:b@c>;tag=9"), 481),
    }


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: list[bytes] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.append(data)


async def over_udp(port: int, data: bytes) -> bytes:
    """The first answer."""
    loop = asyncio.get_running_loop()
    transport, heard = await loop.create_datagram_endpoint(Datagrams, remote_addr=(HOST, port))
    try:
        transport.sendto(data)
        await until(lambda: heard.came)
    finally:
        transport.close()
    return heard.came[0]


async def over_tcp(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(data)
        async with asyncio.timeout(10):
            return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.close()
        await writer.wait_closed()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


@pytest.mark.parametrize("way", ["UDP", "TCP"])
async def test_each_gets_its_answer(way: str, caplog: pytest.LogCaptureFixture) -> None:
    """And the next one too; nothing of it is a fault of ours."""
    asked = over_udp if way == "UDP" else over_tcp
    sent = cases(way)
    async with on_sip_stage() as stage:
        answers = await asyncio.gather(*(asked(stage.port, data) for data, _ in sent.values()))
        after = await asked(stage.port, request("OPTIONS sip:after@example.com SIP/2.0", way=way))

        assert stage.calls == 0
    came = dict(zip(sent, map(status, answers), strict=True))
    assert came == {name: expected for name, (_, expected) in sent.items()}
    assert status(after) == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


NOISE = [
    b"\r\n\r\n",
    b"\x00" * 20,
    b"\xff" * 1400,
    b"GET / HTTP/1.1\r\nHost: bridge\r\n\r\n",
    b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnot-ours\r\n\r\n",
    b"\x80\x00\x00\x01" + b"\xff" * 168,  # RTP that lost its way
    b"INVITE " * 200,
]


async def test_noise_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    """What is no SIP is thrown away and counted, and who talks SIP is answered still."""
    loop = asyncio.get_running_loop()
    async with on_sip_stage() as stage:
        transport, heard = await loop.create_datagram_endpoint(
            Datagrams, remote_addr=(HOST, stage.port)
        )
        for data in NOISE:
            transport.sendto(data)
        transport.sendto(request())
        await until(lambda: heard.came)
        transport.close()
        thrown_away = await stage.metric("bridge_bad_frames_total", 'peer="sip"')

    answers = [status(data) for data in heard.came if data.startswith(b"SIP/2.0")]
    assert answers[-1] == 200
    assert thrown_away >= 4
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
