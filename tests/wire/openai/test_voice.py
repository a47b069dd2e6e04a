"""The short way to read a delta of audio never differs from the long one."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ports.server_events import AudioDelta
from bridge.wire.openai.server import BETA_NAMES, ServerReader
from bridge.wire.openai.voice import Fields, _read_voice_here
from tests.makes import both_makes

KIND = "response.output_audio.delta"
KINDS = (KIND, "response.audio.delta")

TEXTS = st.one_of(
    st.just("item_1"), st.text(max_size=5), st.sampled_from(['"', "\\", '"delta":"AAAA"', "\x7f"])
)
VALUES = st.one_of(
    TEXTS, st.integers(), st.none(), st.booleans(), st.floats(), st.lists(st.integers(), max_size=1)
)
AUDIO = st.one_of(st.binary(max_size=9).map(lambda b: base64.b64encode(b).decode()), TEXTS)
NAMES = ["event_id", "response_id", "item_id", "output_index", "content_index"]


@st.composite
def messages(draw: st.DrawFn) -> str:
    """What a server may write: as usual for the most part, and nearly so in all ways else."""
    values = {name: draw(TEXTS if name.endswith("id") else VALUES) for name in NAMES}
    kind = draw(st.sampled_from([KIND, KIND, KIND, "response.audio.delta", "response.text.delta"]))
    pairs: list[tuple[str, Any]] = [("type", kind), *values.items(), ("delta", draw(AUDIO))]
    if draw(st.integers(0, 3)) == 0:
        pairs = draw(st.permutations(pairs))
    pairs += draw(st.one_of(st.just([]), st.lists(st.sampled_from(pairs), max_size=1)))
    comma, colon = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]))
    plain = draw(st.booleans())
    said = [f"{json.dumps(k)}{colon}{json.dumps(v, ensure_ascii=plain)}" for k, v in pairs]
    text = "{" + comma.join(said) + "}"
    at = draw(st.one_of(st.just(-1), st.integers(0, len(text))))
    return text if at < 0 else text[:at] + draw(st.sampled_from(["", " ", '"', "\x01"])) + text[at:]


@both_makes("read_voice", "read_voice", _read_voice_here)
@given(messages())
def test_it_is_what_the_parser_reads(
    read_voice: Callable[[str, tuple[str, ...]], Fields | None], message: str
) -> None:
    """Or nothing is read, and the parser is asked. Bytes always go the long way."""
    fields = read_voice(message, KINDS)
    long = ServerReader().read(message.encode(errors="surrogatepass"))

    assert fields is None or [AudioDelta(*fields)] == long
    assert ServerReader().read(message) == long or not message.isascii()


@both_makes("read_voice", "read_voice", _read_voice_here)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")])
def test_the_usual_is_read(
    read_voice: Callable[[str, tuple[str, ...]], Fields | None], separators: tuple[str, str]
) -> None:
    """With and without spaces, whatever is in the audio."""
    audio = bytes(range(256))
    frame: dict[str, Any] = {"type": KIND, "event_id": "e"}
    frame |= {"response_id": "r", "item_id": "i-1"}
    frame |= {"output_index": 0, "content_index": 12, "delta": base64.b64encode(audio).decode()}
    message = json.dumps(frame, separators=separators)

    assert read_voice(message, KINDS) == ("i-1", audio, "r", 0, 12, "e")


def test_a_dialect_s_word_for_it() -> None:
    """A name that means something else in a dialect is not taken for audio."""
    place = '"event_id":"e","response_id":"r","item_id":"i","output_index":0,"content_index":0'
    message = '{"type":"%s",' + place + ',"delta":"AAAA"}'
    expected = [AudioDelta("i", b"\0\0\0", "r", 0, 0, "e")]

    assert ServerReader({"voice": KIND}).read(message % "voice") == expected
    assert ServerReader(BETA_NAMES).read(message % "response.audio.delta") == expected
    assert ServerReader({KIND: "error"}).read(message % KIND) != expected
