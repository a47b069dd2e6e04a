"""The mail of calls in process memory: for one worker, whose calls may wait for their next leg."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

from bridge.ports.mail import ChangeWish, Letter, Posted
from bridge.ports.store import CallState, Claim

__all__ = ["MOST_LETTERS", "MemoryMailbox"]

MOST_LETTERS = 256  # to one call; the oldest go first


class MemoryMailbox:
    """
    Behind the door Mailbox. `state` tells how a call stands, and `holds` whether a claim is
    the last one of its call; None: the call is not known.
    """

    def __init__(
        self, state: Callable[[str], CallState | None], holds: Callable[[Claim], bool | None]
    ) -> None:
        self._state = state
        self._holds = holds
        self._numbers = itertools.count(1)
        self._letters: dict[str, dict[int, Letter]] = {}
        self._seen: dict[str, set[str]] = {}
        self._alerts: dict[str, None] = {}

    async def post(self, call_id: str, letter_id: str, wish: ChangeWish) -> Posted:
        match self._state(call_id):
            case None:
                return Posted.UNKNOWN
            case CallState.ENDED:
                return Posted.ENDED
            case _:
                pass
        seen = self._seen.setdefault(call_id, set())
        if letter_id not in seen:
            seen.add(letter_id)
            letters, number = self._letters.setdefault(call_id, {}), next(self._numbers)
            letters[number] = Letter(wish, str(number))
            while len(letters) > MOST_LETTERS:
                del letters[next(iter(letters))]
        await self.alert(call_id)
        return Posted.LEFT

    async def read(self, claim: Claim) -> Sequence[Letter] | None:
        if self._holds(claim) is False:
            return None
        return tuple(self._letters.get(claim.call_id, {}).values())

    async def acknowledge(self, claim: Claim, place: str) -> None:
        if not self._holds(claim):
            return
        letters = self._letters.get(claim.call_id, {})
        for number in [number for number in letters if number <= int(place)]:
            del letters[number]

    async def alert(self, call_id: str) -> None:
        self._alerts[call_id] = None

    async def alerts(self, worker: str) -> Sequence[str]:
        alerts, self._alerts = tuple(self._alerts), {}
        return alerts

    def forget(self, call_id: str) -> None:
        """The call is over."""
        self._letters.pop(call_id, None)
        self._seen.pop(call_id, None)
