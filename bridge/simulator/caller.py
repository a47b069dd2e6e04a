"""
The person who calls: a script of what they say and do, driven by 20 ms ticks.

Rule: pure. Each tick takes the time and what was heard since the last one, and gives the
next 20 ms for the microphone and what the caller does. Nothing here waits.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import assert_never

from bridge.simulator.voice import SPURT_PAUSE_SECONDS, is_voice

__all__ = [
    "Act",
    "AgentBegan",
    "AgentStopped",
    "Caller",
    "CutLine",
    "Disconnected",
    "GaveUp",
    "HangUp",
    "HungUp",
    "Interrupt",
    "Press",
    "Pressed",
    "Say",
    "SayingBegan",
    "SayingEnded",
    "Script",
    "Step",
    "Wait",
    "WaitForAgent",
]

FRAME_SIZE = 160  # 20 ms of mu-law
SILENCE = b"\xff" * FRAME_SIZE
KEY_SECONDS = 0.25  # from one key to the next
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Say:
    """Say this mu-law audio, as soon as there is somebody on the line."""

    audio: bytes = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class WaitForAgent:
    """
    Wait until the agent has spoken and then been silent for `silence_seconds`.

    An agent that does not begin within `timeout` seconds is given up.
    """

    silence_seconds: float = 0.8
    timeout: float = TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Say mu-law audio over the agent when it has spoken for `after_seconds`."""

    audio: bytes = field(repr=False)
    after_seconds: float = 1.2
    timeout: float = TIMEOUT_SECONDS
    name: str = ""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, one after the other: 0-9, *, #, A-D."""

    digits: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Say nothing for a while."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """Put the receiver down."""


@dataclass(frozen=True, slots=True)
class CutLine:
    """Break the media socket without a word; the call itself stays."""


Step = Say | WaitForAgent | Interrupt | Press | Wait | HangUp | CutLine


class Script:
    """What a caller does, in this order. Whoever comes to its end hangs up."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps


@dataclass(frozen=True, slots=True)
class SayingBegan:
    """The first frame of an utterance goes out with this tick."""

    name: str
    interrupting: bool
    audio: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SayingEnded:
    """The last frame of an utterance went out with the tick before."""

    name: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key was pressed."""

    digit: str


@dataclass(frozen=True, slots=True)
class AgentBegan:
    """The caller hears the agent begin to speak."""


@dataclass(frozen=True, slots=True)
class AgentStopped:
    """The agent has been silent since `at`."""

    at: float


@dataclass(frozen=True, slots=True)
class GaveUp:
    """The agent did not speak for so long that the caller goes on without it."""

    waited_seconds: float


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The media socket is to break now."""


@dataclass(frozen=True, slots=True)
class HungUp:
    """The last act of a caller."""


Act = (
    SayingBegan | SayingEnded | Pressed | AgentBegan | AgentStopped | GaveUp | Disconnected | HungUp
)


