"""Events between a session and whoever wants them."""

from __future__ import annotations

import asyncio
import logging
import weakref

import pytest

from bridge.ports import server_events as event
from bridge.ports.runner_events import Closed, Finished, RunnerEvent, ToolStarted
from bridge.ports.server_events import Drop, ServerEvent
from bridge.runner.inbox import Inbox, runner_inbox, session_inbox

VOICE = event.AudioDelta("i1", b"1234", response_id="r1")
OTHER_VOICE = event.AudioDelta("i2", b"5678", response_id="r2")
TEXT = event.TextDelta("i1", "hello")
DONE = event.ResponseDone("r1")
SPEECH = event.SpeechStarted(100)
END = event.Disconnected(Drop.CLOSED)

SessionInbox = Inbox[ServerEvent, event.Disconnected]


async def drain(inbox: SessionInbox) -> list[ServerEvent]:
    """Everything up to the end."""
    events = []
    while (happened := await inbox.get()) is not None:
        events.append(happened)
    return events


def full_of(*events: ServerEvent) -> SessionInbox:
    inbox = session_inbox()
    for happened in events:
        inbox.put(happened)
    return inbox


async def test_events_come_in_their_order() -> None:
    """Until the last one, and then None, however often one asks."""
    inbox = full_of(TEXT, VOICE, DONE, END)

    assert await drain(inbox) == [TEXT, VOICE, DONE, END]
    assert await inbox.get() is None


async def test_what_is_urgent_overtakes() -> None:
    """A caller who speaks is heard before the voice that is queued."""
    inbox = full_of(VOICE, TEXT, SPEECH, event.SpeechStopped(200), END)

    assert await drain(inbox) == [SPEECH, event.SpeechStopped(200), VOICE, TEXT, END]


async def test_the_voice_of_an_interrupted_answer_is_not_heard_any_more() -> None:
    """Only that of that answer; nobody lost anything, so nothing is counted."""
    inbox = full_of(VOICE, TEXT, OTHER_VOICE, event.Interrupted("r1"), END)

    assert await drain(inbox) == [event.Interrupted("r1"), TEXT, OTHER_VOICE, END]
    assert inbox.dropped == 0


async def test_an_interruption_without_a_name_concerns_every_voice() -> None:
    """The provider does not say which answer was cut."""
    inbox = full_of(VOICE, OTHER_VOICE, TEXT, event.Interrupted(), END)

    assert await drain(inbox) == [event.Interrupted(), TEXT, END]


async def test_nothing_comes_after_the_last_event() -> None:
    """Whoever puts more does no harm."""
    inbox = full_of(END, TEXT)

    assert await drain(inbox) == [END]


async def test_whoever_waits_is_woken() -> None:
    """By the next event."""
    inbox = session_inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(TEXT)

    assert await waiting == TEXT


async def test_two_may_wait() -> None:
    """Each gets one event, and both learn of the end."""
    inbox = session_inbox()
    waiting = [asyncio.create_task(drain(inbox)) for _ in range(2)]
    await asyncio.sleep(0)
    for happened in (TEXT, DONE, END):
        inbox.put(happened)

    one, other = await asyncio.gather(*waiting)

    assert sorted([*one, *other], key=repr) == sorted([TEXT, DONE, END], key=repr)


async def test_waiting_may_be_cancelled_without_loss() -> None:
    """Even when the event is there already."""
    inbox = session_inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.put(TEXT)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert await inbox.get() == TEXT


async def test_voice_is_bounded_by_its_size() -> None:
    """The oldest goes, however much has to; words stay."""
    inbox = session_inbox(max_audio_size=8)
    big = event.AudioDelta("i1", b"12345678")
    for happened in (VOICE, TEXT, VOICE, big, END):
        inbox.put(happened)

    assert await drain(inbox) == [TEXT, big, END]
    assert inbox.dropped == 2


async def test_the_number_of_events_is_bounded() -> None:
    """The oldest of its kind goes; the end stays."""
    inbox = session_inbox(max_events=2)
    for happened in (VOICE, TEXT, SPEECH, SPEECH, event.SpeechStarted(3), DONE, END):
        inbox.put(happened)

    assert await drain(inbox) == [SPEECH, event.SpeechStarted(3), DONE, END]
    assert inbox.dropped == 3


