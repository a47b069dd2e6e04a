from __future__ import annotations

import pytest

from bridge.agent import builtin
from bridge.errors import ToolArgumentsError
from tests.agent.control import RememberingControl, a_call


async def test_hanging_up() -> None:
    """The model ends the call, after the caller has heard its goodbye."""
    control = RememberingControl()

    await builtin.hang_up().call({}, a_call(control))

    assert control.told == [("hang_up", True)]


async def test_transferring() -> None:
    """The model names a target, and the number comes from the agent's list."""
    control = RememberingControl()
    transfer = builtin.transfer(["baker"])

    await transfer.call({"target": "baker"}, a_call(control))

    assert control.told == [("transfer", "+14155550100")]
    assert transfer.definition.parameters is not None
    assert transfer.definition.parameters["properties"]["target"]["enum"] == ["baker"]


@pytest.mark.parametrize("arguments", [{}, {"target": "+14155550199"}, {"target": "baker", "x": 1}])
async def test_nobody_else_is_dialled(arguments: dict[str, object]) -> None:
    """What is not on the list does not get as far as the call."""
    control = RememberingControl()

    with pytest.raises(ToolArgumentsError):
        await builtin.transfer(["baker"]).call(arguments, a_call(control))

    assert control.told == []
