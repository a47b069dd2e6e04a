"""What Redis may do instead of answering, for those who need not know Redis otherwise."""

from __future__ import annotations

from bridge.errors import StoreError

__all__ = ["Unanswered", "WritesRefused"]


class Unanswered(StoreError):
    """Redis did not answer in time."""


class WritesRefused(StoreError):
    """Redis is there and can be read, but does not take anything in."""
