"""Calls behind the balancers, as they are delivered, while workers go in every way there is."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.deploy.stage import Call, Outage, site
from tests.fakes.balancer import HAProxy, Nginx
from tests.journeys.figures import Recorder, note


@pytest.mark.timeout(180)
async def test_calls_behind_haproxy(tmp_path: Path, record_property: Recorder) -> None:
    """
    About one call for each worker (one that is late is passed over). The first drains: it keeps
    what it has and gets nothing new. The second is killed, the third hangs: their calls go on
    with others.
    """
    async with site(HAProxy, tmp_path, processes=3) as here:
        leaving, killed, hung, stays = here.workers
        old = here.calls(4)
        spread = await here.live(4)
        leaving.stop(signal.SIGTERM)
        await seen(here.balancer, "NOLB", "UP", "UP", "UP")
        new = here.calls(3)
        while_draining = await here.live(7)
        killed.stop(signal.SIGKILL)
        after_kill = await here.live(7)
        hung_at = asyncio.get_running_loop().time()
        hung.stop(signal.SIGSTOP)
        after_hang = await here.live(7)
        await here.hang_up(leaving, stays)
        outages = await all_of(old + new)

    of_kill = [outage.silence for outage in outages if outage.at < hung_at]
    of_hang = [outage.silence for outage in outages if outage.at >= hung_at]
    note(record_property, "silence after a kill, seconds", of_kill)
    note(record_property, "silence after a hang, seconds", of_hang)
    assert sum(spread) == 4
    assert max(spread) <= 2
    assert while_draining[0] == after_kill[0] == after_hang[0] == spread[0]
    assert len(of_kill) == while_draining[1] > 0
    assert len(of_hang) == after_kill[2] > 0
    assert max(of_kill) < 3
    assert max(of_hang) < 6


@pytest.mark.timeout(120)
async def test_calls_behind_nginx(tmp_path: Path, record_property: Recorder) -> None:
    """A worker is killed: its call goes on with another one, and all that come then go there."""
    async with site(Nginx, tmp_path, processes=1) as here:
        killed, stays = here.workers
        old = here.calls(1)
        await here.live(1)
        old += here.calls(1)
        spread = await here.live(2)
        killed.stop(signal.SIGKILL)
        new = here.calls(3)
        await here.live(5)
        await here.hang_up(stays)
        outages = await all_of(old + new)

    note(record_property, "silence after a kill, seconds", [outage.silence for outage in outages])
    assert spread == [1, 1]
    assert len(outages) == 1
    assert outages[0].silence < 3


async def all_of(calls: Sequence[Call]) -> list[Outage]:
    return [outage for call in calls for outage in await call.outages()]


async def seen(balancer: HAProxy, *states: str) -> None:
    """Return when the balancer sees its workers so."""
    async with asyncio.timeout(20):
        while await asyncio.to_thread(balancer.states) != states:
            await asyncio.sleep(0.02)
