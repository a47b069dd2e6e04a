"""
The agent: whom a caller speaks with.

Rule: everything about an agent is checked when it is made, and what is wrong is named all
at once; from its first call on it stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TypeVar, overload

from bridge.agent import builtin
from bridge.agent.context import CallContext, CallControl
from bridge.agent.hooks import Hooks
from bridge.agent.tools import TIMEOUT, Tool
from bridge.config import Config, is_dialable
from bridge.errors import ConfigError
from bridge.ports.session import RealtimeConfig, TranscriptionConfig, VadConfig

__all__ = ["Agent"]

MAX_TARGET_NAME_LENGTH = 64

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Subject = TypeVar("_Subject", bound=Callable[..., Any] | Tool)


@dataclass(frozen=True, slots=True, eq=False)
class Agent:
    """
    Instructions, a voice, tools and hooks. One agent answers any number of calls.

    Raises ConfigError, naming everything that is wrong at once.
    """

    instructions: str = field(repr=False)
    voice: str | None = None
    """One of the provider's voices; None: the provider's default."""
    _: KW_ONLY
    name: str = "agent"
    greeting: str | None = field(default=None, repr=False)
    """What the agent says first; None: it waits for the caller to speak."""
    language: str | None = None
    """The caller's language (ISO 639-1) helps the transcription; None: any."""
    vad: VadConfig | None = None
    """Who notices that the caller's turn is over; None: the provider's default."""
    temperature: float | None = None
    tools: Sequence[Tool] = ()
    """Once the agent is made: its own tools, and those that every agent has."""
    can_hang_up: bool = True
    """Whether the model may end the call."""
    transfer_targets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Whom the model may transfer to: a name, and a number (E.164) or sip: URI."""
    silence_prompt_seconds: float | None = 15.0
    """After so long a silence on both sides the agent asks whether anybody is there."""
    max_call_seconds: float = 3600.0
    extra: Mapping[str, Any] | None = None
    """What one provider knows and we do not; see RealtimeConfig.extra."""
    hooks: Hooks = field(default_factory=Hooks, init=False, repr=False)
    _used: bool = field(default=False, init=False, repr=False)

    def __post_init__(self) -> None:
        problems = self._problems()
        targets = MappingProxyType(dict(self.transfer_targets))
        object.__setattr__(self, "transfer_targets", targets)
        tools = [builtin.hang_up()] if self.can_hang_up else []
        if targets and not problems:
            tools.append(builtin.transfer(targets))
        problems += _wrong_tools(self.tools) or _duplicates((*tools, *self.tools))
        object.__setattr__(self, "tools", (*tools, *self.tools))
        if problems:
            raise ConfigError(f"agent {self.name!r}: {'; '.join(problems)}")

    @classmethod
    def from_config(cls, config: Config) -> Agent:
        """The agent without code, from the environment."""
        words = config.agent
        return cls(words.instructions, words.voice, greeting=words.greeting)

    @overload
    def tool(self, function: _Subject, /) -> _Subject: ...

    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        description: str | None = None,
        timeout: float = TIMEOUT,
        idempotent: bool = False,
        needs_journal: bool = False,
    ) -> Callable[[_Function], _Function]: ...

    def tool(self, function: Callable[..., Any] | Tool | None = None, /, **options: Any) -> Any:
        """
        Give the agent a tool: `@agent.tool`, or `@agent.tool(name=…, timeout=…, idempotent=…)`.

        The function stays as it is. Raises ConfigError.
        """
        if function is not None:
            self._add(function if isinstance(function, Tool) else Tool.from_function(function))
            return function

        def decorate(function: _Function) -> _Function:
            self._add(Tool.from_function(function, **options))
            return function

        return decorate

    def on(self, event: str) -> Callable[[_Function], _Function]:
        """
        Tell a function, sync or async, of an event: `@agent.on("call_ended")`.

        It is called with the event and the call's CallContext; what it returns or raises
        changes nothing in the call. `HookName` has the events. Raises ConfigError.
        """

        def decorate(function: _Function) -> _Function:
            self._refuse_when_used()
            self.hooks.add(event, function)
            return function

        return decorate

    def config(self) -> RealtimeConfig:
        """What a session with the model is asked to be. From here on the agent is fixed."""
        object.__setattr__(self, "_used", True)
        return RealtimeConfig(
            instruction=self.instructions,
            voice=self.voice,
            turn_detection=self.vad,
            tools=tuple(tool.definition for tool in self.tools),
            input_audio_transcription=TranscriptionConfig(language=self.language),
            temperature=self.temperature,
            extra=self.extra,
        )

    def context(
        self,
        call_id: str,
        control: CallControl,
        *,
        caller: str = "",
        called: str = "",
        parameters: Mapping[str, str] | None = None,
        started_at: datetime | None = None,
    ) -> CallContext:
        """One call of this agent's, as its tools and hooks know it."""
        object.__setattr__(self, "_used", True)
        return CallContext(
            call_id=call_id,
            control=control,
            agent_name=self.name,
            caller=caller,
            called=called,
            parameters=MappingProxyType(dict(parameters or {})),
            started_at=started_at or datetime.now(UTC),
            transfer_targets=self.transfer_targets,
        )

    def _add(self, tool: Tool) -> None:
        self._refuse_when_used()
        tools = (*self.tools, tool)
        if problems := _duplicates(tools):
            raise ConfigError(f"agent {self.name!r}: {'; '.join(problems)}")
        object.__setattr__(self, "tools", tools)

    def _refuse_when_used(self) -> None:
        if self._used:
            raise ConfigError(
                f"agent {self.name!r} answers calls already; add tools and hooks where it is made"
            )

    def _problems(self) -> list[str]:
        silence = self.silence_prompt_seconds
        wrong = {
            "instructions: must say what the agent is there for": not _has_words(self.instructions),
            "voice: leave it out, or name one": not _has_words(self.voice, or_none=True),
            "name: must not be empty": not _has_words(self.name),
            "greeting: leave it out, or say something": not _has_words(self.greeting, or_none=True),
            "silence_prompt_seconds: must be more than 0, or None": silence is not None
            and not silence > 0,
            "max_call_seconds: must be more than 0": not self.max_call_seconds > 0,
        }
        problems = [problem for problem, found in wrong.items() if found]
        return problems + _wrong_targets(self.transfer_targets)


def _has_words(text: Any, *, or_none: bool = False) -> bool:
    return or_none if text is None else isinstance(text, str) and bool(text.strip())


def _wrong_targets(targets: Mapping[str, str]) -> list[str]:
    problems = []
    for name, target in targets.items():
        if not _has_words(name) or len(name) > MAX_TARGET_NAME_LENGTH:
            problems.append("transfer_targets: each name has 1 to 64 characters")
        if not (_has_words(target) and is_dialable(target)):
            problems.append(
                f"transfer_targets: {name!r} needs a number such as +14155550100, or a sip: URI"
            )
    return problems


def _wrong_tools(tools: Sequence[object]) -> list[str]:
    wrong = [getattr(each, "__name__", repr(each)) for each in tools if not isinstance(each, Tool)]
    return [f"tools: {name} is no tool; a function becomes one by @tool" for name in wrong]


def _duplicates(tools: Sequence[Tool]) -> list[str]:
    names = [tool.definition.name for tool in tools]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [f"tools: {name!r} is there twice" for name in twice]
