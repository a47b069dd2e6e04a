"""Who sends and who receives."""

from __future__ import annotations

import pytest

from bridge.wire.sdp.direction import Direction, is_unspecified, wish_of
from bridge.wire.sdp.reader import read
from tests.wire.sdp.examples import sdp

SENDRECV, SENDONLY, RECVONLY, INACTIVE = Direction


@pytest.mark.parametrize(
    ("theirs", "ours", "result"),
    [
        (SENDRECV, SENDRECV, SENDRECV),
        (SENDONLY, SENDRECV, RECVONLY),
        (RECVONLY, SENDRECV, SENDONLY),
        (INACTIVE, SENDRECV, INACTIVE),
        (SENDONLY, SENDONLY, INACTIVE),
        (SENDRECV, RECVONLY, RECVONLY),
    ],
)
def test_an_answer_mirrors(theirs: Direction, ours: Direction, result: Direction) -> None:
    """We send what they receive, and the other way round (RFC 3264 section 6.1)."""
    assert theirs.answered_by(ours) is result


@pytest.mark.parametrize(
    ("session", "media", "wish"),
    [
        ("a=x", "a=x", SENDRECV),
        ("a=sendonly", "a=x", SENDONLY),
        ("a=sendonly", "a=inactive", INACTIVE),
        ("a=x", "c=IN IP4 0.0.0.0", SENDONLY),
        ("a=inactive", "c=IN IP4 0.0.0.0", INACTIVE),
        ("a=recvonly", "c=IN IP4 0.0.0.0", INACTIVE),
        ("a=x", "c=IN IP6 ::", SENDONLY),
    ],
)
def test_a_wish_is_said_in_three_places(session: str, media: str, wish: Direction) -> None:
    """At the media, at the session, and by an address of zeros."""
    description = read(sdp(session, "m=audio 4000 RTP/AVP 0", media))

    assert wish_of(description, description.media[0]) is wish


def test_zeros_are_nobody() -> None:
    """In both families."""
    assert is_unspecified("0.0.0.0")
    assert is_unspecified("::")
    assert not is_unspecified("192.0.2.1")
