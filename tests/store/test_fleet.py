"""The fleet in memory."""

from __future__ import annotations

import pytest

from bridge.ports.fleet import Pulse
from bridge.store.fleet import KEPT, RESCUES, MemoryFleet
from bridge.store.memory import LEASE, MemoryStore
from tests.store.conftest import Clock
from tests.store.fleet_contract import CALL, FleetContract, PassTime, claimed


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock)


@pytest.fixture
def fleet(store: MemoryStore, clock: Clock) -> MemoryFleet:
    return MemoryFleet(store, clock)


@pytest.fixture
def pass_time(clock: Clock) -> PassTime:
    async def pass_time(seconds: float) -> None:
        clock.now += seconds

    return pass_time


class TestMemoryFleet(FleetContract):
    """It keeps every promise of the door."""


async def test_a_lease_ends(store: MemoryStore, fleet: MemoryFleet, clock: Clock) -> None:
    """Some seconds after the last write."""
    await claimed(store)
    clock.now = LEASE
    holding = await fleet.holding(CALL)

    assert holding is not None
    assert not holding.leased


async def test_nothing_is_remembered_for_ever(fleet: MemoryFleet, clock: Clock) -> None:
    await fleet.beat(Pulse("w1"))
    await fleet.reserve(CALL, "a", 1.0)
    clock.now = max(KEPT, RESCUES)
    await fleet.beat(Pulse("w2"))

    assert [member.pulse.worker for member in await fleet.members()] == ["w2"]
    assert await fleet.reserve(CALL, "b", 1.0) == 1
