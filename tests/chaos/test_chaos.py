"""
The long form: every scenario, for minutes, with a line for each (`make chaos`).

CALLS, SECONDS and SEED in the environment replace what the scenarios say.
"""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace

import pytest

from tests.chaos.oracle import judge, percentile
from tests.chaos.scenarios import SCENARIOS, perform
from tests.chaos.table import HEAD, line

SEED = int(os.environ.get("SEED", random.randrange(1_000_000)))
LONGEST_GAP = 0.2  # seconds that somebody else's fault may cost a call
LONGEST_SILENCE = 5.0  # seconds, at the 95th percentile; what callers wait before they ask again

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]


@pytest.fixture(scope="module", autouse=True)
def head() -> None:
    print(f"\nseed {SEED}\n{HEAD}")


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_call_and_no_turn_is_lost(name: str) -> None:
    """And nobody hears anything of what others suffer."""
    scenario = SCENARIOS[name]
    calls = int(os.environ.get("CALLS", scenario.calls))
    seconds = float(os.environ.get("SECONDS", scenario.seconds))
    scenario = replace(scenario, calls=calls, seconds=seconds)
    recorded = asyncio.run(perform(scenario, SEED))
    verdict = judge(recorded)
    print(line(scenario, recorded, verdict))

    assert verdict.complaints == []
    assert percentile(verdict.silences, 0.95) < LONGEST_SILENCE
    assert max(verdict.gaps, default=0.0) < LONGEST_GAP
