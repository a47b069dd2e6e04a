"""The door to a carrier's switch: what may be asked of a call besides its audio."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

__all__ = ["Exchange", "Progress"]


class Progress(StrEnum):
    """How far a call has come, as its carrier sees it."""

    TALKING = "talking"
    OVER = "over"
    UNKNOWN = "unknown"
    """The carrier does not know the call, or nobody has picked up yet."""


class Exchange(Protocol):
    """
    Every method raises CarrierError when the carrier does not answer, or refuses. All may be
    cancelled; what was asked may then have been done.
    """

    async def progress(self, call_id: str) -> Progress:
        """How far the call has come."""

    async def ask_again(self, call_id: str, path: str) -> bool:
        """
        Have the carrier ask anew what comes next, whatever it does with the call just now: a
        leg that is well is lost by it. False: the call is over.

        `path` is where the bridge is to be found below its public origin.
        """

    async def close(self) -> None: ...
