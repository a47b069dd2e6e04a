"""What the agent says first; `test_machine` tells it of whole calls."""

from __future__ import annotations

import pytest

from bridge.call.opening import Opening
from bridge.call.vocabulary import ModelReady, Tell
from bridge.ports import phrases
from bridge.ports.client_events import Message
from bridge.ports.store import Cut

ASK_AGAIN = Tell(Message("system", phrases.ASK_AGAIN, respond=True))


@pytest.mark.parametrize("caller_first", [True, False])
def test_both_have_to_be_there(caller_first: bool) -> None:
    """Whoever comes first."""
    opening = Opening("Hello.")
    if caller_first:
        opening.caller_comes()
    else:
        opening.model_comes(ModelReady())
    assert opening.begin() is None

    opening.caller_comes()
    opening.model_comes(ModelReady())
    assert opening.begin() == phrases.greet("Hello.")


def test_it_begins_once() -> None:
    opening = Opening("Hello.")
    opening.caller_comes()
    opening.model_comes(ModelReady())

    assert [opening.begin() is None for _ in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("greeting", "ready", "first"),
    [
        (None, ModelReady(), None),
        ("", ModelReady(), None),
        ("Hello.", ModelReady(resumed=True), None),
        ("Hello.", ModelReady(resumed=True, cut=Cut.AGENT), phrases.GO_ON),
        ("Hello.", ModelReady(resumed=True, cut=Cut.CALLER), ASK_AGAIN),
        ("Hello.", ModelReady(resumed=False, cut=Cut.AGENT), phrases.greet("Hello.")),
    ],
)
def test_what_comes_first(greeting: str | None, ready: ModelReady, first: object) -> None:
    opening = Opening(greeting)
    opening.caller_comes()
    opening.model_comes(ready)

    assert opening.model_there
    assert opening.begin() == first
