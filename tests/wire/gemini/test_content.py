"""Texts for the conversation, and the conversation before a session."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.ports.client_events import Message
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.wire.gemini import capabilities_of, write_history
from bridge.wire.gemini.content import turn_of, write_content
from tests.fakes.gemini_rules import read_message

NEWER = capabilities_of("gemini-3.8-live")
OLDER = capabilities_of("gemini-2.5-flash-native-audio-preview-12-2025")


def content(text: str) -> dict[str, Any]:
    assert read_message(text).kind == "client_content"
    told: dict[str, Any] = json.loads(text)["clientContent"]
    return told


def texts(turn: dict[str, Any]) -> list[str]:
    return [part["text"] for part in turn["parts"]]


def test_a_history_is_told_as_turns_that_alternate() -> None:
    """Words of one side in a row make one turn; tools and notes come as the user's notes."""
    history: list[HistoryItem] = [
        CallerSaid("Hello."),
        Note("The caller is a regular."),
        AgentSaid("Good morning."),
        ToolUsed("call-1", "hours", '{"day":"mon"}', '"seven"'),
        AgentSaid("From seven."),
    ]

    message = write_history(history, NEWER)

    assert message is not None
    told = content(message)
    assert told["turnComplete"] is True
    assert [turn["role"] for turn in told["turns"]] == ["user", "model", "user", "model"]
    assert texts(told["turns"][0]) == [
        "Hello.",
        "[Note, not from the caller] The caller is a regular.",
    ]
    assert 'hours with {"day":"mon"}' in texts(told["turns"][2])[0]


def test_an_open_history_ends_with_the_users_turn() -> None:
    """Generation 2 takes no history that ends with the model, and none that is complete."""
    message = write_history([CallerSaid("Hello."), AgentSaid("Good morning.")], OLDER)

    assert message is not None
    told = content(message)
    assert told["turnComplete"] is False
    assert [turn["role"] for turn in told["turns"]] == ["user", "model", "user"]


def test_without_a_history_there_is_nothing_to_tell() -> None:
    assert write_history([], NEWER) is None
    assert write_history([], OLDER) is None


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("user", ("user", "Hi.")),
        ("assistant", ("model", "Hi.")),
        ("model", ("model", "Hi.")),
        ("system", ("user", "[Note, not from the caller] Hi.")),
        ("developer", ("user", "[Note, not from the caller] Hi.")),
    ],
)
def test_roles_are_geminis(role: str, expected: tuple[str, str]) -> None:
    turn = turn_of(Message(role, "Hi."))

    assert (turn["role"], texts(turn)[0]) == expected


def test_content_without_turns_is_a_sign_only() -> None:
    assert content(write_content((), complete=False)) == {"turnComplete": False}
