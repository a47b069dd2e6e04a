"""
Twilio's identifiers: call, account and stream SIDs.

They are opaque. A known prefix is not asked for, because Twilio promises none; all that
is asked is that a key, a path or a log line can carry them.
"""

from __future__ import annotations

__all__ = ["MAX_IDENTIFIER_LENGTH", "is_identifier"]

MAX_IDENTIFIER_LENGTH = 128  # characters; a SID of today has 34


def is_identifier(text: object) -> bool:
    """Whether this is 1 to 128 visible ASCII characters, without a space."""
    return (
        isinstance(text, str)
        and 0 < len(text) <= MAX_IDENTIFIER_LENGTH
        and text.isascii()
        and text.isprintable()
        and " " not in text
    )
