"""
Whether the caller's carrier still sends.

Rule: a carrier sends audio all the time, also while nobody speaks. Where none comes for
SILENT_SECONDS the connection is as good as broken, whatever its socket says.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.alarm import Alarm
from bridge.errors import Ending, Fault
from bridge.ports import leg

__all__ = ["SILENT_SECONDS", "LifeSigns"]

SILENT_SECONDS = 5.0  # without a frame of the caller's audio
LOOKS = 3  # within that time


class LifeSigns:
    """
    Tells, once, that a leg is lost whose `frames` rise no more: of the caller's audio, so far.

    A context manager: it watches until it is left.
    """

    def __init__(
        self,
        frames: Callable[[], int],
        tell: Callable[[leg.Ended], None],
        silent_seconds: float = SILENT_SECONDS,
    ) -> None:
        self._frames = frames
        self._tell = tell
        self._interval = silent_seconds / LOOKS
        self._alarm = Alarm(self._look)
        self._seen = 0
        self._silent_looks = 0

    def __enter__(self) -> Self:
        self._alarm.after(self._interval)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._alarm.stop()

    def _look(self) -> None:
        frames = self._frames()
        self._silent_looks = 0 if frames > self._seen else self._silent_looks + 1
        self._seen = frames
        if self._silent_looks < LOOKS:
            self._alarm.after(self._interval)
        else:
            detail = "no audio came from the carrier any more"
            self._tell(leg.Ended(Ending(Fault.CARRIER, "silent", detail), lost=True))
