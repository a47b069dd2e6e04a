"""The provider goes in the middle of a call: the call goes on, or ends in words."""

from __future__ import annotations

import asyncio

import pytest

from bridge.agent.agent import Agent
from bridge.ports import phrases
from bridge.simulator.caller import Interrupt, Wait, WaitForAgent
from bridge.simulator.caller import Say as CallerSays
from bridge.simulator.report import CallReport
from tests.fakes import gemini_script
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.openai_realtime import Drop, FakeOpenAI, FakeSession, Say, Script, Stall
from tests.journeys import sound
from tests.journeys.stage import (
    FALLBACK,
    INSTRUCTIONS,
    QUICK,
    gemini,
    on_stage,
    openai,
    speech,
)

STORY = "Once upon a time there was a baker who had three sons and no bread at all."


def told(session: FakeSession) -> list[tuple[str, str]]:
    """The conversation that a session was told: who, and what."""
    items = [event["item"] for event in session.said("conversation.item.create")]
    return [(item["role"], item["content"][0]["text"]) for item in items if "role" in item]


async def test_a_session_that_breaks_is_replaced() -> None:
    """
    In mid-sentence, with and without a close frame: a new session is told what was said,
    and goes on. The caller hears a pause and no second greeting.
    """
    await asyncio.gather(a_session_breaks(1011), a_session_breaks(1006))


async def a_session_breaks(code: int) -> None:
    spoken, rest = sound.voice(0.5, seed=1), sound.voice(0.8, seed=2)
    story = Say(STORY, audio=spoken, pace=0.02)
    first = Script(answers=[Say("Hello.", seconds=0.3), [story, Drop(code)]])
    second = Script(answers=[Say("He went into the wood.", audio=rest)])
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)
    async with FakeOpenAI(first, second) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(WaitForAgent(0.3), CallerSays(sound.word()), WaitForAgent(1.2))

        assert await stage.metric("bridge_resumptions_total", 'outcome="replayed"') == 1

    old, new = fake.sessions
    assert sound.ulaw_of(spoken)[:2_400] in report.heard  # what follows may be lost with the line
    assert sound.ulaw_of(rest) in report.heard
    assert told(new)[:2] == [("assistant", "Hello."), ("user", "Hello.")]
    assert [role for role, _ in told(new)] == ["assistant", "user", "assistant"]
    assert STORY.startswith(told(new)[-1][1])
    assert phrases.greet("Hello.") not in str(new.client_events)
    assert old.closed
    assert report.problems == ()


async def test_a_new_session_is_told_what_was_heard_and_no_more() -> None:
    """The caller cut an answer short; its end was never said to anybody."""
    first = Script(answers=[Say(STORY, audio=sound.voice(6.0)), [Say("Yes?"), Drop(1011)]])
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with FakeOpenAI(first, Script()) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(
            CallerSays(sound.word()),
            Interrupt(sound.word(500), after_seconds=1.5),
            WaitForAgent(0.3),
        )

    heard_words = told(fake.sessions[1])[1][1]
    heard_part = sound.heard_prefix(sound.ulaw_of(sound.voice(6.0)), report.heard) / 48_000
    assert STORY.startswith(heard_words)
    assert abs(len(heard_words) / len(STORY) - heard_part) < 0.15


async def test_a_session_that_expires_is_replaced() -> None:
    """The 60 minutes of a session are not those of a call."""
    answer = sound.voice(0.8)
    expiring = Script(answers=[Say("Hello.", seconds=0.3)], end_after=1.0)
    second = Script(answers=[Say("At seven.", audio=answer)])
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)
    async with FakeOpenAI(expiring, second) as fake, on_stage(agent, openai(fake)) as stage:
        report = await stage.place(Wait(1.6), CallerSays(sound.word()), WaitForAgent(0.3))

        assert await stage.metric("bridge_provider_drops_total", 'cause="expired"') == 1

    assert sound.ulaw_of(answer) in report.heard
    assert report.problems == ()


async def test_what_the_caller_says_in_the_gap_is_heard() -> None:
    """However long it takes until the new session is ready: no word is lost, none comes twice."""
    first, second = Script(), Script(created_delay=0.7)
    agent = Agent(INSTRUCTIONS)
    async with (
        FakeOpenAI(first, second) as fake,
        on_stage(agent, openai(fake), noise=True) as stage,
    ):
        calling = asyncio.create_task(stage.place(CallerSays(speech("question")), Wait(0.3)))
        old = await fake.session(0)
        await old.until(lambda: len(old.received) > 4_000)
        old.drop(1011)
        report = await calling

    before, after = bytes(old.received), bytes(fake.sessions[1].received)
    assert before in report.said
    assert after in report.said
    lost = report.said.index(after) - report.said.index(before) - len(before)
    assert 0 <= lost <= 3 * 160  # what was on its way when the connection broke
    assert len(after) > 8_000
    assert report.problems[1:] == ()  # that nobody answered


async def test_a_provider_that_stays_away_is_apologised_for() -> None:
    """Never dead air: in words, and to a person if there is one."""
    await asyncio.gather(a_provider_stays_away(None), a_provider_stays_away(FALLBACK))


async def a_provider_stays_away(fallback: str | None) -> None:
    first = Script(answers=[Say("Hello.", seconds=0.3), Drop(1011)])
    gone = Script(refuse=503)
    agent = Agent(INSTRUCTIONS, greeting="Hello.", vad=QUICK)
    settings = falling_back_to(fallback)
    async with (
        FakeOpenAI(first, gone) as fake,
        on_stage(agent, openai(fake, **settings)) as stage,
    ):
        report = await stage.place(WaitForAgent(0.3), CallerSays(sound.word()), Wait(20))

        assert await stage.metric("bridge_calls_ended_total", 'reason="model_lost"') == 1

    assert apologised(report, fallback)
    assert report.seconds < 12


