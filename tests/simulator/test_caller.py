"""A caller who follows a script, told the time."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bridge.simulator import caller
from bridge.simulator.caller import Caller, Script
from tests.simulator.sounds import silence, tone

FRAME = 0.02
WORDS = tone(0.1, hertz=300)
SILENCE = silence(FRAME)
VOICE = tone(FRAME)


@dataclass
class Line:
    """Ticks a caller every 20 ms; the agent speaks in the `agent` intervals."""

    person: Caller
    agent: tuple[tuple[float, float], ...] = ()
    connected_from: float = 0.0
    said: bytes = b""
    acts: list[tuple[float, caller.Act]] = field(default_factory=list)
    ticks: int = 0

    def until(self, seconds: float) -> None:
        while self.ticks * FRAME < seconds - FRAME / 2:
            now = self.ticks * FRAME
            speaking = any(start <= now < end for start, end in self.agent)
            frame, acts = self.person.tick(
                now, VOICE if speaking else SILENCE, connected=now >= self.connected_from
            )
            self.said += frame
            self.acts += [(round(now, 2), act) for act in acts]
            self.ticks += 1

    def at(self, kind: type[caller.Act]) -> list[float]:
        return [at for at, act in self.acts if isinstance(act, kind)]


def test_says_and_hangs_up() -> None:
    """The utterance goes out frame by frame, and at the end of the script is the end."""
    line = Line(Caller(Script(caller.Say(WORDS, "hello"))))

    line.until(0.2)

    assert line.said == WORDS + silence(0.1)
    assert line.acts == [
        (0.0, caller.SayingBegan("hello", interrupting=False, audio=WORDS)),
        (0.1, caller.SayingEnded("hello")),
        (0.1, caller.HungUp()),
    ]
    assert line.person.over


def test_a_last_frame_is_filled_with_silence() -> None:
    """Every tick gives 20 ms, whatever the length of the recording."""
    line = Line(Caller(Script(caller.Say(WORDS[:200]))))

    line.until(0.06)

    assert line.said == WORDS[:200] + b"\xff" * 280


def test_waits_until_the_agent_has_spoken() -> None:
    """A pause between the agent's words is not the end of its turn."""
    script = Script(caller.WaitForAgent(silence_seconds=0.8), caller.Say(WORDS))
    line = Line(Caller(script), agent=((1.0, 2.0), (2.4, 3.0)))

    line.until(5)

    assert line.at(caller.SayingBegan) == [pytest.approx(2.98 + 0.8)]
    assert line.at(caller.AgentBegan) == [1.0]
    assert line.at(caller.AgentStopped) == [pytest.approx(2.98 + 0.5)]


def test_gives_up_on_a_silent_agent() -> None:
    """After the timeout the script goes on, and says so."""
    line = Line(Caller(Script(caller.WaitForAgent(timeout=2), caller.Say(WORDS))))

    line.until(3)

    assert line.acts[0] == (2.0, caller.GaveUp(2.0))
    assert line.at(caller.SayingBegan) == [2.0]


def test_listens_to_a_long_answer() -> None:
    """The timeout is for agents that do not begin; one that speaks is heard to the end."""
    line = Line(Caller(Script(caller.WaitForAgent(timeout=2))), agent=((1.0, 9.0),))

    line.until(10)

    assert line.at(caller.GaveUp) == []
    assert line.at(caller.HungUp) == [pytest.approx(9.78, abs=2 * FRAME)]


def test_waits_for_an_answer_and_not_for_what_was_said_before() -> None:
    """What the agent said before the caller's words is no answer to them."""
    script = Script(caller.Say(WORDS), caller.WaitForAgent(), caller.HangUp())
    line = Line(Caller(script), agent=((0.0, 0.06), (1.0, 1.5)))

    line.until(4)

    assert line.at(caller.HungUp) == [pytest.approx(1.48 + 0.8)]


def test_interrupts() -> None:
    """The caller speaks over the agent when it has spoken for a while, and not before."""
    script = Script(caller.Interrupt(WORDS, after_seconds=1.2, name="stop"))
    line = Line(Caller(script), agent=((0.5, 5.0),))

    line.until(3)

    began = next(act for _, act in line.acts if isinstance(act, caller.SayingBegan))
    assert began == caller.SayingBegan("stop", interrupting=True, audio=WORDS)
    assert line.at(caller.SayingBegan) == [pytest.approx(1.7)]


def test_an_interruption_wants_a_talking_agent() -> None:
    """An agent that never speaks so long cannot be interrupted; the caller goes on."""
    script = Script(caller.Interrupt(WORDS, timeout=2), caller.HangUp())
    line = Line(Caller(script), agent=((0.5, 0.7),))

    line.until(4)

    assert line.at(caller.SayingBegan) == []
    assert line.at(caller.GaveUp) == line.at(caller.HungUp) == [pytest.approx(2.68)]


def test_presses_keys_one_after_the_other() -> None:
    """A quarter of a second from key to key, and the next step after the last."""
    line = Line(Caller(Script(caller.Press("42#"), caller.HangUp())))

    line.until(2)

    pressed = [(at, act.digit) for at, act in line.acts if isinstance(act, caller.Pressed)]
    assert pressed == [(0.0, "4"), (0.26, "2"), (0.52, "#")]
    assert line.at(caller.HungUp) == [0.78]


def test_speaks_when_there_is_somebody_on_the_line() -> None:
    """Before the media stream is there nobody would hear it."""
    script = Script(caller.Say(WORDS), caller.Press("1"))
    line = Line(Caller(script), connected_from=1.0)

    line.until(2)

    assert line.at(caller.SayingBegan) == [1.0]


def test_waits_cuts_and_hangs_up() -> None:
    """The plain steps, in their order."""
    line = Line(Caller(Script(caller.Wait(1.0), caller.CutLine(), caller.HangUp())))

    line.until(2)

    assert line.acts == [(1.0, caller.Disconnected()), (1.0, caller.HungUp())]


def test_does_not_speak_into_a_line_it_has_cut() -> None:
    """The words after a cut wait for the next stream."""
    line = Line(Caller(Script(caller.CutLine(), caller.Say(WORDS))))

    line.until(FRAME)

    assert line.acts == [(0.0, caller.Disconnected())]


def test_nothing_is_done_after_the_end() -> None:
    """A caller who has hung up is silent."""
    line = Line(Caller(Script(caller.HangUp())), agent=((0.5, 1.0),))

    line.until(2)

    assert line.acts == [(0.0, caller.HungUp())]
    assert line.said == silence(2)


def test_a_noisy_line_hisses() -> None:
    """Between utterances there is noise, which is not taken for a voice."""
    line = Line(Caller(Script(caller.Wait(9)), noise=True))

    line.until(1)

    assert set(line.said) == {0xFF, 0xFE, 0x7F, 0x7E}
