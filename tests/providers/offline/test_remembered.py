from __future__ import annotations

import base64
import json

import pytest

from bridge.errors import ResumptionRefused
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed, pressed
from bridge.providers.offline.dialogue import BUILT_IN
from bridge.providers.offline.remembered import Remembered, read_token, recalled, write_token

FULL = Remembered(3, 2, 1, greeted=True, awaits_code=True, code="42", last="Hello.")


@pytest.mark.parametrize("memory", [Remembered(), FULL, Remembered(code="*9#", last="Zürich")])
def test_a_token_carries_everything(memory: Remembered) -> None:
    """It needs nothing else: another process reads it as well."""
    token = write_token(memory)

    assert read_token(token) == memory
    assert token.isascii()


def tampered(**changes: object) -> str:
    facts = json.loads(base64.urlsafe_b64decode(write_token(FULL).removeprefix("offline.")))
    facts.update(changes)
    return "offline." + base64.urlsafe_b64encode(json.dumps(facts).encode()).decode()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "sess_123",
        "offline.",
        "offline.!!!",
        "offline.bm9uc2Vuc2U=",
        "offline.W10=",
        write_token(FULL).removeprefix("offline."),
        tampered(version=2),
        tampered(spoken="3"),
        tampered(spoken=True),
        tampered(code=None),
        tampered(unheard_of=1),
        "offline." + base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
def test_another_token_is_refused(token: str) -> None:
    """As a provider does that has forgotten a session, without saying what was in it."""
    with pytest.raises(ResumptionRefused, match="not one of ours"):
        read_token(token)


@pytest.mark.parametrize(
    ("keys", "code", "awaits"),
    [
        (["842#"], "42", False),
        (["8", "42"], "42", False),
        (["8", "842#"], "842", False),
        (["8"], "", True),
        (["8", "#", "42"], "", False),
        (["842", "851"], "51", False),
        (["42"], "", False),
    ],
)
def test_a_code_is_remembered(keys: list[str], code: str, awaits: bool) -> None:
    """8 and the digits, together or one after the other; the newest counts."""
    memory = Remembered()
    for entry in keys:
        memory = memory.keyed(entry)

    assert (memory.code, memory.awaits_code) == (code, awaits)
    assert memory.turns == len(keys)


def test_a_history_makes_the_same_memory() -> None:
    """Turns, the code, the calls of tools and the last words."""
    history: list[HistoryItem] = [
        AgentSaid("Hello."),
        CallerSaid("(speech, 2.1 s)"),
        ToolUsed("1", "opening_hours", "{}", '"seven"'),
        AgentSaid("Seven."),
        Note("The shop closes early."),
        CallerSaid(pressed("842#")),
        AgentSaid("Thank you."),
        CallerSaid("(speech, 1.0 s)"),
        ToolUsed("2", "hang_up", "{}", "null"),
    ]

    assert recalled(history, BUILT_IN) == Remembered(
        spoken=2, pressed=1, asked=1, greeted=True, code="42", last="Thank you."
    )


def test_nothing_that_was_said_is_printed() -> None:
    """Neither the code nor the words stand in a log by accident."""
    assert "42" not in repr(FULL)
    assert "Hello" not in repr(FULL)
