"""Reaching a bridge at its public origin, wherever it really is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.simulator.network import Answer, Network, Target, Unanswered, trusting
from tests.simulator.servers import ORIGIN, SmallBridge, raw_server, serving

TLS = Path(__file__).parent / "tls"


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[Network, list[bytes]]]:
    """A server that reads a request's head and sends these bytes, whatever was asked."""
    requests: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        writer.write_eof()
        await reader.read()

    async with raw_server(serve) as origins:
        yield Network(origins), requests


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://a.example/x", Target("a.example", 80)),
        ("ws://a.example:81/x", Target("a.example", 81)),
        ("https://bridge.example/voice", Target("127.0.0.1", 8080)),
        ("wss://bridge.example/media", Target("127.0.0.1", 8080)),
        ("http://bridge.example/voice", Target("bridge.example", 80)),
    ],
)
def test_where_a_url_leads(url: str, target: Target) -> None:
    """An origin is scheme, host and port; a socket's is that of its https."""
    network = Network({ORIGIN: "http://127.0.0.1:8080"})

    assert network.target(url) == target


def test_tls_has_the_name_of_the_public_origin() -> None:
    """The certificate is the public name's, though the connection goes elsewhere."""
    trust = trusting()
    network = Network({ORIGIN: "https://127.0.0.1:8443"}, trust)

    assert network.target("wss://bridge.example/m") == Target(
        "127.0.0.1", 8443, trust, "bridge.example"
    )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "bridge.example/voice",
        "ftp://a/b",
        "https:///voice",
        "http://a b/",
        "http://a:x/",
        "http://a:99999/",
        "http://a:0/",
        "http://[::1/",
        "http://a/\r\nb",
        "http://\u00e4/",
    ],
)
def test_what_is_no_url(url: str) -> None:
    """It is refused before anything is connected."""
    with pytest.raises(ConfigError):
        Network().target(url)


async def test_asks_for_the_public_host() -> None:
    """The request is what a proxy in front of the bridge would hand on."""
    async with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (network, requests):
        answer = await network.request("POST", f"{ORIGIN}/v?a=1", {"X-Y": "z"}, "From=%2B1")

    head = b"POST /v?a=1 HTTP/1.1\r\nHost: bridge.example\r\nConnection: close\r\nX-Y: z\r\n"
    assert answer == Answer(200, "hi")
    assert requests == [head + b"Content-Length: 9\r\n\r\n"]


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
        (b"HTTP/1.0 404 Not Found\r\n\r\nto the end", "to the end"),
        (
            b"HTTP/1.1 200\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n1;x\r\nd\r\n0\r\n\r\n",
            "abcd",
        ),
        (b"HTTP/1.1 200 OK\nContent-Length: 1\n\nx", "x"),
    ],
)
async def test_reads_what_servers_write(answer: bytes, body: str) -> None:
    """By length, in chunks, or to the end of the connection."""
    async with answering(answer) as (network, _):
        answered = await network.request("GET", f"{ORIGIN}/", {})

    assert answered.body == body


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 ok\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"h%d: x\r\n" % n for n in range(200)),
        b"HTTP/1.1 200 OK\r\nh: " + b"x" * 70_000,
    ],
)
async def test_what_is_no_answer(answer: bytes) -> None:
    """Nonsense, half answers and endless ones are one kind of failure."""
    async with answering(answer) as (network, _):
        with pytest.raises(Unanswered):
            await network.request("GET", f"{ORIGIN}/", {})


async def test_nobody_there() -> None:
    """A refused connection says so, and names no address."""
    async with answering(b"") as (network, _):
        pass

    with pytest.raises(Unanswered, match="no connection"):
        await network.request("GET", f"{ORIGIN}/", {})


async def test_tls_that_is_trusted() -> None:
    """A certificate of a given authority serves the public name."""
    bridge = SmallBridge({"/voice": "<Hangup/>"})
    certificate = TLS / "certificate.pem"
    async with serving(bridge, certificate=certificate, key=TLS / "key.pem"):
        network = Network(bridge.origins, trusting(certificate))

        answer = await network.request("GET", f"{ORIGIN}/voice", {})

    assert answer.body == "<Response><Hangup/></Response>"


async def test_tls_that_is_not_trusted() -> None:
    """Without the authority there is no connection."""
    bridge = SmallBridge({})
    async with serving(bridge, certificate=TLS / "certificate.pem", key=TLS / "key.pem"):
        with pytest.raises(Unanswered, match="not trusted"):
            await Network(bridge.origins).request("GET", f"{ORIGIN}/voice", {})


def test_an_authority_that_cannot_be_read() -> None:
    """The path is the operator's to mend."""
    with pytest.raises(ConfigError):
        trusting(TLS / "no-such-file.pem")
