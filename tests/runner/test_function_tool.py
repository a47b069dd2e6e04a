"""A function as a tool."""

from __future__ import annotations

import threading
from collections.abc import Awaitable
from typing import Any

import pytest

from bridge.errors import ToolArgumentsError
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition
from bridge.runner.function_tool import FunctionTool

SCHEMA = {
    "type": "object",
    "properties": {
        "day": {"enum": ["mon", "tue"]},
        "guests": {"type": "integer", "minimum": 1},
        "names": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["day", "guests"],
    "additionalProperties": False,
}
BOOK = ToolDefinition("book", "Book a table.", SCHEMA)


def call(**arguments: Any) -> ToolCall:
    return ToolCall("c1", "book", arguments)


async def test_an_async_function_is_awaited() -> None:
    """In the loop."""

    async def book(asked: ToolCall) -> dict[str, Any]:
        return {"booked": asked.arguments["day"], "thread": threading.current_thread().name}

    tool = FunctionTool(BOOK, book)

    answer = await tool.execute(call(day="mon", guests=2))

    assert answer == {"booked": "mon", "thread": threading.main_thread().name}


async def test_a_plain_function_may_block() -> None:
    """It runs in a thread of its own."""

    def book(asked: ToolCall) -> bool:
        return threading.current_thread() is threading.main_thread()

    assert await FunctionTool(BOOK, book).execute(call(day="mon", guests=2)) is False


async def test_whatever_is_awaitable_is_awaited() -> None:
    """A callable object, or a lambda around an async function."""

    async def later() -> str:
        return "booked"

    class Book:
        def __call__(self, asked: ToolCall) -> Awaitable[str]:
            return later()

    assert await FunctionTool(BOOK, Book()).execute(call(day="mon", guests=2)) == "booked"


async def test_without_a_schema_everything_goes() -> None:
    """The function looks after itself."""
    tool = FunctionTool(ToolDefinition("free"), lambda asked: len(asked.arguments))

    assert await tool.execute(call(a=1, b=2)) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "'day' is a required property"),
        ({"day": "sun", "guests": 2}, "day: breaks the rule enum"),
        ({"day": "mon", "guests": "two"}, "guests: breaks the rule type"),
        ({"day": "mon", "guests": 0}, "guests: breaks the rule minimum"),
        ({"day": "mon", "guests": 1, "names": ["a", 7]}, "names.1: breaks the rule type"),
        ({"day": "mon", "guests": 1, "more": 1}, "arguments: has an argument that does not exist"),
    ],
)
async def test_arguments_that_do_not_fit_are_not_passed_on(
    arguments: dict[str, Any], why: str
) -> None:
    """The model is told why, and each reason once."""
    called: list[ToolCall] = []
    tool = FunctionTool(BOOK, called.append)

    with pytest.raises(ToolArgumentsError) as raised:
        await tool.execute(call(**arguments))

    assert str(raised.value).count(why) == 1
    assert called == []


async def test_what_the_caller_said_is_in_no_error() -> None:
    """The reason names the rule, not the value."""
    tool = FunctionTool(BOOK, print)

    with pytest.raises(ToolArgumentsError) as raised:
        await tool.execute(call(day="my secret", guests="my secret"))

    assert "my secret" not in str(raised.value)


def test_a_tool_that_is_not_said_to_be_idempotent_is_not() -> None:
    """Running it twice might book twice."""
    tool = FunctionTool(BOOK, print)

    assert not tool.idempotent
    assert tool.timeout == 8.0
