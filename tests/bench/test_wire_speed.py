"""
What a frame costs on its way over the wires, beside the plainest way to do the same.

Reading, writing and framing, for either side; codecs and resampling have a page of their own.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from bridge.audio.formats import PCM16_24K, ULAW_8K, AudioFormat
from bridge.bench import frames
from bridge.bench.fake import delta
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import ModelReady, Voice
from bridge.carriers.twilio import TwilioLeg
from bridge.ports import leg
from bridge.providers.framing import Splitter, new_mask
from bridge.wire.framing import audio_frame
from bridge.wire.openai.translator import OpenAITranslator
from bridge.wire.twilio import media
from tests.bench.pairs import both, race

pytestmark = pytest.mark.benchmark_only

SID = "MZ" + "b" * 32
FRAME = os.urandom(160)
HEARD = media.write_event(media.Media(SID, FRAME, chunk=7, timestamp_ms=140, sequence_number=8))
START = media.write_event(media.Start(SID, "AC" + "b" * 32, "CA" + "b" * 32))

Read = Callable[[str], object]


def plain_read(text: str) -> object:
    return base64.b64decode(json.loads(text)["media"]["payload"])


def plain_write(audio: bytes) -> str:
    payload = base64.b64encode(audio).decode()
    return json.dumps({"event": "media", "streamSid": SID, "media": {"payload": payload}})


def plain_append(audio: bytes) -> bytes:
    words = base64.b64encode(audio).decode()
    return json.dumps({"type": "input_audio_buffer.append", "audio": words}).encode()


def plain_delta(text: str) -> object:
    return base64.b64decode(json.loads(text)["delta"])


class Mute:
    """A carrier to whom nothing is said."""

    clogged = False

    def write(self, text: str) -> None: ...

    def write_audio(self, before: bytes, audio: bytes, behind: bytes, then: str) -> None: ...

    def buffered(self) -> int:
        return 0

    def close(self, code: int) -> None: ...


def leg_that_hears() -> Read:
    """A leg after its start, which tells somebody what it hears."""
    heard: list[object] = [None]

    def listen(event: leg.LegEvent) -> None:
        heard[0] = event

    def receive(text: str) -> object:
        caller.receive(text)
        return heard[0]

    caller = TwilioLeg(Mute(), float)
    caller.receive(START)
    caller.attach(listen)
    return receive


def talking_call() -> Callable[[bytes], object]:
    """A call in which the agent speaks, and the caller's marks come back at once."""
    call = Call(CallRules(), ULAW_8K, 0.0)
    call.handle(ModelReady(), 0.0)
    call.handle(leg.Started("CA", ULAW_8K, {}), 0.0)
    now = 0.0

    def say(audio: bytes) -> object:
        nonlocal now
        now += 0.1
        commands = call.handle(Voice("item", "response", audio), now)
        for command in commands:
            if isinstance(command, leg.Play) and command.mark is not None:
                call.handle(leg.Played(command.mark), now)
        return commands

    return say


def sender() -> Callable[[bytes], object]:
    """As a provider's socket sends the caller's audio."""
    before, behind = OpenAITranslator.envelope
    return lambda audio: audio_frame(before, audio, behind, new_mask())


def plain_send(audio: bytes) -> object:
    return frames.text_frame(plain_append(audio), masked=True, key=os.urandom(4))


@both
def test_parse_a_frame_of_the_callers(benchmark: BenchmarkFixture, make: str) -> None:
    """JSON and base64 into a checked value."""
    step = media.read_event if make == "ours" else plain_read

    race(benchmark, "parse a media frame", make, step, HEARD, at_most=2.3)


@both
def test_a_leg_takes_a_frame(benchmark: BenchmarkFixture, make: str) -> None:
    """From the socket's text to the listener."""
    step = leg_that_hears() if make == "ours" else plain_read

    race(benchmark, "a leg takes a media frame", make, step, HEARD, at_most=2.8)


@both
def test_write_a_frame_for_the_caller(benchmark: BenchmarkFixture, make: str) -> None:
    """100 ms of mu-law."""

    before, behind = media.envelope(SID)

    def ours(audio: bytes) -> bytes:
        return audio_frame(before, audio, behind, b"")

    step = ours if make == "ours" else plain_write
    race(benchmark, "write a media frame", make, step, bytes(800), at_most=0.5)


@pytest.mark.parametrize("format", [ULAW_8K, PCM16_24K], ids=["mu-law", "PCM16"])
@both
def test_parse_a_delta(benchmark: BenchmarkFixture, make: str, format: AudioFormat) -> None:
    """100 ms of the model's voice."""
    _, message = frames.FrameReader().feed(delta(format))[0]
    step = OpenAITranslator(format).read if make == "ours" else plain_delta

    group = f"parse a delta of {format.encoding}"
    race(benchmark, group, make, step, message.decode(), at_most=1.4)


@both
def test_decide_on_a_delta(benchmark: BenchmarkFixture, make: str) -> None:
    """100 ms of the agent's voice, its mark, and the mark's return; plain is the writing alone."""
    step = talking_call() if make == "ours" else plain_write

    race(benchmark, "decide on a delta", make, step, bytes(800), at_most=2.3)


@pytest.mark.parametrize("size", [160, 960])
@both
def test_frame_an_append(benchmark: BenchmarkFixture, make: str, size: int) -> None:
    """20 ms of mu-law, and of PCM16 at 24 kHz, as a masked frame."""
    step = sender() if make == "ours" else plain_send

    race(benchmark, f"frame an append of {size} bytes", make, step, bytes(size), at_most=0.8)


@both
def test_take_a_frame(benchmark: BenchmarkFixture, make: str) -> None:
    """A delta from its bytes."""
    step = Splitter(2**20).feed if make == "ours" else frames.FrameReader().feed

    race(benchmark, "take a delta's frame", make, step, delta(ULAW_8K), at_most=2.2)
