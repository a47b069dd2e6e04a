"""
Which samples are played now.

Rule: a sample waits at least as long as the slower packets need, and never longer than
`most_ms`. Whatever has to be left out or added, because a clock is faster or a network
slower, is left out of silence or added to it; of a voice only where it has waited far too
long, or has not come.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.audio import g711
from bridge.audio.formats import AudioFormat
from bridge.wire.rtp.concealment import HISTORY, Concealer
from bridge.wire.rtp.delay import Delay
from bridge.wire.rtp.payloads import RATE, law
from bridge.wire.rtp.statistics import Arrival, Statistics
from bridge.wire.rtp.timeline import AHEAD, Timeline

__all__ = ["Playout", "Rules"]

_FRAME = 160  # samples
_STEP = 80  # samples that are left out or added at once
_TOO_EARLY = 40  # samples
_TOO_LATE = 160
_FAR_TOO_LATE = 480
_MS = RATE // 1000  # samples in one
_LATE_IN_A_ROW = 5  # packets: then it is the network that has changed
_QUIET = 250  # of 32 767: the mean size of a sample in silence


@dataclass(frozen=True, slots=True)
class Rules:
    """How long audio waits, and how long silence lasts."""

    least_ms: int = 20
    first_ms: int = 40
    most_ms: int = 120
    silence_seconds: float = 30.0
    """Without any packet, until there are no frames any more."""


class Playout:
    """A stream's timestamps → frames of 20 ms, one for each time it is asked."""

    def __init__(
        self, format: AudioFormat, rules: Rules, statistics: Statistics | None = None
    ) -> None:
        self._format = format
        self._rules = rules
        self._silence = format.silence
        self._sizes = _SIZES[law(format)]
        self._concealer = Concealer(format)
        self.statistics = statistics or Statistics()
        self._timeline = Timeline(0, self._silence)
        self._delay = self._new_delay()
        self._position = 0  # of the next sample that is played
        self._timestamp = 0  # the newest, without its wraps
        self._offset = 0  # from timestamps to positions
        self._next = 0  # where the packet after the newest one begins
        self._stalled = 0  # samples that were played while the position stood still
        self._late = 0
        self._resting = False

    @property
    def delay_ms(self) -> float:
        return self._delay.target / _MS

    def waiting_ms(self, now: float) -> float:
        """How long ago the fastest packets of what is played now came."""
        return (now * RATE - self._delay.base - self._position) / _MS

    def anew(self) -> Playout:
        """One that has heard nothing yet, and counts on."""
        return Playout(self._format, self._rules, self.statistics)

    def begin(self, timestamp: int) -> None:
        """The first packet is about to be put: what comes before it is silence."""
        self._timestamp = self._position = self._next = timestamp
        self._timeline = Timeline(timestamp, self._silence)
        self._delay = self._new_delay()

    def rest(self) -> None:
        """The voice pauses: comfort noise, or keys. What is missing now is silence."""
        self._resting = True

    def put(self, timestamp: int, audio: bytes, arrival: Arrival, now: float) -> None:
        """A packet's audio."""
        position = self._unwrapped(timestamp) + self._offset
        astray = not -AHEAD < position - self._position < AHEAD
        if astray or (arrival is Arrival.RESTART and self._next != position):
            position = self._anchor(position, now)
        elif position + len(audio) <= self._position:
            self.statistics.late += 1
            self._late += arrival is not Arrival.BEHIND
            if self._late < _LATE_IN_A_ROW:
                self._delay.arrived(position, now)
                return
            position = self._anchor(position, now)
        self._late = 0
        self._delay.arrived(position, now, (position - self._position) % _FRAME)
        if arrival is Arrival.NEXT and position > self._next:
            self._pause_until(position)
        self._next = max(self._next, position + len(audio))
        self._resting = False
        self._timeline.put(position, audio)

    def wake(self, now: float) -> None:
        """Nobody asked for frames for long: what should have been played is over."""
        position = round(self._delay.position(now))
        if position > self._position:
            self.statistics.skipped_ms += (position - self._position) // _MS
            self._go_to(position)

    def frame(self, at: float) -> bytes:
        """The 20 ms that are due at `at`."""
        self.statistics.played_ms += 20
        position = self._position
        behind = self._delay.position(at) - position
        audio = self._timeline.take(position, _FRAME)
        if audio is None:
            return self._patched(at)
        self._stalled = 0
        if self._concealer.active:
            audio = self._concealer.rejoin(audio)
        elif behind > _TOO_LATE:
            return self._shortened(audio, behind)
        elif behind < -_TOO_EARLY and self._quiet(audio):
            self.statistics.stretched_ms += _STEP // _MS
            position -= _STEP
        self._go_to(position + _FRAME)
        return audio

    def _patched(self, at: float) -> bytes:
        """A frame of which something is missing."""
        pieces = b""
        while (missing := _FRAME - len(pieces)) > 0:
            known, size = self._timeline.run(self._position, missing)
            pieces += self._known(size) if known else self._unknown(size, at)
        self._timeline.forget(self._position)
        return pieces

    def _known(self, size: int) -> bytes:
        audio = self._timeline.take(self._position, size) or b""
        self._stalled = 0
        self._position += size
        return self._concealer.rejoin(audio) if self._concealer.active else audio

    def _unknown(self, size: int, at: float) -> bytes:
        """Something in place of what is not there; nothing, where that has been played before."""
        lost = self._timeline.next_known(self._position) is not None
        if lost and self._stalled:
            skipped = min(self._stalled, size)
            self._stalled -= skipped
            self._position += skipped
            return b""
        if self._resting and not lost:
            self._position += size
            return self._silence * size
        made = self._concealed(size)
        if lost or self._position <= self._delay.latest(at):
            self._timeline.imagine(self._position, made)
            self._position += size
        else:
            # Nobody knows yet whether it is lost or late. If it is late, it is played then.
            self._stalled += size
        return made

    def _concealed(self, size: int) -> bytes:
        if not self._concealer.exhausted:
            self.statistics.concealed_ms += size // _MS
        history = b""
        if not self._concealer.active:
            history = self._timeline.before(self._position, HISTORY)
        return self._concealer.conceal(history, size)

    def _shortened(self, audio: bytes, behind: float) -> bytes:
        """A frame that waited too long: 10 ms are left out of it, if that can be done."""
        longer = None
        if behind > _FAR_TOO_LATE or self._quiet(audio):
            longer = self._timeline.take(self._position, _FRAME + _STEP)
        if longer is None:
            self._go_to(self._position + _FRAME)
            return audio
        self.statistics.skipped_ms += _STEP // _MS
        self._go_to(self._position + _FRAME + _STEP)
        joint = self._concealer.splice(longer[:_STEP], longer[_STEP : 2 * _STEP])
        return joint + longer[2 * _STEP :]

    def _anchor(self, position: int, now: float) -> int:
        """A stream that goes on elsewhere: this is played next, behind all that is here."""
        self.statistics.restarts += 1
        earliest = round(now * RATE - self._delay.base)
        here = max(self._timeline.end, self._position, min(earliest, self._position + AHEAD // 2))
        self._pause_until(here)
        self._timestamp = position - self._offset
        self._offset += here - position
        self._next = here
        return here

    def _pause_until(self, position: int) -> None:
        """No packet is missing here: the other end had nothing to say."""
        start = max(self._next, self._position)
        if start < position:
            self._timeline.put(start, self._silence * (position - start))

    def _unwrapped(self, timestamp: int) -> int:
        since = (timestamp - self._timestamp + 0x80000000) & 0xFFFFFFFF
        unwrapped = self._timestamp + since - 0x80000000
        self._timestamp = max(unwrapped, self._timestamp)
        return unwrapped

    def _go_to(self, position: int) -> None:
        self._position = position
        self._timeline.forget(position)

    def _quiet(self, audio: bytes) -> bool:
        return sum(audio.translate(self._sizes)) * _UNIT < _QUIET * len(audio)

    def _new_delay(self) -> Delay:
        rules = self._rules
        return Delay(rules.least_ms * _MS, rules.most_ms * _MS, rules.first_ms * _MS)


def _table(pcm16: bytes) -> bytes:
    """How far each code of G.711 is from silence, in units of 128."""
    codes = memoryview(pcm16).cast("h")
    return bytes(min(abs(code) // _UNIT, 255) for code in codes)


_UNIT = 128
_EVERY_CODE = bytes(range(256))
_SIZES = {
    "u": _table(g711.ulaw_to_pcm16(_EVERY_CODE)),
    "a": _table(g711.alaw_to_pcm16(_EVERY_CODE)),
}
