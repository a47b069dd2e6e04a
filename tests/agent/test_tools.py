from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bridge.agent.context import CallContext
from bridge.agent.tools import Tool, tool
from bridge.errors import ConfigError, ToolArgumentsError
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition
from bridge.ports.tools import ToolHandler
from tests.agent.control import a_call


async def opening_hours(day: str) -> str:
    """When the bakery is open."""
    return f"seven to six on {day}"


def price(loaves: int, call: CallContext, request: ToolCall) -> dict[str, Any]:
    """What loaves cost."""
    return {"cents": loaves * 120, "call": call.call_id, "request": request.call_id}


async def broken(day: str) -> str:
    raise KeyError(f"no {day}")


HOURS = ToolDefinition(
    "hours", "When.", {"type": "object", "properties": {"day": {"type": "string"}}}
)


async def test_a_function_as_a_tool() -> None:
    """The model sees name, description and schema; the function gets its arguments."""
    made = tool(opening_hours)

    assert made.definition.name == "opening_hours"
    assert made.definition.description == "When the bakery is open."
    assert (made.timeout, made.idempotent) == (8.0, False)
    assert await made.call({"day": "monday"}, a_call()) == "seven to six on monday"


async def test_options() -> None:
    """What the function cannot say itself is said in the decorator."""

    @tool(name="hours", description="Hours.", timeout=2.0, idempotent=True)
    def any_name(day: str) -> str:
        """Something else."""
        return day

    assert any_name.definition.name == "hours"
    assert any_name.definition.description == "Hours."
    assert (any_name.timeout, any_name.idempotent) == (2.0, True)
    assert await any_name.call({"day": "x"}, a_call()) == "x"


async def test_bound_to_a_call() -> None:
    """Bound, it is what a runner runs, and knows its call and its request."""
    handler: ToolHandler = tool(price).bind(a_call())

    answer = await handler.execute(ToolCall("call_7", "price", {"loaves": 2}))

    assert handler.definition.name == "price"
    assert list(handler.definition.parameters or {}) != []
    assert (handler.timeout, handler.idempotent) == (8.0, False)
    assert answer == {"cents": 240, "call": "CA1", "request": "call_7"}


async def test_a_tool_has_a_key_for_what_it_does() -> None:
    """The same for the same call of it, wherever that runs; otherwise there is none."""

    @tool(idempotent=True, needs_journal=True)
    async def book(kind: str, call: CallContext) -> str:
        """Book a room."""
        call.state["booked"] = kind
        return call.idempotency_key

    context = a_call()
    handler: ToolHandler = book.bind(context)
    request = ToolCall("call_7", "book", {"kind": "double"})

    assert (handler.idempotent, handler.needs_journal) == (True, True)
    assert await handler.execute(request) == await handler.execute(request) == "CA1:call_7"
    assert context.idempotency_key == ""
    assert context.state == {"booked": "double"}


async def test_arguments_that_do_not_fit() -> None:
    """The function is not run, and the model is told what to mend."""
    with pytest.raises(ToolArgumentsError, match="loaves: Input should be a valid integer"):
        await tool(price).call({"loaves": "some"}, a_call())


async def test_a_tool_may_refuse_arguments_itself() -> None:
    """What a function knows better than its schema reaches the model as it is."""

    def find(day: str) -> str:
        raise ToolArgumentsError("day: the bakery is closed on sundays")

    with pytest.raises(ToolArgumentsError, match="closed on sundays"):
        await tool(find).call({"day": "sunday"}, a_call())


async def test_what_a_function_raises() -> None:
    """Is the author's own, and comes out as it is; the runner keeps its words to itself."""
    with pytest.raises(KeyError):
        await tool(broken).call({"day": "hunter2"}, a_call())


async def test_a_definition_and_a_handler() -> None:
    """A schema by hand checks the call; the handler, sync or async, is given it whole."""

    def sync(call: ToolCall) -> str:
        return f"{call.call_id} {call.arguments['day']}"

    async def not_sync(call: ToolCall) -> str:
        return sync(call)

    for handler in (sync, not_sync):
        made = Tool.from_definition(
            HOURS, handler, timeout=1.0, idempotent=True, needs_journal=True
        )
        answer = await made.bind(a_call()).execute(ToolCall("c1", "hours", {"day": "monday"}))

        assert answer == "c1 monday"
        assert (made.timeout, made.idempotent, made.needs_journal) == (1.0, True, True)
        with pytest.raises(ToolArgumentsError, match='day: breaks the rule type "string"'):
            await made.call({"day": 1}, a_call())


async def test_a_definition_without_a_schema() -> None:
    """Without parameters nothing is checked."""

    async def echo(call: ToolCall) -> Mapping[str, Any]:
        return call.arguments

    made = Tool.from_definition(ToolDefinition("echo"), echo)

    assert await made.call({"a": 1}, a_call()) == {"a": 1}


def test_schemas_that_are_none() -> None:
    """A definition that cannot be checked is refused where it is made."""
    with pytest.raises(ConfigError, match="tool 'echo': its parameters must be a JSON schema"):
        Tool.from_definition(ToolDefinition("echo", parameters={"type": "string"}), print)


def test_functions_that_are_no_tools() -> None:
    """The error names the tool and the parameter."""

    def find(*days: str) -> None: ...

    with pytest.raises(ConfigError, match="tool 'find': days: a model passes"):
        tool(find)


@pytest.mark.parametrize("name", ["1st", "my tool", "x" * 65, "größe", "<lambda>"])
def test_names(name: str) -> None:
    """Names are those that every provider accepts."""
    with pytest.raises(ConfigError, match=f"tool '{name}': a name has up to 64"):
        tool(name=name)(opening_hours)


def test_everything_wrong_at_once() -> None:
    """Name and timeout are complained of together."""
    with pytest.raises(ConfigError, match=r"a name has .*; its timeout must be more than 0"):
        tool(name="1st", timeout=0)(opening_hours)
