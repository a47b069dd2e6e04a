"""Room for sockets that have not said yet which call they are: each costs memory, and a timer."""

from __future__ import annotations

from types import TracebackType
from typing import Self

__all__ = ["Anteroom"]


class Anteroom:
    """Whoever waits here is inside the context manager; it may be entered any number of times."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting = 0

    @property
    def full(self) -> bool:
        """Whether whoever comes now has to be turned away."""
        return self._waiting >= self._most

    def __enter__(self) -> Self:
        self._waiting += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._waiting -= 1
