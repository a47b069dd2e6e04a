"""The caller's line, ticking in real time."""

from __future__ import annotations

import asyncio
import time

from bridge.simulator import caller
from bridge.simulator.caller import Caller, Script
from bridge.simulator.connection import Connection
from bridge.simulator.journal import Journal, What
from bridge.simulator.line import Line
from bridge.simulator.stream import StreamIdentity
from tests.simulator.sounds import tone

WORDS = tone(0.1)


def a_line(*steps: caller.Step) -> tuple[Line, Connection, Journal]:
    """A line that is connected to a stream whose frames nobody receives."""
    journal = Journal(asyncio.get_running_loop().time())
    line = Line(Caller(Script(*steps)), journal)
    connection = Connection(StreamIdentity("MZ1", "CA1", "AC1"), journal)
    line.connect(connection)
    return line, connection, journal


async def test_ticks_until_the_caller_hangs_up() -> None:
    """The stream starts with the first tick, and every later one is a frame."""
    line, connection, journal = a_line(caller.Wait(0.2))

    await line.run()

    ticks = len(line.said.audio) // 160
    assert connection.stream.started
    assert 0 < ticks <= 0.3 / 0.02
    assert line.frames_sent == ticks - 1
    assert [moment.what for moment in journal.moments] == [What.CALLER_HUNG_UP]


async def test_late_ticks_are_made_up_for() -> None:
    """A loop that was held up for half of the time loses no frame."""
    line, _, _ = a_line(caller.Wait(1.0))
    asyncio.get_running_loop().call_later(0.1, time.sleep, 0.5)

    await line.run()

    assert line.frames_sent > 0.6 / 0.02


async def test_a_machine_that_slept_does_not_catch_up_for_ever() -> None:
    """More than a second's frames are not sent in a rush."""
    line, _, _ = a_line(caller.Wait(1.7))
    loop = asyncio.get_running_loop()
    loop.call_later(0.05, time.sleep, 1.5)

    await line.run()

    assert line.frames_sent <= 1.5 / 0.02


async def test_an_utterance_knows_when_it_went_out() -> None:
    """From its first frame to its last; both are moments of the call."""
    line, _, journal = a_line(caller.Say(WORDS, "hello"))

    await line.run()

    (utterance,) = line.utterances
    assert utterance.end is not None
    assert utterance.end > utterance.start
    assert WORDS in bytes(line.said.audio)
    assert [moment.what for moment in journal.moments][:2] == [
        What.CALLER_BEGAN,
        What.CALLER_ENDED,
    ]


async def test_a_cut_ends_the_stream_and_not_the_line() -> None:
    """The caller is still there, with nobody to talk to."""
    line, connection, _ = a_line(caller.Wait(0.04), caller.CutLine(), caller.Wait(0.1))

    await line.run()

    assert connection.over.result().broken
    assert line.connection is None
    assert len(line.said.audio) // 160 > line.frames_sent + 1


async def test_what_was_heard_outlives_a_stream() -> None:
    """The spans of all streams, in their order."""
    line, connection, _ = a_line(caller.Wait(0.1))
    now = asyncio.get_running_loop().time()
    connection.stream.playout.play(WORDS, now)
    connection.stream.end(now + 0.05)
    line.disconnect()

    assert [len(span.audio) for span in line.heard] == [400]
