"""
The load over SIP: a process with many telephones, each with a call and RTP in a rhythm of its own.

Rule: of what is heard only the packets' times are kept: how much later than the promptest of
its window each came, by its own timestamp.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from array import array
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import uvloop

from bridge.bench.orders import Handler, OrderFailed, obey
from bridge.bench.pacer import Pacer
from bridge.carriers.sip.transports import Transports
from bridge.errors import CarrierError
from bridge.wire.rtp import packet
from bridge.wire.rtp.faults import RtpError
from bridge.wire.sdp import reader
from bridge.wire.sdp.agreement import Local
from bridge.wire.sdp.offer_answer import Negotiation
from bridge.wire.sip import actions
from bridge.wire.sip.actions import Action
from bridge.wire.sip.endpoint import Endpoint
from bridge.wire.sip.identity import Identity
from bridge.wire.sip.messages import Body
from bridge.wire.sip.outgoing import Plan
from bridge.wire.sip.peers import Peers
from bridge.wire.sip.places import Place, Transport

__all__ = ["Telephones"]

HOST = "127.0.0.1"
PLACING_SECONDS = 10.0  # after which a call counts as not answered
GOODBYE_SECONDS = 3.0
FRAME = 160  # bytes of mu-law, and steps of RTP's clock, in 20 ms
STEP_US = 125  # of RTP's clock at 8000 Hz

_TIMESTAMPS = 35  # SO_TIMESTAMPNS and SCM_TIMESTAMPNS, socket(7) of Linux
_TIMESTAMP = struct.Struct("@qq")

_VOICE = tuple(bytes([0xFF - level] * 80 + [0x7F - level] * 80) for level in range(16, 48))


class _Telephone:
    """
    One call's audio. Whoever made it calls `tick` every 20 ms.

    When a packet came is the kernel's word (SO_TIMESTAMPNS), for this process may be late.
    """

    def __init__(self) -> None:
        self.established = asyncio.Event()
        self.gone = False
        self._sent = 0
        self._ssrc = secrets.randbits(32)
        self._began: int | None = None
        self.transits = array("q")
        """By how many microseconds each packet was later than its timestamp says."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMPS, 1)
        self._socket.bind((HOST, 0))
        port = self._socket.getsockname()[1]
        self.negotiation = Negotiation(Local(HOST, port, port + 1), secrets.randbits(62))
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket.fileno(), self._read)

    def tick(self) -> None:
        """The caller's next 20 ms."""
        agreement = self.negotiation.agreement
        if agreement is None or self.gone:
            return
        self._sent += 1
        said = _VOICE[self._sent % len(_VOICE)]
        sequence, stamp = self._sent % 2**16, self._sent * FRAME % 2**32
        data = packet.write(0, sequence, stamp, self._ssrc, said)
        with suppress(OSError):
            self._socket.sendto(data, agreement.remote)

    def close(self) -> None:
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        try:
            data, told, _, _ = self._socket.recvmsg(packet.MAX_SIZE, 64)
        except OSError:
            return
        if packet.is_rtcp(data):  # a neighbour's, from the port below
            return
        try:
            stamp = packet.read(data).timestamp
        except RtpError:
            return
        if self._began is None:
            self._began = stamp
        seconds, nanoseconds = _TIMESTAMP.unpack(told[0][2])
        came = seconds * 1_000_000 + nanoseconds // 1_000
        self.transits.append(came - STEP_US * ((stamp - self._began) % 2**32))


