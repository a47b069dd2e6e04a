from __future__ import annotations

import pytest

from bridge.agent.context import CallContext
from bridge.errors import ToolArgumentsError
from bridge.ports.session import RealtimeConfig
from tests.agent.control import RememberingControl, a_call


async def test_verbs_reach_the_call() -> None:
    """What a tool does to its call is done by the call's conductor."""
    control = RememberingControl()
    call = a_call(control)

    await call.say("One moment.")
    await call.update(RealtimeConfig(voice="ash"), "You have a new voice.")
    await call.press("42#")
    await call.transfer("baker")
    await call.hang_up()
    await call.hang_up(after_words=False)

    assert control.told == [
        ("say", "One moment."),
        ("update", RealtimeConfig(voice="ash"), "You have a new voice."),
        ("press", "42#"),
        ("transfer", "+14155550100"),
        ("hang_up", True),
        ("hang_up", False),
    ]


@pytest.mark.parametrize("target", ["butcher", "+14155550199", ""])
async def test_nobody_else_is_dialled(target: str) -> None:
    """A transfer goes to a name on the list, and to nothing that a model can make up."""
    control = RememberingControl()

    with pytest.raises(ToolArgumentsError, match=r"no such transfer target\. Known: baker\."):
        await a_call(control).transfer(target)

    assert control.told == []


@pytest.mark.parametrize("keys", ["", "12x", "+1", "1" * 33])
async def test_keys_that_no_telephone_has(keys: str) -> None:
    control = RememberingControl()

    with pytest.raises(ToolArgumentsError, match="Keys are one to 32 of 0123456789"):
        await a_call(control).press(keys)

    assert control.told == []


async def test_a_list_without_anybody() -> None:
    """Without targets the text says so."""
    with pytest.raises(ToolArgumentsError, match="Known: nobody"):
        await CallContext(call_id="CA1", control=RememberingControl()).transfer("baker")


def test_numbers_do_not_print_themselves() -> None:
    """A context in a log shows which call it is and not whose."""
    shown = repr(a_call())

    assert "CA1" in shown
    assert "+1415" not in shown


def test_state_is_the_calls_own() -> None:
    """What a tool remembers for one call is unknown in the next."""
    first, second = a_call(), a_call()

    first.state["order"] = 7

    assert second.state == {}
