"""
Call records as fields and items, sealed one by one.

Every field of a record becomes one sealed field, whatever it holds: a field that is added to
the record is stored, and sealed, without a line here. The conversation goes into items of
its own, numbered so that only those which changed have to be written.

Rule: what another version wrote is read as far as it is understood; what cannot be read is a
StoreError and never a wrong record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from bridge.errors import StoreError
from bridge.ports.conversation import HistoryItem
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord
from bridge.store import records
from bridge.store.sealing import Seal

__all__ = ["Kept", "Sealed", "first_number", "joined", "pairs"]

LONGEST_SHIFT = 64  # items that may fall off a conversation's front between two writes

_APART = ("call_id", "history")
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(CallRecord).items()
    if name not in _APART
}


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known to be stored: under this number, with the first item's number."""

    number: int
    record: CallRecord
    first: int = 0


class Sealed:
    """Puts records into words that only `seal` can read, and back."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def fields(self, record: CallRecord, kept: CallRecord | None = None) -> list[str | bytes]:
        """Name, value, name, value ...: those that differ from what is kept, or all of them."""
        pairs: list[str | bytes] = []
        if record is kept:
            return pairs
        for name, adapter in _ADAPTERS.items():
            value = getattr(record, name)
            if kept is None or value != getattr(kept, name):
                field = f"r:{name}"
                pairs += field, self._seal.seal(_json(adapter, value), record.call_id, field)
        return pairs

    def items(self, record: CallRecord, first: int, kept: Kept | None) -> list[str | bytes]:
        """Number, item, number, item ...: as `fields`, for the conversation."""
        pairs: list[str | bytes] = []
        if kept and record is kept.record:
            return pairs
        before = kept.record.history[first - kept.first :] if kept else ()
        for place, item in enumerate(record.history):
            if place >= len(before) or before[place] != item:
                field = f"log:{first + place}"
                sealed = self._seal.seal(records.write_item(item), record.call_id, field)
                pairs += str(first + place), sealed
        return pairs

    def read(self, call_id: str, call: Sequence[bytes], log: Sequence[bytes]) -> CallRecord | None:
        """The record, None where there is none. `call` and `log` are key, value, key, value ..."""
        fields, items = dict(pairs(call)), dict(pairs(log))
        if b"known" not in fields:
            return None
        known: dict[str, Any] = {}
        for name, adapter in _ADAPTERS.items():
            field = f"r:{name}"
            if (sealed := fields.get(field.encode())) is not None:
                known[name] = _value(adapter, self._seal.open(sealed, call_id, field), name)
        first, count = int(fields.get(b"first", 0)), int(fields.get(b"count", 0))
        history = [
            records.read_item(self._seal.open(items[key], call_id, f"log:{number}"))
            for number in range(first, first + count)
            if (key := str(number).encode()) in items
        ]
        if len(history) != count:
            raise StoreError("a part of a stored conversation is missing")
        return CallRecord(call_id, history=tuple(history), **known)

    def verdict(self, call_id: str, verdict: Verdict) -> bytes:
        return self._seal.seal(records.write_verdict(verdict), call_id, "verdict")

    def read_verdict(self, call_id: str, sealed: bytes) -> Verdict:
        return records.read_verdict(self._seal.open(sealed, call_id, "verdict"))

    def text(self, call_id: str, text: bytes, field: str) -> bytes:
        """Anything else that belongs to a call."""
        return self._seal.seal(text, call_id, field)

    def read_text(self, call_id: str, sealed: bytes, field: str) -> bytes:
        return self._seal.open(sealed, call_id, field)


def first_number(history: Sequence[HistoryItem], kept: Kept | None) -> int:
    """The number of the conversation's first item: it rises as the oldest ones fall off."""
    if kept is None:
        return 0
    before = kept.record.history
    if before is history:
        return kept.first
    for gone in range(min(len(before), LONGEST_SHIFT)):
        if before[gone : gone + 1] == history[:1]:
            return kept.first + gone
    return kept.first


def joined(earlier: CallRecord, later: CallRecord) -> CallRecord:
    """Of one call: what was known before, and what a holder knows who was not told of it."""
    told = later.history[: len(earlier.history)] == earlier.history  # by somebody else
    return replace(
        later,
        account_id=later.account_id or earlier.account_id,
        carrier=later.carrier or earlier.carrier,
        agent=later.agent or earlier.agent,
        caller=later.caller or earlier.caller,
        called=later.called or earlier.called,
        parameters={**earlier.parameters, **later.parameters},
        started_at=earlier.started_at or later.started_at,
        pending=later.pending or earlier.pending,
        history=later.history if told else earlier.history + later.history,
    )


def pairs(flat: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Redis tells a hash as a list."""
    return list(zip(flat[::2], flat[1::2], strict=True))


def _json(adapter: TypeAdapter[Any], value: object) -> bytes:
    try:
        plain = adapter.dump_python(value, mode="json")
    except PydanticSerializationError:
        raise StoreError("a field of a record cannot be written") from None
    # Models cut their words in odd places: half a character is no reason to forget a call.
    return json.dumps(plain, ensure_ascii=False).encode(errors="surrogatepass")


def _value(adapter: TypeAdapter[Any], text: bytes, name: str) -> Any:
    try:
        return adapter.validate_python(json.loads(text))
    except ValueError:
        raise StoreError(f"the stored {name} of a call cannot be read") from None
