from __future__ import annotations

import pytest

from bridge.telemetry.redaction import redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("from +14155550100 to", "from [number] to"),
        ("at +1 (415) 555-0100.", "at [number]."),
        ("From=%2B14155550100&To=%2b4930123456", "From=[number]&To=[number]"),
        ("sip:baker@example.com;x", "sip:[number]@example.com;x"),
        ("<sip:+14155550100@10.0.0.1>", "<sip:[number]@10.0.0.1>"),
        ("tel:4155550100", "tel:[number]"),
        ("authorization: Bearer abc.DEF-123", "authorization: Bearer [secret]"),
        ("Authorization: Basic QUM6c2VjcmV0", "Authorization: Basic [secret]"),
        ("key sk-proj-abcdEFGH1234_x is wrong", "key [secret] is wrong"),
        ("ek_0123456789abcdef", "[secret]"),
        ("AIzaSyA-0123456789abcdef", "[secret]"),
        ("wss://h/ws?key=abc123&x=1", "wss://h/ws?key=[secret]&x=1"),
        ("wss://h/ws?x=1&access_token=abc", "wss://h/ws?x=1&access_token=[secret]"),
        ("redis://user:pass@h:6379/0", "redis://[secret]@h:6379/0"),
    ],
)
def test_what_is_taken_out(text: str, redacted: str) -> None:
    """Numbers, SIP users, keys and passwords; what is around them stays."""
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00.000+00:00 INFO CA0123456789abcdef0123456789abcdef: 12 frames",
        "took 1234567890123 ns, 1+1=2, +5 dB, +100000",
        "https://bridge.example.com/twilio/voice?call=CA123",
        "the bearer token is missing",
        "risk-assessment, task-0123456789",
    ],
)
def test_what_stays(text: str) -> None:
    """Times, ids, counts and plain words are no secrets."""
    assert redact(text) == text
