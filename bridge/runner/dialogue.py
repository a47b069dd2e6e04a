"""
What is said, called and asked for within a session, and what of it outlives the session.

Rule: the model is told the answers of a whole turn at once and asked once, when neither
side speaks. What waits for its turn waits for the next session too, if it has to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace

from bridge.ports import server_events as event
from bridge.ports.client_events import Message
from bridge.ports.conversation import ToolAsked
from bridge.ports.model import Memory
from bridge.ports.phrases import ASK_AGAIN
from bridge.ports.server_events import ServerEvent
from bridge.runner.handover import Handover, late_answer
from bridge.runner.lull import Lull
from bridge.runner.responses import Responses
from bridge.runner.turns import ToolTurn
from bridge.runner.vocabulary import (
    Answer,
    CancelTool,
    Command,
    ResponseAsked,
    RunTool,
    Tell,
    ToolAnswered,
)

__all__ = ["Dialogue"]

MAX_MESSAGES = 64  # that wait for a session; the oldest goes first


class Dialogue:
    """`tick` has to be told the time before anything here is asked."""

    def __init__(self, *, auto_execute_tools: bool, responds_to_tools: bool) -> None:
        self._auto_execute = auto_execute_tools
        self._responds_to_tools = responds_to_tools
        self._responses = Responses()
        self._turn = ToolTurn()
        self._lull = Lull()
        self._handover = Handover()
        self._messages: deque[Message] = deque(maxlen=MAX_MESSAGES)

    @property
    def executing(self) -> bool:
        """Whether a tool call has no answer yet."""
        return self._turn.open

    @property
    def generating(self) -> bool:
        """Whether the model is answering, or has been asked to."""
        return self._responses.busy

    @property
    def deadline(self) -> float | None:
        """When `tick` wants to be told the time, if nothing else happens."""
        return self._responses.deadline

    @property
    def pause_at(self) -> float:
        """When nothing would be cut off, as far as one can tell now; in the past for at once."""
        busy = self._turn.open or self._turn.answered or not self._responses.settled
        return float("inf") if busy else self._lull.until

    def tick(self, now: float) -> None:
        self._responses.tick(now)

    # What happens

    def inherit(self, calls: Iterable[ToolAsked]) -> list[Command]:
        """An earlier runner left these calls without an answer."""
        commands: list[Command] = []
        for call in calls:
            self._turn.inherit(call.call_id, call.name)
            if self._auto_execute:
                asked = call.call_id, call.name, call.arguments
                commands.append(RunTool(*asked, inherited=True, begun=call.begun))
        return commands

    def note(self, happened: ServerEvent, now: float) -> list[Command]:
        """The session says this; what of it concerns a tool is to be done at once."""
        match happened:
            case event.FunctionCallDone(call_id, name, arguments):
                if self._turn.begin(call_id, name) and self._auto_execute:
                    return [RunTool(call_id, name, arguments)]
            case event.ToolCallCancelled(call_ids):
                return [CancelTool(call_id) for call_id in self._turn.cancel(call_ids)]
            case event.ResumptionToken(token):
                self._lull.token(there=token is not None)
            case event.Error(refused_response=True):
                self._responses.refused(now)
            case event.ResponseCreated(response_id):
                self._responses.created(response_id)
            case event.ResponseDone(response_id):
                self._responses.done(response_id)
                self._lull.answered(now)
            case _:
                self._note_caller(happened, now)
        return []

    def _note_caller(self, happened: ServerEvent, now: float) -> None:
        match happened:
            case event.SpeechStarted():
                self._responses.speech_started()
            case event.SpeechStopped():
                self._responses.speech_stopped(now)
            case event.AudioCommitted():
                self._responses.committed(now)
            case event.AudioCleared():
                self._responses.cleared()
            case event.InputTranscriptDelta():
                self._lull.caller_said(now)
            case _:
                pass

    def want(self, wish: ResponseAsked) -> None:
        """Somebody wants the model to speak."""
        self._responses.want(wish)

    def tell(self, message: Message, *, first: bool = False) -> None:
        """Somebody wants the model to know something."""
        if first:
            self._messages.appendleft(message)
        else:
            self._messages.append(message)

    def answered(self, answer: ToolAnswered) -> None:
        self._turn.answer(answer.call_id, answer.output)

    # What follows from it, while there is a session

    def answers(self, now: float) -> list[Command]:
        """The answers of the model's turn, once there are all of them."""
        in_its_turn = self._responses.active is not None and not self._responds_to_tools
        if in_its_turn or not self._turn.answered:
            return []
        if self._responds_to_tools:
            self._responses.expect(now)
        else:
            self._responses.want(ResponseAsked())
        return [Answer(self._turn.take())]

    def say(self, now: float) -> list[Command]:
        """What waited for a session, and for its turn."""
        commands: list[Command] = []
        while self._messages:
            message = self._messages.popleft()
            if message.respond and not self._responses.claim(now):
                self._responses.want(ResponseAsked())
                message = replace(message, respond=False)
            commands.append(Tell(message))
        for answer in self._turn.take_late():
            commands.append(late_answer(answer))
            self._responses.want(ResponseAsked())
        due = self._responses.due(now)
        return commands if due is None else [*commands, due]

    # From one session to the next

    def cut(self) -> None:
        """The session is gone."""
        self._handover.cut(self._responses)
        self._responses.forget()
        self._lull.forget()
        self._turn.orphan()

    def pack(self) -> None:
        """The next session is about to be told the history, and so all answers in it."""
        self._handover.answered(self._turn.take_late())

    def take_over(self, memory: Memory, now: float) -> list[Command]:
        """What a session with this memory needs to hear when it follows another."""
        handover, self._handover = self._handover, Handover()
        if handover.caller_cut:
            # Who goes on is heard to the end; who had just finished is not, and waits.
            self._responses.speech_stopped(now)
            self._responses.want(ResponseAsked(ASK_AGAIN))
        elif (wish := handover.wish()) is not None:
            self._responses.want(wish)
        return [*handover.words(memory)]
