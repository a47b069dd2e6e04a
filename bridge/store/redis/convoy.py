"""
Commands that are asked for in the same turn of the loop go to the server together.

A worker writes the records of all its calls to the same server, and most of what a write costs
is the connection's: taken from the pool, written to, waited for, put back.

Rule: whoever asks is answered as if it had asked alone, by its own answer or error, and what
becomes of one who is cancelled is nobody else's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Command", "Convoy"]

MOST = 64  # commands that go together; Redis is busy with them for a millisecond or two

Command = Sequence[str | bytes | int]
Ask = Callable[[Sequence[Command]], Coroutine[Any, Any, Sequence[Any]]]


@dataclass(slots=True)
class _Company:
    """Who goes together."""

    commands: list[Command] = field(default_factory=list)
    answers: list[asyncio.Future[Any]] = field(default_factory=list)
    journey: asyncio.Task[None] | None = None

    def forsaken(self) -> bool:
        """Whether nobody waits any more."""
        return all(answer.done() for answer in self.answers)


class Convoy:
    """`ask` sends commands at once; an answer of it may be an exception."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._gathering: _Company | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def execute(self, command: Command) -> Any:
        """The answer. Raises what there is instead. Cancelled, it may be asked all the same."""
        company, answer = self._join(command)
        try:
            return await answer
        finally:
            if company.journey is not None and company.forsaken():
                company.journey.cancel()  # no harm to one that has arrived

    async def close(self) -> None:
        """Let nobody wait. The last operation."""
        for journey in tuple(self._under_way):
            journey.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _join(self, command: Command) -> tuple[_Company, asyncio.Future[Any]]:
        loop = asyncio.get_running_loop()
        company = self._gathering
        if company is None or len(company.commands) >= MOST:
            company = self._gathering = _Company()
            loop.call_soon(self._leave, company)
        answer = loop.create_future()
        company.commands.append(command)
        company.answers.append(answer)
        return company, answer

    def _leave(self, company: _Company) -> None:
        if self._gathering is company:
            self._gathering = None
        if company.forsaken():
            return
        company.journey = asyncio.get_running_loop().create_task(self._go(company), name="convoy")
        self._under_way.add(company.journey)
        company.journey.add_done_callback(self._under_way.discard)

    async def _go(self, company: _Company) -> None:
        found: Sequence[Any] = ()
        try:
            found = await self._ask(company.commands)
        except Exception as exc:
            # Whoever asked knows what to make of it, and nobody else has to.
            found = [exc] * len(company.commands)
        finally:
            _deliver(company, found)


def _deliver(company: _Company, found: Sequence[Any]) -> None:
    """To each its own; without answers nobody gets one."""
    for place, answer in enumerate(company.answers):
        if answer.done():
            continue
        if place >= len(found):
            answer.cancel()
        elif isinstance(found[place], Exception):
            answer.set_exception(found[place])
        else:
            answer.set_result(found[place])
