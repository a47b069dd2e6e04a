"""What a runner is doing, in four words."""

from __future__ import annotations

from bridge.ports.session import RealtimeConfig
from bridge.runner.state import ExecutingTool, Generating, Idle, PendingResumption


def test_states_are_values() -> None:
    """Equal when they say the same; a pending resumption says with what and how often it failed."""
    config = RealtimeConfig(voice="sage")

    assert Idle() == Idle()
    assert len({Idle(), Generating(), ExecutingTool()}) == 3
    assert PendingResumption(config) == PendingResumption(config, None, 0)
    assert PendingResumption(config, attempts=1) != PendingResumption(config)


def test_a_state_can_be_logged() -> None:
    """What the model will be told is not in it."""
    assert "secret" not in repr(PendingResumption(RealtimeConfig(), "a secret"))
