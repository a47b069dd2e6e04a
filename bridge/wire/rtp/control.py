"""
RTCP of one call: when a report is due, what it says, and what theirs says of us.

The times in our reports are those of the clock that we are given, which RFC 3550 section 4
allows: nobody may take them for the time of day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bridge.wire.rtp import rtcp
from bridge.wire.rtp.faults import RtpError
from bridge.wire.rtp.payloads import RATE
from bridge.wire.rtp.receiver import Receiver
from bridge.wire.rtp.sender import Sender

__all__ = ["Control", "Quality"]

INTERVAL_SECONDS = 5.0  # the least of RFC 3550; five per cent of a call's bandwidth allow it
COMPENSATION = 1.21828  # e - 1.5 (RFC 3550 section 6.3.1)
_FRACTION = 65_536  # parts of a second in what reports say of delays
_CYCLE = 2**32


@dataclass(slots=True)
class Quality:
    """How the other end hears us, by its own reports."""

    reports: int = 0
    fraction_lost: float = 0.0
    """Of the packets before the last report, from 0 to 1."""
    lost: int = 0
    jitter_ms: float = 0.0
    round_trip_ms: float | None = None
    """None: no report of theirs could tell yet."""
    malformed: int = 0


class Control:
    """
    `name` is our CNAME: random, the same for the whole call, and nobody's address (RFC 7022).
    `random` gives numbers from 0 to 1. `left` says whether the other end said goodbye.
    """

    def __init__(
        self, sender: Sender, receiver: Receiver, name: str, random: Callable[[], float]
    ) -> None:
        self._sender = sender
        self._receiver = receiver
        self._name = name
        self._random = random
        self._reported = -1
        self._last_report = 0
        self._last_came = 0.0
        self.quality = Quality()
        self.left = False
        self.deadline: float | None = None

    def start(self, now: float) -> None:
        """The call begins; the first report comes after half the time."""
        self.deadline = now + self._interval() / 2

    def time_is_up(self, now: float) -> bytes | None:
        """The report that is due."""
        if self.deadline is None or now < self.deadline:
            return None
        self.deadline = now + self._interval()
        return rtcp.write(self._compound(now))

    def bye(self, now: float) -> bytes:
        """The last word; no report is due after it."""
        self.deadline = None
        return rtcp.write([*self._compound(now), rtcp.Bye((self._sender.ssrc,))])

    def receive(self, data: bytes, now: float) -> None:
        """A datagram of the RTCP port (or one that `packet.is_rtcp` says is RTCP)."""
        try:
            packets = rtcp.read(data)
        except RtpError:
            self.quality.malformed += 1
            return
        for packet in packets:
            self._take(packet, now)

    def _take(self, packet: rtcp.Rtcp, now: float) -> None:
        match packet:
            case rtcp.SenderReport(ssrc, info, reports):
                if self._is_theirs(ssrc):
                    self._last_report = info.ntp >> 16 & 0xFFFFFFFF
                    self._last_came = now
                self._learn(reports, now)
            case rtcp.ReceiverReport(_, reports):
                self._learn(reports, now)
            case rtcp.Bye(sources):
                self.left = self.left or any(map(self._is_theirs, sources))
            case rtcp.SourceDescription():
                pass

    def _is_theirs(self, ssrc: int) -> bool:
        source = self._receiver.source
        return source is not None and source.ssrc == ssrc

    def _learn(self, reports: tuple[rtcp.Report, ...], now: float) -> None:
        for report in reports:
            if report.ssrc != self._sender.ssrc:
                continue
            quality = self.quality
            quality.reports += 1
            quality.fraction_lost = report.fraction_lost / 256
            quality.lost = report.lost
            quality.jitter_ms = report.jitter * 1000 / RATE
            if report.last_report:
                elapsed = _short(now) - report.last_report - report.since_last_report
                # A peer that reckons wrongly makes it negative: that is no round trip.
                if (elapsed := elapsed % _CYCLE) < _CYCLE // 2:
                    quality.round_trip_ms = elapsed * 1000 / _FRACTION

    def _compound(self, now: float) -> list[rtcp.Rtcp]:
        sender = self._sender
        reports = self._reports(now)
        names = rtcp.SourceDescription(((sender.ssrc, self._name),))
        if sender.packets == self._reported or not sender.packets:
            return [rtcp.ReceiverReport(sender.ssrc, reports), names]
        self._reported = sender.packets
        info = rtcp.SenderInfo(
            _ntp(now), sender.timestamp(now), sender.packets % _CYCLE, sender.octets % _CYCLE
        )
        return [rtcp.SenderReport(sender.ssrc, info, reports), names]

    def _reports(self, now: float) -> tuple[rtcp.Report, ...]:
        source = self._receiver.source
        if source is None:
            return ()
        fraction, lost = source.interval()
        since = round((now - self._last_came) * _FRACTION) % _CYCLE if self._last_report else 0
        return (
            rtcp.Report(
                source.ssrc,
                fraction,
                lost,
                source.highest,
                int(source.jitter),
                self._last_report,
                since,
            ),
        )

    def _interval(self) -> float:
        return INTERVAL_SECONDS * (0.5 + self._random()) / COMPENSATION


def _ntp(now: float) -> int:
    return round(now * 2**32) % 2**64


def _short(now: float) -> int:
    return _ntp(now) >> 16 & 0xFFFFFFFF
