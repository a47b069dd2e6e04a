"""
Audio by its timestamps, whatever the packets were cut like.

A window on the stream, one byte a sample: what has been played and is still remembered, and
what is there to be played. Beside each sample stands whether it is known.
"""

from __future__ import annotations

__all__ = ["AHEAD", "BEHIND", "Timeline"]

AHEAD = 16_000  # samples: what is further in the future is not kept
BEHIND = 800  # samples: what is remembered of the past, for concealment
_TRIM = 8_000  # samples of the past at which it is cut


class Timeline:
    """Positions are timestamps that do not wrap: the first one's, and counted on from there."""

    __slots__ = ("_audio", "_known", "_silence", "end", "origin")

    def __init__(self, origin: int, silence: bytes) -> None:
        self.origin = origin
        """The first position that is remembered."""
        self.end = origin
        """Behind the last sample that is known."""
        self._silence = silence
        self._audio = bytearray()
        self._known = bytearray()

    def put(self, position: int, audio: bytes) -> None:
        """Audio that begins at `position`. What begins before the window is cut."""
        start = position - self.origin
        if start < 0:
            audio = audio[-start:]
            start = 0
        size = len(self._audio)
        if start > size:
            self._audio += self._silence * (start - size)
            self._known += bytes(start - size)
        end = start + len(audio)
        self._audio[start:end] = audio
        self._known[start:end] = b"\x01" * len(audio)
        self.end = max(self.end, self.origin + end)

    def imagine(self, position: int, audio: bytes) -> None:
        """What was played in place of samples that are missing: remembered, and not known."""
        end = self.end
        self.put(position, audio)
        start = position - self.origin
        self._known[start : start + len(audio)] = bytes(len(audio))
        self.end = end

    def take(self, position: int, size: int) -> bytes | None:
        """The samples from `position` on if all are known; None if any is missing."""
        start = position - self.origin
        end = start + size
        if end > len(self._known) or self._known.find(0, start, end) >= 0:
            return None
        return bytes(self._audio[start:end])

    def run(self, position: int, size: int) -> tuple[bool, int]:
        """Whether the sample at `position` is known, and how many that follow are like it."""
        start = position - self.origin
        if start >= len(self._known):
            return False, size
        known = self._known[start] == 1
        change = self._known.find(0 if known else 1, start, start + size)
        if change >= 0:
            return known, change - start
        # Behind the end of the window nothing is known.
        return known, min(size, len(self._known) - start) if known else size

    def next_known(self, position: int) -> int | None:
        """The first position from here on that is known."""
        found = self._known.find(1, max(position - self.origin, 0))
        return None if found < 0 else self.origin + found

    def before(self, position: int, size: int) -> bytes:
        """Up to `size` samples that come before `position`; what was never known is silence."""
        end = position - self.origin
        return bytes(self._audio[max(end - size, 0) : max(end, 0)])

    def forget(self, position: int) -> None:
        """Everything up to `position` has been played."""
        past = position - self.origin
        if past > _TRIM:
            cut = past - BEHIND
            del self._audio[:cut]
            del self._known[:cut]
            self.origin += cut
