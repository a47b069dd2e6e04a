"""
A caller who says one numbered turn after the other, and each again until it is answered.

Rule: pure, as the simulator's own caller: ticks of 20 ms, nothing waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.simulator.caller import (
    FRAME_SIZE,
    SILENCE,
    Act,
    Caller,
    Disconnected,
    HungUp,
    SayingBegan,
    SayingEnded,
    Script,
)
from bridge.simulator.voice import is_voice
from tests.chaos import codes, words

__all__ = ["ENOUGH_SECONDS", "NumberedCaller", "Run", "Spoken"]

ENOUGH_SECONDS = 0.8 * words.ANSWER_WORDS * words.WORD_SECONDS  # of an answer, to understand it
AFTER_ANSWER = 0.6  # seconds of silence
AFTER_PART = 4.0  # when the answer stopped half-way, or there was none: the caller asks again
GREETING_SECONDS = 10.0  # without a greeting the caller begins
MEND_SECONDS = 0.06  # shorter breaks in what is heard are the carrier's clock, not the bridge
WINDOW = 320  # bytes of mu-law: 40 ms
GRACE = 25.0  # seconds after its time for the last turn to be answered


@dataclass(slots=True)
class Run:
    """The agent's voice without a break, in seconds of the loop's clock."""

    code: int
    start: float
    end: float


@dataclass(slots=True)
class Spoken:
    """One time that the caller said a turn; `end` is 0 while it lasts."""

    turn: int
    start: float
    end: float = 0.0


@dataclass(slots=True)
class _Ear:
    """Finds codes in what is heard."""

    runs: list[Run] = field(default_factory=list)
    _rest: bytearray = field(default_factory=bytearray)
    _since: float = 0.0

    def hear(self, now: float, heard: bytes) -> None:
        if not heard or not is_voice(heard):
            self._rest.clear()
            return
        if not self._rest:
            self._since = now - len(heard) / 8_000
        self._rest += heard
        while len(self._rest) >= WINDOW:
            window = bytes(self._rest[:WINDOW])
            del self._rest[:WINDOW]
            [code] = codes.codes_in(codes.samples_of_ulaw(window), 8_000)
            start, self._since = self._since, self._since + WINDOW / 8_000
            if code is not None:
                self._note(code, start, self._since)

    def _note(self, code: int, start: float, end: float) -> None:
        last = self.runs[-1] if self.runs else None
        if last is not None and last.code == code and start - last.end < MEND_SECONDS:
            last.end = end
        else:
            self.runs.append(Run(code, start, end))


class NumberedCaller(Caller):
    """`until` is the time (of the loop's clock) after which no new turn is begun."""

    def __init__(self, number: int, until: float = float("inf")) -> None:
        super().__init__(Script())
        self.number = number
        self.spoken: list[Spoken] = []
        self.answered = 0
        """The last turn whose answer was heard."""
        self.unfinished = False
        """The last turn was not answered, long after its time."""
        self._ear_of_codes = _Ear()
        self.until = until
        self._began: float | None = None
        self._saying: memoryview | None = None
        self._cut = False
        self._connected = False
        self._first_run = 0

    @property
    def runs(self) -> list[Run]:
        """All that was heard of the agent."""
        return self._ear_of_codes.runs

    def cut_line(self) -> None:
        """Break the media socket with the next tick."""
        self._cut = True

    def tick(self, now: float, heard: bytes, *, connected: bool) -> tuple[bytes, tuple[Act, ...]]:
        if self._began is None:
            self._began = now
        self._ear_of_codes.hear(now, heard)
        self._connected = connected
        acts: list[Act] = []
        if self._cut:
            self._cut = False
            if connected:
                acts.append(Disconnected())
        if self._saying is None:
            self._decide(now, acts, self._began)
        return self._frame(now, acts), tuple(acts)

    def heard_of(self, turn: int) -> float:
        """Seconds of the answer to this turn that were heard since it was said first."""
        code = codes.code_of_turn(turn)
        recent = self.runs[self._first_run :]
        return sum(run.end - run.start for run in recent if run.code == code)

    def _decide(self, now: float, acts: list[Act], began: float) -> None:
        silent = now - self.runs[-1].end if self.runs else 0.0
        if not self.spoken:
            waited = now - began > GREETING_SECONDS
            if self._connected and (waited or (self.runs and silent >= AFTER_ANSWER)):
                self._begin_turn(1, now, acts)
            return
        last = self.spoken[-1]
        silent = min(silent, now - last.end) if self.runs else now - last.end
        if silent < AFTER_ANSWER:
            return
        answered = self.heard_of(last.turn) >= ENOUGH_SECONDS
        if answered:
            self.answered = last.turn
        if now >= self.until and (answered or now >= self.until + GRACE):
            self.unfinished = not answered
            self.over = True
            acts.append(HungUp())
        elif answered:
            self._begin_turn(last.turn + 1, now, acts)
        elif silent >= AFTER_PART or self._asked_again(last):
            self._begin_turn(last.turn, now, acts)

    def _asked_again(self, last: Spoken) -> bool:
        """Whether the agent has asked the caller to say it again, as the last thing."""
        return self.runs[-1].code == codes.PARDON and self.runs[-1].start > last.start

    def _begin_turn(self, turn: int, now: float, acts: list[Act]) -> None:
        if not self.spoken or self.spoken[-1].turn != turn:
            self._first_run = len(self.runs)
        self.spoken.append(Spoken(turn, now))
        audio = codes.utterance(self.number, turn)
        self._saying = memoryview(audio)
        acts.append(SayingBegan(words.turn_words(self.number, turn), False, audio))

    def _frame(self, now: float, acts: list[Act]) -> bytes:
        if self._saying is None:
            return SILENCE
        frame, self._saying = bytes(self._saying[:FRAME_SIZE]), self._saying[FRAME_SIZE:]
        if not self._saying:
            self._saying = None
            self.spoken[-1].end = now
            acts.append(SayingEnded(""))
        return frame
