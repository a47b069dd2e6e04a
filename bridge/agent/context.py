"""What a tool or a hook may know about its call, and do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from bridge.audio.tones import KEYS
from bridge.errors import ToolArgumentsError
from bridge.ports.session import RealtimeConfig

__all__ = ["CallContext", "CallControl"]

MOST_KEYS = 32  # at once


class CallControl(Protocol):
    """The call as its conductor lets it be steered. After the call's end, quietly nothing."""

    async def hang_up(self, *, after_words: bool) -> None: ...

    async def transfer(self, target: str) -> None:
        """`target` is what is dialled: E.164 or a sip: URI, from the agent's own list."""

    async def say(self, text: str) -> None: ...

    async def press(self, keys: str) -> None: ...

    async def update(self, change: RealtimeConfig, bridge_message: str | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CallContext:
    """
    One call, for as long as it lasts.

    A tool asks for it by annotating a parameter with this class; the model does not see
    that parameter. Hooks are given it along with each event.
    """

    call_id: str
    """The carrier's own id of the call."""
    control: CallControl = field(repr=False)
    agent_name: str = "agent"
    caller: str = field(default="", repr=False)
    """The number or sip: URI of the caller, "" when it is withheld."""
    called: str = field(default="", repr=False)
    """The number or sip: URI that was called."""
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What the carrier or the one who sent the call passed along."""
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    transfer_targets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Whom the agent may transfer to, by name."""
    state: dict[str, Any] = field(default_factory=dict, repr=False)
    """The author's own; it lives as long as the call stays in this process."""
    idempotency_key: str = ""
    """
    In a tool: names this call of it, and is the same if it has to be run again after a
    crash. Whoever does the work may tell by it that it is done already.
    """

    async def hang_up(self, *, after_words: bool = True) -> None:
        """End the call; with `after_words`, once the caller has heard what is being said."""
        await self.control.hang_up(after_words=after_words)

    async def transfer(self, target_name: str) -> None:
        """
        Connect the caller to one of the agent's transfer targets.

        Raises ToolArgumentsError when the agent has no target of that name: nobody is
        dialled who is not on its list.
        """
        target = self.transfer_targets.get(target_name)
        if target is None:
            known = ", ".join(self.transfer_targets) or "nobody"
            raise ToolArgumentsError(f"There is no such transfer target. Known: {known}.")
        await self.control.transfer(target)

    async def say(self, text: str) -> None:
        """Have the agent say this to the caller, in its own voice."""
        await self.control.say(text)

    async def press(self, keys: str) -> None:
        """
        Press keys for the other end, for a machine that asks for them: by RTP (RFC 4733)
        where a SIP call has agreed on that, else as tones.

        Raises ToolArgumentsError unless they are one to 32 of 0-9, *, #, A-D.
        """
        if not 0 < len(keys) <= MOST_KEYS or set(keys) - set(KEYS):
            raise ToolArgumentsError(f"Keys are one to {MOST_KEYS} of {KEYS}.")
        await self.control.press(keys)

    async def update(self, change: RealtimeConfig, bridge_message: str | None = None) -> None:
        """
        Change the session: only the fields that `change` names.

        `bridge_message` is what the model is told so that the change does not surprise it.
        """
        await self.control.update(change, bridge_message)
