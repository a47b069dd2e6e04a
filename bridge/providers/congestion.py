"""
Whether caller audio still goes to a network that is slow to take it.

Rule: nothing here reads a clock. Audio that arrives late is worth less than none, but a
burst, such as a handover makes of what it held back, is only late when it stays.
"""

from __future__ import annotations

from bridge.audio.formats import AudioFormat

__all__ = ["Congestion"]

STUCK_SECONDS = 2.0  # of audio may wait for the network
PATIENCE = 1.0  # seconds in which more than that may wait
BURST_SECONDS = 10.0  # of audio that may wait at all
ENVELOPE = 5 / 3  # bytes on the wire for a byte of audio: base64 in JSON


class Congestion:
    """Judges by the bytes that wait, for audio of one format."""

    def __init__(self, format: AudioFormat) -> None:
        bytes_per_second = format.bytes_per_second * ENVELOPE
        self._stuck_size = STUCK_SECONDS * bytes_per_second
        self._burst_size = BURST_SECONDS * bytes_per_second
        self._since: float | None = None

    def admits(self, waiting: int, now: float) -> bool:
        """Whether one more piece may wait behind `waiting` bytes."""
        if waiting <= self._stuck_size:
            self._since = None
            return True
        if self._since is None:
            self._since = now
        return waiting <= self._burst_size and now - self._since <= PATIENCE
