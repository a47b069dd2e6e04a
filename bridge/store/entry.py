"""
What the local journal keeps of a call: one holder's record, and how the call stands for it.

An entry is one sealed text, bound to its call. Opened it is lines of JSON: how the call stands,
the record without the conversation, and then an item of the conversation a line.

Rule: as with every store, what another version wrote is read as far as it is understood, and
what cannot be read is a StoreError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError

from bridge.errors import StoreError
from bridge.ports.conversation import HistoryItem
from bridge.ports.leg import Verdict
from bridge.ports.store import CallRecord, CallState
from bridge.store import records
from bridge.store.sealing import Seal

__all__ = ["UNSTAMPED", "Entry", "Lines", "read_entry", "write_entry"]

UNSTAMPED = (0, 0)
FIELD = "local"  # to which the seal is bound, besides the call

_RECORD = TypeAdapter(CallRecord)


@dataclass(frozen=True, slots=True)
class Entry:
    """A call as one of its holders knew it."""

    call_id: str
    fence: int = 0
    claim_id: str = ""
    state: CallState = CallState.NEW
    record: CallRecord | None = field(default=None, repr=False)
    whole: bool = True
    """Whether the record holds all that was known before its holder claimed the call."""
    verdict: Verdict | None = field(default=None, repr=False)
    """What became of the call, if it has ended."""
    legs: tuple[float, ...] = ()
    """When the call was claimed lately, Unix time."""


class Lines:
    """The record of one claim as lines; those that stay as they are are written once."""

    def __init__(self) -> None:
        self._rest: CallRecord | None = None
        self._line = b""
        self._items: Sequence[HistoryItem] = ()
        self._lines: list[bytes] = []

    def write(self, record: CallRecord) -> list[bytes]:
        """
        The record without its conversation and its stamp, which changes each time, and then
        the conversation. Raises StoreError where JSON has no words for something.
        """
        rest = replace(record, history=(), written=UNSTAMPED)
        if rest != self._rest:
            self._line = _json(_plain(rest))
            self._rest = rest
        return [self._line, *self._conversation(record.history)]

    def _conversation(self, items: Sequence[HistoryItem]) -> list[bytes]:
        before, lines = self._items, self._lines
        self._lines = [
            lines[place]
            if place < len(before) and (before[place] is item or before[place] == item)
            else records.write_item(item)
            for place, item in enumerate(items)
        ]
        self._items = items
        return self._lines


def write_entry(entry: Entry, seal: Seal, lines: Lines | None = None) -> bytes:
    """Raises StoreError where there is something in the record that JSON has no words for."""
    head = {
        "fence": entry.fence,
        "claim": entry.claim_id,
        "state": entry.state,
        "whole": entry.whole,
        "legs": entry.legs,
        "record": entry.record is not None,
        "written": UNSTAMPED if entry.record is None else entry.record.written,
    }
    text = [_json(head), b"" if entry.verdict is None else records.write_verdict(entry.verdict)]
    if entry.record is not None:
        text += (lines or Lines()).write(entry.record)
    return seal.seal(b"\n".join(text), entry.call_id, FIELD)


def read_entry(sealed: bytes, call_id: str, seal: Seal) -> Entry:
    """Raises StoreError."""
    text = seal.open(sealed, call_id, FIELD)
    try:
        heading, verdict, *lines = text.split(b"\n")
        head = json.loads(heading)
        return Entry(
            call_id,
            fence=int(head["fence"]),
            claim_id=str(head["claim"]),
            state=CallState(head["state"]),
            record=_record(head, lines) if head["record"] else None,
            whole=bool(head["whole"]),
            verdict=records.read_verdict(verdict) if verdict else None,
            legs=tuple(map(float, head["legs"])),
        )
    except (ValueError, KeyError, TypeError, IndexError) as exc:
        # pydantic's errors are ValueErrors, and repeat what they have read.
        raise StoreError(f"an entry cannot be read: {type(exc).__name__}") from None


def _record(head: Mapping[str, Any], lines: Sequence[bytes]) -> CallRecord:
    record = _RECORD.validate_python(json.loads(lines[0]))
    fence, number = head["written"]
    history = tuple(map(records.read_item, lines[1:]))
    return replace(record, history=history, written=(int(fence), int(number)))


def _plain(record: CallRecord) -> Any:
    try:
        return _RECORD.dump_python(record, mode="json")
    except PydanticSerializationError:
        raise StoreError("a field of a record cannot be written") from None


def _json(value: Any) -> bytes:
    # Models cut their words in odd places: half a character is no reason to forget a call.
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass")
