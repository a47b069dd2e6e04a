"""
SIPp, a telephone exchange of SIP messages by script: calls that it placed, and what came of them.

It does what its scenario says and nothing else, so that a scenario tests what real telephones
do seldom. It needs its tone or speech as bare G.711 bytes in its folder.
"""

from __future__ import annotations

import asyncio
import csv
import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fakes.programs import program, with_us

__all__ = ["HOST", "Placed", "Sipp", "free_port"]

HOST = "127.0.0.1"
PACKAGE = "sip-tester"  # Debian's
END_SECONDS = 30.0
FIRST_PORT, LAST_PORT = 20_000, 32_000


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of the calls."""

    well: int
    badly: int
    retransmitted: int
    """Messages of its own that SIPp sent again, for want of an answer."""
    messages: str = field(repr=False)
    """All that it sent and received."""
    errors: str
    """Its own words on what it had not expected."""


@dataclass(frozen=True, slots=True)
class Sipp:
    """Calls `port` of this machine. `folder` is where it keeps its logs."""

    port: int
    folder: Path
    transport: str = "u1"
    """One UDP socket for all calls; t1: one TCP connection, tn: one each."""

    async def places(
        self,
        scenario: Path,
        *options: str,
        calls: int = 1,
        rate: float = 20,
        keys: Mapping[str, str] | None = None,
        seconds: float = END_SECONDS,
    ) -> Placed:
        """
        Run a scenario so many times, `rate` a second, and wait for the last to end. `keys` are
        words in brackets in the scenario. Calls that are not over after so long have gone badly.
        """
        folder = self.folder / f"{scenario.stem}-{free_port()}"
        folder.mkdir()
        for recording in self.folder.glob("*.ulaw"):
            (folder / recording.name).symlink_to(recording)
        command = [
            *(*with_us(), program("sipp", PACKAGE), f"{HOST}:{self.port}", "-sf", str(scenario)),
            *(
                "-i",
                HOST,
                "-p",
                str(free_port()),
                "-t",
                self.transport,
                "-nostdin",
                "-max_socket",
                "500",
            ),
            *("-m", str(calls), "-r", str(rate), "-l", str(calls), "-s", "agent"),
            *("-mp", str(free_port()), "-timeout", f"{seconds:.0f}s", "-timeout_error"),
            *("-trace_stat", "-stf", "figures", "-trace_err", "-error_file", "errors"),
            *("-trace_msg", "-message_file", "messages"),
            *(word for key, value in (keys or {}).items() for word in ("-key", key, value)),
            *options,
        ]
        with (folder / "screen").open("wb") as screen:
            process = await asyncio.create_subprocess_exec(
                *command, cwd=folder, stdout=screen, stderr=screen
            )
            try:
                async with asyncio.timeout(seconds + 10):
                    await process.wait()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return _read(folder)


def free_port() -> int:
    """
    One that nobody has at this moment, neither for UDP nor for TCP. It is none of those that
    the system gives to whoever wants any, so that it stays free until it is taken.
    """
    while True:
        port = random.randrange(FIRST_PORT, LAST_PORT, 2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            try:
                udp.bind((HOST, port))
                tcp.bind((HOST, port))
            except OSError:
                continue
        return port


def _read(folder: Path) -> Placed:
    last: dict[str, str] = {}
    if (figures := folder / "figures").exists():
        with figures.open() as lines:
            for row in csv.DictReader(lines, delimiter=";"):
                last = row
    messages = _text(folder / "messages")
    errors = _text(folder / "errors")
    return Placed(
        int(last.get("SuccessfulCall(C)", 0)),
        int(last.get("FailedCall(C)", 0)),
        int(last.get("Retransmissions(C)", 0)),
        messages,
        errors if last else errors + _text(folder / "screen")[-2000:],
    )


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
