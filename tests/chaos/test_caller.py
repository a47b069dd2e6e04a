"""Says turns in their order, and each until it is answered."""

from __future__ import annotations

from bridge.simulator.caller import Disconnected, HungUp
from tests.chaos import codes, words
from tests.chaos.caller import NumberedCaller

TICK = 0.02
SILENT = b"\xff" * 160
ANSWER = words.ANSWER_WORDS * words.WORD_SECONDS


class Line:
    """Ticks a caller through time."""

    def __init__(self, until: float = 100.0) -> None:
        self.caller = NumberedCaller(7, until)
        self.now = 0.0
        self.acts: list[object] = []
        self.said = b""

    def hears(self, code: int | None, seconds: float, *, connected: bool = True) -> None:
        ticks = round(seconds / TICK)
        audio = SILENT * ticks if code is None else codes.ulaw(code, round(seconds, 2))
        for tick in range(ticks):
            self.now += TICK
            heard = audio[tick * len(SILENT) : (tick + 1) * len(SILENT)]
            frame, acts = self.caller.tick(self.now, heard, connected=connected)
            self.said += frame
            self.acts += acts

    def greeted(self) -> None:
        self.hears(codes.GREETING, 0.4)
        self.hears(None, 1.3)

    @property
    def turns(self) -> list[int]:
        return [spoken.turn for spoken in self.caller.spoken]


def test_begins_when_the_greeting_is_over() -> None:
    line = Line()
    line.greeted()

    assert line.turns == [1]
    assert codes.understand(codes.samples_of_ulaw(line.said), 8_000) == (7, 1)


def test_goes_on_when_it_is_answered() -> None:
    line = Line()
    line.greeted()
    line.hears(codes.code_of_turn(1), ANSWER)
    line.hears(None, 1.0)

    assert line.turns == [1, 2]
    assert line.caller.answered == 1


def test_waits_when_an_answer_stops_half_way() -> None:
    """And goes on when the rest of it has come, over whatever leg."""
    line = Line()
    line.greeted()
    line.hears(codes.code_of_turn(1), ANSWER / 2)
    line.hears(None, 1.5, connected=False)
    line.hears(codes.code_of_turn(1), ANSWER / 2)
    line.hears(None, 1.0)

    assert line.turns == [1, 2]


def test_says_it_again_when_it_is_asked_to() -> None:
    line = Line()
    line.greeted()
    line.hears(codes.PARDON, 0.4)
    line.hears(None, 1.0)

    assert line.turns == [1, 1]


def test_says_it_again_when_nobody_answers() -> None:
    line = Line()
    line.greeted()
    line.hears(None, 5.0)

    assert line.turns == [1, 1]


def test_hangs_up_when_the_last_answer_is_heard() -> None:
    line = Line(until=3.0)
    line.greeted()
    line.hears(codes.code_of_turn(1), ANSWER)
    line.hears(None, 1.0)

    assert line.turns == [1]
    assert isinstance(line.acts[-1], HungUp)
    assert not line.caller.unfinished


def test_gives_up_when_the_last_answer_never_comes() -> None:
    line = Line(until=3.0)
    line.greeted()
    line.hears(None, 40.0)

    assert line.caller.over
    assert line.caller.unfinished


def test_cuts_the_line() -> None:
    line = Line()
    line.greeted()
    line.caller.cut_line()
    line.hears(None, TICK)

    assert Disconnected() in line.acts
