"""
Whole calls while things die: a worker, the provider's sockets, Redis with all that it knew.

The short form of `make chaos`. Times are only looked at from afar: this machine may be slow.
"""

from __future__ import annotations

import pytest

from tests.chaos.oracle import judge, percentile
from tests.chaos.scenarios import Scenario, perform
from tests.chaos.table import HEAD, line
from tests.journeys.figures import Recorder

LONG_SILENCE = 15.0  # seconds: nobody waits so long, unless the call is stuck


@pytest.mark.timeout(240)
async def test_no_call_and_no_turn_is_lost(record_property: Recorder) -> None:
    """
    A worker is killed, the provider breaks half of its sockets, Redis comes back empty and
    the other worker is killed, and then one is told to stop. Every caller goes on with the
    same agent, which remembers every turn.
    """
    faults = ("kill", "provider", "redis+kill", "stop")
    scenario = Scenario("all-of-it", faults, calls=5, front="supervisor").shortened()
    recorded = await perform(scenario, seed=1)
    verdict = judge(recorded)

    record_property("chaos", line(scenario, recorded, verdict))
    print(f"\n{HEAD}\n{line(scenario, recorded, verdict)}")
    assert verdict.complaints == []
    assert len(recorded.calls) == scenario.calls
    assert [fault.what for fault in recorded.faults] == list(faults)
    assert verdict.resumptions >= scenario.calls
    assert percentile(verdict.silences, 1.0) < LONG_SILENCE
