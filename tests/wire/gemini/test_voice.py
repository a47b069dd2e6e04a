"""The short way to read a piece of the model's voice never differs from the long one."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ports import server_events as event
from bridge.wire.gemini.voice import read_voice
from tests.wire.gemini.told import Told

KIND = "audio/pcm;rate=24000"


def said(data: Any, kind: Any = KIND, **more: Any) -> dict[str, Any]:
    part = {"inlineData": {"mimeType": kind, "data": data}}
    return {"serverContent": {"modelTurn": {"parts": [part]}, **more}}


@st.composite
def frames(draw: st.DrawFn) -> str:
    """What a server may write: as usual for the most part, and nearly so in all ways else."""
    audio = st.binary(max_size=8).map(lambda b: base64.b64encode(b).decode())
    data = draw(st.one_of(audio, st.text(max_size=4), st.integers(), st.none()))
    kind = draw(st.sampled_from([KIND, KIND, KIND, "audio/pcm", "audio/pcm;rate=8000", None]))
    more = draw(st.sampled_from([{}, {}, {}, {"turnComplete": True}]))
    indent = draw(st.sampled_from([None, 2, "\t"]))
    text = json.dumps(said(data, kind, **more), indent=indent, ensure_ascii=draw(st.booleans()))
    at = draw(st.one_of(st.just(-1), st.integers(0, len(text))))
    return text if at < 0 else text[:at] + draw(st.sampled_from(["", " ", '"', "}"])) + text[at:]


@given(frames())
def test_it_is_what_the_parser_reads(frame: str) -> None:
    """Or nothing is read, and the parser is asked."""
    audio = read_voice(frame)
    # A byte-order mark changes nothing but that the short way is not taken.
    told = Told().read_raw(b"\xef\xbb\xbf" + frame.encode(errors="surrogatepass"))

    expected = [each.delta for each in told if isinstance(each, event.AudioDelta)]
    assert audio is None or [audio] == expected
    assert audio is None or len(told) == 2  # the response and its voice
    assert audio == read_voice(frame.encode(errors="surrogatepass"))


@pytest.mark.parametrize("indent", [None, 2])
def test_the_usual_is_read(indent: int | None) -> None:
    """On one line or on many, as text or as bytes."""
    audio = bytes(range(256))
    text = json.dumps(said(base64.b64encode(audio).decode()), indent=indent)

    assert read_voice(text) == read_voice(f"{text}\n".encode()) == audio


def test_half_a_sample_is_left_to_the_parser() -> None:
    """Which says what is wrong with it."""
    assert read_voice(json.dumps(said("AAAA"))) is None
