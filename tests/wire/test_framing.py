"""Frames of a WebSocket, held against a complete implementation of the protocol."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side
from websockets.utils import apply_mask

from bridge.wire.framing import FrameReader, _audio_frame_here, _usual_texts_here, text_frame
from tests.makes import both_makes

MAX_SIZE = 400
KEY = b"\x11\x22\x33\x44"

PARTS = st.builds(
    Frame,
    st.sampled_from(Opcode),
    st.text(max_size=150).map(str.encode) | st.binary(max_size=MAX_SIZE + 10),
    st.booleans(),
)
USUAL = st.text(max_size=100).map(lambda text: Frame(Opcode.TEXT, text.encode()))


def sent(first: int, body: bytes, *, masked: bool = True, length: int | None = None) -> bytes:
    """A frame as a client sends it, with whatever is wrong with it."""
    size = len(body) if length is None else length
    mask = 0x80 if masked else 0
    head = bytes([first, mask | size]) if size < 126 else bytes([first, mask | 126])
    head += size.to_bytes(2) if 126 <= size < 0x1_0000 else b""
    return head + (KEY + apply_mask(body, KEY) if masked else body)


def of(frame: Frame) -> bytes:
    return sent(frame.opcode | (0x80 if frame.fin else 0), bytes(frame.data))


class Library:
    """What `websockets` makes of the same bytes: frames, and the code that it closes with."""

    def __init__(self) -> None:
        self.protocol = Protocol(Side.SERVER, state=OPEN, max_size=MAX_SIZE)

    def feed(self, data: bytes) -> list[tuple[Opcode, bytes, bool]]:
        self.protocol.receive_data(data)
        frames = [frame for frame in self.protocol.events_received() if isinstance(frame, Frame)]
        return [(frame.opcode, bytes(frame.data), frame.fin) for frame in frames]

    @property
    def code(self) -> int | None:
        return None if self.protocol.close_sent is None else self.protocol.close_sent.code


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


def through_reader(pieces: list[bytes]) -> tuple[list[tuple[Opcode, bytes, bool]], int | None]:
    """As a server does it: texts are taken, everything else is the library's."""
    reader, library = FrameReader(MAX_SIZE), Library()
    found: list[tuple[Opcode, bytes, bool]] = []
    for piece in pieces:
        for item in reader.feed(piece):
            if isinstance(item, bytes):
                found += library.feed(item)
            elif library.code is None:
                found.append((Opcode.TEXT, item.encode(), True))
    return found, library.code


@given(st.lists(USUAL | PARTS, max_size=6), st.lists(st.integers(0, 10_000), max_size=6))
def test_nothing_is_read_otherwise_than_by_the_library(
    frames: list[Frame], cuts: list[int]
) -> None:
    """The same frames in the same order, and the same code for the same offence."""
    data = b"".join(map(of, frames))
    library = Library()

    assert through_reader(in_pieces(data, cuts)) == (library.feed(data), library.code)


@given(st.binary(max_size=300), st.lists(USUAL, max_size=2), st.lists(st.integers(0), max_size=4))
def test_any_bytes_at_all(noise: bytes, before: list[Frame], cuts: list[int]) -> None:
    """What is no frame is the library's to refuse, as soon as that can be known."""
    data = b"".join(map(of, before)) + noise
    library = Library()
    expected = library.feed(data)
    found, code = through_reader(in_pieces(data, cuts))

    assert found == expected[: len(found)]
    if library.code is not None and not partly_there(noise):
        assert code == library.code


def partly_there(noise: bytes) -> bool:
    """Whether the library may know from a header what the reader waits for the end of."""
    found = FrameReader(MAX_SIZE).feed(noise)
    return sum(len(item) for item in found if isinstance(item, bytes)) < len(noise)


def test_a_usual_message_is_read_at_once() -> None:
    reader = FrameReader(MAX_SIZE)
    texts = ["", "a" * 125, "b" * 126, "é" * 100]

    assert reader.feed(b"".join(sent(0x81, text.encode()) for text in texts)) == texts


SENT = st.tuples(
    st.text(st.characters(codec="ascii"), max_size=300) | st.text(max_size=300),
    st.sampled_from([0x81] * 9 + [0x01, 0x82, 0xC1]),
    st.sampled_from([True] * 9 + [False]),
)


@both_makes("usual_texts", "usual_texts", _usual_texts_here)
@given(
    st.lists(SENT, max_size=4),
    st.integers(0, 3),
    st.sampled_from([b"", b"", b"\x81", b"\x00", b"\x89\x00"]),
    st.integers(0, 400),
    st.booleans(),
)
def test_usual_messages_are_just_that(
    usual_texts: Callable[[bytes, int, bool], tuple[str, ...] | None],
    messages: list[tuple[str, int, bool]],
    missing: int,
    more: bytes,
    most: int,
    masked: bool,
) -> None:
    """ASCII in one frame each, masked as expected; not a byte more or less."""
    frames = [sent(first, text.encode(), masked=masked is right) for text, first, right in messages]
    data = b"".join(frames) + more
    data = data[: len(data) - missing]
    there = messages  # those whose frames are all that is there
    while there and b"".join(frames[: len(there)]) != data:
        there = there[:-1]
    usual = there and all(
        first == 0x81 and right and text.isascii() and len(text) <= most
        for text, first, right in there
    )

    assert usual_texts(data, most, masked) == (
        tuple(text for text, _, _ in there) if usual else None
    )


