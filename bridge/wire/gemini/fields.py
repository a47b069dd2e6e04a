"""Fields of Google's JSON messages: camel or snake case, and of the kind they should be."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

__all__ = [
    "Fields",
    "Unreadable",
    "camel",
    "flag",
    "items",
    "object_of",
    "seconds",
    "text",
    "value",
]

Fields = Mapping[str, Any]

_DURATION = re.compile(r"(-?\d+(?:\.\d+)?)s?")


class Unreadable(ValueError):
    """A field is not what the protocol says it is. The text names the field only."""


@functools.lru_cache(maxsize=256)
def camel(name: str) -> str:
    """`newHandle` of `new_handle`; what is camel case already stays."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


@functools.lru_cache(maxsize=256)
def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()


def value(fields: Fields, name: str) -> Any:
    """The field called `name` in camel case, however it is written; None without it."""
    found = fields.get(name)
    return fields.get(_snake(name)) if found is None else found


def object_of(fields: Fields, name: str) -> Fields | None:
    found = value(fields, name)
    if found is None or isinstance(found, Mapping):
        return found
    raise Unreadable(f"{name} is not an object")


def items(fields: Fields, name: str) -> list[Any]:
    found = value(fields, name)
    if found is None or isinstance(found, list):
        return found or []
    raise Unreadable(f"{name} is not a list")


def text(fields: Fields, name: str) -> str:
    found = value(fields, name)
    if found is None or isinstance(found, str):
        return found or ""
    raise Unreadable(f"{name} is not a text")


def flag(fields: Fields, name: str) -> bool:
    return value(fields, name) is True


def seconds(fields: Fields, name: str) -> float:
    """A duration such as "9.5s". One of zero seconds is not written at all."""
    found = value(fields, name)
    if found is None:
        return 0.0
    if (match := _DURATION.fullmatch(str(found))) is None:
        raise Unreadable(f"{name} is not a duration")
    return float(match[1])
