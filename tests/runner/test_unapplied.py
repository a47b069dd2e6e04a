"""What one runner was asked for and did not live to bring about, another one brings about."""

from __future__ import annotations

import asyncio

import pytest

from bridge.errors import AuthError, ConnectError, RealtimeError, UnsupportedConfig
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Applied, RequiresResumption
from bridge.ports.runner_events import Resumed
from bridge.runner.runner import RealtimeRunner
from bridge.runner.state import PendingResumption
from bridge.runner.vocabulary import UpdateResult
from tests.fakes.model import FakeModel, Gate, turns
from tests.journeys.stage import until
from tests.runner.stage import OLD, Stage, created, instruct

NEW = OLD.merge(instruct("new"))
LEFT = PendingResumption(NEW, "You are new.", 1)


async def taken_over(model: FakeModel, left: PendingResumption = LEFT) -> RealtimeRunner:
    """The runner of another worker, which is told what was left undone."""
    return RealtimeRunner(model, OLD, unapplied=left, jitter=lambda: 0.0)


async def test_nothing_is_left_when_all_is_in_force() -> None:
    async with Stage(FakeModel(changes=[Applied()])) as stage:
        assert stage.runner.unapplied is None
        result = await stage.runner.update_session(instruct("new"))

        assert result is UpdateResult.APPLIED
        assert stage.runner.unapplied is None
        assert stage.runner.applied_config == NEW


async def test_what_waits_for_a_good_moment_can_be_told() -> None:
    """What is in force stays what it was."""
    async with Stage(FakeModel(changes=[RequiresResumption()])) as stage:
        stage.session.emit(created())
        result = await stage.runner.update_session_with_bridge(instruct("new"), "You are new.")

        assert result is UpdateResult.QUEUED
        assert stage.runner.applied_config == OLD
        assert stage.runner.unapplied == PendingResumption(NEW, "You are new.", 0)


async def test_what_is_under_way_can_be_told() -> None:
    """And what was asked for behind it goes on top; the newest message counts."""
    confirmed = Gate()
    async with Stage(FakeModel(changes=[confirmed, Applied()])) as stage:
        runner = stage.runner
        first = asyncio.create_task(runner.update_session_with_bridge(instruct("new"), "First."))
        await turns()
        newer = instruct("newer")
        second = asyncio.create_task(runner.update_session_with_bridge(newer, "Second."))
        await turns()
        left = runner.unapplied
        confirmed.set()
        await first
        await second

    assert left == PendingResumption(OLD.merge(instruct("newer")), "Second.", 0)


async def test_the_first_session_has_it() -> None:
    """And the model is told, before anything else; nobody calls that a resumption."""
    model = FakeModel()
    runner = await taken_over(model)
    heard: list[object] = []
    runner.attach(heard.append)
    before = (runner.unapplied, runner.applied_config)

    async with runner:
        [session] = model.sessions
        await turns()

        assert session.config == NEW
        assert session.said == [Message("user", "You are new.")]
        assert (runner.unapplied, runner.applied_config) == (None, NEW)
    assert before == (LEFT, OLD)
    assert not any(isinstance(each, Resumed) for each in heard)


async def test_attempts_of_both_count() -> None:
    """After three of them what was in force before has to do."""
    failing: list[RealtimeError] = [ConnectError("no"), ConnectError("no")]
    model = FakeModel(failing)
    runner = await taken_over(model)

    async with runner:
        [session] = model.sessions
        await turns()

        assert session.config == OLD
        assert session.said == []
        assert runner.unapplied is None
        assert runner.config == OLD
    assert model.dials == 3


async def test_while_it_is_tried_the_attempts_can_be_told() -> None:
    """Whoever takes over next goes on counting."""
    hangs = Gate()
    model = FakeModel([ConnectError("no"), hangs])
    runner = await taken_over(model, PendingResumption(NEW, None, 0))
    connecting = asyncio.create_task(runner.connect())
    await until(lambda: model.dials == 2)
    left = runner.unapplied
    hangs.set()
    await connecting
    await runner.close()

    assert left == PendingResumption(NEW, None, 1)


async def test_what_no_model_can_do_is_not_tried_again() -> None:
    model = FakeModel([UnsupportedConfig("there is no such voice")])
    runner = await taken_over(model)

    async with runner:
        assert [session.config for session in model.sessions] == [OLD]


async def test_another_configuration_does_not_mend_a_key() -> None:
    runner = await taken_over(FakeModel([AuthError("the key was refused")]))

    with pytest.raises(AuthError):
        await runner.connect()


async def test_a_session_that_is_lost_at_once_does_not_forget_it() -> None:
    """The next one has it, too."""
    model = FakeModel()
    runner = await taken_over(model)

    async with runner:
        [session] = model.sessions
        await turns()
        session.emit(event.Disconnected(event.Drop.LOST))
        await model.sessions_made(2)
        second = model.sessions[1]

        assert second.config == NEW
