"""How the offline agent behaves, from the `offline` part of a configuration's `extra`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from bridge.errors import UnsupportedConfig
from bridge.ports.session import RealtimeConfig

__all__ = ["GREETING", "Script"]

GREETING = (
    "Hello. This is the bridge's offline agent. Ask me something, or press a key. "
    "To hear what the keys do, press star."
)


@dataclass(frozen=True, slots=True)
class Script:
    """
    In a configuration: `extra={"offline": {"goodbye_after": 5}}`.

    An agent without the tool `hang_up` does not say goodbye by itself.
    """

    goodbye_after: int = 3
    """Spoken turns of the caller's after which the agent says goodbye; 0: never."""
    greeting: str = field(default=GREETING, repr=False)
    """What it says when it is asked to begin and not told how."""

    @classmethod
    def read(cls, config: RealtimeConfig) -> Script:
        """Raises UnsupportedConfig, which names every setting that is wrong."""
        settings: Any = (config.extra or {}).get("offline", {})
        if not isinstance(settings, Mapping):
            raise UnsupportedConfig("extra.offline must be a mapping of settings")
        kinds = {f.name: type(getattr(cls(), f.name)) for f in fields(cls)}
        wrong = [f"extra.offline.{n}" for n, v in settings.items() if type(v) is not kinds.get(n)]
        if wrong:
            raise UnsupportedConfig(f"the offline agent does not understand {', '.join(wrong)}")
        return cls(**settings)
