"""
Tells the other workers that this one is alive, and looks after the calls that they have lost.

Two things make it look: the carrier says that a leg has ended and nobody comes back for the
call; or, at intervals, one of the workers goes through all calls. Nothing here is on the way
of anybody's audio, and a store that does not answer only means that it waits.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from bridge.call.rescue import (
    Layer,
    Orphans,
    Pace,
    RescueTimes,
    Steadiness,
    Survey,
    is_orphan,
    is_stranded,
    survey,
)
from bridge.errors import StoreError
from bridge.ports.exchange import Exchange
from bridge.ports.fleet import Fleet, Holding, Pulse
from bridge.telemetry.metrics import Metrics
from bridge.wiring.rescuer import Rescuer, StillLost

__all__ = ["Watchman"]

MOST_AWAITED = 1_000  # calls whose legs have ended and for which we wait and see
LEAVE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Watchman:
    """
    `pulse` tells how this worker is. Without a `rescuer` it only shows that it is alive.

    Between `start` and `close` it is on watch, and it closes what it was given.
    """

    def __init__(
        self,
        fleet: Fleet,
        exchange: Exchange | None,
        rescuer: Rescuer | None,
        pulse: Callable[[], Pulse],
        metrics: Metrics,
        *,
        times: RescueTimes | None = None,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self.path: str | None = None
        """Below which path of the public origin carriers find us, once somebody could tell."""
        self._fleet = fleet
        self._exchange = exchange
        self._rescuer = rescuer
        self._how_we_are = pulse
        self._metrics = metrics
        self._times = times or RescueTimes()
        self._dice = dice
        self._clock = asyncio.get_running_loop().time
        self._steadiness = Steadiness(self._clock())
        self._orphans = Orphans(self._times)
        self._pace = Pace(self._times.per_second, dice)
        self._awaited: set[tuple[str, int]] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Show signs of life, and look around."""
        self._begin(self._live(), "pulse")
        self._begin(self._watch(), "watchman")

    async def close(self) -> None:
        """Say goodbye to the others, in bounded time, and let go of everything."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._fleet.leave(self._pulse())
        except (StoreError, TimeoutError):
            _log.debug("the others will find out that this worker has gone")
        await self._fleet.close()
        if self._exchange is not None:
            await self._exchange.close()

    def leg_ended(self, call_id: str, leg: int | None) -> None:
        """
        The carrier says that the leg with this fence on its ticket has ended. It may say so
        twice, late, and of a leg that was replaced long ago. Never waits.
        """
        if self._rescuer is None or leg is None or len(self._awaited) >= MOST_AWAITED:
            return
        if (call_id, leg) not in self._awaited:
            self._awaited.add((call_id, leg))
            self._begin(self._see(self._rescuer, call_id, leg), "wait for a call")

    # Signs of life

    async def _live(self) -> None:
        while True:
            try:
                await self._fleet.beat(self._pulse())
            except StoreError:
                self._steadiness.failed(self._clock())
            await asyncio.sleep(self._times.beat)

    def _pulse(self) -> Pulse:
        able = self._rescuer is not None and self.path is not None and self._steady
        return replace(self._how_we_are(), watching=able, path=self.path)

    @property
    def _steady(self) -> bool:
        return self._steadiness.steady(self._clock(), self._times.steady)

    # A carrier's word

    async def _see(self, rescuer: Rescuer, call_id: str, leg: int) -> None:
        """Give the call a moment to come back by itself."""
        try:
            await asyncio.sleep(self._times.grace)
            lost = partial(is_stranded, leg=leg, times=self._times)
            if not await self._is_lost(call_id, lost) or self.path is None:
                return
            await asyncio.sleep(self._pace.wait(self._clock()))
            await rescuer.rescue(call_id, Layer.CALLBACK, lost, self.path, self._times)
        finally:
            self._awaited.discard((call_id, leg))

    async def _is_lost(self, call_id: str, lost: StillLost) -> bool:
        try:
            holding = await self._fleet.holding(call_id)
        except StoreError:
            self._steadiness.failed(self._clock())
            return False
        # A store that has lost something may have lost that the call came back.
        troubled = self._steadiness.troubled(self._clock(), self._times.steady)
        return lost(holding) and not troubled

    # A look around

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._times.look * (0.75 + self._dice() / 2))
            try:
                await self._look()
            except StoreError:
                self._steadiness.failed(self._clock())

    async def _look(self) -> None:
        self._steadiness.saw(await self._fleet.mark(), self._clock())
        found = survey(await self._fleet.members(), self._times)
        self._metrics.workers_seen(len(found.alive), found.lately_gone)
        if self.path is None:
            self.path = found.path
        if self._rescuer is None or self.path is None or not self._on_duty(found):
            self._orphans.forget()
            return
        holdings = await self._fleet.adrift(found.gone)
        due = self._orphans.due(holdings, found.gone, self._clock())
        async with asyncio.TaskGroup() as rescues:
            for holding in due:
                await asyncio.sleep(self._pace.wait(self._clock()))
                rescue = self._reap(self._rescuer, holding, found, self.path)
                rescues.create_task(rescue, name="rescue")

    def _on_duty(self, found: Survey) -> bool:
        if not self._steady or found.watcher != self._how_we_are().worker:
            return False
        if not found.trustworthy:
            _log.warning(
                "%d of %d workers seem to be dead: their calls are left alone",
                found.lately_gone,
                found.lately_gone + len(found.alive),
            )
        return found.trustworthy

    async def _reap(self, rescuer: Rescuer, holding: Holding, found: Survey, path: str) -> None:
        lost = partial(is_orphan, gone=found.gone, times=self._times)
        await rescuer.rescue(holding.call_id, Layer.REAPER, lost, path, self._times)
        self._orphans.put_off(holding.call_id, self._clock())

    # Tasks

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failed := task.exception()) is not None:
            _log.error("calls that are lost are no longer looked for", exc_info=failed)
