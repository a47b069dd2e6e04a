"""Each kind of address has a client that speaks to real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import ResponseError

from bridge.store.redis.address import read_address
from bridge.store.redis.clients import Client, open_client
from tests.fakes.programs import free_port
from tests.fakes.redis_server import RedisServer, Watch

TLS = Path(__file__).parents[2] / "simulator" / "tls"


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Client]:
    client = open_client(read_address(url))
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture(scope="module")
def tls_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def guarded(tls_port: int) -> Iterator[RedisServer]:
    """One that wants a password, and TLS on another port."""
    options = (
        *("--requirepass", "p@ss", "--tls-port", str(tls_port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(TLS / "certificate.pem")),
        *("--tls-key-file", str(TLS / "key.pem")),
        *("--tls-ca-cert-file", str(TLS / "certificate.pem")),
    )
    with RedisServer(*options, port=free_port()) as server:
        yield server


async def answers(url: str) -> None:
    """One command, and several at once."""
    async with client_of(url) as client:
        await client.find()
        await client.execute("a", ("SET", "a", "1"))
        found = await client.execute_all([("GET", "a"), ("HGET", "a", "b"), ("GET", "b")])
    assert found[0] == b"1"
    assert isinstance(found[1], ResponseError)
    assert found[2] is None


async def test_a_server(guarded: RedisServer) -> None:
    await answers(f"redis://:p%40ss@127.0.0.1:{guarded.port}/3")


async def test_a_socket(guarded: RedisServer) -> None:
    await answers(f"unix://:p%40ss@{guarded.socket}?db=4")


@pytest.mark.usefixtures("guarded")
async def test_a_server_over_tls(tls_port: int) -> None:
    """Whose certificate is checked."""
    url = f"rediss://:p%40ss@127.0.0.1:{tls_port}"
    trusted = f"ssl_check_hostname=no&ssl_ca_certs={TLS / 'certificate.pem'}"
    await answers(f"{url}?{trusted}")

    async with client_of(url) as client:
        with pytest.raises(LostConnection):
            await client.execute("a", ("GET", "a"))


async def test_databases_are_apart(guarded: RedisServer) -> None:
    async with client_of(f"unix://:p%40ss@{guarded.socket}?db=5") as five:
        await five.execute("here", ("SET", "here", "5"))
    async with client_of(f"unix://:p%40ss@{guarded.socket}?db=6") as six:
        assert await six.execute("here", ("GET", "here")) is None


async def test_sentinels() -> None:
    with Watch() as watch:
        await answers(watch.url)
        async with client_of(watch.url.replace("/calls", "/ghosts")) as client:
            with pytest.raises(LostConnection):
                await client.execute("a", ("GET", "a"))
