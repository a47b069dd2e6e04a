"""RTCP packets, byte by byte."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.wire.rtp.faults import Reason, RtpError
from bridge.wire.rtp.rtcp import (
    MAX_SIZE,
    Bye,
    ReceiverReport,
    Report,
    Rtcp,
    SenderInfo,
    SenderReport,
    SourceDescription,
    read,
    write,
)

EXAMPLES = int(os.environ.get("RTP_EXAMPLES", "60"))

WORDS = st.integers(0, 2**32 - 1)
REPORTS = st.lists(
    st.builds(
        Report,
        WORDS,
        st.integers(0, 255),
        st.integers(-(2**23), 2**23 - 1),
        WORDS,
        WORDS,
        WORDS,
        WORDS,
    ),
    max_size=3,
).map(tuple)
TEXTS = st.text("abcdé@.-", max_size=40)
FIRST = st.one_of(
    st.builds(
        SenderReport,
        WORDS,
        st.builds(SenderInfo, st.integers(0, 2**64 - 1), WORDS, WORDS, WORDS),
        REPORTS,
    ),
    st.builds(ReceiverReport, WORDS, REPORTS),
)
OTHERS = st.one_of(
    FIRST,
    st.builds(SourceDescription, st.lists(st.tuples(WORDS, TEXTS), max_size=3).map(tuple)),
    st.builds(Bye, st.lists(WORDS, max_size=3).map(tuple), TEXTS),
)

RECEIVER = bytes.fromhex("80c90001 00000001")
SENDER = bytes.fromhex(
    "81c8000c 11223344"
    "83aa7e80 80000000 00000140 0000000a 00000640"
    "55667788 40fffffe 0001fffe 00000050 7e808000 00010000"
)


def test_a_sender_report() -> None:
    """The fields of section 6.4.1; a loss may be below zero."""
    (report,) = read(SENDER)

    block = Report(0x55667788, 64, -2, 0x1FFFE, 80, 0x7E808000, 65_536)
    info = SenderInfo(0x83AA7E8080000000, 320, 10, 1600)
    assert report == SenderReport(0x11223344, info, (block,))


def test_what_is_unknown_is_read_past() -> None:
    """APP, feedback, profile-specific ends, items other than the name, padding at the end."""
    name = (
        bytes.fromhex("81ca0004 00000001 0103") + b"abc" + bytes.fromhex("0602") + b"hi" + b"\0\0\0"
    )
    app = bytes.fromhex("80cc0002 00000001") + b"NAME"
    longer = bytes.fromhex("80c90002 00000001 ffffffff")
    bye = bytes.fromhex("a1cb0002 00000001 00000004")

    packets = read(longer + app + name + bye)

    assert packets == [ReceiverReport(1), SourceDescription(((1, "abc"),)), Bye((1,))]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.SHORT),
        (RECEIVER[:7], Reason.SHORT),
        (RECEIVER + bytes(MAX_SIZE), Reason.HUGE),
        (bytes.fromhex("80cb0001 00000001"), Reason.KIND),
        (bytes.fromhex("00c90001 00000001"), Reason.VERSION),
        (RECEIVER + b"\x80", Reason.LENGTH),
        (bytes.fromhex("80c90002 00000001"), Reason.LENGTH),
        (bytes.fromhex("81c90001 00000001"), Reason.LENGTH),
        (bytes.fromhex("80c80001 00000001"), Reason.LENGTH),
        (bytes.fromhex("80c90000") + RECEIVER, Reason.LENGTH),
        (bytes.fromhex("a0c90002 00000001 00000000"), Reason.PADDING),
        (bytes.fromhex("a0c90002 00000001 00000004") + RECEIVER, Reason.PADDING),
        (RECEIVER + bytes.fromhex("81ca0001 00000001"), Reason.LENGTH),
        (RECEIVER + bytes.fromhex("81ca0002 00000001 01086162"), Reason.LENGTH),
        (RECEIVER + bytes.fromhex("81ca0002 00000001 0102ffff"), Reason.TEXT),
        (RECEIVER + bytes.fromhex("82cb0001 00000001"), Reason.LENGTH),
        (RECEIVER + bytes.fromhex("81cb0002 00000001 08616263"), Reason.LENGTH),
    ],
)
def test_refuses(data: bytes, reason: Reason) -> None:
    """The whole of it, with one word."""
    with pytest.raises(RtpError) as refused:
        read(data)

    assert refused.value.reason is reason


@given(first=FIRST, others=st.lists(OTHERS, max_size=4))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_written_is_read(first: Rtcp, others: list[Rtcp]) -> None:
    """Both ends of the dictionary agree, and packets are whole words."""
    data = write([first, *others])

    assert read(data) == [first, *others]
    assert len(data) % 4 == 0


@given(st.one_of(st.binary(max_size=120), st.binary(max_size=80).map(lambda end: SENDER + end)))
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    """With our own error."""
    try:
        packets = read(data)
    except RtpError:
        return

    assert len(packets) <= len(data) // 4


def test_thirty_one_is_all_there_is_room_for() -> None:
    """Five bits count them."""
    with pytest.raises(ValueError, match="31"):
        write([ReceiverReport(1), Bye(tuple(range(32)))])


def test_names_are_not_printed() -> None:
    """A CNAME may be somebody's address."""
    assert "alice" not in repr(SourceDescription(((1, "alice@example.com"),)))
