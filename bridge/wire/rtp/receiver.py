"""
The other end's voice: RTP packets, as they come → 20 ms frames, by a clock of ours.

Rule: whatever comes leads to frames, digits or counts, never to an exception, and from the
first packet on there is a frame every 20 ms until nothing has come for a long time. A
voice whose packets are missing is concealed; one that pauses is silence.
"""

from __future__ import annotations

from bridge.audio import g711
from bridge.audio.formats import AudioFormat
from bridge.wire.rtp import events, packet
from bridge.wire.rtp.faults import RtpError
from bridge.wire.rtp.latch import Latch
from bridge.wire.rtp.packet import Packet
from bridge.wire.rtp.payloads import Address, Payloads, law
from bridge.wire.rtp.playout import Playout, Rules
from bridge.wire.rtp.statistics import Arrival, Source, Statistics

__all__ = ["FRAME_SECONDS", "Receiver", "Rules"]

FRAME_SECONDS = 0.020

_CATCH_UP_SECONDS = 1.0  # of frames that are made at once after a long sleep
_RULES = Rules()


class Receiver:
    """
    One call's audio. `format` (G.711) is what frames are in, whatever comes.

    `deadline` says when the next frame is due; None: nothing has come yet, or for so long
    that nobody is there (`silent_for`).
    """

    def __init__(
        self,
        format: AudioFormat,
        payloads: Payloads,
        latch: Latch,
        rules: Rules = _RULES,
    ) -> None:
        self._format = format
        self._ulaw = law(format) == "u"
        self._rules = rules
        self._playout = Playout(format, rules)
        self._presses = events.Presses()
        self._source: Source | None = None
        self._candidate: Source | None = None
        self._lost_before = 0
        self._clock = 0.0
        self._frames = 0
        self._heard: float | None = None
        self.payloads = payloads
        self.latch = latch
        self.deadline: float | None = None

    @property
    def source(self) -> Source | None:
        """Who is heard, for RTCP."""
        return self._source

    @property
    def delay_ms(self) -> float:
        """How long audio should wait for other audio that may be slower."""
        return self._playout.delay_ms

    def waiting_ms(self, now: float) -> float:
        """How long it does wait."""
        return self._playout.waiting_ms(now) if self.deadline is not None else 0.0

    def statistics(self) -> Statistics:
        """What came so far."""
        counted = self._playout.statistics
        if self._source is not None:
            counted.lost = self._lost_before + self._source.lost
            counted.jitter_ms = self._source.jitter / 8
        return counted

    def silent_for(self, now: float) -> float | None:
        """Seconds since the last packet; None: there has been none."""
        return None if self._heard is None else now - self._heard

    def receive(self, data: bytes, source: Address, now: float) -> str:
        """A datagram of the RTP port. Returns the key that begins to be pressed, or ""."""
        counted = self._playout.statistics
        try:
            came = packet.read(data)
        except RtpError:
            counted.malformed += 1
            return ""
        payloads = self.payloads
        audio = payloads.audio.get(came.payload_type)
        keys = came.payload_type in payloads.events
        if audio is None and not keys and came.payload_type not in payloads.noise:
            counted.unknown += 1
            return ""
        if not self.latch.admits(source, came, now):
            counted.strangers += 1
            return ""
        counted.received += 1
        self._heard = now
        arrival = self._arrival(came)
        if arrival is Arrival.ASTRAY or arrival is Arrival.DUPLICATE:
            self._drop(arrival)
        elif audio is not None:
            self._hear(came, audio, arrival, now)
        else:
            self._playout.rest()
            return self._press(came) if keys else ""
        return ""

    def time_is_up(self, now: float) -> list[bytes]:
        """The frames that are due, each of 20 ms."""
        frames: list[bytes] = []
        if self.deadline is None:
            return frames
        if now - self.deadline > _CATCH_UP_SECONDS:
            self._set_clock(now)
            self._playout.wake(now)
        while now >= self.deadline:
            frames.append(self._playout.frame(self.deadline))
            self._frames += 1
            self.deadline = self._clock + self._frames * FRAME_SECONDS
        if self._heard is not None and now - self._heard > self._rules.silence_seconds:
            self.deadline = None
            self._playout = self._playout.anew()
        return frames

    def _arrival(self, came: Packet) -> Arrival:
        source = self._source
        if source is not None and source.ssrc == came.ssrc:
            return source.arrive(came.sequence)
        candidate = self._candidate
        if source is None:
            candidate = Source(came.ssrc, came.sequence)
        elif candidate is None or candidate.ssrc != came.ssrc:
            # Another voice has to say two words before it is believed (RFC 3550 section A.1).
            self._candidate = Source(came.ssrc, came.sequence)
            self._candidate.arrive(came.sequence)
            return Arrival.ASTRAY
        if candidate.arrive(came.sequence) is not Arrival.NEXT:
            self._candidate = None
            return Arrival.ASTRAY
        self._change(candidate)
        return Arrival.RESTART

    def _change(self, source: Source) -> None:
        if self._source is not None:
            self._lost_before += self._source.lost
        self._source, self._candidate = source, None
        self._presses.forget()

    def _drop(self, arrival: Arrival) -> None:
        if arrival is Arrival.DUPLICATE:
            self._playout.statistics.duplicate += 1
        else:
            self._playout.statistics.astray += 1

    def _hear(self, came: Packet, format: AudioFormat, arrival: Arrival, now: float) -> None:
        audio = came.payload
        if not audio:
            return
        if format != self._format:
            audio = g711.alaw_to_ulaw(audio) if self._ulaw else g711.ulaw_to_alaw(audio)
        if self._source is not None:
            if arrival is Arrival.RESTART:
                self._source.untimed()
            self._source.timed(came.timestamp, now)
        if self.deadline is None:
            self._playout.begin(came.timestamp)
            self._set_clock(now + self._rules.first_ms / 1000)
        self._playout.put(came.timestamp, audio, arrival, now)

    def _press(self, came: Packet) -> str:
        try:
            event = events.read(came.payload)
        except RtpError:
            self._playout.statistics.malformed += 1
            return ""
        return self._presses.take(came.timestamp, event, marker=came.marker)

    def _set_clock(self, now: float) -> None:
        self._clock = now
        self._frames = 0
        self.deadline = now
