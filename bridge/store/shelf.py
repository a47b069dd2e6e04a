"""
The files of the local journal: a file for each claim of a call, sealed, and named so that the
newest claim's comes last.

Rule: a file is written by the holder of its claim alone, and so no lock is needed. Nothing here
raises: what fails is counted, and said now and then. Blocks; so it is used by one thread.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bridge.errors import StoreError
from bridge.ports.store import CallState
from bridge.store.entry import Entry, Lines, read_entry, write_entry
from bridge.store.folder import Folder
from bridge.store.sealing import Seal
from bridge.telemetry.seldom import Seldom

__all__ = ["Shelf", "name_of"]

LARGEST = 1 << 20  # bytes of a file; the longest conversation has about a quarter
MOST_FILES = 20_000
KEPT = 3_600.0  # seconds for which a call is kept after its last write
KEPT_ENDED = 600.0  # seconds for which the end of a call is, or that a ticket was used
KEPT_HALF = 60.0  # seconds after which nobody is still writing a file
SWEEPING = 60.0  # seconds between two looks for what is too old

_ENDED = "-z"  # stands behind every fence
_TICKET = "+"
_log = logging.getLogger(__name__)


class Shelf:
    """
    `count` is told of each record that was `written`, had `failed` to be, or is `unreadable`.
    `wall` gives Unix time in seconds. Of more than `most` files the oldest go.
    """

    def __init__(
        self,
        folder: Path,
        seal: Seal,
        count: Callable[[str], None],
        wall: Callable[[], float] = time.time,
        *,
        most: int = MOST_FILES,
    ) -> None:
        self._folder = Folder(folder)
        self._seal = seal
        self._count = count
        self._wall = wall
        self._most = most
        self._trouble = Seldom(time.monotonic)
        self._own: dict[str, Lines] = {}
        """The files that this process has written, by name."""
        self._swept = float("-inf")

    def write(self, entry: Entry) -> None:
        """In the place of what the same claim wrote before; what older claims wrote goes."""
        self._sweep_now_and_then()
        name = name_of(entry)
        with self._bearing():
            if name in self._own and not self._folder.has(name) and self.superseded(entry):
                return  # somebody else has claimed the call, and taken our file away
            lines = self._own.get(name) or Lines()
            data = write_entry(entry, self._seal, lines)
            if len(data) > LARGEST:
                raise StoreError("a call is too large for the local journal")
            self._folder.write(name, data)
            self._count("written")
            if name not in self._own:
                self._own[name] = lines
                for older in self._names(entry.call_id):
                    if older < name:
                        self._remove(older)

    def newest(self, call_id: str) -> Entry | None:
        """What is known of the call by its end, or else by its last claim that can be read."""
        with self._bearing():
            for name in reversed(self._names(call_id)):
                if (entry := self._read(name, call_id)) is not None:
                    return entry
        return None

    def take(self, entry: Entry, shown: int) -> bool:
        """
        Write the first entry of a claim whose ticket shows this fence. False, and nothing is
        written, if another claim on this machine was made with that ticket.
        """
        claim = _digest(entry.claim_id).encode()
        ticket = f"{_digest(entry.call_id)}{_TICKET}{shown:016x}"
        used = False
        with self._bearing(), suppress(FileNotFoundError):
            created = self._folder.create(ticket, claim)
            used = not created and self._folder.read(ticket, LARGEST) != claim
        if not used:
            self.write(entry)
        return not used

    def superseded(self, entry: Entry) -> bool:
        """Whether somebody on this machine has claimed the call since, or it has ended."""
        name, names = name_of(entry), list[str]()
        with self._bearing():
            names = self._names(entry.call_id)
        return any(other > name for other in names)

    def forget(self, call_id: str, claim_id: str | None = None) -> None:
        """All that there is of the call, or of one claim of it."""
        whose = _digest(call_id)
        with self._bearing():
            for name in self._folder.names(whose):
                if claim_id is None or name.endswith(f"-{_digest(claim_id)}"):
                    self._remove(name)

    def sweep(self) -> None:
        """Remove what is too old, and what is too much."""
        self._swept = self._wall()
        with self._bearing():
            files = self._folder.ages(self._swept)
            for place, (age, name) in enumerate(files):
                if age > _kept(name) or place >= self._most:
                    self._remove(name)

    def close(self) -> None:
        self._folder.close()

    def _sweep_now_and_then(self) -> None:
        if self._wall() - self._swept > SWEEPING:
            self.sweep()

    def _read(self, name: str, call_id: str) -> Entry | None:
        entry = None
        # A newer claim may have removed it meanwhile.
        with self._bearing("unreadable"), suppress(FileNotFoundError):
            entry = read_entry(self._folder.read(name, LARGEST), call_id, self._seal)
        return entry

    def _names(self, call_id: str) -> list[str]:
        return self._folder.names(f"{_digest(call_id)}-")

    def _remove(self, name: str) -> None:
        self._folder.remove(name)
        self._own.pop(name, None)

    @contextmanager
    def _bearing(self, outcome: str = "failed") -> Iterator[None]:
        """Count what goes wrong, and say so now and then."""
        try:
            yield
        except (OSError, StoreError) as exc:
            self._count(outcome)
            if times := self._trouble.again():
                # The name of a file is nobody's business.
                why = (exc.strerror if isinstance(exc, OSError) else None) or str(exc)
                _log.warning("the local journal fails: %s (%d times)", why, times)


def name_of(entry: Entry) -> str:
    """The name of its file. That of a call's end stands above those of its claims."""
    call = _digest(entry.call_id)
    if entry.state is CallState.ENDED:
        return call + _ENDED
    return f"{call}-{entry.fence:016x}-{_digest(entry.claim_id)}"


def _kept(name: str) -> float:
    """For how many seconds."""
    if name.startswith("."):
        return KEPT_HALF
    return KEPT_ENDED if name.endswith(_ENDED) or _TICKET in name else KEPT


def _digest(text: str) -> str:
    """Ids may be long, and may hold characters that no name of a file has."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
