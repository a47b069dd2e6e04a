from __future__ import annotations

from typing import Any

import pytest

from bridge.errors import UnsupportedConfig
from bridge.ports.session import RealtimeConfig
from bridge.providers.offline.script import GREETING, Script


def test_settings_are_read_from_extra() -> None:
    """What is for other providers is none of ours."""
    config = RealtimeConfig(extra={"offline": {"goodbye_after": 5}, "thinkingConfig": 1})

    assert Script.read(config) == Script(goodbye_after=5, greeting=GREETING)
    assert Script.read(RealtimeConfig()) == Script()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"goodby_after": 5}, "goodby_after"),
        ({"goodbye_after": "5", "greeting": 1}, "goodbye_after, extra.offline.greeting"),
        ({"goodbye_after": True}, "goodbye_after"),
        ([], "must be a mapping"),
    ],
)
def test_what_is_wrong_is_named(settings: Any, named: str) -> None:
    """All of it at once."""
    with pytest.raises(UnsupportedConfig, match=named):
        Script.read(RealtimeConfig(extra={"offline": settings}))
