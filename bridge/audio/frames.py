"""Bytes as they come into frames of one size."""

from __future__ import annotations

__all__ = ["Framer"]


class Framer:
    """Cuts any bytes into frames of exactly `size` bytes and keeps the rest for the next."""

    __slots__ = ("_rest", "size")

    def __init__(self, size: int) -> None:
        """Raises ValueError when `size` is not positive."""
        if size <= 0:
            raise ValueError(f"a frame of {size} bytes holds nothing")
        self.size = size
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now, in order."""
        size = self.size
        if self._rest:
            data = self._rest + data
        whole = len(data) - len(data) % size
        self._rest = data[whole:]
        return [data[start : start + size] for start in range(0, whole, size)]

    def flush(self, padding: bytes) -> bytes | None:
        """
        The rest as a last frame, filled up with `padding` over and over (one sample of
        silence, as a rule); None when there is no rest.
        """
        if not padding:
            raise ValueError("a frame cannot be filled up with nothing")
        rest = self._rest
        if not rest:
            return None
        self.reset()
        missing = self.size - len(rest)
        return rest + (padding * missing)[:missing]

    def reset(self) -> None:
        """Forget the rest."""
        self._rest = b""
