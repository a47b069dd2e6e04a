"""
The caller's telephone line: fifty ticks a second from pick-up to hang-up.

The ticks have absolute deadlines, so that a late one is made up for and none is lost.
"""

from __future__ import annotations

import asyncio
from typing import assert_never

from bridge.simulator import caller as acts
from bridge.simulator.caller import Act, Caller
from bridge.simulator.connection import Connection
from bridge.simulator.journal import Journal, Utterance, What
from bridge.simulator.playout import Span

__all__ = ["Line"]

TICK_SECONDS = 0.02
MAX_LAG_SECONDS = 1.0  # a machine that slept longer does not catch up


class Line:
    """What the caller says and hears; `connection` is the media stream, if there is one."""

    def __init__(self, caller: Caller, journal: Journal) -> None:
        self.connection: Connection | None = None
        self.connections: list[Connection] = []
        self.said = Span(journal.began)
        self.utterances: list[Utterance] = []
        self.frames_sent = 0
        self._caller = caller
        self._journal = journal
        self._last_tick = journal.began

    @property
    def heard(self) -> list[Span]:
        """What the caller heard, of all streams."""
        return [span for each in self.connections for span in each.stream.playout.heard]

    def connect(self, connection: Connection) -> None:
        """From now on the caller is heard there."""
        self.connection = connection
        self.connections.append(connection)

    def disconnect(self) -> None:
        """Nobody hears the caller any more."""
        self.connection = None

    async def run(self) -> None:
        """Tick until the caller hangs up. May be cancelled."""
        loop = asyncio.get_running_loop()
        due = self._last_tick = loop.time()
        self.said = Span(due)
        while not self._caller.over:
            self._tick(loop.time())
            due = max(due + TICK_SECONDS, loop.time() - MAX_LAG_SECONDS)
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _tick(self, now: float) -> None:
        heard, connected = self._listen(now)
        frame, done = self._caller.tick(now, heard, connected=connected)
        for act in done:
            self._note(act, now)
        self.said.audio += frame
        self._last_tick = now
        if self.connection is None:
            return
        stream = self.connection.stream
        if stream.started:
            stream.tick(now, frame, congested=self.connection.congested)
            self.frames_sent += 1
        else:
            stream.start(now)

    def _listen(self, now: float) -> tuple[bytes, bool]:
        if self.connection is None:
            return b"", False
        stream = self.connection.stream
        stream.advance(now)
        return stream.playout.between(self._last_tick, now), stream.started

    def _note(self, act: Act, now: float) -> None:
        match act:
            case acts.SayingBegan():
                self._saying_began(act, now)
            case acts.SayingEnded(name):
                self.utterances[-1].end = self._last_tick
                self._journal.note(self._last_tick, What.CALLER_ENDED, name)
                self._end_spurt()
            case acts.Pressed(digit):
                self._journal.note(now, What.KEY, digit)
                if self.connection is not None:
                    self.connection.stream.press(digit)
            case acts.AgentBegan():
                self._journal.note(now, What.AGENT_BEGAN)
            case acts.AgentStopped(at):
                self._journal.note(at, What.AGENT_STOPPED)
            case acts.GaveUp(seconds):
                self._journal.note(now, What.CALLER_GAVE_UP, f"after {seconds:.1f} s")
            case acts.Disconnected():
                if self.connection is not None:
                    self.connection.cut()
                    self.disconnect()
            case acts.HungUp():
                self._journal.note(now, What.CALLER_HUNG_UP)
            case _:
                assert_never(act)

    def _saying_began(self, act: acts.SayingBegan, now: float) -> None:
        self.utterances.append(Utterance(act.name, act.audio, now, act.interrupting))
        text = f"{act.name} (over the agent)" if act.interrupting else act.name
        self._journal.note(now, What.CALLER_BEGAN, text.strip())
        self._end_spurt()

    def _end_spurt(self) -> None:
        if self.connection is not None:
            self.connection.stream.playout.end_spurt()
