"""A session description as a value, and its bytes (RFC 8866)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Attribute", "Attributes", "Description", "Media", "Origin", "values"]

Attribute = tuple[str, str | None]
"""`a=name` or `a=name:value`."""
Attributes = tuple[Attribute, ...]


def values(attributes: Attributes, name: str) -> Iterator[str]:
    """The values of all attributes of this name; "" of one that has none."""
    return (value or "" for known, value in attributes if known == name)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who describes, and which version of it: `o=`."""

    session_id: int
    version: int
    address: str = field(repr=False)
    user: str = field(default="-", repr=False)

    def line(self) -> str:
        return f"{self.user} {self.session_id} {self.version} {_place(self.address)}"


@dataclass(frozen=True, slots=True)
class Media:
    """One `m=` and the lines below it. `port` 0: the stream is refused, or gone."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    address: str | None = field(default=None, repr=False)
    """Of its own `c=`; None: the session's."""
    attributes: Attributes = ()

    def first(self, name: str) -> str | None:
        return next(values(self.attributes, name), None)

    def has(self, name: str) -> bool:
        return self.first(name) is not None

    def lines(self) -> Iterator[str]:
        yield f"m={self.kind} {self.port} {self.protocol} {' '.join(self.formats)}"
        if self.address is not None:
            yield f"c={_place(self.address)}"
        yield from _attribute_lines(self.attributes)


@dataclass(frozen=True, slots=True)
class Description:
    """A whole description. What is not named here is read past, and not written."""

    origin: Origin
    address: str | None = field(repr=False)
    """Of the session's `c=`, which may be missing where every media has one."""
    media: tuple[Media, ...]
    attributes: Attributes = ()
    name: str = field(default="-", repr=False)

    def write(self) -> bytes:
        return ("\r\n".join(self._lines()) + "\r\n").encode()

    def _lines(self) -> Iterator[str]:
        yield "v=0"
        yield f"o={self.origin.line()}"
        yield f"s={self.name or '-'}"
        if self.address is not None:
            yield f"c={_place(self.address)}"
        yield "t=0 0"
        yield from _attribute_lines(self.attributes)
        for media in self.media:
            yield from media.lines()


def _place(address: str) -> str:
    return f"IN {'IP6' if ':' in address else 'IP4'} {address}"


def _attribute_lines(attributes: Attributes) -> Iterator[str]:
    for name, value in attributes:
        yield f"a={name}" if value is None else f"a={name}:{value}"
