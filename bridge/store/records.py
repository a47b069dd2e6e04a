"""
Call records as JSON, for stores that outlive the process.

Rule: what another version wrote is read as far as it is understood; a record that cannot
be read is a StoreError and never a wrong record.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.ports.leg import Verdict
from bridge.ports.mail import ChangeWish

__all__ = [
    "read_item",
    "read_verdict",
    "read_wish",
    "write_item",
    "write_verdict",
    "write_wish",
]

_Kind = TypeVar("_Kind")
_WISH = TypeAdapter(ChangeWish)
_ITEMS: Mapping[str, type[HistoryItem]] = {
    "caller": CallerSaid,
    "agent": AgentSaid,
    "tool": ToolUsed,
    "note": Note,
}
_KINDS = {kind: name for name, kind in _ITEMS.items()}
_VERDICTS: Mapping[str, type[Verdict]] = {"hangup": leg.Hangup, "transfer": leg.Transfer}
_VERDICT_KINDS = {kind: name for name, kind in _VERDICTS.items()}


def write_wish(wish: ChangeWish) -> bytes:
    return _encoded(_WISH.dump_python(wish, mode="json"))


def read_wish(text: bytes) -> ChangeWish:
    """Raises StoreError."""
    try:
        return _WISH.validate_python(json.loads(text))
    except ValueError:
        raise StoreError("a letter to a call cannot be read") from None


def write_item(item: HistoryItem) -> bytes:
    return _tagged(_KINDS[type(item)], item)


def read_item(text: bytes) -> HistoryItem:
    """Raises StoreError."""
    return _untagged(text, _ITEMS)


def write_verdict(verdict: Verdict) -> bytes:
    return _tagged(_VERDICT_KINDS[type(verdict)], verdict)


def read_verdict(text: bytes) -> Verdict:
    """Raises StoreError."""
    return _untagged(text, _VERDICTS)


def _tagged(kind: str, value: HistoryItem | Verdict) -> bytes:
    names = (field.name for field in dataclasses.fields(value))
    return _encoded({"kind": kind, **{name: getattr(value, name) for name in names}})


def _encoded(plain: Any) -> bytes:
    # Models cut their words in odd places: half a character is no reason to forget a call.
    return json.dumps(plain, ensure_ascii=False).encode(errors="surrogatepass")


def _untagged(text: bytes, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    try:
        fields = json.loads(text)
        kind = kinds[fields.pop("kind")]
        names = (field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        return kind(**{name: fields[name] for name in names if name in fields})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise StoreError(f"a stored item cannot be read: {type(exc).__name__}") from None
