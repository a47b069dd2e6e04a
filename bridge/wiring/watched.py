"""
A leg that is watched for signs of life.

Rule: a caller's carrier sends audio all the time, also while nobody speaks. Where none
comes for SILENT_SECONDS the connection is as good as broken, whatever its socket says.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from bridge.errors import Ending, Fault
from bridge.ports import leg

__all__ = ["SILENT_SECONDS", "WatchedLeg"]

SILENT_SECONDS = 5.0  # without a frame of the caller's audio
LOOKS = 5  # within that time


class WatchedLeg:
    """
    A leg like the one it wraps, which also ends, lost, when no audio comes any more.

    A context manager: it watches from `attach` on until it is left.
    """

    def __init__(self, caller: leg.Leg, silent_seconds: float = SILENT_SECONDS) -> None:
        self._caller = caller
        self._interval = silent_seconds / LOOKS
        self._listener: leg.LegListener | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._heard = False
        self._silent_looks = 0
        self._over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def attach(self, listener: leg.LegListener, hear: leg.Hear | None = None) -> None:
        self._listener = listener
        self._look_again()

        tell = hear or (lambda audio: listener(leg.Heard(audio)))

        def heard(audio: bytes) -> None:
            if not self._over:
                self._heard = True
                tell(audio)

        self._caller.attach(self._hand_on, heard)

    def do(self, command: leg.LegCommand) -> None:
        self._caller.do(command)

    def _hand_on(self, event: leg.LegEvent) -> None:
        assert self._listener is not None
        if self._over:
            return
        if isinstance(event, leg.Ended):
            self._stop()
        self._listener(event)

    def _look(self) -> None:
        self._silent_looks = 0 if self._heard else self._silent_looks + 1
        self._heard = False
        if self._silent_looks < LOOKS:
            self._look_again()
            return
        assert self._listener is not None
        self._stop()
        detail = "no audio came from the carrier any more"
        self._listener(leg.Ended(Ending(Fault.CARRIER, "silent", detail), lost=True))

    def _look_again(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._look)

    def _stop(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
