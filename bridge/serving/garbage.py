"""
When a worker looks for garbage.

Rule: to look through everything stops every call, for half a microsecond for each object that
is there, so it is done while nobody calls. Calls leave nothing that has to be looked for; what
does so are tools and hooks, if anything, and there is a bound for a worker that is never idle.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bridge.alarm import Alarm

__all__ = ["Cleaning"]

INTERVAL = 10.0  # seconds between two looks whether anybody calls
# New objects that are looked at together, and looks until all that stayed since are looked at once
# more: so few that hundreds of calls wait for a millisecond, not for five.
YOUNG, MIDDLE = 50, 5
OLD = 2800  # of those, for one at everything: some 700,000 objects that stay


class Cleaning:
    """
    Keeps the interpreter from looking through everything while there are calls; `busy` says
    whether there are.

    A context manager, for the running loop of a process that is done with its imports: what is
    there by then is never looked at again.
    """

    def __init__(self, busy: Callable[[], bool], *, interval: float = INTERVAL) -> None:
        self._busy = busy
        self._interval = interval
        self._usual = gc.get_threshold()
        self._alarm = Alarm(self._look)

    def __enter__(self) -> Self:
        gc.freeze()
        gc.set_threshold(YOUNG, MIDDLE, OLD)
        self._alarm.after(self._interval)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._alarm.stop()
        gc.set_threshold(*self._usual)
        gc.unfreeze()

    def _look(self) -> None:
        if not self._busy():
            gc.collect()
        self._alarm.after(self._interval)