async def test_room_is_made_by_taking() -> None:
    """What was taken does not count any more."""
    inbox = session_inbox(max_audio_size=4)
    inbox.put(VOICE)
    await inbox.get()
    inbox.put(VOICE)

    assert inbox.dropped == 0


def test_a_listener_hears_at_once() -> None:
    """In the turn of the loop in which it happens."""
    heard: list[ServerEvent] = []
    inbox = session_inbox()
    inbox.attach(heard.append)
    inbox.put(TEXT)

    assert heard == [TEXT]


def test_a_listener_that_comes_late_hears_everything() -> None:
    """Even when all is over."""
    heard: list[ServerEvent] = []
    full_of(TEXT, SPEECH, END).attach(heard.append)

    assert heard == [SPEECH, TEXT, END]


def test_what_happens_while_a_listener_is_at_work_comes_afterwards() -> None:
    """A listener is never called within itself."""
    heard: list[str] = []
    inbox = session_inbox()

    def listener(happened: ServerEvent) -> None:
        heard.append(f"{type(happened).__name__} begins")
        if happened == TEXT:
            inbox.put(DONE)
        heard.append("ends")

    inbox.attach(listener)
    inbox.put(TEXT)

    assert heard == ["TextDelta begins", "ends", "ResponseDone begins", "ends"]


def test_what_happens_during_the_backlog_keeps_its_place() -> None:
    """Behind all that was there before."""
    heard: list[ServerEvent] = []
    inbox = full_of(TEXT, VOICE)

    def listener(happened: ServerEvent) -> None:
        heard.append(happened)
        if happened == TEXT:
            inbox.put(DONE)

    inbox.attach(listener)

    assert heard == [TEXT, VOICE, DONE]


def test_a_listener_that_raises_is_counted_and_nobody_suffers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever puts goes on, and the next event is heard."""
    heard: list[ServerEvent] = []
    inbox = session_inbox()

    def listener(happened: ServerEvent) -> None:
        if happened == TEXT:
            raise ZeroDivisionError
        heard.append(happened)

    inbox.attach(listener)
    with caplog.at_level(logging.ERROR):
        inbox.put(TEXT)
        inbox.put(DONE)

    assert heard == [DONE]
    assert inbox.listener_errors == 1
    assert "a listener failed at TextDelta" in caplog.text


async def test_whoever_waits_beside_a_listener_waits_for_the_end() -> None:
    """Events go to the listener; that nothing more comes is told to both."""
    inbox = session_inbox()
    waiting = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    inbox.attach(lambda _: None)
    inbox.put(TEXT)
    await asyncio.sleep(0)
    still_waiting = not waiting.done()
    inbox.put(END)

    assert still_waiting
    assert await waiting is None


async def test_the_last_event_of_a_runner_is_another() -> None:
    """A session may end and the runner goes on."""
    inbox = runner_inbox()
    happened: list[RunnerEvent] = [END, ToolStarted("c1", "look"), Finished(Closed())]
    for one in happened:
        inbox.put(one)

    assert [await inbox.get() for _ in range(4)] == [*happened, None]


async def test_how_it_ended_can_be_waited_for() -> None:
    """By as many as like, before the end and after it; the listener hears of it first."""
    inbox = runner_inbox()
    order: list[str] = []
    inbox.attach(lambda _: order.append("heard"))
    waiting = [asyncio.create_task(inbox.last()) for _ in range(2)]
    await asyncio.sleep(0)
    inbox.put(Finished(Closed()))
    for task in waiting:
        assert await task == Finished(Closed())
        order.append("woken")

    assert await inbox.last() == Finished(Closed())
    assert order == ["heard", "woken", "woken"]


async def test_without_its_listener_it_keeps_events_again() -> None:
    inbox = session_inbox()
    told: list[ServerEvent] = []
    inbox.attach(told.append)
    inbox.put(TEXT)
    inbox.attach(None)
    inbox.put(DONE)

    assert told == [TEXT]
    assert await inbox.get() == DONE


def test_a_listener_that_has_heard_the_end_is_let_go_of() -> None:
    class Listener:
        def hear(self, happened: ServerEvent) -> None:
            self.last = happened

    inbox, listener = session_inbox(), Listener()
    gone = weakref.ref(listener)
    inbox.attach(listener.hear)
    inbox.put(END)
    heard = listener.last
    del listener

    assert heard == END
    assert gone() is None
