"""The figures of a call, from when who was heard."""

from __future__ import annotations

import pytest

from bridge.simulator.journal import Utterance
from bridge.simulator.listening import first_words, interruptions, replies
from bridge.simulator.report import Interruption, Reply
from bridge.simulator.voice import Spurt
from tests.simulator.sounds import silence, tone

# 100 ms of silence, one second of sound, 300 ms of silence: 70 frames.
WORDS = silence(0.1) + tone(1.0) + silence(0.3)


def said(start: float, *, interrupting: bool = False) -> Utterance:
    return Utterance("words", WORDS, start, interrupting, end=start + 69 * 0.02)


def test_first_words() -> None:
    """From pick-up to the first sound; nobody there is None."""
    agent = [Spurt(1.2, 3.0), Spurt(5.0, 6.0)]

    assert first_words(agent, since=0.7) == 0.5
    assert first_words([], since=0.7) is None


def test_a_reply_is_timed_from_the_last_sound() -> None:
    """Silence at the end of a recording is the caller's, and counts as waiting."""
    found = replies([said(10.0)], [Spurt(2.0, 4.0), Spurt(11.58, 13.0)])

    assert found == (Reply("words", at=11.08, seconds=0.5),)


def test_an_agent_that_does_not_wait() -> None:
    """Less than 0: it spoke before the caller had ended."""
    found = replies([said(10.0)], [Spurt(10.88, 13.0)])

    assert found == (Reply("words", at=11.08, seconds=-0.2),)


def test_no_reply_before_the_next_words() -> None:
    """What comes after the next utterance answers that one."""
    found = replies([said(10.0), said(15.0)], [Spurt(16.58, 18.0)])

    assert [reply.seconds for reply in found] == [None, 0.5]


def test_what_went_on_is_no_reply() -> None:
    """An agent that was speaking already does not answer by going on."""
    found = replies([said(10.0)], [Spurt(9.0, 10.5), Spurt(12.08, 13.0)])

    assert [reply.seconds for reply in found] == [1.0]


def test_an_utterance_that_was_cut_off_has_no_reply() -> None:
    """The call ended in the middle of it."""
    assert replies([Utterance("words", WORDS, 10.0)], []) == ()


def test_a_silent_recording_is_timed_by_its_end() -> None:
    """Without a sound in it there is no last sound."""
    utterance = Utterance("nothing", silence(0.1), 10.0, end=10.08)

    found = replies([utterance], [Spurt(10.58, 11.0)])

    assert found == (Reply("nothing", at=10.08, seconds=0.5),)


@pytest.mark.parametrize(
    ("agent", "seconds"),
    [
        ([Spurt(8.0, 10.35)], 0.25),
        ([Spurt(8.0, 10.05)], 0.0),
        ([Spurt(8.0, 14.0), Spurt(15.0, 16.0)], 3.9),
    ],
)
def test_how_long_an_interrupted_agent_goes_on(agent: list[Spurt], seconds: float) -> None:
    """From the caller's first sound to the agent's last."""
    found = interruptions([said(1.0), said(10.0, interrupting=True)], agent)

    assert found == (Interruption("words", at=10.1, seconds=seconds),)
