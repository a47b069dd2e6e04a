from __future__ import annotations

from enum import StrEnum

import pytest

from bridge.config.reader import Reader, is_dialable


class Colour(StrEnum):
    TEXT = "text"
    JSON = "json"


@pytest.mark.parametrize(
    "target",
    [
        *("+14155550100", "+4930123456", "sip:baker@example.com"),
        *("sips:baker@example.com:5061;transport=tls", "sip:+14155550100@10.0.0.1"),
    ],
)
def test_what_can_be_dialled(target: str) -> None:
    """Numbers in E.164 and SIP URIs."""
    assert is_dialable(target)


@pytest.mark.parametrize(
    "target",
    [
        *("", "14155550100", "+0155550100", "+141555", "+1415555010012345", "+1 415 555 0100"),
        *(
            "sip:example.com",
            "sip:a b@example.com",
            'sip:a@example.com"/><Dial>',
            "tel:+14155550100",
        ),
        *("+14155550100\n", "baker"),
    ],
)
def test_what_cannot_be_dialled(target: str) -> None:
    """Nothing else, and nothing that could become markup."""
    assert not is_dialable(target)


def test_wrong_settings_read_as_their_defaults() -> None:
    """Reading goes on after a complaint, so that all complaints are heard."""
    read = Reader(
        {"PORT": "x", "BRIDGE_DRAIN_SECONDS": "x", "BRIDGE_LOG_FORMAT": "x", "OPENAI_BASE_URL": "x"}
    )

    assert read.whole("PORT", 0, 65_535) == 8080
    assert read.seconds("BRIDGE_DRAIN_SECONDS") == 20.0
    assert read.word("BRIDGE_LOG_FORMAT", Colour) is Colour.TEXT
    assert read.url("OPENAI_BASE_URL") == "https://api.openai.com/v1"
    assert len(read.problems) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [("1", True), ("TRUE", True), ("on", True), ("0", False), ("No", False), ("", False)],
)
def test_flags(text: str, said: bool) -> None:
    """Yes and no in the words that people use."""
    read = Reader({"BRIDGE_INSECURE": text})

    assert read.flag("BRIDGE_INSECURE") is said
    assert read.problems == []
