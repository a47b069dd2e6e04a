"""The line to the model."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from bridge.audio.formats import PCM16_24K
from bridge.errors import ConnectError, NotConnected, SessionClosed
from bridge.ports import server_events as event
from bridge.ports.model import Applied, Resumption
from bridge.ports.server_events import Drop, ServerEvent
from bridge.ports.session import RealtimeConfig
from bridge.runner.link import GAP_MS, REWIND_PIECES, Link
from tests.fakes.model import FakeModel, FakeSession, Gate, turns

CONFIG = RealtimeConfig(voice="sage")
DONE = event.ResponseDone("r1")


class Line:
    """A link, its model and what was heard."""

    def __init__(self, model: FakeModel | None = None) -> None:
        self.model = model or FakeModel()
        self.heard: list[ServerEvent] = []
        self.link = Link(self.model, self.heard.append)

    async def open(self) -> FakeSession:
        await self.link.open(CONFIG, Resumption("token"))
        return self.model.session

    async def talk(self) -> FakeSession:
        """A session that hears the caller and is heard."""
        session = await self.open()
        self.link.listen()
        self.link.release()
        await self.link.close_replaced()
        return session

    def loses(self, session: FakeSession) -> None:
        """As the engine does when it hears of it."""
        session.drop()
        self.link.note(event.Disconnected(Drop.LOST))

    def opening(self) -> asyncio.Task[FakeSession]:
        return asyncio.create_task(self.open())


async def test_without_a_session_there_is_nobody_to_talk_to() -> None:
    """Before the first one, and after it was lost."""
    line = Line()
    with pytest.raises(NotConnected):
        _ = line.link.session
    session = await line.talk()
    connected = line.link.connected
    session.drop()

    assert connected
    assert not line.link.connected
    with pytest.raises(NotConnected):
        _ = line.link.session


async def test_a_session_is_opened_with_what_it_needs() -> None:
    """And says in which format it hears."""
    line = Line()
    before = line.link.input_format
    await line.open()

    assert before is None
    assert line.link.input_format == PCM16_24K
    assert line.model.configs == [CONFIG]
    assert line.model.resumptions == [Resumption("token")]


async def test_a_session_is_heard_from_its_first_event_on() -> None:
    """Once somebody listens; what came before comes first."""
    line = Line()
    session = await line.open()
    session.emit(DONE)
    before = list(line.heard)
    line.link.listen()
    session.emit(event.SpeechStarted())

    assert before == []
    assert line.heard == [DONE, event.SpeechStarted()]


async def test_only_the_current_session_is_heard() -> None:
    """What the old one says after the change counts for nothing."""
    line = Line()
    old = await line.talk()
    await line.talk()
    old.emit(DONE)

    assert line.heard == []
    assert old.closed


async def test_the_old_session_stays_until_the_new_one_is_ready() -> None:
    """Make before break; and it is not closed before somebody says so."""
    gate = Gate()
    line = Line(FakeModel([None, gate]))
    old = await line.talk()
    opening = line.opening()
    await turns()
    while_opening = line.link.session
    gate.set()
    await opening
    not_yet = old.closed
    await line.link.close_replaced()

    assert while_opening is old
    assert not not_yet
    assert old.closes == 1


async def test_where_sessions_must_not_overlap_the_old_one_is_closed_first() -> None:
    """The fake model would complain."""
    line = Line(FakeModel(overlaps_sessions=False))
    old = await line.talk()
    await line.open()

    assert old.closed
    assert line.link.session is line.model.sessions[1]


async def test_a_session_that_is_lost_anyway_holds_nothing_up() -> None:
    """It is closed when there is time for it."""
    line = Line(FakeModel(overlaps_sessions=False))
    old = await line.talk()
    old.drop()
    await line.open()
    not_yet = old.closes
    await line.link.close_replaced()

    assert not_yet == 0
    assert old.closes == 1


# The caller's audio


async def test_audio_reaches_the_session_at_once() -> None:
    """In the same turn of the loop."""
    line = Line()
    session = await line.talk()
    line.link.feed(b"12")

    assert session.audio == b"12"


async def test_nothing_is_no_audio() -> None:
    """Where a transcoder waits for more, no session is sent an empty message."""
    line = Line()
    session = await line.talk()
    line.link.feed(b"")
    line.link.feed(b"12")

    assert session.told == [b"12"]


async def test_audio_in_a_gap_is_held_and_given_to_the_next_session() -> None:
    """All of it, in order, and before what comes later."""
    line = Line()
    line.link.feed(b"12")
    session = await line.open()
    line.link.feed(b"34")
    before = session.audio
    line.link.release()
    line.link.feed(b"56")

    assert before == b""
    assert session.audio == b"123456"


async def test_the_beginning_of_something_is_told_again() -> None:
    """What the lost session may not have noticed: some tenths of a second, and nothing older."""
    line = Line()
    first = await line.talk()
    for number in range(30):
        line.link.feed(bytes([number]))
    line.loses(first)
    line.link.feed(b"gap")
    second = await line.talk()

    assert second.audio == bytes(range(30 - REWIND_PIECES, 30)) + b"gap"


@pytest.mark.parametrize("end", [event.SpeechStopped(), event.AudioCommitted("i1")])
async def test_what_was_noticed_is_not_told_again(end: ServerEvent) -> None:
    """Of what the caller has said or says, the session has told; who goes on asks for it."""
    line = Line()
    first = await line.talk()
    line.link.feed(b"said")
    line.link.note(event.SpeechStarted())
    line.link.note(end)
    line.link.feed(b"quiet")
    line.loses(first)
    second = await line.talk()
    line.link.feed(b"says")
    line.link.note(event.SpeechStarted())
    line.loses(second)

    assert second.audio == b"quietsays"
    assert (await line.talk()).audio == b""


async def test_a_model_that_does_not_tell_of_speech() -> None:
    """It may have noticed; to say it twice would be worse."""
    line = Line(FakeModel(tells_speech=False))
    first = await line.talk()
    line.link.feed(b"said")
    line.loses(first)

    assert (await line.talk()).audio == b""


async def test_two_sessions_may_be_lost_in_a_row() -> None:
    line = Line()
    line.loses(await line.talk())
    line.link.feed(b"gap")
    line.loses(await line.talk())

    assert (await line.talk()).audio == b"gap"


async def test_audio_is_held_while_the_session_is_replaced() -> None:
    """No sentence is told to two sessions in halves."""
    gate = Gate()
    line = Line(FakeModel([None, gate]))
    old = await line.talk()
    opening = line.opening()
    await turns()
    line.link.feed(b"12")
    gate.set()
    new = await opening
    line.link.release()

    assert old.audio == b""
    assert new.audio == b"12"


async def test_the_old_session_hears_it_when_the_new_one_does_not_come() -> None:
    """Nothing was lost but time."""
    line = Line(FakeModel([None, ConnectError("busy")]))
    old = await line.talk()
    line.link.hold()
    line.link.feed(b"12")
    with pytest.raises(ConnectError):
        await line.open()
    line.link.feed(b"34")

    assert old.audio == b"1234"


async def test_audio_is_held_on_when_no_session_is_left() -> None:
    """Neither the old nor the new."""
    line = Line(FakeModel([None, ConnectError("busy")]))
    old = await line.talk()
    old.drop()
    line.link.hold()
    line.link.feed(b"12")
    with pytest.raises(ConnectError):
        await line.open()
    new = await line.open()
    line.link.release()

    assert new.audio == b"12"


async def test_a_session_that_died_at_once_gets_no_audio() -> None:
    """It stays where it is, for the one after it."""
    line = Line()
    line.link.feed(b"12")
    dead = await line.open()
    dead.drop()
    line.link.release()
    session = await line.open()
    line.link.release()

    assert dead.audio == b""
    assert session.audio == b"12"


async def test_what_is_held_is_bounded() -> None:
    """Five seconds; the oldest goes first and is counted."""
    line = Line()
    frame = bytes(PCM16_24K.size(20))
    most = GAP_MS // 20
    line.link.feed(b"\1" * len(frame))
    for _ in range(most):
        line.link.feed(frame)
    session = await line.open()
    line.link.release()

    assert session.audio == frame * most
    assert line.link.dropped_audio == len(frame)


# Changing and closing


async def test_a_change_is_the_current_sessions() -> None:
    """And so is its outcome."""
    line = Line()
    session = await line.talk()

    assert await line.link.mutate(CONFIG) == Applied()
    assert session.mutations == [CONFIG]


@pytest.mark.parametrize("outcome", [Applied(), SessionClosed("gone")])
async def test_a_change_of_a_session_that_was_replaced_concerns_nobody(
    outcome: Applied | SessionClosed,
) -> None:
    """Whether it succeeds or fails: there is another session by then."""
    gate = Gate()
    line = Line(FakeModel(changes=[gate, outcome]))
    await line.talk()
    changing = asyncio.create_task(line.link.mutate(CONFIG))
    await turns()
    await line.open()
    gate.set()

    assert await changing is None


async def test_there_is_no_change_without_a_session() -> None:
    """NotConnected, as for everything else."""
    with pytest.raises(NotConnected):
        await Line().link.mutate(CONFIG)


async def test_everything_that_was_opened_is_closed() -> None:
    """The current session, and one whose closing was interrupted."""
    line = Line()
    old = await line.talk()
    old.close_gate = Gate()
    new = await line.open()
    closing = asyncio.create_task(line.link.close_replaced())
    await turns()
    closing.cancel()
    await asyncio.gather(closing, return_exceptions=True)
    old.close_gate.set()
    await line.link.close()

    assert (old.closes, new.closes) == (2, 1)
    line.model.check()


async def test_a_session_that_comes_too_late_is_closed_again() -> None:
    """Whoever connected it did not notice that all is over."""
    gate = Gate()
    line = Line(FakeModel([gate]))
    opening = line.opening()
    await turns()
    await line.link.close()
    gate.set()

    with pytest.raises(SessionClosed):
        await opening
    line.model.check()


async def test_a_session_that_does_not_close_is_left() -> None:
    """Its promise is two seconds; an error in it concerns nobody."""
    line = Line()
    session = await line.talk()
    session.close_error = ConnectError("broken pipe")
    await line.link.close()

    assert session.closes == 1


async def test_closing_tells_the_end_of_the_session() -> None:
    """It was us."""
    line = Line()
    await line.talk()
    await line.link.close()

    assert line.heard == [event.Disconnected(Drop.CLOSED)]


async def test_a_line_that_is_closed_lets_go_of_whoever_listened() -> None:
    line = Line()
    await line.talk()
    await line.link.close()
    link, gone = line.link, weakref.ref(line)
    del line
    gc.collect()  # the helper knows itself

    assert not link.connected
    assert gone() is None
