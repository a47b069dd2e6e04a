"""What the runner's machine never does, whatever happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import AuthError, ConnectError, ResumptionRefused, ServerError
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Applied, Memory, RequiresResumption
from bridge.ports.server_events import Drop, ServerEvent, Severity
from bridge.ports.session import RealtimeConfig
from bridge.runner.vocabulary import (
    Answer,
    Command,
    Connected,
    Fact,
    Finish,
    MessageAsked,
    Mutate,
    MutationDone,
    MutationFailed,
    Respond,
    ResponseAsked,
    Resume,
    ResumeFailed,
    RunTool,
    Settle,
    Tell,
    TimeIsUp,
    ToolAnswered,
    UpdateAsked,
    UpdateResult,
)
from tests.runner.scripts import Machine

IDS = st.sampled_from(["1", "2", "3"])

SESSION_EVENTS: st.SearchStrategy[ServerEvent] = st.one_of(
    st.builds(event.ResponseCreated, IDS),
    st.builds(event.ResponseDone, IDS),
    st.builds(event.FunctionCallDone, IDS, st.just("look"), st.just("{}")),
    st.builds(event.ToolCallCancelled, st.tuples(IDS)),
    st.just(event.SpeechStarted()),
    st.just(event.SpeechStopped()),
    st.just(event.AudioCommitted()),
    st.just(event.InputTranscriptDelta("a")),
    st.builds(event.GoingAway, st.sampled_from([0.0, 2.0, 30.0])),
    st.builds(event.ResumptionToken, st.sampled_from([None, "token"])),
    st.builds(
        event.Error,
        st.just(event.ErrorInfo("t", "m")),
        st.sampled_from([Severity.HARMLESS, Severity.RETRY]),
        st.booleans(),
    ),
    st.builds(event.Disconnected, st.sampled_from([Drop.LOST, Drop.EXPIRED, Drop.REFUSED])),
)

WISHES: st.SearchStrategy[Fact] = st.one_of(
    st.builds(ResponseAsked, st.sampled_from([None, "speak"])),
    st.builds(MessageAsked, st.builds(Message, st.just("user"), st.just("x"), st.booleans())),
    st.builds(ToolAnswered, IDS, st.just(1)),
)

UPDATES = st.builds(
    RealtimeConfig,
    instruction=st.sampled_from([None, "a", "b"]),
    voice=st.sampled_from([None, "v", "w"]),
)

ERRORS = st.sampled_from(
    [
        ConnectError("busy"),
        ConnectError("no", retryable=False),
        ResumptionRefused("old"),
        AuthError("key"),
    ]
)

RESUMED: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Connected, st.sampled_from(list(Memory)), st.sampled_from([None, 5.0, 90.0])),
    st.builds(ResumeFailed, ERRORS),
)

MUTATED: st.SearchStrategy[Fact] = st.one_of(
    st.builds(MutationDone, st.sampled_from([Applied(), RequiresResumption()])),
    st.builds(MutationFailed, st.just(ServerError("no", ""))),
)


@dataclass
class World:
    """A machine, and all that is under way for it."""

    machine: Machine
    now: float = 0.0
    changing: list[Command] = field(default_factory=list)
    resuming: Resume | None = None
    mutating: bool = False
    connected: bool = True
    finished: bool = False
    settled: dict[int, UpdateResult] = field(default_factory=dict)
    tickets: int = 0

    def tell(self, fact: Fact | ServerEvent) -> None:
        if isinstance(fact, event.Disconnected):
            self.connected = self.mutating = False
        for command in self.machine.handle(fact, self.now):
            assert not self.finished, "nothing comes after Finish"
            self.take(command)
        deadline = self.machine.deadline
        assert deadline is None or deadline > self.now, "an alarm in the past rings for ever"

    def take(self, command: Command) -> None:
        match command:
            case Resume():
                assert self.resuming is None
                assert not self.mutating
                self.resuming = command
            case Mutate():
                assert self.connected
                assert self.resuming is None
                assert not self.mutating
                self.mutating = True
            case Answer() | Respond() | Tell():
                assert self.connected, "there must be somebody to hear it"
                assert self.resuming is None, "it would go to the wrong session"
            case Settle(tickets, result):
                for ticket in tickets:
                    assert ticket not in self.settled
                    self.settled[ticket] = result
            case Finish():
                self.finished = True
            case RunTool() | _:
                pass

    def end_resumption(self, fact: Fact) -> None:
        self.resuming = None
        self.connected = self.connected or isinstance(fact, Connected)
        self.tell(fact)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.data())
def test_rules_that_hold_whatever_happens(data: st.DataObject) -> None:
    """
    One change at a time, to a session that is there; no alarm in the past; every update is
    settled once, and no later than when there is peace again.
    """
    overlaps = data.draw(st.booleans(), label="overlaps")
    world = World(
        Machine.connected(
            overlaps_sessions=overlaps,
            responds_to_tools=data.draw(st.booleans(), label="responds"),
            expires_in=data.draw(st.sampled_from([None, 100.0])),
        )
    )
    for _ in range(data.draw(st.integers(1, 40))):
        _step(world, data, overlaps=overlaps)
    _make_peace(world)

    assert sorted(world.settled) == list(range(1, world.tickets + 1))


def _step(world: World, data: st.DataObject, *, overlaps: bool) -> None:
    world.now += data.draw(st.sampled_from([0.0, 0.1, 1.0, 20.0]))
    if world.resuming is not None and not overlaps:
        world.connected = False
    choices = ["wish", "update", "time"]
    choices += ["session"] * 3 if world.connected else []
    choices += ["resumed"] * 2 if world.resuming is not None else []
    choices += ["mutated"] * 2 if world.mutating else []
    match data.draw(st.sampled_from(choices)):
        case "wish":
            world.tell(data.draw(WISHES))
        case "update":
            if not world.finished:
                world.tickets += 1
                world.tell(UpdateAsked(data.draw(UPDATES), ticket=world.tickets))
        case "session":
            world.tell(data.draw(SESSION_EVENTS))
        case "resumed":
            world.end_resumption(data.draw(RESUMED))
        case "mutated":
            world.mutating = False
            world.tell(data.draw(MUTATED))
        case _:
            if (deadline := world.machine.deadline) is not None:
                world.now = max(world.now, deadline)
            world.tell(TimeIsUp())


def _make_peace(world: World) -> None:
    """Everything that is under way ends well, and everybody falls silent."""
    for _ in range(50):
        if world.finished:
            return
        if world.resuming is not None:
            world.end_resumption(Connected(Memory.REPLAYED))
        elif world.mutating:
            world.mutating = False
            world.tell(MutationDone(Applied()))
        elif world.connected:
            for response_id in "123":
                world.tell(event.ToolCallCancelled((response_id,)))
                world.tell(event.ResponseDone(response_id))
            world.tell(event.SpeechStopped())
        world.now = max(world.now, world.machine.deadline or world.now)
        world.tell(TimeIsUp())
