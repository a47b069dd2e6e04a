"""A call that remembers what it was told to do."""

from __future__ import annotations

from bridge.agent.context import CallContext
from bridge.ports.session import RealtimeConfig


class RememberingControl:
    """A CallControl whose `told` has the verbs in order."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    async def hang_up(self, *, after_words: bool) -> None:
        self.told.append(("hang_up", after_words))

    async def transfer(self, target: str) -> None:
        self.told.append(("transfer", target))

    async def say(self, text: str) -> None:
        self.told.append(("say", text))

    async def press(self, keys: str) -> None:
        self.told.append(("press", keys))

    async def update(self, change: RealtimeConfig, bridge_message: str | None) -> None:
        self.told.append(("update", change, bridge_message))


def a_call(control: RememberingControl | None = None) -> CallContext:
    """The context of a call that nobody made."""
    return CallContext(
        call_id="CA1",
        control=control or RememberingControl(),
        caller="+14155550111",
        called="+14155550122",
        transfer_targets={"baker": "+14155550100"},
    )
