"""Mail finds the calls of this worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from bridge.errors import StoreError
from bridge.ports.mail import ChangeWish, Letter, Posted
from bridge.ports.store import Claim
from bridge.wiring.postman import Postman
from tests.call.test_switchboard import Call


class Looked(Call):
    def __init__(self, call_id: str) -> None:
        super().__init__(call_id)
        self.looked = asyncio.Event()

    def look_after_mail(self) -> None:
        self.looked.set()


class Alerts:
    """A mailbox that is asked for alerts: a list of calls, or a failure."""

    def __init__(self, *answers: Sequence[str] | StoreError) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def alerts(self, worker: str) -> Sequence[str]:
        self.asked.append(worker)
        answer = self._answers.pop(0) if self._answers else ()
        if isinstance(answer, StoreError):
            raise answer
        return answer

    async def post(self, call_id: str, letter_id: str, wish: ChangeWish) -> Posted:
        raise AssertionError("a postman writes no letters")

    async def read(self, claim: Claim) -> Sequence[Letter] | None:
        raise AssertionError("nor does he read them")

    async def acknowledge(self, claim: Claim, place: str) -> None:
        raise AssertionError("nor sign for them")

    async def alert(self, call_id: str) -> None:
        raise AssertionError("nor ring at other doors")


async def test_who_has_mail_is_told() -> None:
    """Whoever is not here any more is passed over, and a store that is down is asked again."""
    here = Looked("CA1")
    box = Alerts(StoreError("down"), ["CA2", "CA1"])
    postman = Postman(box, "w1", {"CA1": here}.get, poll_seconds=0.01)

    rounds = asyncio.create_task(postman.run())
    await asyncio.wait_for(here.looked.wait(), 5)
    rounds.cancel()
    await asyncio.gather(rounds, return_exceptions=True)

    assert set(box.asked) == {"w1"}
    assert len(box.asked) >= 2
