"""
Brings back one call that nobody carries: its carrier is told to ask again.

Rule: one worker does it at a time, and it looks once more how the call is held right before it
tells the carrier, because a leg that is well would be lost by that.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Awaitable, Callable

from bridge.call.rescue import MOST_RESCUES, Layer, Outcome, RescueTimes
from bridge.errors import CarrierError, Ending, Fault, StoreError
from bridge.ports import leg
from bridge.ports.exchange import Exchange, Progress
from bridge.ports.fleet import Fleet, Holding
from bridge.telemetry.logs import in_call

__all__ = ["End", "Rescuer", "StillLost"]

End = Callable[[str, Ending, leg.Verdict], Awaitable[None]]
"""Stores that a call is over, why, and in which verdict."""
StillLost = Callable[[Holding | None], bool]
"""Whether a call that is held like this is lost."""

_log = logging.getLogger(__name__)


class Rescuer:
    """
    `farewell` is what a call comes to that was rescued again and again. Only calls of
    `carrier` can come back; of any other there is nobody to be asked.
    """

    def __init__(
        self,
        fleet: Fleet,
        exchange: Exchange,
        *,
        end: End,
        farewell: leg.Verdict,
        carrier: str,
        count: Callable[[str, str], None],
    ) -> None:
        self._fleet = fleet
        self._exchange = exchange
        self._end = end
        self._farewell = farewell
        self._carrier = carrier
        self._count = count

    async def rescue(
        self, call_id: str, layer: Layer, still_lost: StillLost, path: str, times: RescueTimes
    ) -> Outcome:
        """
        Have the carrier ask again, if the call is lost and nobody else is at it.

        May be cancelled; the call is then left alone by all for a few seconds.
        """
        with in_call(call_id):
            try:
                outcome = await self._try(call_id, layer, still_lost, path, times)
            except (StoreError, CarrierError) as exc:
                _log.warning("a call that nobody carries cannot be rescued now: %s", exc)
                outcome = Outcome.LEFT
            else:
                _log.info("a call that nobody carried: %s", outcome)
        self._count(layer, outcome)
        return outcome

    async def _try(
        self, call_id: str, layer: Layer, still_lost: StillLost, path: str, times: RescueTimes
    ) -> Outcome:
        rescues = await self._fleet.reserve(call_id, uuid.uuid4().hex, times.reserved)
        if not rescues:
            return Outcome.TAKEN
        # What the carrier told us of is in progress. What we found out alone may be over.
        if layer is Layer.REAPER:
            holding = await self._fleet.holding(call_id)
            if holding is not None and holding.carrier not in {"", self._carrier}:
                await self._end(call_id, Ending(Fault.BRIDGE, "worker_lost"), leg.Hangup())
                return Outcome.OVER
            progress = await self._exchange.progress(call_id)
            if progress is not Progress.TALKING:
                return await self._not_talking(call_id, progress)
        if not still_lost(await self._fleet.holding(call_id)):
            return Outcome.RECOVERED
        if too_often := rescues > MOST_RESCUES:
            await self._end(call_id, Ending(Fault.CARRIER, "loop"), self._farewell)
        if not await self._exchange.ask_again(call_id, path):
            return await self._not_talking(call_id, await self._exchange.progress(call_id))
        return Outcome.GIVEN_UP if too_often else Outcome.REDIRECTED

    async def _not_talking(self, call_id: str, progress: Progress) -> Outcome:
        if progress is not Progress.OVER:
            return Outcome.LEFT
        await self._end(call_id, Ending(Fault.CALLER, "hangup"), leg.Hangup())
        return Outcome.OVER
