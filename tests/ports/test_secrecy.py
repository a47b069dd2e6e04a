"""No log, no traceback and no debugger's print repeats what was said, or a secret."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from bridge.ports import (
    client_events,
    conversation,
    leg,
    model,
    runner_events,
    server_events,
    session,
    store,
)

DOORS = (
    client_events,
    conversation,
    leg,
    model,
    runner_events,
    server_events,
    session,
    store,
)

TEXT = re.compile(r"\b(str|bytes|Any|HistoryItem|RateLimit)\b")

OPEN = {
    # ids and names that providers, carriers and we give
    *("event_id", "item_id", "response_id", "call_id", "account_id", "request_id", "claim_id"),
    *("call_ids", "id", "name", "mark", "agent", "carrier", "worker", "parameters"),
    # words for metrics, and sentences of our own
    *("type", "code", "param", "reason", "role", "detail", "description", "words", "usage"),
    *("rate_limits",),
    # of a configuration, what a provider's manual has words for
    *("voice", "modalities", "eagerness", "tool_choice", "language", "model"),
}
"""Fields with text in them that may be seen. A new field hides, or is named here."""

PRIVATE = {
    leg.Started: "parameters",
    store.CallRecord: "parameters",
}
"""Where a name that is open elsewhere is not."""


def words() -> list[type[Any]]:
    """Every dataclass of the doors."""
    return [
        thing
        for door in DOORS
        for thing in vars(door).values()
        if isinstance(thing, type)
        and thing.__module__ == door.__name__
        and dataclasses.is_dataclass(thing)
    ]


@pytest.mark.parametrize("word", words(), ids=lambda word: str(word.__name__))
def test_what_was_said_does_not_print(word: type[Any]) -> None:
    """Texts, audio, numbers and tokens stay out of `repr`."""
    texts = {field.name for field in dataclasses.fields(word) if TEXT.search(str(field.type))}
    thing: Any = object.__new__(word)
    for field in dataclasses.fields(word):
        object.__setattr__(thing, field.name, f"<{field.name}>")

    shown = {name for name in texts if f"<{name}>" in repr(thing)}

    assert shown <= OPEN - {PRIVATE.get(word)}


def test_all_the_doors_are_looked_at() -> None:
    """Among many others."""
    assert {client_events.Message, store.CallRecord, server_events.AudioDelta} < set(words())
