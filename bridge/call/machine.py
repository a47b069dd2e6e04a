"""
The decisions of one call.

Rule: whatever decides what happens next in a call lives here or in a module this one
calls, and none of them waits, reads a clock or touches a socket. `handle` is told what
happened and when, and returns what is to be done; `deadline` says when it wants TimeIsUp.
"""

from __future__ import annotations

from collections.abc import Sequence

from bridge.audio.formats import AudioFormat
from bridge.call.answers import Answers
from bridge.call.closing import Closing
from bridge.call.digits import Digits
from bridge.call.opening import Opening
from bridge.call.patience import CallRules, Patience, Reminder
from bridge.call.playback import Playback
from bridge.call.reception import apologise
from bridge.call.turn import CallerTurn
from bridge.call.vocabulary import (
    CallCommand,
    CallEvent,
    Finishing,
    Happened,
    Interrupt,
    ModelFailed,
    ModelReady,
    Moment,
    Over,
    PressAsked,
    SayAsked,
    Tell,
    TimeIsUp,
    Truncate,
    Voice,
)
from bridge.errors import Ending, Fault
from bridge.ports import leg, phrases
from bridge.ports import runner_events as runner
from bridge.ports import server_events as model
from bridge.ports.client_events import Message
from bridge.ports.conversation import pressed
from bridge.ports.server_events import ResponseStatus
from bridge.ports.store import Cut

__all__ = ["Call"]

INFINITE = float("inf")
_SILENT = Ending(Fault.CALLER, "silence")
_TOO_LONG = Ending(Fault.NOBODY, "longest_call")