async def test_a_provider_in_trouble() -> None:
    """It takes nobody in, or it stands still. Both take their seconds, and so go side by side."""
    await asyncio.gather(
        nobody_is_taken_in(429, None),
        nobody_is_taken_in(503, FALLBACK),
        a_session_stands_still(),
    )


async def nobody_is_taken_in(status: int, fallback: str | None) -> None:
    """
    Half a minute later it would, and no caller waits for that: three attempts in two seconds,
    the first of them while the carrier still connects, and then words.
    """
    settings = falling_back_to(fallback)
    async with (
        FakeOpenAI(Script(refuse=status, retry_after=30)) as fake,
        on_stage(Agent(INSTRUCTIONS, greeting="Hello."), openai(fake, **settings)) as stage,
    ):
        report = await stage.place(Wait(20))

    print(f"{status}: an apology after {report.streams[0].ended_at:.2f} s")
    assert len(fake.requests) == 3
    assert apologised(report, fallback)
    assert report.streams[0].ended_at < 3.0


async def a_session_stands_still() -> None:
    """
    In mid-sentence it neither reads nor writes any more, and the connection stays. The
    caller's audio is read all the same, and after some five seconds another session goes on.
    """
    rest = sound.voice(0.8, seed=2)
    first = Script(answers=[[Say("Once upon a time", seconds=0.5), Stall()]])
    second = Script(answers=[Say("there was a baker.", audio=rest)])
    async with (
        FakeOpenAI(first, second, tolerant=True) as fake,
        on_stage(Agent(INSTRUCTIONS, vad=QUICK), openai(fake)) as stage,
    ):
        calling = asyncio.create_task(stage.place(CallerSays(sound.word()), Wait(9.0)))
        await fake.session(1)
        read = await stage.metric("bridge_frames_total")
        report = await calling
        drops = await stage.metric("bridge_provider_drops_total", 'cause="lost"')
        resumed = await stage.metric("bridge_resumptions_total", 'outcome="replayed"')

    assert read > 150
    assert (drops, resumed) == (1, 1)
    assert sound.ulaw_of(rest) in report.heard


@pytest.mark.parametrize("fallback", [None, FALLBACK])
async def test_a_refused_key_is_apologised_for_at_once(fallback: str | None) -> None:
    """Trying again cannot help, so nobody waits for it."""
    agent = Agent(INSTRUCTIONS, greeting="Hello.")
    settings = falling_back_to(fallback)
    async with (
        FakeOpenAI(key="another") as fake,
        on_stage(agent, openai(fake, **settings)) as stage,
    ):
        report = await stage.place(Wait(20))

        assert len(fake.requests) == 1
        assert await stage.metric("bridge_calls_ended_total", 'fault="operator"') == 1

    assert apologised(report, fallback)
    assert report.streams[0].ended_at < 2


async def test_gemini_announces_its_end_and_is_resumed() -> None:
    """By its own token, at the next pause, and before the time is over."""
    answer, second = sound.voice(0.5, seed=1), sound.voice(0.5, seed=2)
    script = gemini_script.Script(
        answers=[
            [gemini_script.GoAway(4.0), gemini_script.Say("At seven.", pcm=answer)],
            [gemini_script.Say("On Monday.", pcm=second)],
        ]
    )
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    asks = (CallerSays(sound.word()), WaitForAgent(0.3))
    async with FakeGemini(script) as fake, on_stage(agent, gemini(fake)) as stage:
        report = await stage.place(*asks, Wait(0.5), *asks)

        assert await stage.metric("bridge_resumptions_total", 'outcome="native"') == 1

    assert fake.sessions[1].resumed_from is fake.sessions[0]
    assert len(fake.sessions) == 2
    assert heard(answer, report)
    assert heard(second, report)
    assert report.problems == ()


async def test_gemini_breaks_off_and_is_resumed() -> None:
    """In mid-sentence: what was said is told to the session that follows."""
    await asyncio.gather(gemini_breaks_off(1011), gemini_breaks_off(1006))


async def gemini_breaks_off(code: int) -> None:
    answer, rest = sound.voice(0.5, seed=1), sound.voice(0.8, seed=2)
    script = gemini_script.Script(
        answers=[
            [gemini_script.Say(STORY, pcm=answer), gemini_script.Cut(code)],
            [gemini_script.Say("He went into the wood.", pcm=rest)],
        ]
    )
    agent = Agent(INSTRUCTIONS, vad=QUICK)
    async with FakeGemini(script) as fake, on_stage(agent, gemini(fake)) as stage:
        report = await stage.place(CallerSays(sound.word()), WaitForAgent(1.2))

    assert len(fake.sessions) == 2
    assert code == 1006 or heard(answer, report)  # what was sent last may be lost with the line
    assert heard(rest, report)
    assert report.problems == ()


def falling_back_to(number: str | None) -> dict[str, str]:
    return {} if number is None else {"BRIDGE_FALLBACK_NUMBER": number}


def heard(pcm24: bytes, report: CallReport) -> bool:
    original = sound.samples_of_ulaw(sound.ulaw_of(pcm24))
    return sound.match(original, sound.samples_of_ulaw(report.heard)).snr_db > 15


def apologised(report: CallReport, fallback: str | None) -> bool:
    """Whether the last document has the right verbs, and the carrier spoke the apology."""
    spoken = any(phrases.APOLOGY in moment.text for moment in report.timeline)
    if fallback is None:
        return spoken and report.twiml[-1] == "Say Hangup" and report.ended.word == "hung-up"
    return spoken and report.twiml[-1] == "Say Dial" and report.transfers == (fallback,)
