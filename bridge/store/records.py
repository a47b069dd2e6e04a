"""
Call records as JSON, for stores that outlive the process.

Rule: what another version wrote is read as far as it is understood; a record that cannot
be read is a StoreError and never a wrong record.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bridge.errors import StoreError
from bridge.ports import leg
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.ports.leg import Verdict
from bridge.ports.session import RealtimeConfig

__all__ = [
    "read_config",
    "read_item",
    "read_verdict",
    "write_config",
    "write_item",
    "write_verdict",
]

_Kind = TypeVar("_Kind")
_CONFIG = TypeAdapter(RealtimeConfig)
_ITEMS: Mapping[str, type[HistoryItem]] = {
    "caller": CallerSaid,
    "agent": AgentSaid,
    "tool": ToolUsed,
    "note": Note,
}
_KINDS = {kind: name for name, kind in _ITEMS.items()}
_VERDICTS: Mapping[str, type[Verdict]] = {"hangup": leg.Hangup, "transfer": leg.Transfer}
_VERDICT_KINDS = {kind: name for name, kind in _VERDICTS.items()}


def write_config(config: RealtimeConfig) -> bytes:
    return _CONFIG.dump_json(config)


def read_config(text: bytes) -> RealtimeConfig:
    """Raises StoreError."""
    try:
        return _CONFIG.validate_json(text)
    except ValidationError as exc:
        wrong = exc.errors(include_input=False, include_url=False)
        raise StoreError(f"a stored configuration cannot be read: {wrong[0]['type']}") from None


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
    text = json.dumps({"kind": kind, **dataclasses.asdict(value)}, ensure_ascii=False)
    # Models cut their words in odd places: half a character is no reason to forget a call.
    return text.encode(errors="surrogatepass")


def _untagged(text: bytes, kinds: Mapping[str, type[_Kind]]) -> _Kind:
    try:
        fields = json.loads(text)
        kind = kinds[fields.pop("kind")]
        names = (field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]
        return kind(**{name: fields[name] for name in names if name in fields})
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise StoreError(f"a stored item cannot be read: {type(exc).__name__}") from None
