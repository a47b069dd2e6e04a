"""The agent of the demonstration."""

from __future__ import annotations

import pytest

from bridge.audio.formats import ULAW_8K
from bridge.cli.demo_agent import bakery
from bridge.providers.offline.clips import recorded
from bridge.providers.offline.voice import Vocabulary, Voice
from tests.agent.control import RememberingControl


@pytest.mark.parametrize(
    ("day", "hours"),
    [("Saturday", "from seven to twelve"), ("Sunday", "closed"), ("Monday", "from seven to six")],
)
async def test_it_knows_when_it_is_open(day: str, hours: str) -> None:
    """Every day has an answer."""
    agent = bakery()
    tool = next(tool for tool in agent.tools if tool.definition.name == "opening_hours")

    answer = await tool.call({"day": day}, agent.context("CA1", RememberingControl()))

    assert hours in answer


def test_its_greeting_is_recorded() -> None:
    """The offline agent can say every word of it."""
    greeting = bakery().greeting
    voice = Voice(Vocabulary(recorded()), ULAW_8K)

    assert greeting is not None
    assert voice.missing(greeting) == ()
