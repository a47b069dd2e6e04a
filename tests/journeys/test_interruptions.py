"""Callers speak over the agent: it is silent at once, and knows how much of it was heard."""

from __future__ import annotations

import asyncio
import statistics

from bridge.agent.agent import Agent
from bridge.ports.server_events import Interrupted, ServerEvent, SpeechStarted
from bridge.simulator.caller import Interrupt, Step
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.report import CallReport
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_script import Say as GeminiSays
from tests.fakes.gemini_script import Script as GeminiScript
from tests.fakes.openai_realtime import FakeOpenAI, FakeSession, Say, Script
from tests.journeys import sound
from tests.journeys.figures import Recorder, note
from tests.journeys.stage import INSTRUCTIONS, QUICK, gemini, on_stage, openai
from tests.journeys.stamps import Sent, StampedBridge

CALLS, TIMES = 5, 5
ANSWERS = [sound.voice(8.0, seed=number) for number in range(TIMES + 1)]
ULAW_ANSWERS = [sound.ulaw_of(audio) for audio in ANSWERS]
TOLERANCE_MS = 100 + 100  # one mark's interval; the rest is this machine's network and clock


def interrupting_again_and_again(caller: int = 0) -> tuple[Step, ...]:
    word = sound.word(300 + 50 * caller)  # no two callers have the same voice
    over = [Interrupt(word, after_seconds=0.4, name=str(number)) for number in range(TIMES)]
    return (CallerSays(word), *over)


async def test_the_agent_is_silent_at_once(record_property: Recorder) -> None:
    """
    From the model's word that somebody speaks to the carrier's `clear` it takes
    milliseconds, and nothing of that answer is sent afterwards.
    """
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    script = Script(answers=[Say("A long story.", audio=audio) for audio in ANSWERS])
    async with (
        FakeOpenAI(script) as fake,
        on_stage(agent, openai(fake), make=StampedBridge) as stage,
    ):
        bridge = stage.bridge
        assert isinstance(bridge, StampedBridge)
        calls = [stage.place(*interrupting_again_and_again(caller)) for caller in range(CALLS)]
        reports = await asyncio.gather(*calls)
        errors = [
            error for session in fake.sessions for error in truncation_errors(session, reports)
        ]

    took = clearing_times(bridge, SpeechStarted)
    note(record_property, "clear leaves after (ms)", took)
    note(record_property, "truncation is wrong by (ms)", errors)
    assert [report.clears for report in reports] == [TIMES] * CALLS
    assert len(took) == CALLS * TIMES
    assert statistics.median(took) <= 5.0
    assert all(nothing_after_its_clear(stream) for stream in bridge.streams)
    assert len(errors) == CALLS * TIMES
    assert max(map(abs, errors)) <= TOLERANCE_MS


async def test_gemini_interrupts_by_itself(record_property: Recorder) -> None:
    """Its `interrupted` is all that tells, and it clears just the same."""
    answers = [[GeminiSays("A long story.", pcm=audio)] for audio in ANSWERS]
    script = GeminiScript(answers=list(answers))
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with (
        FakeGemini(script) as fake,
        on_stage(agent, gemini(fake), make=StampedBridge) as stage,
    ):
        bridge = stage.bridge
        assert isinstance(bridge, StampedBridge)
        report = await stage.place(*interrupting_again_and_again())

    took = clearing_times(bridge, Interrupted)
    note(record_property, "clear leaves after (ms)", took)
    assert report.clears == TIMES
    assert statistics.median(took) <= 5.0


def clearing_times(bridge: StampedBridge, cause: type[ServerEvent]) -> list[float]:
    """Milliseconds from the event to the clear that follows it."""
    clears = sorted(sent.at for stream in bridge.streams for sent in stream if sent.kind == "clear")
    causes = sorted(at for at, event in bridge.told if isinstance(event, cause))
    return [1000 * (clear - max(at for at in causes if at <= clear)) for clear in clears]


def nothing_after_its_clear(stream: list[Sent]) -> bool:
    """Whether no answer goes on behind a clear that cut it off."""
    cut: set[int] = set()
    latest = -1
    for sent in stream:
        if sent.kind == "clear":
            cut.add(latest)
        elif sent.kind == "media":
            latest = next(n for n, audio in enumerate(ULAW_ANSWERS) if sent.audio in audio)
            if latest in cut:
                return False
    return True


def truncation_errors(session: FakeSession, reports: list[CallReport]) -> list[float]:
    """What the model was told of each cut answer, less what the caller really heard of it."""
    said = bytes(session.received)
    [report] = [report for report in reports if said in report.said]
    told = [event["audio_end_ms"] for event in session.said("conversation.item.truncate")]
    heard = [sound.heard_prefix(audio, report.heard) / 8 for audio in ULAW_ANSWERS]
    return [told_ms - heard_ms for told_ms, heard_ms in zip(told, heard, strict=False)]
