"""What the runner's machine is told, and what it asks for."""

from __future__ import annotations

import pytest

from bridge.ports.client_events import Message
from bridge.ports.model import ToolResponse
from bridge.ports.runner_events import Cause
from bridge.ports.session import RealtimeConfig
from bridge.runner.vocabulary import (
    Answer,
    Command,
    Fact,
    MessageAsked,
    Respond,
    ResponseAsked,
    Resume,
    RunTool,
    Tell,
    ToolAnswered,
    UpdateAsked,
)

SECRET = "what was said"


@pytest.mark.parametrize(
    "word",
    [
        ToolAnswered("c1", SECRET),
        ResponseAsked(SECRET),
        MessageAsked(Message("user", SECRET)),
        UpdateAsked(RealtimeConfig(), SECRET),
        RunTool("c1", "look", SECRET),
        Answer((ToolResponse("c1", SECRET),)),
        Respond(SECRET),
        Tell(Message("user", SECRET)),
        Resume(RealtimeConfig(), SECRET, Cause.DROP),
    ],
    ids=lambda word: type(word).__name__,
)
def test_no_word_repeats_what_was_said(word: Fact | Command) -> None:
    """Facts and commands may be logged as they are."""
    assert SECRET not in repr(word)
