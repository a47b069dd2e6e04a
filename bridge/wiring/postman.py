"""
Brings their mail to the calls of this worker.

Rule: a worker asks once in a while whether any of its calls has mail, for all of them at
once; so what is wanted of a call reaches it within about POLL_SECONDS, wherever it was said.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from bridge.call.switchboard import LiveCall
from bridge.errors import StoreError
from bridge.ports.store import Mailbox

__all__ = ["Postman"]

POLL_SECONDS = 0.5

_log = logging.getLogger(__name__)


class Postman:
    """`find` gives a call that is in progress here, None for any other."""

    def __init__(
        self,
        mailbox: Mailbox,
        worker: str,
        find: Callable[[str], LiveCall | None],
        *,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._mailbox = mailbox
        self._worker = worker
        self._find = find
        self._poll_seconds = poll_seconds

    async def run(self) -> None:
        """Until it is cancelled. A store that does not answer is asked again."""
        while True:
            await asyncio.sleep(self._poll_seconds)
            try:
                alerts = await self._mailbox.alerts(self._worker)
            except StoreError as exc:
                _log.debug("nobody knows whether there is mail: %s", exc)
                continue
            for call_id in alerts:
                if (call := self._find(call_id)) is not None:
                    call.look_after_mail()