class Caller:
    """
    One caller, who does what the script says.

    With `noise` the silence between utterances is a line's faint hiss and not 0xFF.
    """

    def __init__(self, script: Script, *, noise: bool = False) -> None:
        self._steps = list(script.steps)
        self._ear = _Ear()
        self._since: float | None = None  # when the step at hand began
        self._spoken: memoryview | None = None  # what is left of an utterance
        self._keys_at = 0.0
        self._acts: list[Act] = []
        self._hiss = _hiss() if noise else (SILENCE,)
        self._ticks = 0
        self.over = False

    def tick(self, now: float, heard: bytes, *, connected: bool) -> tuple[bytes, tuple[Act, ...]]:
        """
        The next 20 ms of the caller's voice, and what the caller does.

        `heard` is the mu-law audio since the last tick, `connected` whether there is a
        media stream to talk into.
        """
        self._acts = []
        if not self.over:
            self._acts += self._ear.hear(now, heard)
            frame = self._act(now, connected=connected)
            if frame is not None:
                return frame, tuple(self._acts)
        self._ticks += 1
        return self._hiss[self._ticks % len(self._hiss)], tuple(self._acts)

    def _act(self, now: float, *, connected: bool) -> bytes | None:
        """Do what is due; an utterance's next frame if there is one."""
        while self._steps:
            if self._since is None:
                self._since = now
            if not self._do(self._steps[0], now, self._since, connected=connected):
                return self._next_frame()
            done = self._steps.pop(0)
            connected = connected and not isinstance(done, CutLine)
            self._since = None
            if self.over:
                return None
        self._hang_up()
        return None

    def _do(self, step: Step, now: float, since: float, *, connected: bool) -> bool:
        """Whether the step is done."""
        match step:
            case Say():
                return self._say(step, ready=connected)
            case Interrupt():
                return self._interrupt(step, now, since)
            case WaitForAgent():
                return self._wait_for_agent(step, now, since)
            case Press():
                return self._press(step, now, since, connected=connected)
            case Wait():
                return now - since >= step.seconds
            case CutLine():
                self._acts.append(Disconnected())
                return True
            case HangUp():
                self._hang_up()
                return True
            case _:
                assert_never(step)

    def _say(self, step: Say | Interrupt, *, ready: bool) -> bool:
        if self._spoken is None:
            if ready:
                self._spoken = memoryview(step.audio)
                over_agent = isinstance(step, Interrupt)
                self._acts.append(SayingBegan(step.name, over_agent, step.audio))
            return False
        if self._spoken:
            return False
        self._spoken = None
        self._acts.append(SayingEnded(step.name))
        return True

    def _interrupt(self, step: Interrupt, now: float, since: float) -> bool:
        if self._spoken is None and self._gives_up(step.timeout, now, since):
            return True
        return self._say(step, ready=self._ear.spurt_seconds(since) >= step.after_seconds)

    def _wait_for_agent(self, step: WaitForAgent, now: float, since: float) -> bool:
        if self._ear.spoke_since(since):
            return now - self._ear.last_voice >= step.silence_seconds
        return self._gives_up(step.timeout, now, since)

    def _gives_up(self, timeout: float, now: float, since: float) -> bool:
        waited = now - max(since, self._ear.last_voice)
        if waited < timeout:
            return False
        self._acts.append(GaveUp(waited))
        return True

    def _press(self, step: Press, now: float, since: float, *, connected: bool) -> bool:
        self._keys_at = max(self._keys_at, since)
        if not connected or now < self._keys_at:
            return False
        if not step.digits:
            return True
        self._acts.append(Pressed(step.digits[0]))
        self._keys_at = now + KEY_SECONDS
        self._steps[0] = Press(step.digits[1:])
        return False

    def _next_frame(self) -> bytes | None:
        if not self._spoken:
            return None
        frame = bytes(self._spoken[:FRAME_SIZE])
        self._spoken = self._spoken[FRAME_SIZE:]
        return frame.ljust(FRAME_SIZE, b"\xff")

    def _hang_up(self) -> None:
        self.over = True
        self._acts.append(HungUp())


class _Ear:
    """When the agent's voice was heard."""

    def __init__(self) -> None:
        self.last_voice = float("-inf")
        self._spurt_began = float("-inf")
        self._in_spurt = False

    def hear(self, now: float, heard: bytes) -> list[Act]:
        if is_voice(heard):
            began = not self._in_spurt
            if began:
                self._spurt_began = now
            self._in_spurt = True
            self.last_voice = now
            return [AgentBegan()] if began else []
        if self._in_spurt and now - self.last_voice >= SPURT_PAUSE_SECONDS:
            self._in_spurt = False
            return [AgentStopped(self.last_voice)]
        return []

    def spoke_since(self, since: float) -> bool:
        return self.last_voice >= since

    def spurt_seconds(self, since: float) -> float:
        """How long the talk spurt at hand lasts, of which only the part after `since` counts."""
        if not self._in_spurt:
            return 0.0
        return self.last_voice - max(self._spurt_began, since)


def _hiss() -> tuple[bytes, ...]:
    """A second of the faintest mu-law noise, the same each time."""
    dice = random.Random(8_000)
    return tuple(bytes(dice.choices(b"\xff\xfe\x7f\x7e", k=FRAME_SIZE)) for _ in range(50))
