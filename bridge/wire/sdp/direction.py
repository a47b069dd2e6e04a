"""Who sends and who receives (RFC 3264 section 5.1), seen from one end."""

from __future__ import annotations

from enum import StrEnum

from bridge.wire.sdp.description import Description, Media

__all__ = ["Direction", "is_unspecified", "wish_of"]

_UNSPECIFIED = ("0.0.0.0", "::")  # noqa: S104 - nothing is bound to it


class Direction(StrEnum):
    """Its values are the attributes' names."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE

    @property
    def sends(self) -> bool:
        return self in (Direction.SENDRECV, Direction.SENDONLY)

    @property
    def receives(self) -> bool:
        return self in (Direction.SENDRECV, Direction.RECVONLY)

    def answered_by(self, wish: Direction) -> Direction:
        """What the other end may do of its `wish` when this end said this."""
        return Direction.of(
            sends=self.receives and wish.sends, receives=self.sends and wish.receives
        )


def wish_of(description: Description, media: Media) -> Direction:
    """
    What the writer of `media` wants to do. An address of zeros is the old way to put a
    call on hold (RFC 3264 section 8.4): it receives nothing.
    """
    wish = _said(media.attributes) or _said(description.attributes) or Direction.SENDRECV
    if is_unspecified(media.address or description.address):
        return Direction.of(sends=wish.sends, receives=False)
    return wish


def is_unspecified(address: str | None) -> bool:
    """An address of zeros: nobody is there."""
    return address in _UNSPECIFIED


def _said(attributes: tuple[tuple[str, str | None], ...]) -> Direction | None:
    said = [Direction(name) for name, _ in attributes if name in list(Direction)]
    return said[-1] if said else None
