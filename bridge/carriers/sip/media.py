"""
One call's audio: RTP and RTCP between its ports and whoever listens.

Rule: a datagram is dealt with in the turn of the loop in which it comes, and one wake-up by
the clock sends what is due. From `start` on there is a frame of the caller's every 20 ms:
silence, where nothing comes or the call is on hold.
"""

from __future__ import annotations

import ipaddress
import random
import secrets
from typing import Protocol

from bridge.audio.formats import ULAW_8K
from bridge.carriers.sip.clock import Clock, Sleeper
from bridge.carriers.sip.ports import PortPair
from bridge.nobody import nobody
from bridge.wire.rtp import packet
from bridge.wire.rtp.control import Control, Quality
from bridge.wire.rtp.latch import Latch
from bridge.wire.rtp.payloads import Address, Payloads
from bridge.wire.rtp.receiver import FRAME_SECONDS, Receiver
from bridge.wire.rtp.sender import Sender
from bridge.wire.rtp.statistics import Statistics
from bridge.wire.sdp import reader
from bridge.wire.sdp.agreement import Local
from bridge.wire.sdp.offer_answer import Negotiation

__all__ = ["FORMAT", "SILENT_SECONDS", "Media", "MediaListener"]

FORMAT = ULAW_8K
"""Of frames in both directions. A-law is recoded at the wire, byte by byte."""
SILENT_SECONDS = 20.0  # without RTP or RTCP, until the other end counts as lost
LOOKS = 8  # within that time

_SILENCE = FORMAT.silent(FORMAT.size(1000 * FRAME_SECONDS))


class MediaListener(Protocol):
    """Whom a call's audio is for."""

    def heard(self, audio: bytes) -> None:
        """20 ms of the caller's."""

    def pressed(self, digit: str) -> None:
        """A key, by RTP."""

    def played(self, mark: str) -> None: ...

    def silent(self) -> None:
        """Nothing has come for SILENT_SECONDS, and the call is not on hold. Told once."""


