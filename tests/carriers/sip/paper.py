"""A clock and ports of paper: time passes when it is told to, and datagrams are lists."""

from __future__ import annotations

from bridge.carriers.sip.clock import Clock, Sleeper
from bridge.carriers.sip.media import Media
from bridge.carriers.sip.ports import Datagram, PortPair
from bridge.wire.rtp import packet
from bridge.wire.rtp.packet import Packet
from bridge.wire.rtp.payloads import Address
from bridge.wire.sdp import reader

__all__ = ["PEER", "Listener", "PaperClock", "PaperPorts", "a_media", "offer"]

PEER = ("192.0.2.10", 4000)
FRAME = 160


class PaperClock(Clock):
    """Needs a running loop only because its sister does."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self._sleepers: list[Sleeper] = []

    def time(self) -> float:
        return self.now

    def set(self, sleeper: Sleeper, deadline: float | None) -> None:
        sleeper.deadline = deadline
        if sleeper not in self._sleepers:
            self._sleepers.append(sleeper)

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while (due := self._next()) is not None and due[0] <= until:
            deadline, sleeper = due
            self.now = max(self.now, deadline)
            sleeper.deadline = None
            sleeper.deadline = sleeper.wake(self.now)
        self.now = until

    def _next(self) -> tuple[float, Sleeper] | None:
        waiting = [(one.deadline, one) for one in self._sleepers if one.deadline is not None]
        return min(waiting, key=lambda pair: pair[0], default=None)


class PaperPorts(PortPair):
    """What was sent, and to whom."""

    def __init__(self, port: int = 16384) -> None:
        self.port, self.rtcp_port, self.unsent = port, port + 1, 0
        self.rtp: list[tuple[Packet, Address]] = []
        self.rtcp: list[tuple[bytes, Address]] = []
        self.rtcp_by_rtp: list[bytes] = []
        self.closed = False

    def open(self, rtp: Datagram, rtcp: Datagram) -> None:
        self.hear_rtp, self.hear_rtcp = rtp, rtcp

    def send_rtp(self, data: bytes, to: Address) -> None:
        if packet.is_rtcp(data):
            self.rtcp_by_rtp.append(data)
        else:
            self.rtp.append((packet.read(data), to))

    def send_rtcp(self, data: bytes, to: Address) -> None:
        self.rtcp.append((data, to))

    def close(self) -> None:
        self.closed = True

    @property
    def voice(self) -> bytes:
        """All that was sent but silence."""
        return b"".join(one.payload for one, _ in self.rtp if set(one.payload) != {0xFF})


class Listener:
    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.digits = ""
        self.marks: list[str] = []
        self.silences = 0

    def heard(self, audio: bytes) -> None:
        self.frames.append(audio)

    def pressed(self, digit: str) -> None:
        self.digits += digit

    def played(self, mark: str) -> None:
        self.marks.append(mark)

    def silent(self) -> None:
        self.silences += 1


class Peer:
    """The other end's RTP."""

    def __init__(self, ports: PaperPorts, clock: PaperClock, address: Address = PEER) -> None:
        self._ports = ports
        self._clock = clock
        self.address = address
        self.sequence = 0

    def says(self, audio: bytes, payload_type: int = 0) -> None:
        """As fast as one speaks."""
        for start in range(0, len(audio), FRAME):
            payload = audio[start : start + FRAME]
            self.sequence += 1
            data = packet.write(payload_type, self.sequence, self.sequence * FRAME, 7, payload)
            self._ports.hear_rtp(data, self.address)
            self._clock.run(0.02)


def offer(*lines: str, codecs: str = "0 101", address: str = PEER[0]) -> bytes:
    """What the other end wants."""
    usual = (
        "v=0",
        f"o=- 1 1 IN IP4 {address}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {PEER[1]} RTP/AVP {codecs}",
        "a=rtpmap:101 telephone-event/8000",
    )
    return "".join(f"{line}\r\n" for line in (*usual, *lines)).encode()


def a_media(
    *lines: str, codecs: str = "0 101", start: bool = True, silent_seconds: float = 20.0
) -> tuple[Media, Listener, PaperPorts, PaperClock]:
    """A call's audio, agreed on and begun."""
    clock, ports, listener = PaperClock(), PaperPorts(), Listener()
    media = Media(ports, "198.51.100.7", clock, silent_seconds=silent_seconds)
    media.attach(listener)
    answer = reader.read(media.answer(offer(*lines, codecs=codecs)))
    assert answer.media[0].port == ports.port
    if start:
        media.start()
    return media, listener, ports, clock
