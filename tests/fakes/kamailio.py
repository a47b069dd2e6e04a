"""
Kamailio, a SIP proxy: it asks callers for a password, stays on the way of their calls, knows
who is registered with it, and goes to a second bridge where the first has no room.

Its configuration is the one of docs/howto/kamailio.md, with other addresses.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.programs import program, with_us
from tests.fakes.sipp import HOST, free_port

__all__ = ["PASSWORD", "Kamailio", "kamailio"]

PASSWORD = "of-the-desk"
START_SECONDS = 20.0
PAGE = Path(__file__).parents[2] / "docs" / "howto" / "kamailio.md"
NOBODY = 9  # a port where nobody listens


@dataclass(frozen=True, slots=True)
class Kamailio:
    """It listens on UDP, and sends calls to the bridge behind it."""

    port: int
    folder: Path = field(repr=False)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def passed(self, method: str) -> list[int]:
        """The ports that requests of this kind came from."""
        lines = [line for line in self.log.splitlines() if f"passes: {method} " in line]
        return [int(line.rpartition(":")[2]) for line in lines]


@asynccontextmanager
async def kamailio(
    folder: Path, port: int, *, bridge: int = NOBODY, other: int = NOBODY
) -> AsyncIterator[Kamailio]:
    """It listens on `port`, in front of bridges on these ports."""
    folder.mkdir(exist_ok=True)
    (folder / "kamailio.cfg").write_text(_configuration(port, bridge, other))
    command = [
        *(*with_us(), program("kamailio"), "-DD", "-f", str(folder / "kamailio.cfg")),
        *("-w", str(folder), "-Y", str(folder), "-m", "16", "-M", "4"),
    ]
    front = Kamailio(port, folder)
    with (folder / "log").open("wb") as log:
        # A group of its own, for it has children who outlive it.
        process = await asyncio.create_subprocess_exec(
            *command, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await _answers(front)
        yield front
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _configuration(port: int, bridge: int, other: int) -> str:
    flags = re.MULTILINE | re.DOTALL
    [page] = re.findall(r"^```text\n(# kamailio.cfg\n.*?)^```$", PAGE.read_text(), flags)
    places = {
        "udp:10.0.0.10:5060": f"udp:{HOST}:{port}",
        "sip:10.0.0.20:5060": f"sip:{HOST}:{bridge}",
        "sip:10.0.0.21:5060": f"sip:{HOST}:{other}",
    }
    for documented, here in places.items():
        assert documented in page
        page = page.replace(documented, here)
    return f"debug=2\nlog_stderror=yes\ndisable_tcp=yes\n{page}"


class _Answer(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came = asyncio.Event()

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.came.set()

    def error_received(self, exc: Exception) -> None:
        """Nobody listens yet."""


async def _answers(front: Kamailio) -> None:
    """Until it answers whatever comes."""
    loop = asyncio.get_running_loop()
    transport, answer = await loop.create_datagram_endpoint(_Answer, remote_addr=(HOST, front.port))
    port = transport.get_extra_info("sockname")[1]
    ask = (
        f"OPTIONS sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/UDP {HOST}:{port};branch=z9hG4bKready\r\n"
        f"Max-Forwards: 0\r\nFrom: <sip:ready@{HOST}>;tag=1\r\nTo: <sip:{HOST}>\r\n"
        f"Call-ID: ready-{free_port()}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()
    try:
        async with asyncio.timeout(START_SECONDS):
            while not answer.came.is_set():
                transport.sendto(ask)
                with suppress(TimeoutError):
                    await asyncio.wait_for(answer.came.wait(), 0.05)
    except TimeoutError:
        raise AssertionError(f"kamailio has not started: {front.log[-2000:]}") from None
    finally:
        transport.close()