class Media:
    """
    `address` is what the other end is told. The listener is told nothing before `attach`.

    Descriptions (SDP) that are malformed raise SdpError, and those that cannot be had raise
    NotAcceptable; what held before holds on then.
    """

    def __init__(
        self,
        ports: PortPair,
        address: str,
        clock: Clock,
        *,
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._ports = ports
        self._clock = clock
        self._silent_seconds = silent_seconds
        self._listener: MediaListener | None = None
        local = Local(address, ports.port, ports.rtcp_port)
        self._negotiation = Negotiation(local, secrets.randbits(62))
        self._receiver = Receiver(FORMAT, Payloads(), Latch(None))
        self._sender = Sender(
            FORMAT,
            ssrc=secrets.randbits(32),
            sequence=secrets.randbits(15),
            timestamp=secrets.randbits(32),
        )
        name = secrets.token_urlsafe(12)
        self._control = Control(self._sender, self._receiver, name, random.random)
        self._sleeper = Sleeper(self._wake)
        self._rtcp_to: Address | None = None
        self._alive_at = 0.0
        self._look_at = 0.0
        self._silence_at: float | None = None
        self._on_hold = False
        self._keys = False
        self._closed = False

    def attach(self, listener: MediaListener) -> None:
        self._listener = listener

    # What is agreed on

    def answer(self, offer: bytes) -> bytes:
        """Our answer to the other end's offer."""
        answer = self._negotiation.answer(reader.read(offer))
        self._agreed()
        return answer.write()

    def offer(self) -> bytes:
        """An offer of ours, which holds once it is accepted."""
        return self._negotiation.offer().write()

    def accept(self, answer: bytes) -> None:
        """Their answer to our offer."""
        self._negotiation.accept(reader.read(answer))
        self._agreed()

    def withdraw(self) -> None:
        """Our offer came to nothing."""
        self._negotiation.withdraw()

    @property
    def agreed(self) -> bool:
        """Whether both ends know where audio goes."""
        return self._negotiation.agreement is not None

    @property
    def on_hold(self) -> bool:
        return self._on_hold

    @property
    def has_keys(self) -> bool:
        """Whether the other end has pressed a key by RTP, so that its INFO would be a second."""
        return self._keys

    # The audio

    def start(self) -> None:
        """Send, and tell what is heard."""
        now = self._clock.time()
        self._alive_at = now
        self._silence_at = now
        self._sender.start(now)
        self._control.start(now)
        self._ports.open(self._on_rtp, self._on_rtcp)
        self._set_alarm()

    def play(self, audio: bytes) -> None:
        self._sender.play(audio)

    def mark(self, name: str) -> None:
        self._sender.mark(name)

    def press(self, keys: str) -> bool:
        """Press keys by RTP (RFC 4733). False: the other end takes none, or too many wait."""
        return self._sender.press(keys)

    def clear(self) -> list[str]:
        """Silent from the next packet on. Returns the marks that were not reached."""
        return self._sender.clear()

    def close(self) -> None:
        """Say goodbye by RTCP and give the ports back. Twice is the same as once."""
        if self._closed:
            return
        self._closed = True
        self._clock.set(self._sleeper, None)
        self._listener, self._sleeper.wake = None, nobody
        if self._control.deadline is not None:
            self._send_rtcp(self._control.bye(self._clock.time()))
        self._ports.close()

    # For counters

    def statistics(self) -> Statistics:
        """Of what came."""
        return self._receiver.statistics()

    @property
    def quality(self) -> Quality:
        """How the other end hears us."""
        return self._control.quality

    @property
    def dropped_seconds(self) -> float:
        """Of audio for the caller that found no room."""
        return FORMAT.duration_ms(self._sender.dropped) / 1000

    # How

    def _agreed(self) -> None:
        agreement = self._negotiation.agreement
        assert agreement is not None
        outgoing = agreement.outgoing
        remote = _sendable(agreement.remote)
        self._receiver.payloads = agreement.payloads
        self._receiver.latch.expect(remote)
        self._rtcp_to = _sendable(agreement.remote_rtcp)
        self._sender.agree(outgoing)
        self._on_hold = not outgoing.sends
        self._alive_at = self._clock.time()
        self._set_alarm()

    def _on_rtp(self, data: bytes, source: Address) -> None:
        if packet.is_rtcp(data):
            self._on_rtcp(data, source)
            return
        before = self._receiver.deadline
        digit = self._receiver.receive(data, source, self._clock.time())
        if digit and self._listener is not None:
            self._keys = True
            self._listener.pressed(digit)
        if before is None and (first := self._receiver.deadline) is not None:
            self._silence_at = None
            self._sender.align(first)
            self._set_alarm()

    def _on_rtcp(self, data: bytes, source: Address) -> None:
        latch = self._receiver.latch
        known = latch.target
        if known is None or source[0] != known[0]:
            return
        now = self._clock.time()
        self._alive_at = now
        self._rtcp_to = source
        self._control.receive(data, now)

    def _wake(self, now: float) -> float | None:
        self._hear(now)
        self._speak(now)
        if (report := self._control.time_is_up(now)) is not None:
            self._send_rtcp(report)
        if now >= self._look_at:
            self._look_at = now + self._silent_seconds / LOOKS
            self._look(now)
        return self._deadline()

    def _hear(self, now: float) -> None:
        frames = self._receiver.time_is_up(now)
        if self._receiver.deadline is None:
            frames += self._silence(now)
        if self._listener is None:
            return
        for frame in frames:
            self._listener.heard(_SILENCE if self._on_hold else frame)

    def _silence(self, now: float) -> list[bytes]:
        """What a caller of whom nothing comes is heard to say."""
        if self._silence_at is None:
            self._silence_at = now
        frames: list[bytes] = []
        while self._silence_at <= now:
            frames.append(_SILENCE)
            self._silence_at += FRAME_SECONDS
        return frames

    def _speak(self, now: float) -> None:
        packets, marks = self._sender.time_is_up(now)
        to = self._receiver.latch.target
        if to is not None:
            for each in packets:
                self._ports.send_rtp(each, to)
        if self._listener is not None:
            for mark in marks:
                self._listener.played(mark)

    def _look(self, now: float) -> None:
        """Whether somebody is still there."""
        if self._on_hold or self._listener is None:
            return
        silent = now - self._alive_at
        heard = self._receiver.silent_for(now)
        if min(silent, silent if heard is None else heard) > self._silent_seconds:
            self._alive_at = float("inf")
            self._listener.silent()

    def _send_rtcp(self, data: bytes) -> None:
        agreement = self._negotiation.agreement
        if agreement is None or self._rtcp_to is None:
            return
        if agreement.rtcp_mux:
            self._ports.send_rtp(data, self._receiver.latch.target or self._rtcp_to)
        else:
            self._ports.send_rtcp(data, self._rtcp_to)

    def _set_alarm(self) -> None:
        self._clock.set(self._sleeper, self._deadline())

    def _deadline(self) -> float | None:
        if self._closed:
            return None
        heard = self._receiver.deadline
        times = (
            self._silence_at if heard is None else heard,
            self._sender.deadline,
            self._control.deadline,
        )
        return min((each for each in times if each is not None), default=None)


def _sendable(address: Address) -> Address | None:
    """A name is not looked up: who goes by one is known once something comes from there."""
    try:
        host = ipaddress.ip_address(address[0])
    except ValueError:
        return None
    return None if host.is_unspecified else address
