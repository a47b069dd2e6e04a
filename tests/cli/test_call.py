"""`bridge call`, against small bridges."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

import pytest

from bridge.audio.g711 import ulaw_to_pcm16
from bridge.audio.wav import write_wav
from bridge.cli import call
from bridge.wire.twilio import frames
from tests.simulator.agents import greeting, listening
from tests.simulator.servers import ORIGIN, TOKEN, SmallBridge, Talk, connect, serving
from tests.simulator.sounds import silence, tone

ENVIRON = {"TWILIO_AUTH_TOKEN": TOKEN, "BRIDGE_PUBLIC_URL": ORIGIN}


async def bridge_call(*words: str, environ: dict[str, str] | None = None) -> int:
    """Run the command as `bridge` would; the exit code."""
    parser = argparse.ArgumentParser()
    call.add_parser(parser.add_subparsers())
    args = parser.parse_args(["call", *words])
    code: int = await asyncio.to_thread(args.run, args, ENVIRON if environ is None else environ)
    return code


@pytest.fixture
def hello(tmp_path: Path) -> str:
    """A short utterance, as a file."""
    path = tmp_path / "hello.wav"
    write_wav(path, 8_000, ulaw_to_pcm16(tone(0.2, hertz=300)))
    return str(path)


async def answering(talk: Talk, seconds: float = 0.1) -> None:
    """Greets, and answers what is said after that."""
    await talk.until(frames.Start)
    await talk.say(tone(0.1))
    while (event := await talk.next()) is not None:
        if isinstance(event, frames.Media) and event.audio != silence(0.02):
            await talk.until(frames.Media, 25)
            await talk.say(tone(seconds))
            break
    await talk.to_the_end()


async def answering_at_length(talk: Talk) -> None:
    """Long enough to be interrupted, which it does not mind."""
    await answering(talk, seconds=2)


async def test_a_good_call(hello: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 0, lines as things happen, the figures, and the call as a WAV."""
    out = tmp_path / "call.wav"
    bridge = SmallBridge({"/voice": connect()}, answering)
    async with serving(bridge):
        code = await bridge_call(f"{bridge.origin}/voice", hello, "--out", str(out))

    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert "caller-began    hello\n" in printed.out
    assert "ended          caller-hung-up\n" in printed.out
    assert out.read_bytes()[:4] == b"RIFF"
    assert [asked.signed for asked in bridge.asked + bridge.handshakes] == [True, True]


async def test_json(hello: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing but the report is printed."""
    bridge = SmallBridge({"/voice": connect()}, answering)
    async with serving(bridge):
        code = await bridge_call(f"{bridge.origin}/voice", hello, "--json", "--press", "1#")

    report = json.loads(capsys.readouterr().out)
    digits = [event.digit for event in bridge.talks[0].events if isinstance(event, frames.Dtmf)]
    assert code == 0
    assert [reply["utterance"] for reply in report["replies"]] == ["hello"]
    assert digits == ["1", "#"]


async def test_interrupting(hello: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The last answer is spoken over, and how long it went on is told."""
    bridge = SmallBridge({"/voice": connect()}, answering_at_length)
    async with serving(bridge):
        await bridge_call(f"{bridge.origin}/voice", hello, "--interrupt", "--patience", "2")

    assert "interruption   silence after" in capsys.readouterr().out


async def test_a_named_public_url(hello: str) -> None:
    """The bridge knows itself by another origin, for which everything is signed."""
    bridge = SmallBridge({"/voice": connect()}, answering)
    async with serving(bridge):
        code = await bridge_call(
            f"{bridge.origin}/voice",
            hello,
            "--public-url",
            f"{ORIGIN}/",
            environ={"TWILIO_AUTH_TOKEN": TOKEN},
        )

    assert code == 0
    assert [asked.signed for asked in bridge.asked + bridge.handshakes] == [True, True]


async def test_a_local_bridge_without_a_certificate(hello: str) -> None:
    """Its streams are wss by name, and are found where its webhook is."""
    bridge = SmallBridge({}, answering)
    async with serving(bridge):
        host = bridge.origin.removeprefix("http")
        bridge.documents["/voice"] = f'<Connect><Stream url="wss{host}/media"/></Connect>'
        code = await bridge_call(f"{bridge.origin}/voice", hello, environ={})

    assert code == 0


async def test_a_call_that_nobody_answers(hello: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It ran and failed: exit code 1 and one line that says why."""
    bridge = SmallBridge({"/voice": connect()}, listening)
    async with serving(bridge):
        code = await bridge_call(f"{bridge.origin}/voice", hello, "--patience", "0.2")

    assert code == 1
    assert capsys.readouterr().err == "bridge call: the caller heard nobody\n"


async def test_an_unreachable_bridge(hello: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody listens there: exit code 1 and one line."""
    bridge = SmallBridge({}, greeting)
    async with serving(bridge):
        pass

    code = await bridge_call(f"{bridge.origin}/voice", hello)

    error = capsys.readouterr().err
    assert code == 1
    assert error.startswith("bridge call: the call failed (webhook-failed): 11205: no connection")
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["nonsense"], "nonsense: this is not an http(s) URL"),
        (["wss://bridge.example/voice"], "this is not an http(s) URL"),
        (["http://[/"], "URL"),
        (["http://127.0.0.1:99999/voice"], "URL"),
        (["http://127.0.0.1/voice", "no-such.wav"], "no-such.wav: the audio cannot be read"),
        (["http://127.0.0.1/voice", "--press", "12x"], "a key is one of"),
        (["http://127.0.0.1/voice", "--patience", "0"], "seconds"),
        (["http://127.0.0.1/voice", "--max-seconds", "-1"], "seconds"),
        (["http://127.0.0.1/voice", "--out", "/no/such/place.wav"], "cannot be written"),
        (["http://127.0.0.1/voice", "--ca-file", "/no/such/ca.pem"], "authorities"),
        (["http://127.0.0.1/voice", "--public-url", "nonsense"], "URL"),
    ],
)
async def test_what_is_asked_wrongly(
    words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, one clear line on standard error, and nothing is called."""
    code = await bridge_call(*words)

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err.startswith("bridge call: ")
    assert error in printed.err
    assert printed.err.count("\n") == 1
