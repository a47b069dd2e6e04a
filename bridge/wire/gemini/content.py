"""Texts for the conversation: turns, notes, and what was said before the session began."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bridge.ports.client_events import Message
from bridge.ports.conversation import AgentSaid, CallerSaid, HistoryItem, Note, ToolUsed
from bridge.wire.gemini.capabilities import Capabilities

__all__ = [
    "Turn",
    "said_by_model",
    "said_by_user",
    "turn_of",
    "write",
    "write_content",
    "write_history",
    "write_note",
]

Turn = dict[str, Any]

_GO_ON = "That was the conversation so far. Go on from there."


def write(message: Mapping[str, Any]) -> str:
    """One message as JSON text."""
    return json.dumps(message, separators=(",", ":"))


def write_note(text: str) -> str:
    """
    What the model is told by somebody who is not on the line.

    Gemini has no role for it within a session, so that the words have to say it.
    """
    return f"[Note, not from the caller] {text}"


def said_by_user(text: str) -> Turn:
    return {"role": "user", "parts": [{"text": text}]}


def said_by_model(text: str) -> Turn:
    return {"role": "model", "parts": [{"text": text}]}


def turn_of(message: Message) -> Turn:
    """A message of the user's, the assistant's or, as a note, the system's."""
    match message.role:
        case "assistant" | "model":
            return said_by_model(message.text)
        case "system" | "developer":
            return said_by_user(write_note(message.text))
        case _:
            return said_by_user(message.text)


def write_content(turns: Sequence[Turn], *, complete: bool) -> str:
    """`clientContent`; with `complete` the model answers it."""
    content: dict[str, Any] = {"turns": list(turns)} if turns else {}
    return write({"clientContent": content | {"turnComplete": complete}})


def write_history(history: Iterable[HistoryItem], capabilities: Capabilities) -> str | None:
    """
    The message that tells a new session the conversation before it; None for an empty one.

    With `historyConfig` it is the one thing the server waits for before it listens, and
    no model is called. Without, the turns stay open and have to end with the user's.
    """
    turns = _alternating(_turn_before(item) for item in history)
    if not turns:
        return None
    if not capabilities.history_config and turns[-1]["role"] != "user":
        turns.append(said_by_user(write_note(_GO_ON)))
    return write_content(turns, complete=capabilities.history_config)


def _turn_before(item: HistoryItem) -> Turn:
    match item:
        case CallerSaid(text):
            return said_by_user(text)
        case AgentSaid(text):
            return said_by_model(text)
        case Note(text):
            return said_by_user(write_note(text))
        case ToolUsed(name=name, arguments=arguments, output=output):
            # A history may hold no function parts: the calls are another session's.
            return said_by_user(
                write_note(f"You used the tool {name} with {arguments}. It answered: {output}")
            )


def _alternating(turns: Iterable[Turn]) -> list[Turn]:
    """Turns of one role in a row become one turn of several parts."""
    joined: list[Turn] = []
    for turn in turns:
        if joined and joined[-1]["role"] == turn["role"]:
            joined[-1]["parts"] += turn["parts"]
        else:
            joined.append(turn)
    return joined