class Call:
    """One caller on one leg with one agent."""

    def __init__(self, rules: CallRules, format: AudioFormat, now: float) -> None:
        self._rules = rules
        self._playback = Playback(format)
        self._opening = Opening(rules.greeting)
        self._answers = Answers()
        self._caller = CallerTurn()
        self._digits = Digits()
        self._patience = Patience(rules, now)
        self._closing: Closing | None = None
        self._tools: set[str] = set()
        self._over = False
        self.settled = False  # whether the last event may have moved `deadline`
        self.deaf = False
        """
        Whether the model hears silence instead of the caller, whose own goodbye would make it
        stop in the middle of its last words.
        """

    @property
    def deadline(self) -> float | None:
        """Seconds, on the clock that `handle` is told; None: nothing to wait for."""
        if self._over or not self._opening.caller_here:
            return None
        waits = (self._closing or self._patience).deadline
        deadline = min(waits, self._digits.deadline or INFINITE)
        return None if deadline == INFINITE else deadline

    @property
    def cut(self) -> Cut:
        """Who is cut off if the leg is lost now."""
        if self._caller.speaking:
            return Cut.CALLER
        if self._answers.expected or self._tools or self._playback.speaking:
            return Cut.AGENT
        return Cut.CALLER if self._caller.unanswered else Cut.NOBODY

    @property
    def agent_silent(self) -> bool:
        """Whether the agent neither speaks nor is about to."""
        return not (self._playback.speaking or self._answers.generating)

    @property
    def begun(self) -> bool:
        """Whether caller and model have met on this leg."""
        return self._opening.over

    @property
    def at_boundary(self) -> bool:
        """Whether the leg could be let go of now, and nobody would notice."""
        idle = self.begun and self._closing is None and self._digits.deadline is None
        return idle and self.cut is Cut.NOBODY

    def unheard(self, now: float) -> list[Truncate]:
        """Of what the agent is saying, how much the caller has heard."""
        return self._playback.unheard(now)

    @property
    def apology(self) -> leg.Verdict:
        """What becomes of a caller whom the agent cannot serve any more."""
        return apologise(self._rules.fallback)

    def handle(self, happened: CallEvent, now: float) -> Sequence[CallCommand]:
        """What is to be done, in this order. Nothing after Over."""
        if self._over:
            return []
        if isinstance(happened, Voice):  # most of what happens
            commands = self._on_voice(happened, now)
            speaks_on = bool(commands)
        else:
            commands = self._note(happened, now)
            speaks_on = isinstance(happened, leg.Played) and self._playback.speaking
        # Of one who speaks on it follows only that it is busy for longer: see TimeIsUp.
        self.settled = not speaks_on or self._closing is not None
        return [*commands, *self._settle(now)] if self.settled else commands

    def _note(self, happened: CallEvent, now: float) -> list[CallCommand]:
        match happened:
            case leg.Played(mark):
                heard = self._playback.played(mark, now) and not self._playback.speaking
                return [Happened(Moment.AGENT_HEARD)] if heard else []
            case leg.Started():
                return self._on_started(now)
            case leg.Digit(digit):
                return self._on_digit(digit, now)
            case leg.Ended(ending, lost):
                return self._on_leg_ended(ending, now, lost=lost)
            case ModelReady():
                self._opening.model_comes(happened)
                self._patience.model_there(now)
                return [Happened(Moment.MODEL_READY), *self._begin()]
            case ModelFailed(reason, fault):
                return self._on_model_gone(Ending(fault, "model_unreachable", reason), now)
            case Finishing():
                return self._on_finishing(happened, now)
            case SayAsked() | PressAsked() if self._closing is not None:
                return []
            case SayAsked(instructions):
                return [self._answers.ask(instructions)]
            case PressAsked(keys):
                return [Happened(Moment.PRESSED, f"{len(keys)} keys"), leg.Press(keys)]
            case TimeIsUp():
                return self._on_time(now)
            case leg.Heard() | Voice():
                return []  # the caller's audio passes the machine by: see the conductor
            case _:
                return self._on_runner(happened, now)

    def _on_runner(self, happened: runner.RunnerEvent, now: float) -> list[CallCommand]:
        match happened:
            case model.Interrupted(response_id):
                self._patience.caller_stirred(now)
                return self._barge_in(now) if self._answers.is_latest(response_id) else []
            case model.ResponseCreated(response_id):
                self._answers.begin(response_id, now)
            case model.ResponseDone():
                return self._on_response_done(happened, now)
            case model.FunctionCallDone():
                self._answers.called = True
            case model.Disconnected():
                self._begin_session()
                self._patience.model_missing(max(now, self._playback.ends_at))
                return [Happened(Moment.MODEL_LOST, happened.drop.value)]
            case runner.ToolStarted(call_id, name):
                self._tools.add(call_id)
                return [Happened(Moment.TOOL, name)]
            case runner.ToolFinished(call_id, name, outcome, seconds):
                self._tools.discard(call_id)
                return [Happened(Moment.TOOL_DONE, f"{name} {outcome}", seconds)]
            case runner.Resumed(cause, memory, _, seconds):
                self._begin_session()
                self._patience.model_there(now)
                return [Happened(Moment.RESUMED, f"{cause} {memory}", seconds)]
            case runner.Finished(runner.Lost(reason=reason)):
                return self._on_model_gone(Ending(Fault.PROVIDER, "model_lost", reason), now)
            case _:
                return self._on_caller(happened, now)
        return []

    # The agent

    def _on_started(self, now: float) -> list[CallCommand]:
        self._opening.caller_comes()
        if not self._opening.model_there:
            self._patience.model_missing(now)
        return [Happened(Moment.ANSWERED), *self._begin()]

    def _begin(self) -> list[CallCommand]:
        begun = self._opening.begin()
        if isinstance(begun, str):
            return [self._answers.ask(begun)]
        return [] if begun is None else [begun]

    def _begin_session(self) -> None:
        """What was under way has gone with the session, and ids begin anew."""
        self._answers.lose()
        self._playback.begin_session()
        self._caller.forget()

    def _on_voice(self, voice: Voice, now: float) -> Sequence[CallCommand]:
        audible = self._opening.caller_here and bool(voice.audio)
        if not audible or not self._answers.hear(voice.response_id, now):
            return []
        plays = self._playback.play(voice.item_id, voice.audio, now)
        if self._answers.spoke or not self._answers.speak(voice.response_id):
            return plays
        waited = self._caller.answered(now)
        return [*plays, Happened(Moment.AGENT_SPEAKS, seconds=waited)]

    def _on_response_done(self, done: model.ResponseDone, now: float) -> list[CallCommand]:
        if not self._answers.end(done.response_id, done.status):
            return []
        if self._closing is not None:
            empty = not self._answers.called and done.status is not ResponseStatus.CANCELLED
            if self._answers.said or empty:
                self._closing.answered()
            return []
        if done.status is not ResponseStatus.FAILED:
            return []
        failed = Happened(Moment.RESPONSE_FAILED, done.reason)
        if (again := self._answers.ask_again()) is not None:
            return [failed, again]
        ending = Ending(Fault.PROVIDER, "responses_failed", "the model fails to answer")
        return [failed, *self._on_model_gone(ending, now)]

    def _on_model_gone(self, ending: Ending, now: float) -> list[CallCommand]:
        self._begin_session()
        if self._closing is not None:
            self._closing.answered()
            return []
        return self._close(Finishing(self.apology, ending), now, expected=False)

    # The caller

    def _on_caller(self, happened: runner.RunnerEvent, now: float) -> list[CallCommand]:
        match happened:
            case model.SpeechStarted():
                self._caller.begins(now)
                self._patience.caller_stirred(now)
                return [Happened(Moment.CALLER_SPEAKS), *self._barge_in(now)]
            case model.SpeechStopped() | model.AudioCommitted() if self._caller.speaking:
                self._caller.ends(now)
                return [Happened(Moment.CALLER_SILENT)]
            case model.AudioCleared():
                self._caller.forget()
            case model.InputTranscriptDelta() | model.InputTranscriptDone():
                self._patience.caller_stirred(now)
            case _:
                pass
        return []

    def _barge_in(self, now: float) -> list[CallCommand]:
        """The caller speaks over the agent: be silent at once, and remember what was heard."""
        if not self._rules.interruptible or self._closing is not None:
            return []
        speaking, half_said = self._playback.speaking, self._answers.half_said
        self._answers.refuse()
        if not (speaking or half_said):
            return []
        cuts = self._playback.clear(now) if speaking else self._playback.so_far()
        clear: list[CallCommand] = [leg.Clear()] if speaking else []
        return [*clear, *cuts, Happened(Moment.INTERRUPTED, seconds=cuts[0].heard_ms / 1000)]

    def _on_digit(self, digit: str, now: float) -> list[CallCommand]:
        self._patience.caller_stirred(now)
        if self._closing is not None:
            return []
        generating = self._answers.generating
        commands = self._barge_in(now)
        if generating and self._rules.interruptible:
            commands.append(Interrupt())
        return commands + self._entered(self._digits.press(digit, now))

    def _entered(self, entry: str | None) -> list[CallCommand]:
        if entry is None:
            return []
        message = Message("user", pressed(entry), respond=True)
        return [Happened(Moment.KEYS, f"{len(entry)} keys"), Tell(message)]

    # Time and the end

    def _on_time(self, now: float) -> list[CallCommand]:
        commands = self._entered(self._digits.pause(now)) + self._settle(now)
        if self._closing is not None or not self._opening.caller_here:
            return commands
        match self._patience.due(now):
            case None:
                return commands
            case Reminder.STILL_THERE:
                asked = self._answers.ask(phrases.STILL_THERE)
                return [*commands, Happened(Moment.STILL_THERE), asked]
            case Reminder.GOODBYE_SILENCE:
                return [*commands, *self._say_goodbye(phrases.GOODBYE_SILENCE, _SILENT, now)]
            case Reminder.GOODBYE_TIME:
                return [*commands, *self._say_goodbye(phrases.GOODBYE_TIME, _TOO_LONG, now)]
            case Reminder.MODEL_MISSING:
                ending = Ending(Fault.PROVIDER, "model_unreachable", "no session came in time")
                return [*commands, *self._on_model_gone(ending, now)]

    def _say_goodbye(self, words: str, ending: Ending, now: float) -> list[CallCommand]:
        closing = self._close(Finishing(leg.Hangup(), ending), now, expected=True)
        return [*closing, self._answers.ask(words)]

    def _on_finishing(self, wish: Finishing, now: float) -> list[CallCommand]:
        if not wish.after_words:
            clear: list[CallCommand] = [leg.Clear()] if self._playback.speaking else []
            return clear + self._end(wish)
        if self._closing is not None:
            return []
        words = self._answers.expected or bool(self._tools)
        return self._close(wish, now, expected=words and not self._answers.said)

    def _close(self, wish: Finishing, now: float, *, expected: bool) -> list[CallCommand]:
        self._digits.forget()
        self.deaf = True
        self._closing = Closing(wish, now, expected=expected, heard_by=self._playback.ends_at)
        return [Happened(Moment.CLOSING, wish.ending.reason)]

    def _on_leg_ended(self, ending: Ending, now: float, *, lost: bool) -> list[CallCommand]:
        cut, unheard = self.cut, self._playback.clear(now)
        if self._closing is not None and lost and ending.fault is not Fault.NOBODY:
            # The carrier will ask what comes next. It is what was wished before.
            return [*unheard, *self._end(self._closing.wish)]
        return [*unheard, *self._end(Over(ending, lost=lost, cut=cut))]

    def _settle(self, now: float) -> list[CallCommand]:
        """What follows from all that happened so far."""
        if self._over or not self._opening.caller_here:
            return []
        agent = max(self._answers.busy_until, self._playback.busy_until)
        busy = INFINITE if self._tools else max(agent, self._caller.busy_until)
        self._patience.busy(busy, now)
        asks = [] if self._answers.busy_until > now else self._playback.finish()
        if (closing := self._closing) is None:
            return [*asks]
        if not closing.listening:
            self._answers.mute()
        closing.busy(agent)
        return [*asks, *(self._end(closing.wish) if closing.over(now) else [])]

    def _end(self, end: Over | Finishing) -> list[CallCommand]:
        self._over = True
        over = end if isinstance(end, Over) else Over(end.ending, end.verdict)
        return [Happened(Moment.OVER, f"{over.ending.fault} {over.ending.reason}"), over]
