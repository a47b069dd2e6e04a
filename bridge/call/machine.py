"""
The decisions of one call.

Rule: whatever decides what happens next in a call lives here or in a module this one
calls, and none of them waits, reads a clock or touches a socket. `handle` is told what
happened and when, and returns what is to be done; `deadline` says when it wants TimeIsUp.
"""

from __future__ import annotations

from bridge.audio.formats import AudioFormat
from bridge.call.closing import Closing
from bridge.call.digits import Digits
from bridge.call.patience import CallRules, Patience, Reminder
from bridge.call.playback import Playback
from bridge.call.vocabulary import (
    AskResponse,
    CallCommand,
    CallEvent,
    Finishing,
    Happened,
    Interrupt,
    ModelFailed,
    ModelReady,
    Moment,
    Over,
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

FAILED_RESPONSES = 3  # in a row, and the model counts as gone

_REMINDERS = {
    Reminder.GOODBYE_SILENCE: (phrases.GOODBYE_SILENCE, Ending(Fault.CALLER, "silence")),
    Reminder.GOODBYE_TIME: (phrases.GOODBYE_TIME, Ending(Fault.NOBODY, "longest_call")),
}


class Call:
    """One caller on one leg with one agent."""

    def __init__(self, rules: CallRules, format: AudioFormat, now: float) -> None:
        self._rules = rules
        self._playback = Playback(format)
        self._digits = Digits()
        self._patience = Patience(rules, now)
        self._closing: Closing | None = None
        self._here = False
        self._ready: ModelReady | None = None
        self._over = False
        self._caller_speaks = False
        self._caller_done_at: float | None = None
        self._response: str | None = None
        self._spoke = False
        self._unwanted: str | None = None
        self._failed = 0
        self._tools: set[str] = set()

    @property
    def deadline(self) -> float | None:
        """Seconds, on the clock that `handle` is told; None: nothing to wait for."""
        if self._over:
            return None
        candidates = [self._digits.deadline]
        if self._closing is not None:
            candidates.append(self._closing.deadline)
        elif self._here:
            candidates.append(self._patience.deadline)
        return min((at for at in candidates if at is not None), default=None)

    def handle(self, happened: CallEvent, now: float) -> list[CallCommand]:
        """What is to be done, in this order. Nothing after Over."""
        if self._over:
            return []
        return self._note(happened, now) + self._settle(now)

    def _note(self, happened: CallEvent, now: float) -> list[CallCommand]:
        match happened:
            case Voice():
                return self._on_voice(happened, now)
            case leg.Played(mark):
                heard = self._playback.played(mark, now) and not self._playback.speaking
                return [Happened(Moment.AGENT_HEARD)] if heard else []
            case leg.Started():
                self._here = True
                return [Happened(Moment.ANSWERED), *self._greet()]
            case leg.Digit(digit):
                return self._on_digit(digit, now)
            case leg.Ended(ending, lost):
                return self._on_leg_ended(ending, now, lost=lost)
            case ModelReady():
                self._ready = happened
                return [Happened(Moment.MODEL_READY), *self._greet()]
            case ModelFailed(reason, fault):
                return self._on_model_gone(Ending(fault, "model_unreachable", reason), now)
            case Finishing():
                return self._finish(happened, now, said=self._spoke)
            case SayAsked(instructions):
                return [AskResponse(instructions)]
            case TimeIsUp():
                return self._on_time(now)
            case leg.Heard():
                return []  # audio passes the machine by: see the conductor
            case _:
                return self._on_runner(happened, now)

    def _on_runner(self, happened: runner.RunnerEvent, now: float) -> list[CallCommand]:
        match happened:
            case model.SpeechStarted():
                self._caller_speaks = True
                self._patience.caller_stirred()
                return [Happened(Moment.CALLER_SPEAKS), *self._barge_in(now)]
            case model.SpeechStopped():
                self._caller_speaks, self._caller_done_at = False, now
                return [Happened(Moment.CALLER_SILENT)]
            case model.Interrupted(response_id):
                of_another = response_id and response_id != (self._response or response_id)
                return [] if of_another else self._barge_in(now)
            case model.ResponseCreated(response_id):
                return self._on_response(response_id)
            case model.ResponseDone():
                return self._on_response_done(happened, now)
            case model.Disconnected():
                self._response = None
                self._caller_speaks = False
                return [Happened(Moment.MODEL_LOST, happened.drop.value)]
            case runner.ToolStarted(call_id, name):
                self._tools.add(call_id)
                return [Happened(Moment.TOOL, name)]
            case runner.ToolFinished(call_id, name, outcome, seconds):
                self._tools.discard(call_id)
                return [Happened(Moment.TOOL_DONE, f"{name} {outcome}", seconds)]
            case runner.Resumed(cause, memory, _, seconds):
                return [Happened(Moment.RESUMED, f"{cause} {memory}", seconds)]
            case runner.Finished(runner.Lost(reason=reason)):
                ending = Ending(Fault.PROVIDER, "model_lost", reason)
                return self._on_model_gone(ending, now)
            case _:
                return []

    # The agent

    def _greet(self) -> list[CallCommand]:
        match self._ready if self._here else None:
            case ModelReady(resumed=True, cut=Cut.AGENT):
                return [AskResponse(phrases.GO_ON)]
            case ModelReady(resumed=True, cut=Cut.CALLER):
                return [Tell(Message("system", phrases.ASK_AGAIN))]
            case ModelReady(resumed=False) if self._rules.greeting:
                return [AskResponse(phrases.greet(self._rules.greeting))]
            case _:
                return []

    def _on_response(self, response_id: str) -> list[CallCommand]:
        self._response, self._spoke = response_id, False
        if self._closing is not None and not self._closing.listening:
            self._unwanted = response_id
        return []

    def _on_voice(self, voice: Voice, now: float) -> list[CallCommand]:
        unwanted = self._unwanted is not None and voice.response_id == self._unwanted
        if unwanted or not self._here:
            return []
        commands: list[CallCommand] = []
        if not self._spoke:
            self._spoke, self._failed = True, 0
            since, self._caller_done_at = self._caller_done_at, None
            seconds = None if since is None else now - since
            commands.append(Happened(Moment.AGENT_SPEAKS, seconds=seconds))
        return [*self._playback.play(voice.item_id, voice.audio, now), *commands]

    def _on_response_done(self, done: model.ResponseDone, now: float) -> list[CallCommand]:
        if self._response in (done.response_id, None):
            self._response = None
        if self._closing is not None and self._spoke:
            self._closing.answered(now)
        if done.status is not ResponseStatus.FAILED or self._closing is not None:
            return []
        self._failed += 1
        failed = Happened(Moment.RESPONSE_FAILED, done.reason)
        if self._failed < FAILED_RESPONSES:
            return [failed, AskResponse()]
        ending = Ending(Fault.PROVIDER, "responses_failed", "the model fails to answer")
        return [failed, *self._on_model_gone(ending, now)]

    def _on_model_gone(self, ending: Ending, now: float) -> list[CallCommand]:
        fallback = self._rules.fallback
        verdict: leg.Verdict = leg.Hangup(phrases.APOLOGY)
        if fallback is not None:
            verdict = leg.Transfer(fallback, phrases.APOLOGY)
        self._response = None
        return self._finish(Finishing(verdict, ending), now, said=True)

    # The caller

    def _barge_in(self, now: float) -> list[CallCommand]:
        """The caller speaks over the agent: be silent at once, and remember what was heard."""
        if not self._rules.interruptible or self._closing is not None:
            return []
        self._unwanted = self._response
        if not self._playback.speaking:
            return []
        cuts = self._cut_off(now)
        heard = cuts[0].heard_ms / 1000
        return [leg.Clear(), *cuts, Happened(Moment.INTERRUPTED, seconds=heard)]

    def _cut_off(self, now: float) -> list[Truncate]:
        """What is queued will not be heard; the model has to know how much was."""
        return [Truncate(cut.item_id, cut.heard_ms) for cut in self._playback.clear(now)]

    def _on_digit(self, digit: str, now: float) -> list[CallCommand]:
        self._patience.caller_stirred()
        generating = self._response is not None and self._closing is None
        commands = self._barge_in(now)
        if generating and self._rules.interruptible:
            commands.append(Interrupt())
        entry = self._digits.press(digit, now)
        return commands + self._entered(entry)

    def _entered(self, entry: str | None) -> list[CallCommand]:
        if entry is None:
            return []
        message = Message("user", pressed(entry), respond=True)
        return [Happened(Moment.KEYS, f"{len(entry)} keys"), Tell(message)]

    # Time and the end

    def _on_time(self, now: float) -> list[CallCommand]:
        commands = self._entered(self._digits.pause(now))
        if self._closing is not None or not self._here:
            return commands
        match self._patience.due(now):
            case None:
                return commands
            case Reminder.STILL_THERE:
                asked = AskResponse(phrases.STILL_THERE)
                return [*commands, Happened(Moment.STILL_THERE), asked]
            case reminder:
                words, ending = _REMINDERS[reminder]
                finish = self._finish(Finishing(leg.Hangup(), ending), now, said=False)
                return [*commands, *finish, AskResponse(words)]

    def _finish(self, wish: Finishing, now: float, *, said: bool) -> list[CallCommand]:
        if self._closing is not None:
            return []
        if not wish.after_words:
            clear: list[CallCommand] = [leg.Clear()] if self._playback.speaking else []
            return clear + self._end(Over(wish.ending, wish.verdict))
        self._closing = Closing(wish, now, said=said)
        return [Happened(Moment.CLOSING, wish.ending.reason)]

    def _on_leg_ended(self, ending: Ending, now: float, *, lost: bool) -> list[CallCommand]:
        cut = Cut.AGENT if self._playback.speaking or self._response is not None else Cut.NOBODY
        if self._caller_speaks:
            cut = Cut.CALLER
        return [*self._cut_off(now), *self._end(Over(ending, lost=lost, cut=cut))]

    def _settle(self, now: float) -> list[CallCommand]:
        """What follows from all that happened so far."""
        if self._over:
            return []
        generating = self._response is not None and self._response != self._unwanted
        speaking = self._playback.speaking
        if generating or speaking or self._caller_speaks or self._tools:
            self._patience.busy()
        elif self._here:
            self._patience.quiet(now)
        closing = self._closing
        if closing is None or not self._here:
            return []
        if closing.over(now, speaking=speaking, generating=generating):
            return self._end(Over(closing.wish.ending, closing.wish.verdict))
        return []

    def _end(self, over: Over) -> list[CallCommand]:
        self._over = True
        return [Happened(Moment.OVER, f"{over.ending.fault} {over.ending.reason}"), over]
