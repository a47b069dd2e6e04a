from __future__ import annotations

import typing

import pytest

from bridge.agent.context import CallContext
from bridge.agent.hooks import (
    AgentSaid,
    CallerSaid,
    CallStarted,
    DigitPressed,
    HookEvent,
    HookName,
    Hooks,
)
from bridge.errors import ConfigError


def first(event: DigitPressed, call: CallContext) -> None: ...


async def second(event: DigitPressed, call: CallContext) -> None: ...


def test_hooks_of_an_event() -> None:
    """An event's hooks come in the order in which they were added."""
    hooks = Hooks()
    hooks.add("digit", first)
    hooks.add(HookName.DIGIT, second)
    hooks.add("call_started", second)

    assert hooks.of(DigitPressed("1")) == (first, second)
    assert hooks.of(CallStarted()) == (second,)
    assert hooks.of(CallerSaid("hello")) == ()


def test_every_event_has_a_name() -> None:
    """Whatever may happen, an author can hear of it."""
    hooks = Hooks()
    for name in HookName:
        hooks.add(name, first)

    assert set(hooks._hooks) == set(typing.get_args(HookEvent))


def test_events_that_do_not_exist() -> None:
    """A slip in the name is found when the agent is made."""
    with pytest.raises(ConfigError, match=r"no event 'call_start'; there are: call_started, "):
        Hooks().add("call_start", first)


def test_hooks_that_cannot_be_called() -> None:
    """A hook takes the event and the call."""

    def alone(event: DigitPressed) -> None: ...

    with pytest.raises(ConfigError, match=r"hook 'alone': .*`async def alone\(event, call\)`"):
        Hooks().add("digit", alone)


def test_words_do_not_print_themselves() -> None:
    """No event shows what was said or pressed."""
    shown = repr([CallerSaid("hunter2"), AgentSaid("hunter2"), DigitPressed("7")])

    assert "hunter2" not in shown
    assert "7" not in shown
