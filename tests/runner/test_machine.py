"""The table: what every state makes of every event. Stories are in test_machine_stories."""

# ruff: noqa: E501 - a table is as wide as it is

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge.errors import ConnectError, ResumptionRefused, ServerError
from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.model import Applied, Memory
from bridge.ports.server_events import Drop, ServerEvent, Severity
from bridge.runner.vocabulary import (
    Connected,
    Fact,
    MessageAsked,
    MutationDone,
    MutationFailed,
    ResponseAsked,
    TimeIsUp,
)
from tests.runner.scripts import (
    LOST,
    Machine,
    answered,
    called,
    cannot,
    created,
    done,
    failed,
    state_of,
    update,
    words,
)

NOW = 100.0  # seconds; the session has been there since 0, and so is stable


def error(severity: Severity, *, refused_response: bool = False) -> ServerEvent:
    return event.Error(event.ErrorInfo("type", "text"), severity, refused_response)


STATES: dict[str, list[Fact | ServerEvent]] = {
    "idle": [],
    "generating": [created()],
    "two tools in a response": [created(), called("c1"), called("c2")],
    "two tools": [created(), called("c1"), called("c2"), done()],
    "queued update": [created(), update(), cannot()],
    "update failed once": [update(), cannot(), failed()],
    "resuming for an update": [update(), cannot()],
    "resuming after a drop": [LOST],
    "waiting after a drop": [LOST, failed()],
}
"""Idle; Generating; ExecutingTool, twice; PendingResumption: 0, 1, 0, 0 and 1 attempts.

The first six have a session and so has the seventh, which waits for its successor; the
last two have none.
"""

EVENTS: dict[str, list[Fact | ServerEvent]] = {
    "response created": [created("r2")],
    "response done": [done()],
    "another one done": [done("r9")],
    "tool called": [called("c3")],
    "one tool answered": [answered("c1")],
    "both tools answered": [answered("c1"), answered("c2")],
    "tools taken back": [event.ToolCallCancelled(("c1", "c2"))],
    "caller speaks": [event.SpeechStarted()],
    "caller stops": [event.SpeechStarted(), event.SpeechStopped()],
    "update asked": [update("newer", ticket=2)],
    "update applied": [update("newer", ticket=2), MutationDone(Applied())],
    "update needs resuming": [update("newer", ticket=2), cannot()],
    "update refused": [update("newer", ticket=2), MutationFailed(ServerError("no", ""))],
    "response wanted": [ResponseAsked()],
    "message": [MessageAsked(Message("user", "hello"))],
    "message to answer": [MessageAsked(Message("user", "hello", respond=True))],
    "going away soon": [event.GoingAway(30.0)],
    "going away now": [event.GoingAway(0.0)],
    "token": [event.ResumptionToken("token")],
    "no token": [event.ResumptionToken(None)],
    "harmless error": [error(Severity.HARMLESS)],
    "error": [error(Severity.RETRY)],
    "response refused": [error(Severity.HARMLESS, refused_response=True)],
    "fatal error": [error(Severity.FATAL)],
    "lost": [LOST],
    "expired": [event.Disconnected(Drop.EXPIRED)],
    "refused": [event.Disconnected(Drop.REFUSED)],
    "closed": [event.Disconnected(Drop.CLOSED)],
    "connected": [Connected(Memory.REPLAYED)],
    "resume failed": [failed()],
    "resume impossible": [failed(ConnectError("no", retryable=False))],
    "token refused": [failed(ResumptionRefused("unknown"))],
    "time is up": [TimeIsUp()],
}
"""`time is up` happens at the machine's own deadline, everything else at once."""

# A cell: the new state, and after a colon what is to be done. "-" cannot happen.

