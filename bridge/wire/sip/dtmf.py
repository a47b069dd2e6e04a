"""Keys that come by INFO: `application/dtmf-relay` and `application/dtmf`."""

from __future__ import annotations

import re

from bridge.audio.tones import KEYS
from bridge.wire.sip.messages import Body

__all__ = ["TYPES", "pressed"]

TYPES = ("application/dtmf-relay", "application/dtmf")

_SIGNAL = re.compile(r"^\s*Signal\s*=\s*([0-9*#A-Da-d]|1[0-5])\s*$", re.MULTILINE | re.IGNORECASE)
_DURATION = re.compile(r"^\s*Duration\s*=\s*([0-9]{1,6})\s*$", re.MULTILINE | re.IGNORECASE)
_PLAIN = re.compile(r"\s*([0-9*#A-Da-d]|1[0-5])\s*")


def pressed(body: Body) -> tuple[str, int] | None:
    """The key and for how many milliseconds it was held (0: unknown); None: no key."""
    text = body.content.decode("ascii", "replace")
    signal = _SIGNAL.search(text) if body.type == TYPES[0] else _PLAIN.fullmatch(text)
    if signal is None:
        return None
    duration = _DURATION.search(text)
    # Some write the number of RFC 4733's event: 10 is the star.
    key = KEYS[int(signal[1])] if len(signal[1]) == 2 else signal[1].upper()
    return key, int(duration[1]) if duration else 0
