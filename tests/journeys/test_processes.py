"""`bridge serve` as it is run: a process, its log, its signals and its exit code."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from bridge.ports import phrases
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.caller import Wait, WaitForAgent
from bridge.simulator.journal import Moment, What
from tests.fakes import gemini_script
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.openai_realtime import Call, FakeOpenAI, Say, Script
from tests.journeys import sound
from tests.journeys.stage import Stage, bridge_process, gemini, openai

BAKERY = "tests.journeys.agents:bakery"


async def test_a_process_serves_each_provider_and_stops_when_told(tmp_path: Path) -> None:
    """Three of them side by side, since each takes a while to begin."""
    await asyncio.gather(
        a_call_outlives_the_signal_to_stop(tmp_path / "openai"),
        an_interrupt_from_the_keyboard(tmp_path / "gemini"),
        a_call_ends_in_words_when_time_is_up(tmp_path / "offline"),
    )


async def a_call_outlives_the_signal_to_stop(log: Path) -> None:
    """The process takes no new calls, and ends well when the last one is over."""
    hours, goodbye = sound.voice(1.0, seed=1), sound.voice(0.6, seed=2)
    script = Script(
        answers=[
            Say("Hello.", seconds=0.3),
            Call("opening_hours", {"day": "Monday"}),
            Say("At seven.", audio=hours),
            [Say("Goodbye.", audio=goodbye), Call("hang_up")],
        ]
    )
    asks = (WaitForAgent(0.3), CallerSays(sound.word()))
    async with FakeOpenAI(script) as fake:
        settings = openai(fake, BRIDGE_DRAIN_SECONDS="20", BRIDGE_LOG_LEVEL="DEBUG")
        async with bridge_process(BAKERY, settings, log) as stage:
            calling = asyncio.create_task(stage.place(*asks, *asks, Wait(10)))
            session = await fake.session(0)
            await session.until(lambda: bool(session.received))
            stage.stop(signal.SIGTERM)
            ready = await draining(stage)
            refused = await stage.place(Wait(3))
            report = await calling
            code = await exit_code(stage)

    assert ready == "draining"
    assert refused.twiml == ("Say Hangup",)
    assert sound.ulaw_of(hours) in report.heard
    assert sound.ulaw_of(goodbye) in report.heard
    assert report.twiml == ("Connect", "Hangup")
    assert report.problems == ()
    assert code == 0
    assert clean(log)


async def an_interrupt_from_the_keyboard(log: Path) -> None:
    """Without a call in progress it stops at once."""
    answer = sound.voice(1.0)
    script = gemini_script.Script(
        answers=[[gemini_script.Say("Hello.")], [gemini_script.Say("At seven.", pcm=answer)]]
    )
    async with FakeGemini(script) as fake, bridge_process(BAKERY, gemini(fake), log) as stage:
        report = await stage.place(WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(0.3))
        stage.stop(signal.SIGINT)
        code = await exit_code(stage)

    original = sound.samples_of_ulaw(sound.ulaw_of(answer))
    assert sound.match(original, sound.samples_of_ulaw(report.heard)).snr_db > 15
    assert report.problems == ()
    assert code == 0
    assert clean(log)


async def a_call_ends_in_words_when_time_is_up(log: Path) -> None:
    """What lasts longer than the drain is apologised to, while somebody still answers."""
    settings = {"BRIDGE_PROVIDER": "offline", "BRIDGE_DRAIN_SECONDS": "0"}
    async with bridge_process(BAKERY, settings, log) as stage:
        greeted = asyncio.Event()

        def listen(moment: Moment) -> None:
            if moment.what is What.AGENT_BEGAN:
                greeted.set()

        calling = asyncio.create_task(stage.place(Wait(30), listener=listen))
        async with asyncio.timeout(30):
            await greeted.wait()
        stage.stop(signal.SIGTERM)
        report = await calling
        code = await exit_code(stage)

    assert report.first_words_seconds is not None
    assert any(phrases.APOLOGY in moment.text for moment in report.timeline)
    assert report.twiml == ("Connect", "Say Hangup")
    assert code == 0
    assert clean(log)


async def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    """Whoever insists does not wait for a call."""
    log = tmp_path / "log"
    settings = {"BRIDGE_PROVIDER": "offline", "BRIDGE_DRAIN_SECONDS": "60"}
    async with bridge_process(BAKERY, settings, log) as stage:
        calling = asyncio.create_task(stage.place(Wait(30)))
        async with asyncio.timeout(20):
            while await stage.metric("bridge_calls_live") < 1:
                await asyncio.sleep(0.05)
        stage.stop(signal.SIGTERM)
        assert await draining(stage) == "draining"
        stage.stop(signal.SIGTERM)
        code = await exit_code(stage)
        report = await calling

    assert report.ended.word == "webhook-failed"
    assert code == 0
    assert clean(log)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"BRIDGE_AUDIO": "g711", "GEMINI_API_KEY": "k"}, "BRIDGE_AUDIO"),
        ({"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN"),
    ],
)
async def test_settings_that_do_not_fit_are_named_in_a_line(
    settings: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    """Exit code 2, before anything begins."""
    log = tmp_path / "log"
    with pytest.raises(RuntimeError, match="did not start"):
        async with bridge_process(BAKERY, settings, log) as stage:
            del stage

    [line] = log.read_text().splitlines()
    assert complaint in line


async def draining(stage: Stage) -> str:
    """Why the bridge is not ready any more, once it is not."""
    async with asyncio.timeout(10):
        while (answer := await stage.ask("GET", "/readyz")).status_code == 200:
            await asyncio.sleep(0.02)
    reason: str = answer.json()["reason"]
    return reason


async def exit_code(stage: Stage) -> int | None:
    assert stage.process is not None
    async with asyncio.timeout(20):
        return await stage.process.wait()


def clean(log: Path) -> bool:
    """Whether nothing went wrong inside, and no secret was written down."""
    text = log.read_text()
    secrets = ("sk-test", "test-key", "0123456789abcdef", "+15005550006", "the-operators")
    wrong = [word for word in ("Traceback", " ERROR ", *secrets) if word in text]
    assert wrong == [], text
    return True
