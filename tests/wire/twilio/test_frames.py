"""Twilio's frames as values."""

from __future__ import annotations

from bridge.wire.twilio.frames import INBOUND, Media


def test_a_voice_does_not_print_itself() -> None:
    """A frame in a log shows whose it is, and how long; never what was said."""
    frame = Media("MZ1", b"secret", chunk=7)

    assert repr(frame) == "Media(stream_sid='MZ1', 6 bytes)"
    assert (frame.track, frame.chunk) == (INBOUND, 7)
