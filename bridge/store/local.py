"""
The local journal: what this machine's workers know of their calls, in files of the machine's own.

It is there for the death of a worker at a moment when the store of all workers does not answer:
whoever takes over on the same machine finds what the dead one has kept.

Rule: the journal is a help, and never in the way. It works in a thread of its own, so that a
disk that hangs holds up nobody for long; and nothing here raises.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from bridge.store.entry import Entry
from bridge.store.sealing import Seal
from bridge.store.shelf import Shelf, name_of

__all__ = ["LocalJournal", "private_folder"]

PATIENCE = 0.3  # seconds for which anybody waits for the disk

_T = TypeVar("_T")


def private_folder(parent: Path) -> Path:
    """Where the workers of this user keep their journal."""
    return parent / f"bridge-journal-{os.geteuid()}"


class LocalJournal:
    """
    The journal in `folder`, which all workers of the machine share; None: there is none.

    `count` is told of each record that was `written`, had `failed` to be, was `recovered` by
    another claim, or is `unreadable`; perhaps from another thread. `wall` gives Unix time.
    """

    def __init__(
        self,
        folder: Path | None,
        seal: Seal,
        *,
        count: Callable[[str], None] = lambda _: None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._shelf = None if folder is None else Shelf(folder, seal, count, wall)
        self._count = count
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._lock = threading.Lock()
        self._waiting: dict[str, Entry] = {}
        self._together: list[str] | None = None
        """Names of what the thread will write at once, as long as more may come along."""

    def sweep(self) -> None:
        """Remove what is too old. Once the journal is used, that happens now and then."""
        self._later(Shelf.sweep)

    def keep(self, entry: Entry) -> None:
        """
        Write what a claim's holder knows, soon; what the same holder keeps until then takes
        its place. The end of a call stands above all of its claims.
        """
        if self._shelf is None:
            return
        name = name_of(entry)
        with self._lock:
            queued = name in self._waiting
            self._waiting[name] = entry
            if queued:
                return
            # A worker's calls are often kept in the same moment; to wake the thread costs more
            # than to write.
            if self._together is not None:
                self._together.append(name)
                return
            names = self._together = [name]
        self._thread.submit(self._write, self._shelf, names)

    async def settled(self) -> None:
        """Return when what was kept is written, or has failed, or takes too long."""
        await self._asked(lambda _: None, None)

    async def newest(self, call_id: str) -> Entry | None:
        """What is known here of the call: its end, or else what its last claim's holder knew."""
        return await self._asked(lambda shelf: shelf.newest(call_id), None)

    async def take(self, entry: Entry, shown: int) -> bool:
        """
        Keep what is known at the beginning of a claim that is made on this machine alone,
        with a ticket that shows this fence. False: the ticket was used here before.
        """
        return await self._asked(lambda shelf: shelf.take(entry, shown), True)

    async def superseded(self, entry: Entry) -> bool:
        """Whether somebody on this machine has claimed the call since, or it has ended."""
        return await self._asked(lambda shelf: shelf.superseded(entry), False)

    def recovered(self) -> None:
        """Somebody goes on with what another claim's holder has left here."""
        self._count("recovered")

    def forget(self, call_id: str, claim_id: str | None = None) -> None:
        """All that is kept of the call, or of one claim of it."""
        self._later(lambda shelf: shelf.forget(call_id, claim_id))

    async def close(self) -> None:
        """Write what waits, unless that takes too long. The last operation."""
        await self.settled()
        self._later(Shelf.close)
        self._shelf = None
        self._thread.shutdown(wait=False)

    def _write(self, shelf: Shelf, names: Sequence[str]) -> None:
        with self._lock:
            if self._together is names:
                self._together = None
            entries = [self._waiting.pop(name) for name in names]
        for entry in entries:
            shelf.write(entry)

    def _later(self, work: Callable[[Shelf], _T]) -> Future[_T] | None:
        """Have the thread do this, after all that it was told before."""
        with self._lock:
            self._together = None  # what is kept from now on comes after this
        return None if self._shelf is None else self._thread.submit(work, self._shelf)

    async def _asked(self, work: Callable[[Shelf], _T], otherwise: _T) -> _T:
        """What is found; `otherwise` where there is no journal, or none that answers in time."""
        future = self._later(work)
        if future is None:
            return otherwise
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            self._count("failed")
            return otherwise
