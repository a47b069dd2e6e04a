"""
Whether a tool call is run, from what is known of it.

Rule: a tool that may have acted on the world already is not run again for the same call,
unless its author says that this does no harm. Then it gets the same key as before.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from bridge.ports.runner_events import ToolOutcome
from bridge.ports.tools import Found, ToolHandler, ToolState
from bridge.runner.vocabulary import RunTool

__all__ = ["Plan", "Run", "Told", "decide", "error", "write_result"]


@dataclass(frozen=True, slots=True)
class Run:
    """Run the tool."""


@dataclass(frozen=True, slots=True)
class Told:
    """Do not run it: this is the answer."""

    answer: Any = field(repr=False)
    outcome: ToolOutcome


Plan = Run | Told


def error(code: str, message: str) -> dict[str, Any]:
    """How a model is told that a tool has not done what was asked for."""
    return {"error": {"code": code, "message": message}}


UNKNOWN = Told(
    error(
        "outcome_unknown",
        "This call was begun before, and its outcome is unknown: it may have taken effect or "
        "not. Do not simply call the tool again. Tell the caller, and find out or ask first.",
    ),
    ToolOutcome.OUTCOME_UNKNOWN,
)
NO_JOURNAL = Told(
    error("not_run", "The tool was not run, because of a fault of the bridge."),
    ToolOutcome.NO_JOURNAL,
)
FENCED = Told(None, ToolOutcome.CANCELLED)


def decide(call: RunTool, handler: ToolHandler, found: Found | None, *, begun: bool) -> Plan:
    """
    `found` is what the journal says, None if it did not answer; `begun`: this runner, or the
    one before it, has begun the call for all it knows.
    """
    if found is not None:
        match found.state:
            case ToolState.FENCED:
                return FENCED
            case ToolState.DONE:
                return _remembered(call, found.result)
            case ToolState.BEGUN:
                begun = True
            case ToolState.NEW:
                pass
    unseen = found is None and handler.needs_journal
    # What an earlier runner left open it may well have begun: only the journal could tell.
    if begun or (found is None and call.inherited):
        return Run() if handler.idempotent and not unseen else UNKNOWN
    return NO_JOURNAL if unseen else Run()


def write_result(call: RunTool, answer: Any) -> bytes:
    """What the journal keeps of a call that is done."""
    result = {"name": call.name, "arguments": call.arguments, "answer": answer}
    # Models cut their words in odd places: half a character is no reason to lose an answer.
    return json.dumps(result, ensure_ascii=False).encode(errors="surrogatepass")


def _remembered(call: RunTool, result: bytes | None) -> Plan:
    try:
        known = json.loads(result or b"")
        asked, answer = (known["name"], known["arguments"]), known["answer"]
    except (ValueError, KeyError, TypeError):
        return UNKNOWN
    if asked != (call.name, call.arguments):
        return Run()  # another call, by a provider that uses its ids more than once
    return Told(answer, ToolOutcome.REMEMBERED)