class Telephones:
    """The calls of one process."""

    def __init__(self) -> None:
        self._pacer = Pacer(0.020)
        self._calls: dict[str, _Telephone] = {}
        self._alarm: asyncio.TimerHandle | None = None
        self._transports: Transports | None = None
        self._said = asyncio.Event()

    async def connect(self, port: int, calls: int, over: float) -> int:
        """Place `calls` calls at this port within `over` seconds. How many are there."""
        if self._transports is None:
            await self._open()
        placed: list[_Telephone] = []
        for _ in range(calls):
            placed.append(self._dial(port))
            await asyncio.sleep(over / calls)
        with suppress(TimeoutError):
            async with asyncio.timeout(PLACING_SECONDS):
                for telephone in placed:
                    await telephone.established.wait()
        return sum(telephone.established.is_set() for telephone in placed)

    async def begin(self) -> None:
        """Forget what was heard so far: a window begins."""
        self._pacer.wheel.late_ms = []
        for telephone in self._calls.values():
            telephone.transits = array("q")

    async def report(self) -> dict[str, Any]:
        """What was heard since, and how late the load itself was."""
        telephones = self._calls.values()
        return {
            "lost": sum(telephone.gone for telephone in telephones),
            "packets": sum(len(telephone.transits) for telephone in telephones),
            "behind_ms": [late for telephone in telephones for late in _behind(telephone)],
            "late_ms": self._pacer.wheel.late_ms,
        }

    async def hang_up(self) -> None:
        """End all calls."""
        for call, telephone in self._calls.items():
            self._pacer.remove(telephone.tick)
            self._do(self._endpoint.hangup(call, self._now))
            telephone.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while self._endpoint.calls:
                    self._said.clear()
                    await self._said.wait()
        self._calls = {}

    async def close(self) -> None:
        """After the last call."""
        if self._alarm is not None:
            self._alarm.cancel()
        if self._transports is not None:
            await self._transports.close()

    # How

    @property
    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _open(self) -> None:
        transports = Transports(self._receive, lambda place: None)
        try:
            await transports.open([Place(Transport.UDP, HOST, 0)])
        except CarrierError as exc:
            raise OrderFailed(str(exc)) from exc
        self._transports = transports
        random = partial(secrets.token_hex, 12)
        identity = Identity(HOST, transports.ports[Transport.UDP], random, user="load")
        self._endpoint = Endpoint(identity, Peers([f"{HOST}/32"]))

    def _dial(self, port: int) -> _Telephone:
        telephone = _Telephone()
        offer = Body(telephone.negotiation.offer().write())
        place = Place(Transport.UDP, HOST, port)
        plan = Plan(f"sip:agent@{HOST}:{port}", f"sip:load@{HOST}", place, offer)
        call, said = self._endpoint.dial(plan, None, self._now)
        self._calls[call] = telephone
        self._do(said)
        return telephone

    def _receive(self, data: bytes, source: Place) -> None:
        self._do(self._endpoint.receive(data, source, self._now))

    def _do(self, said: Sequence[Action]) -> None:
        assert self._transports is not None
        for action in said:
            match action:
                case actions.Send(message, to):
                    self._transports.send(message.render(), to)
                case actions.Established(call, body) if body is not None:
                    telephone = self._calls[call]
                    telephone.negotiation.accept(reader.read(body.content))
                    telephone.established.set()
                    self._pacer.add(telephone.tick)
                case actions.Ended(call) if call in self._calls:
                    self._calls[call].gone = True
        self._said.set()
        self._wait()

    def _wait(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        if (deadline := self._endpoint.deadline) is not None:
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_at(deadline, self._time_is_up)

    def _time_is_up(self) -> None:
        self._do(self._endpoint.time_is_up(self._now))


def _behind(telephone: _Telephone) -> list[float]:
    """How many milliseconds each packet came after the time of the promptest."""
    promptest = min(telephone.transits, default=0)
    return [(transit - promptest) / 1000 for transit in telephone.transits]


async def _main() -> None:
    telephones = Telephones()
    handlers: dict[str, Handler] = {
        "connect": telephones.connect,
        "begin": telephones.begin,
        "report": telephones.report,
        "hang_up": telephones.hang_up,
    }
    try:
        await obey(handlers)
    finally:
        await telephones.close()


if __name__ == "__main__":
    uvloop.run(_main())
