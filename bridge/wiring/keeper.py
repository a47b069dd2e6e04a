"""
Keeps a call's record in the store while the call lasts.

Rule: the newest record wins, one write is under way at a time, and nothing ever waits for
the store but the end of the call, and that not for long.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from bridge.errors import StoreError
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallStore, Claim, Saved

__all__ = ["Keeper"]

SPACING = 0.5  # seconds between two writes of one call
PATIENCE = 2.0  # seconds that the end of a call waits for the store

_log = logging.getLogger(__name__)


class Keeper:
    """
    `record` makes the record as it is now; `fenced` is told that the call is no longer ours.

    An asynchronous context manager: it writes for as long as that lasts.
    """

    def __init__(
        self,
        store: CallStore,
        claim: Claim,
        record: Callable[[], CallRecord],
        fenced: Callable[[], None],
        *,
        spacing: float = SPACING,
        patience: float = PATIENCE,
    ) -> None:
        self._store = store
        self._claim = claim
        self._record = record
        self._fenced = fenced
        self._spacing = spacing
        self._patience = patience
        self._dirty = asyncio.Event()
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
        self._dirty.set()

    async def release(self) -> None:
        """The leg is gone: leave the record to whoever comes next. The last write."""
        await self._stop()
        await self._bounded(self._release())

    async def end(self, verdict: Verdict) -> None:
        """The call is over. The last write."""
        await self._stop()
        await self._bounded(self._end(verdict))

    async def _keep(self) -> None:
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            try:
                saved = await self._store.save(self._claim, self._record())
            except StoreError as exc:
                _log.warning("the call's record could not be saved: %s", exc)
                self._dirty.set()
            else:
                if saved is Saved.FENCED:
                    self._fenced()
                    return
            await asyncio.sleep(self._spacing)

    async def _stop(self) -> None:
        """Nothing may be written behind what is written last."""
        if self._keeping is None:
            return
        keeping, self._keeping = self._keeping, None
        keeping.cancel()
        [failed] = await asyncio.gather(keeping, return_exceptions=True)
        if isinstance(failed, Exception):
            _log.error("the call's record was no longer kept", exc_info=failed)

    async def _release(self) -> None:
        await self._store.release(self._claim, self._record())

    async def _end(self, verdict: Verdict) -> None:
        await self._store.end(self._claim.call_id, verdict, claim=self._claim)

    async def _bounded(self, write: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await write
        except (StoreError, TimeoutError) as exc:
            _log.warning("the end of a call could not be stored: %s", type(exc).__name__)
