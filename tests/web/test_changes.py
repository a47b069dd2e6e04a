"""What an operator asks to change, read from JSON."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.agent.tools import Tool, tool
from bridge.ports.session import RealtimeConfig
from bridge.web.changes import BadChange, read_change


@tool
async def opening_hours(day: str) -> str:
    """When the bakery is open."""
    return day


@tool
async def bread_left(kind: str) -> int:
    """How many loaves are left."""
    return len(kind)


TOOLS: tuple[Tool, ...] = (opening_hours, bread_left)


def test_everything_that_can_be_changed() -> None:
    body = {
        "instructions": "Be brief.",
        "voice": "marin",
        "tools": ["bread_left"],
        "extra": {"speed": 1.1},
        "bridge_message": "Go on.",
    }

    wish = read_change(body, TOOLS)

    assert wish.change == RealtimeConfig(
        instruction="Be brief.",
        voice="marin",
        tools=(bread_left.definition,),
        extra={"speed": 1.1},
    )
    assert wish.bridge_message == "Go on."


def test_what_is_not_named_stays_as_it_is() -> None:
    wish = read_change({"instructions": "Be brief."}, TOOLS)

    assert wish.change.named() == {"instruction": "Be brief."}
    assert wish.bridge_message is None


def test_no_tools_at_all_is_a_change_too() -> None:
    change = read_change({"tools": []}, TOOLS).change

    assert change.tools == ()


def test_a_tool_may_be_described_anew() -> None:
    """By an object; what it leaves out is as the agent says."""
    described = {"name": "bread_left", "description": "Ask it often."}
    change = read_change({"tools": [described, "opening_hours"]}, TOOLS).change

    assert change.tools is not None
    assert change.tools[0] == bread_left.definition.with_description("Ask it often.")
    assert change.tools[1] == opening_hours.definition


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "JSON object"),
        (None, "JSON object"),
        ({}, "nothing to change"),
        ({"voice": None}, "nothing to change"),
        ({"instruction": "x"}, "unknown: instruction; there are: instructions"),
        ({"instructions": " "}, "instructions must be a text"),
        ({"voice": 7}, "voice must be a text"),
        ({"extra": []}, "extra must be an object"),
        ({"bridge_message": {}}, "bridge_message must be a text"),
        ({"tools": "bread_left"}, "tools must be a list"),
        ({"tools": [7]}, "no tool 7"),
        ({"tools": [{}]}, "no tool None"),
        ({"tools": ["hours"]}, "no tool hours; it has: opening_hours, bread_left"),
        ({"tools": ["bread_left", "bread_left"]}, "each tool once"),
        ({"tools": [{"name": "bread_left", "parameters": 1}]}, "parameters must be an object"),
    ],
)
def test_what_is_wrong_is_said(body: Any, says: str) -> None:
    """And what would be right."""
    with pytest.raises(BadChange, match=says):
        read_change(body, TOOLS)
