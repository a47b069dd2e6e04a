"""
Keeps a call's record in the store while the call lasts.

Rule: the newest record wins, one write is under way at a time, and nothing ever waits for
the store but the end of the call, and that not for long.

All calls of a worker are written at the same ticks, so that their writes go to the store
together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bridge.alarm import Alarm
from bridge.errors import StoreError
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallStore, Claim, Saved

__all__ = ["Keeper"]

SPACING = 0.5  # seconds between two writes of one call to a store that others read
OWN_SPACING = 2.0  # the same for the worker's own, which is read once the leg is let go of
RENEWAL = 0.5  # more seconds after which it is written again all the same
TICK = 0.05  # seconds between the moments at which calls are written
PATIENCE = 2.0  # seconds that the end of a call waits for the store

_log = logging.getLogger(__name__)


class Keeper:
    """
    `record` gives the record as it is now, the same one as before where nothing has changed,
    which a store, too, knows at a glance; `fenced` is told that the call is no longer ours,
    and `mail` that there are letters to it.

    An asynchronous context manager: it writes for as long as that lasts.
    """

    def __init__(
        self,
        store: CallStore,
        claim: Claim,
        record: Callable[[], CallRecord],
        fenced: Callable[[], None],
        *,
        mail: Callable[[], None] = lambda: None,
        spacing: float | None = None,
        renewal: float = RENEWAL,
        patience: float = PATIENCE,
    ) -> None:
        self._store = store
        self._claim = claim
        self._record = record
        self._fenced = fenced
        self._mail = mail
        usual = SPACING if store.shared else OWN_SPACING
        self._spacing = usual if spacing is None else spacing
        self._renewal = renewal
        self._patience = patience
        self._stored: CallRecord | None = None
        """What the store is known to have, and since when."""
        self._stored_at = 0.0
        self._clock = asyncio.get_running_loop().time
        self._tick = min(TICK, self._spacing)
        self._alarm = Alarm(self._ring)
        self._looked_at = float("-inf")
        self._resting = True
        """Whether the next touch is a reason to look at once."""
        self._dirty = False
        self._due = asyncio.Event()
        self._writing = asyncio.Lock()
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._keeping = asyncio.create_task(self._keep(), name="keeper")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    def touch(self) -> None:
        """Something happened that the next worker would have to know."""
        self._dirty = True
        if self._resting:
            self._look_at(self._clock())

    def hurry(self) -> None:
        """A turn is over. To lose that would be worse than to write once more."""
        self.touch()
        self._look_at(min(self._alarm.at, self._looked_at + self._tick))

    async def flush(self) -> None:
        """
        Return when what is known now is stored; at the end of the call at once. Raises
        StoreError. May be cancelled: it is stored later then.
        """
        self.touch()
        if self._keeping is not None:
            await self._save()

    async def release(self, *, planned: bool = False) -> None:
        """
        The leg is gone: leave the record to whoever comes next. The last write. `planned`:
        we let go of it on purpose.
        """
        await self._stop()
        await self._bounded(self._release(planned))

    async def end(self, verdict: Verdict) -> None:
        """The call is over. The last write."""
        await self._stop()
        await self._bounded(self._end(verdict))

    async def _keep(self) -> None:
        while await self._due.wait():
            self._due.clear()
            try:
                if await self._save(even_unchanged=False) is Saved.FENCED:
                    return
            except StoreError as exc:
                _log.debug("the call's record could not be saved: %s", exc)
            self._looked_at = self._clock()
            after = self._looked_at + self._spacing
            self._look_at(after + -after % self._tick)

    def _ring(self) -> None:
        # A store that has lost the call is to have it again soon, and the others are to
        # see that somebody looks after it.
        renewed = self._looked_at + self._spacing + self._renewal
        if self._dirty or self._clock() >= renewed:
            self._resting = False
            self._due.set()
        else:
            self._resting = True
            self._look_at(renewed)

    def _look_at(self, at: float) -> None:
        if self._keeping is not None:
            self._alarm.set(at)

    async def _save(self, *, even_unchanged: bool = True) -> Saved:
        async with self._writing:
            self._dirty = False
            record, now = self._record(), self._clock()
            if record is self._stored and not even_unchanged:
                due = self._stored_at + self._renewal + self._spacing / 2
                if now < due:
                    return Saved.OK
            try:
                saved = await self._store.save(self._claim, record)
            except BaseException:
                self._stored = None
                self._dirty = True  # it has to be tried again
                raise
            self._stored, self._stored_at = record, now
        if saved is Saved.FENCED:
            self._fenced()
        elif saved is Saved.MAIL:
            self._mail()
        return saved

    async def _stop(self) -> None:
        """Nothing may be written behind what is written last."""
        if self._keeping is None:
            return
        keeping, self._keeping = self._keeping, None
        self._alarm.stop()
        keeping.cancel()
        [failed] = await asyncio.gather(keeping, return_exceptions=True)
        if isinstance(failed, Exception):
            _log.error("the call's record was no longer kept", exc_info=failed)

    async def _release(self, planned: bool) -> None:
        await self._store.release(self._claim, self._record(), planned=planned)

    async def _end(self, verdict: Verdict) -> None:
        await self._store.end(self._claim.call_id, verdict, claim=self._claim)

    async def _bounded(self, write: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await write
        except (StoreError, TimeoutError) as exc:
            _log.debug("the end of a call could not be stored: %s", type(exc).__name__)
