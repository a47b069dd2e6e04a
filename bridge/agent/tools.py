"""
Tools: functions of the agent's author that the model may call.

Rule: arguments reach a function only after they fit its schema.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, overload

from bridge.agent.context import CallContext
from bridge.errors import ConfigError
from bridge.functions import threads
from bridge.functions.json_schema import JsonSchema
from bridge.functions.schema import FunctionSchema
from bridge.ports.model import ToolCall
from bridge.ports.session import ToolDefinition

__all__ = ["BoundTool", "Tool", "tool"]

TIMEOUT = 8.0  # seconds; a caller who hears nothing for longer hangs up

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")  # what OpenAI and Gemini both accept

Body = Callable[[ToolCall, CallContext], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that any number of calls may use. Raises ConfigError when it cannot be one."""

    definition: ToolDefinition
    body: Body = field(repr=False)
    """Checks the arguments of a tool call and answers it."""
    timeout: float = TIMEOUT
    """Seconds after which the model is told that there is no answer."""
    idempotent: bool = False
    """Whether it may be run again after a crash that left its outcome unknown."""
    needs_journal: bool = False
    """Whether it is better not run than run while the journal does not answer."""

    def __post_init__(self) -> None:
        problems = []
        if not _NAME.fullmatch(self.definition.name):
            problems.append("a name has up to 64 letters, digits, _ and -, and a letter first")
        if not self.timeout > 0:
            problems.append("its timeout must be more than 0 seconds")
        if problems:
            raise ConfigError(f"tool {self.definition.name!r}: {'; '.join(problems)}")

    @classmethod
    def from_function(
        cls,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float = TIMEOUT,
        idempotent: bool = False,
        needs_journal: bool = False,
    ) -> Self:
        """
        A typed function, sync (run in a thread) or async, with a docstring.

        Parameters of the types CallContext and ToolCall are filled in by the bridge.
        """
        name = name or str(getattr(function, "__name__", ""))
        try:
            schema = FunctionSchema.of(function, given=(CallContext, ToolCall))
        except ConfigError as exc:
            raise ConfigError(f"tool {name!r}: {exc}") from exc
        definition = ToolDefinition(name, description or schema.description, schema.parameters)
        body = _typed(function, schema)
        return cls(definition, body, timeout, idempotent, needs_journal)

    @classmethod
    def from_definition(
        cls,
        definition: ToolDefinition,
        handler: Callable[[ToolCall], Any],
        *,
        timeout: float = TIMEOUT,
        idempotent: bool = False,
        needs_journal: bool = False,
    ) -> Self:
        """A schema written by hand and a handler, sync (run in a thread) or async, of the call."""

        async def body(call: ToolCall, context: CallContext) -> Any:
            return await threads.run(handler, call)

        return cls(definition, checked(definition, body), timeout, idempotent, needs_journal)

    async def call(self, arguments: Mapping[str, Any], context: CallContext) -> Any:
        """Run it, as a test would; the answer is what the function returns."""
        return await self.bind(context).execute(ToolCall("", self.definition.name, arguments))

    def bind(self, context: CallContext) -> BoundTool:
        """The tool as the runner of one call knows it."""
        return BoundTool(self, context)


@dataclass(frozen=True, slots=True)
class BoundTool:
    """A ToolHandler: a tool, and the call in which it runs."""

    tool: Tool
    context: CallContext

    @property
    def definition(self) -> ToolDefinition:
        return self.tool.definition

    @property
    def timeout(self) -> float:
        return self.tool.timeout

    @property
    def idempotent(self) -> bool:
        return self.tool.idempotent

    @property
    def needs_journal(self) -> bool:
        return self.tool.needs_journal

    async def execute(self, call: ToolCall) -> Any:
        """Raises ToolArgumentsError for the model to mend; anything else is the author's own."""
        key = f"{self.context.call_id}:{call.call_id}"
        return await self.tool.body(call, replace(self.context, idempotency_key=key))


@overload
def tool(function: Callable[..., Any], /) -> Tool: ...


@overload
def tool(
    *,
    name: str | None = None,
    description: str | None = None,
    timeout: float = TIMEOUT,
    idempotent: bool = False,
    needs_journal: bool = False,
) -> Callable[[Callable[..., Any]], Tool]: ...


def tool(
    function: Callable[..., Any] | None = None, /, **options: Any
) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a tool of a function: `@tool`, or `@tool(name=…, timeout=…, idempotent=…)`."""
    if function is not None:
        return Tool.from_function(function)

    def decorate(function: Callable[..., Any]) -> Tool:
        return Tool.from_function(function, **options)

    return decorate


def checked(definition: ToolDefinition, body: Body) -> Body:
    """`body`, once the arguments fit the definition's JSON schema. Raises ConfigError."""
    if definition.parameters is None:
        return body
    try:
        schema = JsonSchema(definition.parameters)
    except ConfigError as exc:
        raise ConfigError(f"tool {definition.name!r}: {exc}") from exc

    async def check_first(call: ToolCall, context: CallContext) -> Any:
        schema.check(call.arguments)
        return await body(call, context)

    return check_first


def _typed(function: Callable[..., Any], schema: FunctionSchema) -> Body:
    async def body(call: ToolCall, context: CallContext) -> Any:
        given = {CallContext: context, ToolCall: call}
        filled = {name: given[kind] for name, kind in schema.given.items()}
        return await threads.run(function, **schema.convert(call.arguments), **filled)

    return body