@both_makes("usual_texts", "usual_texts", _usual_texts_here)
@given(st.binary(max_size=30), st.lists(USUAL, max_size=2))
def test_what_is_usual_is_that_for_the_library_too(
    usual_texts: Callable[[bytes, int, bool], tuple[str, ...] | None],
    noise: bytes,
    before: list[Frame],
) -> None:
    """Whatever bytes come behind what is no noise."""
    data = b"".join(map(of, before)) + b"\x81" + noise
    texts = usual_texts(data, MAX_SIZE, True)

    if texts is not None:
        assert [(Opcode.TEXT, text.encode(), True) for text in texts] == Library().feed(data)


def test_messages_arrive_byte_by_byte() -> None:
    reader = FrameReader(MAX_SIZE)
    data = sent(0x81, b"a" * 200) + sent(0x89, b"ping")
    found = [item for byte in data for item in reader.feed(bytes([byte]))]

    assert found == ["a" * 200, sent(0x89, b"ping")]


@pytest.mark.parametrize(
    "frame",
    [
        sent(0x82, b"binary"),
        sent(0x01, b"first part"),
        sent(0xC1, b"a reserved bit"),
        sent(0x83, b"an opcode without a meaning"),
        sent(0x81, b"\xff not UTF-8"),
        sent(0x89, b"ping"),
        sent(0x88, b"\x03\xe8"),
    ],
)
def test_what_is_not_usual_is_handed_on_whole(frame: bytes) -> None:
    reader = FrameReader(MAX_SIZE)

    assert reader.feed(frame[:3]) == []
    assert reader.feed(frame[3:]) == [frame]


def test_within_a_fragmented_message_nothing_is_usual() -> None:
    """A text frame there is an offence; behind its last part it is a message again."""
    parts = [sent(0x01, b"a"), sent(0x89, b"ping"), sent(0x81, b"no"), sent(0x81, b"yes")]

    assert FrameReader(MAX_SIZE).feed(b"".join(parts)) == [*parts[:3], "yes"]


@pytest.mark.parametrize(
    "frame",
    [
        sent(0x81, b"not masked", masked=False),
        sent(0x81, b"", length=MAX_SIZE + 1),
        b"\x81\xff" + (1 << 63).to_bytes(8),
    ],
)
def test_what_no_client_may_send_is_not_waited_for(frame: bytes) -> None:
    """Its end is unknown, or too far away: all that comes is handed on from there."""
    reader = FrameReader(MAX_SIZE)

    assert reader.feed(sent(0x81, b"before") + frame) == ["before", frame]
    assert reader.feed(sent(0x81, b"behind")) == [sent(0x81, b"behind")]


BOTH = pytest.mark.parametrize(("reader", "mask"), [(Side.SERVER, KEY), (Side.CLIENT, b"")])


@BOTH
@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_text_goes_out_as_the_library_reads_it(reader: Side, mask: bytes, size: int) -> None:
    """In one frame with the shortest header; masked, if a client sends it."""
    text = json.dumps("ü" * size, ensure_ascii=False).encode()[:size]
    made = text_frame(text, mask)

    assert read_by(reader, made) == [Frame(Opcode.TEXT, text)]
    assert len(made) - size - len(mask) == (2 if size < 126 else 4 if size < 65_536 else 10)


@BOTH
@both_makes("audio_frame", "audio_frame", _audio_frame_here)
@given(st.binary(max_size=40), st.binary(max_size=300), st.binary(max_size=40), st.binary())
@example(b"", b"\0" * 49_200, b"", b"")
@example(b"", b"", b"", b"")
def test_audio_goes_out_as_the_library_reads_it(
    audio_frame: Callable[[bytes, bytes, bytes, bytes], bytes],
    reader: Side,
    mask: bytes,
    before: bytes,
    audio: bytes,
    behind: bytes,
    noise: bytes,
) -> None:
    """In base64 between what it is given, and framed like any text."""
    mask = (noise + mask)[: len(mask)]
    text = before + base64.b64encode(audio) + behind

    made = audio_frame(before, audio, behind, mask)

    assert made == text_frame(text, mask)
    assert read_by(reader, made) == [Frame(Opcode.TEXT, text)]


def read_by(side: Side, data: bytes) -> list[object]:
    """What the library makes of it."""
    peer = Protocol(side, state=OPEN, max_size=None)
    peer.receive_data(data)
    return list(peer.events_received())
