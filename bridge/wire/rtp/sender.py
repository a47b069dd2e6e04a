"""
Our voice: audio of any size → RTP packets, by RTP's clock.

Rule: packets are due at times that are counted from the start, so no delay adds up. A late
wake-up is made up for by a few packets at once; where more are missing the stream has
paused, and its timestamps say so. What is cleared is silent from the next packet on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from bridge.audio import g711
from bridge.audio.formats import AudioFormat
from bridge.audio.tones import PAUSE_MS, PRESS_MS
from bridge.wire.rtp import packet
from bridge.wire.rtp.events import Press
from bridge.wire.rtp.payloads import RATE, Outgoing, law
from bridge.wire.rtp.speech import Speech

__all__ = ["MAX_BURST", "Sender", "Sent"]

MAX_BURST = 5  # packets at once

_MS = RATE // 1000  # units of RTP's clock in a millisecond
_MAX_PRESSES = 64


class Sent(NamedTuple):
    """What is to be sent now, in order, and the marks that were reached."""

    packets: list[bytes]
    marks: list[str]


class Sender:
    """
    One call's audio for the other end, in `format` (G.711), whatever it is sent as.

    `ssrc`, `sequence` and `timestamp` should be random (RFC 3550 section 5.1). `comfort`:
    silence is sent while there is nothing to say, so that the path stays open. `playout_ms`
    is how much later than it is sent the other end is thought to hear something.

    `deadline` says when packets are due, None before `start`; `packets` and `octets` count
    what was sent, `skipped_ms` what was not because the wake-up came too late.
    """

    def __init__(
        self,
        format: AudioFormat,
        *,
        ssrc: int,
        sequence: int = 0,
        timestamp: int = 0,
        comfort: bool = True,
        playout_ms: float = 0.0,
    ) -> None:
        self._ulaw = law(format) == "u"
        self._format = format
        self._comfort = comfort
        self._speech = Speech(playout_ms)
        self._presses: deque[Press] = deque()
        self._pressing: deque[bytes | None] = deque()
        self._outgoing = Outgoing()
        self._set_size(self._outgoing.ptime_ms)
        self._begin = 0.0
        self._ticks = 0
        self._sequence = sequence & 0xFFFF
        self._timestamp = timestamp & 0xFFFFFFFF
        self._pressed_at = 0
        self._silent = True
        self.ssrc = ssrc
        self.deadline: float | None = None
        self.packets = 0
        self.octets = 0
        self.skipped_ms = 0

    def agree(self, outgoing: Outgoing) -> None:
        """Send like this from the next packet on."""
        self._outgoing = outgoing
        self._set_size(outgoing.ptime_ms)
        if self.deadline is not None:
            self._begin, self._ticks = self.deadline, 0

    def start(self, now: float) -> None:
        """The first packet is due."""
        self._begin, self._ticks = now, 0
        self.deadline = now

    def align(self, at: float) -> None:
        """Send at times like this one, so that one wake-up serves both directions."""
        if self.deadline is not None:
            wait = (at - self.deadline) % self._seconds
            self._begin, self._ticks = self.deadline + wait, 0
            self.deadline = self._begin

    def play(self, audio: bytes, mark: str | None = None) -> None:
        """Queue audio of any length, and a mark behind it; ten minutes of audio are kept."""
        self._speech.put(audio)
        if mark is not None:
            self._speech.mark(mark)

    def mark(self, name: str) -> None:
        """Tell when everything that is queued now has been sent."""
        self._speech.mark(name)

    def clear(self) -> list[str]:
        """Forget what is queued. Returns the marks that were not reached, in order."""
        return self._speech.clear()

    def press(self, digits: str, press_ms: int = PRESS_MS) -> bool:
        """
        Press keys (0-9, *, #, A-D), one after another; audio waits for that long. False when
        the other end takes none, or too many wait. Raises ValueError for other keys.
        """
        presses = [Press(digit, press_ms * _MS) for digit in digits]
        if self._outgoing.events is None or len(self._presses) + len(presses) > _MAX_PRESSES:
            return False
        self._presses.extend(presses)
        return True

    @property
    def queued_ms(self) -> float:
        """How much audio waits to be sent."""
        return (self._speech.queued - self._speech.taken) / _MS

    @property
    def dropped(self) -> int:
        """Bytes that found no room."""
        return self._speech.dropped

    def played_ms(self, now: float) -> float:
        """How much of what was queued, silence not counted, has been sent by RTP's clock."""
        return self._speech.left(now) / _MS

    def timestamp(self, now: float) -> int:
        """What RTP's clock shows."""
        until = 0.0 if self.deadline is None else self.deadline - now
        return (self._timestamp - round(until * RATE)) & 0xFFFFFFFF

    def time_is_up(self, now: float) -> Sent:
        """The packets that are due, and the marks that were reached."""
        if self.deadline is None:
            return Sent([], [])
        late = int((now - self.deadline) / self._seconds)
        if late >= MAX_BURST:
            self._skip(late - MAX_BURST + 1)
        packets: list[bytes] = []
        while self.deadline <= now:
            made = self._packet(self.deadline)
            if made is not None:
                packets.append(made)
            self._advance(1)
        return Sent(packets, self._speech.reached(now))

    def _packet(self, at: float) -> bytes | None:
        outgoing = self._outgoing
        if not outgoing.sends:
            self._silent = True
            self._speech.pass_marks(at)
            return None
        if self._pressing or self._presses:
            self._speech.pass_marks(at)
            return self._key()
        return self._voice(self._speech.take(self._size, at))

    def _voice(self, audio: bytes) -> bytes | None:
        begins = self._silent and audio != b""
        self._silent = audio == b""
        if self._silent and not self._comfort:
            return None
        missing = self._size - len(audio)
        if missing:
            audio += self._silence * missing
        outgoing = self._outgoing
        if outgoing.format != self._format:
            audio = g711.ulaw_to_alaw(audio) if self._ulaw else g711.alaw_to_ulaw(audio)
        return self._write(outgoing.payload_type, self._timestamp, audio, begins)

    def _key(self) -> bytes | None:
        """A packet of the key that is pressed, or of the pause behind it."""
        begins = not self._pressing
        if begins:
            self._pressing.extend(self._ticks_of(self._presses.popleft()))
            self._pressed_at = self._timestamp
        payload, events = self._pressing.popleft(), self._outgoing.events
        if payload is None or events is None:
            return self._voice(b"")
        self._silent = True
        return self._write(events, self._pressed_at, payload, begins)

    def _ticks_of(self, press: Press) -> Iterator[bytes | None]:
        """What is sent at each tick of a press and of its pause; None: silence."""
        ticks = 0
        for payload in press.payloads(self._size):
            yield payload
            ticks += 1
        pause = press.duration + PAUSE_MS * _MS
        while ticks * self._size < pause:
            yield None
            ticks += 1

    def _write(self, payload_type: int, timestamp: int, payload: bytes, marker: bool) -> bytes:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        self.packets += 1
        self.octets += len(payload)
        return packet.write(payload_type, sequence, timestamp, self.ssrc, payload, marker=marker)

    def _skip(self, ticks: int) -> None:
        self.skipped_ms += ticks * self._outgoing.ptime_ms
        self._silent = True
        self._advance(ticks)

    def _advance(self, ticks: int) -> None:
        self._ticks += ticks
        self._timestamp = (self._timestamp + ticks * self._size) & 0xFFFFFFFF
        self.deadline = self._begin + self._ticks * self._seconds

    def _set_size(self, ptime_ms: int) -> None:
        self._size = ptime_ms * _MS
        self._seconds = ptime_ms / 1000
        self._silence = self._format.silence