WITH_A_SESSION = """
                      | idle                      | generating                   | two tools in a response
response created      | generating                | generating                   | tool
response done         | idle                      | idle                         | tool
another one done      | idle                      | generating                   | tool
tool called           | tool: run c3              | tool: run c3                 | tool: run c3
one tool answered     | idle                      | generating                   | tool
both tools answered   | idle                      | generating                   | generating
tools taken back      | idle                      | generating                   | generating: cancel c1, cancel c2
caller speaks         | idle                      | generating                   | tool
caller stops          | idle                      | generating                   | tool
update asked          | idle: mutate              | generating: mutate           | tool: mutate
update applied        | idle: mutate, applied     | generating: mutate, applied  | tool: mutate, applied
update needs resuming | pending 0: mutate, resume | pending 0: mutate, queued    | pending 0: mutate, queued
update refused        | idle: mutate, rejected    | generating: mutate, rejected | tool: mutate, rejected
response wanted       | generating: respond       | generating                   | tool
message               | idle: tell                | generating: tell             | tool: tell
message to answer     | generating: tell          | generating: tell             | tool: tell
going away soon       | pending 0: resume         | pending 0                    | pending 0
going away now        | pending 0: resume         | pending 0: resume            | pending 0: resume
token                 | idle                      | generating                   | tool
no token              | idle                      | generating                   | tool
harmless error        | idle                      | generating                   | tool
error                 | idle                      | generating                   | tool
response refused      | idle                      | generating                   | tool
fatal error           | over: finish              | over: finish                 | over: finish
lost                  | pending 0: resume         | pending 0: resume            | pending 0: resume
expired               | pending 0: resume         | pending 0: resume            | pending 0: resume
refused               | over: finish              | over: finish                 | over: finish
closed                | pending 0: resume         | pending 0: resume            | pending 0: resume
connected             | -                         | -                            | -
resume failed         | -                         | -                            | -
resume impossible     | -                         | -                            | -
token refused         | -                         | -                            | -
time is up            | -                         | -                            | -
"""

WITH_A_SESSION_AND_MORE = """
                      | two tools                         | queued update      | update failed once
response created      | tool                              | pending 0          | pending 1
response done         | tool                              | pending 0: resume  | pending 1
another one done      | tool                              | pending 0          | pending 1
tool called           | tool: run c3                      | pending 0: run c3  | pending 1: run c3
one tool answered     | tool                              | pending 0          | pending 1
both tools answered   | generating: answer c1+c2, respond | pending 0          | pending 1
tools taken back      | idle: cancel c1, cancel c2        | pending 0          | pending 1
caller speaks         | tool                              | pending 0          | pending 1
caller stops          | tool                              | pending 0          | pending 1
update asked          | tool: mutate                      | pending 0: queued  | pending 0: queued
update applied        | tool: mutate, applied             | -                  | -
update needs resuming | pending 0: mutate, queued         | -                  | -
update refused        | tool: mutate, rejected            | -                  | -
response wanted       | tool: respond                     | pending 0          | pending 1: respond
message               | tool: tell                        | pending 0: tell    | pending 1: tell
message to answer     | tool: tell                        | pending 0: tell    | pending 1: tell
going away soon       | pending 0                         | pending 0          | pending 1
going away now        | pending 0: resume                 | pending 0: resume  | pending 1
token                 | tool                              | pending 0          | pending 1
no token              | tool                              | pending 0          | pending 1
harmless error        | tool                              | pending 0          | pending 1
error                 | tool                              | pending 0          | pending 1
response refused      | tool                              | pending 0          | pending 1
fatal error           | over: finish                      | over: finish       | over: finish
lost                  | pending 0: resume                 | pending 0: resume  | pending 0: resume
expired               | pending 0: resume                 | pending 0: resume  | pending 0: resume
refused               | over: finish                      | over: finish       | over: finish
closed                | pending 0: resume                 | pending 0: resume  | pending 0: resume
connected             | -                                 | -                  | -
resume failed         | -                                 | -                  | -
resume impossible     | -                                 | -                  | -
token refused         | -                                 | -                  | -
time is up            | -                                 | -                  | pending 1: resume
"""

