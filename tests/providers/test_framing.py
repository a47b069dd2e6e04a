"""Our own framing says and understands what the library does, cut anywhere."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side

from bridge.providers.framing import (
    BINARY,
    OTHER,
    TEXT,
    Fragments,
    Splitter,
    new_mask,
)
from bridge.wire.framing import text_frame

MAX_SIZE = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, 65_536, MAX_SIZE, MAX_SIZE + 1])

Read = list[tuple[int, bool, bytes]]


def frame(opcode: int, payload: bytes, *, fin: bool = True) -> bytes:
    """As a server sends it, and as it must not, too."""
    size, first = len(payload), opcode | (0x80 if fin else 0)
    if size < 126:
        return struct.pack(">BB", first, size) + payload
    if size < 65_536:
        return struct.pack(">BBH", first, 126, size) + payload
    return struct.pack(">BBQ", first, 127, size) + payload


def frames() -> st.SearchStrategy[bytes]:
    """Of all kinds and sizes, and now and then bytes that are none."""
    opcodes = st.sampled_from([0, 1, 1, 1, 2, 8, 9, 10])
    whole = st.builds(
        lambda opcode, size, fin: frame(opcode, b"x" * size, fin=fin),
        *(opcodes, SIZES, st.sampled_from([True, True, False])),
    )
    pings = st.just(frame(9, b"still there?"))
    goodbye = st.just(frame(8, b"\x03\xe9bye"))
    masked = st.just(text_frame(b"whose side are you on?", b"mask"))
    compressed = st.just(b"\xc1\x05hello")
    return st.one_of(whole, whole, whole, pings, goodbye, masked, compressed, st.binary(max_size=9))


def read_by(protocol: Protocol, data: bytes) -> Read:
    protocol.receive_data(data)
    events = protocol.events_received()
    return [(e.opcode, e.fin, bytes(e.data)) for e in events if isinstance(e, Frame)]


def over(protocol: Protocol) -> bool:
    return protocol.parser_exc is not None or protocol.close_rcvd is not None


def by_the_library(data: bytes) -> tuple[Read, Protocol]:
    protocol = Protocol(Side.CLIENT, max_size=MAX_SIZE)
    return read_by(protocol, data), protocol


def by_us(segments: Iterable[bytes]) -> tuple[Read, Protocol]:
    protocol, splitter, read = Protocol(Side.CLIENT, max_size=MAX_SIZE), Splitter(MAX_SIZE), []
    for segment in segments:
        for kind, piece in splitter.feed(segment):
            read += [(kind, True, piece)] if kind != OTHER else read_by(protocol, piece)
            if over(protocol):
                return read, protocol
    return read, protocol


@given(st.lists(frames(), max_size=6), st.lists(st.integers(0, 400), max_size=6))
def test_what_is_taken_is_what_the_library_reads(sent: list[bytes], cuts: list[int]) -> None:
    """Order, fragments, pings, errors, limits: however the bytes are cut into segments."""
    data = b"".join(sent) + 5 * frame(9, b"")  # so that no header stays a half
    places = sorted({0, len(data), *(min(cut, len(data)) for cut in cuts)})
    segments = [data[begin:end] for begin, end in itertools.pairwise(places)]

    ours, rest = by_us(segments)
    expected, library = by_the_library(data)

    assert ours == expected
    assert rest.close_sent == library.close_sent
    assert rest.data_to_send() or not library.writes


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_whole_messages_are_not_left_to_anybody(size: int) -> None:
    """One after the other in one segment, whatever their sizes."""
    data = frame(TEXT, b"a" * size) + frame(BINARY, b"b" * size) + frame(TEXT, b"c")

    pieces = Splitter(MAX_SIZE).feed(data)

    assert pieces == [(TEXT, b"a" * size), (BINARY, b"b" * size), (TEXT, b"c")]


def test_half_a_header_waits() -> None:
    """Nobody can say yet where the frame ends, so that nobody gets it."""
    splitter, data = Splitter(MAX_SIZE), frame(TEXT, b"a" * 65_536)

    assert [splitter.feed(data[at : at + 1]) for at in range(9)] == [[]] * 9
    assert splitter.feed(data[9:]) == [(TEXT, b"a" * 65_536)]


def test_no_two_masks_are_alike() -> None:
    """Four bytes each, beyond one draw from the system; two draws in a hundred may meet."""
    drawn = [new_mask() for _ in range(1_000)]

    assert {len(mask) for mask in drawn} == {4}
    assert len(set(drawn)) > 990


def test_fragments_are_put_together() -> None:
    """Whatever is between them; what comes next is another message, of another kind."""
    fragments = Fragments()

    assert fragments.add(Frame(Opcode.TEXT, b"he", fin=False)) is None
    assert fragments.add(Frame(Opcode.CONT, b"l", fin=False)) is None
    assert fragments.add(Frame(Opcode.CONT, b"lo")) == (b"hello", False)
    assert fragments.add(Frame(Opcode.BINARY, b"\0")) == (b"\0", True)


def test_who_is_in_the_middle_of_something_says_so() -> None:
    """Of a frame, of its head, of a message in fragments; a ping between two is none."""
    text = frame(Opcode.TEXT, b"a" * 200)
    splitter = Splitter(MAX_SIZE)
    fed = [text, text[:1], text[1:], text[:50], text[50:], frame(Opcode.TEXT, b"he", fin=False)]
    fed += [frame(Opcode.PING, b""), frame(Opcode.CONT, b"llo")]
    whole = []
    for data in fed:
        splitter.feed(data)
        whole.append(splitter.whole)

    assert whole == [True, False, True, False, True, False, False, True]
