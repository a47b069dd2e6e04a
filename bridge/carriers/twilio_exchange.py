"""Twilio's switch behind the door Exchange: its REST API, and where it is to ask."""

from __future__ import annotations

from bridge.carriers.twilio_rest import TwilioRest
from bridge.ports.exchange import Progress
from bridge.wire.twilio.webhook import FINAL_STATUSES

__all__ = ["TwilioExchange"]

TALKING = "in-progress"


class TwilioExchange:
    """`origin` is the public one, under which Twilio reaches the bridge. Closes `rest`."""

    def __init__(self, rest: TwilioRest, origin: str) -> None:
        self._rest = rest
        self._origin = origin

    async def progress(self, call_id: str) -> Progress:
        word = await self._rest.call_status(call_id)
        if word in FINAL_STATUSES:
            return Progress.OVER
        return Progress.TALKING if word == TALKING else Progress.UNKNOWN

    async def ask_again(self, call_id: str, path: str) -> bool:
        return await self._rest.redirect(call_id, f"{self._origin}{path}/twilio/next")

    async def close(self) -> None:
        await self._rest.close()
