"""
The door to what the workers know of each other: who is alive, and which calls nobody carries.

It holds nothing of a caller's: ids of calls and workers, and how those are. What is said here
finds calls that were lost; who owns a call is decided by the claim alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.ports.store import CallState

__all__ = ["Fleet", "Holding", "Member", "Pulse"]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a worker tells of itself, again and again."""

    worker: str
    host: str = ""
    pid: int = 0
    build: str = ""
    draining: bool = False
    calls: int = 0
    capacity: int = 0
    """How many calls it takes; 0: as many as it can bear."""
    watching: bool = False
    """Whether it could look after the calls that others have lost."""
    path: str | None = None
    """Below which path of the public origin carriers find the bridge; None: it cannot tell yet."""


@dataclass(frozen=True, slots=True)
class Member:
    """A worker as the others see it."""

    pulse: Pulse
    silent_seconds: float
    """Since it was last heard. One that said goodbye has been silent for long."""


@dataclass(frozen=True, slots=True)
class Holding:
    """How a call is held."""

    call_id: str
    state: CallState
    fence: int
    owner: str
    """The worker that claimed it last; "" where nobody has."""
    leased: bool
    """Whether its owner has written of it within the last seconds."""
    shown: int | None
    """The fence on the ticket with which it was claimed last; None where that is not known."""
    asked_seconds: float | None
    """How long ago the carrier asked what comes next, after that claim; None: it has not."""
    carrier: str = ""


class Fleet(Protocol):
    """Every method raises StoreError when the store does not answer in time."""

    async def beat(self, pulse: Pulse) -> None:
        """This worker is alive."""

    async def leave(self, pulse: Pulse) -> None:
        """This worker goes, and nothing has happened to it."""

    async def members(self) -> Sequence[Member]:
        """All workers that were heard within the last hour."""

    async def mark(self) -> str:
        """What tells one store from another: after a failover or a restart it is different."""

    async def holding(self, call_id: str) -> Holding | None:
        """How the call is held; None where nobody knows it."""

    async def adrift(self, gone: Collection[str]) -> Sequence[Holding]:
        """The calls in progress that wait for a leg, or whose owner is one of these."""

    async def reserve(self, call_id: str, attempt: str, seconds: float) -> int:
        """
        Nobody else shall rescue this call for so many seconds. 0: somebody else is at it.
        Else how often that was done lately, this time included.

        The same `attempt` twice is one.
        """

    async def close(self) -> None: ...
