"""Keys by INFO."""

from __future__ import annotations

import pytest

from bridge.wire.sip.dtmf import pressed
from bridge.wire.sip.messages import Body


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (Body(b"Signal=5\r\nDuration=160\r\n", "application/dtmf-relay"), ("5", 160)),
        (Body(b"Signal= *\nDuration= 90", "application/dtmf-relay"), ("*", 90)),
        (Body(b"signal=d\r\n", "application/dtmf-relay"), ("D", 0)),
        (Body(b"Signal=11\r\nDuration=100\r\n", "application/dtmf-relay"), ("#", 100)),
        (Body(b"7", "application/dtmf"), ("7", 0)),
        (Body(b" 10\r\n", "application/dtmf"), ("*", 0)),
        (Body(b"", "application/dtmf"), None),
        (Body(b"Signal=55\r\n", "application/dtmf-relay"), None),
        (Body(b"\xff\xfe", "application/dtmf-relay"), None),
    ],
)
def test_keys(body: Body, key: tuple[str, int] | None) -> None:
    assert pressed(body) == key
