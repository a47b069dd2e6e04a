"""
Whatever happens, in whatever order: what always holds in a call.

Time passes as under a conductor: the machine is woken at its deadlines, and no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.formats import ULAW_8K
from bridge.call.machine import Call
from bridge.call.patience import CallRules
from bridge.call.vocabulary import (
    AskResponse,
    CallCommand,
    CallEvent,
    Finishing,
    ModelFailed,
    ModelReady,
    Over,
    PressAsked,
    SayAsked,
    TimeIsUp,
    Truncate,
    Voice,
)
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, ToolOutcome
from bridge.ports.server_events import Drop, ResponseStatus
from bridge.ports.store import Cut
from tests.call.scripts import LOST, STARTED, sound

GREET = phrases.greet("Hello.")
RULES = CallRules(greeting="Hello.", longest_seconds=400.0)
LONGEST = 400.0 + 30.0 + 8.0 + 60.0  # seconds: the rule, its leeway, last words and their bound
MAX_WAKES = 200

IDS = st.sampled_from(["", "r1", "r2", "r3"])
ITEMS = st.sampled_from(["i1", "i2"])
ENDING = Ending(Fault.NOBODY, "over")


@dataclass(frozen=True)
class Mark:
    """The carrier returns one of the marks it has, perhaps one that it skipped to."""

    which: int


ORDINARY: list[st.SearchStrategy[CallEvent | Mark]] = [
    st.builds(Mark, st.integers(0, 3)),
    st.builds(Voice, ITEMS, IDS, st.sampled_from([20, 100, 250, 3000]).map(sound)),
    st.builds(model.ResponseCreated, IDS),
    st.builds(model.ResponseDone, IDS, st.sampled_from(ResponseStatus)),
    st.just(model.SpeechStarted()),
    st.just(model.SpeechStopped()),
    st.builds(model.Interrupted, IDS),
    st.sampled_from("0123456789*#").map(leg.Digit),
]
RARE: list[st.SearchStrategy[CallEvent | Mark]] = [
    st.just(STARTED),
    st.builds(ModelReady, st.booleans(), st.sampled_from(Cut)),
    st.just(model.AudioCommitted()),
    st.just(model.AudioCleared()),
    st.just(model.InputTranscriptDelta("word")),
    st.builds(model.FunctionCallDone, st.just("c1"), st.just("tool"), st.just("{}"), IDS),
    st.just(runner.ToolStarted("c1", "tool")),
    st.just(runner.ToolFinished("c1", "tool", ToolOutcome.ANSWERED, 0.1)),
    st.just(model.Disconnected(Drop.LOST)),
    st.just(runner.Resumed(Cause.DROP, Memory.NONE, 1, 0.1)),
    st.just(SayAsked("Say hello.")),
    st.just(PressAsked("42#")),
]
ENDS: list[st.SearchStrategy[CallEvent | Mark]] = [
    st.builds(Finishing, st.just(leg.Hangup()), st.just(ENDING), st.booleans()),
    st.just(Finishing(leg.Transfer("+14155550100"), ENDING)),
    st.just(ModelFailed("no route")),
    st.just(runner.Finished(runner.Lost(Drop.LOST, "gone"))),
    st.just(leg.Ended(Ending(Fault.CALLER, "hangup"))),
    st.just(LOST),
]
DELAYS = st.sampled_from([0.0, 0.02, 0.1, 0.5, 4.0, 20.0])
HAPPENINGS = st.builds(
    lambda talk, end: talk + end,
    st.lists(st.tuples(DELAYS, st.one_of(*ORDINARY, *ORDINARY, *RARE)), max_size=30),
    st.lists(st.tuples(DELAYS, st.one_of(*ORDINARY, *RARE, *ENDS)), max_size=10),
)


@dataclass
class Watched:
    """A call, and all that must never be seen of it."""

    call: Call = field(default_factory=lambda: Call(RULES, ULAW_8K, 0.0))
    now: float = 0.0
    ready: bool = False
    over: bool = False
    spoke: bool = False
    names: set[str] = field(default_factory=set)
    item: str = ""
    marks: list[tuple[str, str, int]] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    begun: set[str] = field(default_factory=set)

    def happens(self, after: float, happening: CallEvent | Mark) -> None:
        self.pass_time(self.now + after)
        match happening:
            case Mark(which):
                if self.marks:
                    self._return_mark(min(which, len(self.marks) - 1))
            case Voice() if not self.ready:
                pass  # who is not there does not speak
            case _:
                self._tell(happening)

    def pass_time(self, until: float) -> None:
        """The machine is woken at its deadlines, each of which it moves."""
        for _ in range(MAX_WAKES):
            deadline = self.call.deadline
            if deadline is None or deadline > until:
                break
            self.now = max(self.now, deadline)
            self._tell(TimeIsUp())
            later = self.call.deadline
            assert later is None or later > self.now, "it would be woken again at once"
        else:
            raise AssertionError("it does not come to rest")
        self.now = max(self.now, until)

    def _return_mark(self, which: int) -> None:
        name = self.marks[which][0]
        for _, item, position in self.marks[: which + 1]:
            if item == self.item:
                self.acknowledged[item] = position
        del self.marks[: which + 1]
        self._tell(leg.Played(name))

    def _tell(self, event: CallEvent) -> None:
        match event:
            case model.ResponseCreated(response_id):
                self.refused.discard(response_id)
                self.begun.add(response_id)
            case model.Disconnected() | runner.Resumed() | ModelFailed() | runner.Finished():
                self._new_session()
            case ModelReady():
                self.ready = True
            case _:
                pass
        commands = self.call.handle(event, self.now)
        assert not (self.over and commands)
        for command in commands:
            self._check(event, command)
        if any(isinstance(command, leg.Clear) for command in commands):
            self._cleared()

    def _check(self, event: CallEvent, command: CallCommand) -> None:
        assert not self.over, "nothing after Over"
        match command:
            case leg.Play(b"", mark):
                self._sent_mark(mark)
            case leg.Play(audio, mark):
                assert isinstance(event, Voice)
                assert event.response_id not in self.refused
                self.begun.add(event.response_id)
                if event.item_id != self.item:
                    self.item = event.item_id
                    self.sent[self.item] = self.acknowledged[self.item] = 0
                self.sent[self.item] += len(audio)
                self.spoke = True
                if mark is not None:
                    self._sent_mark(mark)
            case Truncate(item_id, heard_ms):
                self._check_truncation(item_id, heard_ms)
            case AskResponse(instructions) if instructions == GREET:
                assert not self.spoke, "no greeting after the first word"
            case Over():
                self.over = True
            case _:
                pass

    def _sent_mark(self, mark: str | None) -> None:
        assert mark is not None
        assert mark not in self.names
        self.names.add(mark)
        self.marks.append((mark, self.item, self.sent.get(self.item, 0)))

    def _check_truncation(self, item_id: str, heard_ms: int) -> None:
        """Never more than was sent, and never less than what the carrier said was heard."""
        if item_id != self.item:
            return  # another one has begun behind it
        assert heard_ms <= round(ULAW_8K.duration_ms(self.sent[item_id]))
        assert heard_ms >= round(ULAW_8K.duration_ms(self.acknowledged[item_id]))

    def _cleared(self) -> None:
        self.refused |= self.begun - {""}
        self.marks.clear()

    def _new_session(self) -> None:
        """Ids begin anew, so that this bookkeeping does too."""
        self.item = ""
        self.refused.clear()
        self.begun.clear()
        self.marks = [(name, "", 0) for name, _, _ in self.marks]


@settings(max_examples=300, deadline=None)
@given(HAPPENINGS)
def test_what_always_holds(happenings: list[tuple[float, CallEvent | Mark]]) -> None:
    """
    It never raises and says nothing after Over; marks are unique; nothing that was
    interrupted is played; a deadline that has passed is moved; and a caller with whom
    nothing happens any more is not left on the line for ever.
    """
    watched = Watched()
    watched.happens(0.0, STARTED)

    for after, happening in happenings:
        watched.happens(after, happening)
    watched.pass_time(watched.now + LONGEST)

    assert watched.over


@settings(max_examples=100, deadline=None)
@given(HAPPENINGS)
def test_who_is_not_there_is_not_waited_for(
    happenings: list[tuple[float, CallEvent | Mark]],
) -> None:
    """Before the caller is there nothing is played, and nothing has a deadline."""
    watched = Watched()

    for after, happening in happenings:
        if happening != STARTED:
            watched.happens(after, happening)

    assert watched.call.deadline is None
    assert not watched.spoke