BETWEEN_SESSIONS = """
                      | resuming for an update            | resuming after a drop         | waiting after a drop
response created      | pending 0                         | pending 0                     | pending 1
response done         | pending 0                         | pending 0                     | pending 1
another one done      | pending 0                         | pending 0                     | pending 1
tool called           | pending 0: run c3                 | pending 0                     | pending 1
one tool answered     | pending 0                         | pending 0                     | pending 1
both tools answered   | pending 0                         | pending 0                     | pending 1
tools taken back      | pending 0                         | pending 0                     | pending 1
caller speaks         | pending 0                         | pending 0                     | pending 1
caller stops          | pending 0                         | pending 0                     | pending 1
update asked          | pending 0                         | pending 0                     | pending 0: queued
update applied        | -                                 | -                             | -
update needs resuming | -                                 | -                             | -
update refused        | -                                 | -                             | -
response wanted       | pending 0                         | pending 0                     | pending 1
message               | pending 0                         | pending 0                     | pending 1
message to answer     | pending 0                         | pending 0                     | pending 1
going away soon       | pending 0                         | pending 0                     | pending 1
going away now        | pending 0                         | pending 0                     | pending 1
token                 | pending 0                         | pending 0                     | pending 1
no token              | pending 0                         | pending 0                     | pending 1
harmless error        | pending 0                         | pending 0                     | pending 1
error                 | pending 0                         | pending 0                     | pending 1
response refused      | pending 0                         | pending 0                     | pending 1
fatal error           | over: rejected, finish            | pending 0                     | pending 1
lost                  | pending 0                         | pending 0                     | pending 1
expired               | pending 0                         | pending 0                     | pending 1
refused               | pending 0                         | pending 0                     | pending 1
closed                | pending 0                         | pending 0                     | pending 1
connected             | idle: resumed, applied            | idle: resumed                 | -
resume failed         | pending 1: failed, queued         | pending 1: failed             | -
resume impossible     | idle: failed for good, rejected   | over: failed for good, finish | -
token refused         | pending 1: failed, queued, resume | pending 1: failed, resume     | -
time is up            | -                                 | -                             | pending 1: resume
"""


def cells() -> Iterator[tuple[str, str, str]]:
    """State, event and what comes of it, for every cell that can happen."""
    for table in (WITH_A_SESSION, WITH_A_SESSION_AND_MORE, BETWEEN_SESSIONS):
        head, *rows = (split(line) for line in table.strip("\n").splitlines())
        for happened, *outcomes in rows:
            for state, outcome in zip(head[1:], outcomes, strict=True):
                if outcome != "-":
                    yield state, happened, outcome


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


@pytest.mark.parametrize(("state", "happened", "outcome"), list(cells()))
def test_what_every_state_makes_of_every_event(state: str, happened: str, outcome: str) -> None:
    """One cell of the table."""
    machine = Machine.connected()
    machine.script(*STATES[state], now=NOW)
    now = NOW if happened != "time is up" else machine.deadline
    assert now is not None

    commands = machine.script(*EVENTS[happened], now=now)

    new_state = state_of(machine, commands)
    assert (f"{new_state}: {words(commands)}" if commands else new_state) == outcome


@pytest.mark.parametrize("state", STATES)
def test_nobody_waits_for_a_time_that_nothing_sets(state: str) -> None:
    """Where the table has no `time is up`, there is no deadline; and none lies in the past."""
    told = {(cell_state, happened) for cell_state, happened, _ in cells()}
    machine = Machine.connected()

    machine.script(*STATES[state], now=NOW)

    assert (machine.deadline is not None) == ((state, "time is up") in told)
    assert machine.deadline is None or machine.deadline > NOW


def test_the_table_has_every_state_and_every_event() -> None:
    """No row and no column is forgotten."""
    tables = (WITH_A_SESSION, WITH_A_SESSION_AND_MORE, BETWEEN_SESSIONS)
    rows = [[split(line)[0] for line in table.strip("\n").splitlines()][1:] for table in tables]
    columns = [state for table in tables for state in split(table.strip("\n").splitlines()[0])[1:]]

    assert rows == [list(EVENTS)] * 3
    assert columns == list(STATES)
