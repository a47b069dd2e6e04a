"""
What a call's tools and hooks may do with it.

Rule: after the call's end it does quietly nothing, and who still has it then, such as a tool
that does not stop, keeps nothing of the call in memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bridge.call.vocabulary import Finishing, PressAsked, SayAsked, Wish
from bridge.errors import Ending, Fault
from bridge.nobody import nobody
from bridge.ports import leg, phrases
from bridge.ports.session import RealtimeConfig

__all__ = ["Control"]

Update = Callable[[RealtimeConfig, str | None], Awaitable[object]]


class Control:
    """
    Behind the door CallControl.

    `wish` is told what is wanted of the call, `transferred` the name of whom it goes to, one
    of `targets`; `update` changes the session.
    """

    def __init__(
        self,
        targets: Mapping[str, str],
        *,
        wish: Callable[[Wish], None],
        transferred: Callable[[str], None],
        update: Update,
    ) -> None:
        self._targets = targets
        self._wish = wish
        self._transferred = transferred
        self._update = update

    def end(self) -> None:
        """The call is over."""
        self._wish, self._transferred, self._update = nobody, nobody, _nothing_changes

    async def hang_up(self, *, after_words: bool) -> None:
        ending = Ending(Fault.NOBODY, "agent_hung_up")
        self._wish(Finishing(leg.Hangup(), ending, after_words=after_words))

    async def transfer(self, target: str) -> None:
        self._wish(Finishing(leg.Transfer(target), Ending(Fault.NOBODY, "transferred")))
        names = [name for name, to in self._targets.items() if to == target]
        self._transferred(names[0] if names else "")

    async def say(self, text: str) -> None:
        self._wish(SayAsked(phrases.say(text)))

    async def press(self, keys: str) -> None:
        self._wish(PressAsked(keys))

    async def update(self, change: RealtimeConfig, bridge_message: str | None) -> None:
        await self._update(change, bridge_message)


async def _nothing_changes(change: RealtimeConfig, bridge_message: str | None) -> None:
    """What comes of a change after the end."""
