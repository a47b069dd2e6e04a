"""What a new session has to hear when it follows another that was cut off."""

from __future__ import annotations

import json
from collections.abc import Iterable

from bridge.ports.client_events import Message
from bridge.ports.model import Memory, ToolResponse
from bridge.ports.phrases import ASK_AGAIN, GO_ON
from bridge.runner.responses import Responses
from bridge.runner.vocabulary import ResponseAsked, Tell

__all__ = ["Handover", "late_answer"]


class Handover:
    """Remembers what the old session left undone, and tells the new one."""

    def __init__(self) -> None:
        self._answer_cut = False
        self.caller_cut = False
        """Whether the caller was speaking."""
        self._unanswered = False
        self._answers: list[ToolResponse] = []

    def cut(self, responses: Responses) -> None:
        """The old session ended in the middle of this."""
        self.caller_cut = responses.speaking
        self._unanswered = responses.answer_due
        self._answer_cut = responses.active is not None and not responses.speaking

    def answered(self, answers: Iterable[ToolResponse]) -> None:
        """These tools answered when nobody was there to hear it; the history has it."""
        self._answers.extend(answers)

    def words(self, memory: Memory) -> list[Tell]:
        """What to tell a session with this memory before it speaks."""
        told = [] if memory is Memory.REPLAYED else [late_answer(a) for a in self._answers]
        if self.caller_cut:
            told.append(Tell(Message("system", ASK_AGAIN), remember=False))
        return told

    def wish(self) -> ResponseAsked | None:
        """Whether the new session is to speak first."""
        if self._unanswered:
            return ResponseAsked(ASK_AGAIN)
        if self._answer_cut:
            return ResponseAsked(GO_ON)
        return ResponseAsked() if self._answers else None


def late_answer(answer: ToolResponse) -> Tell:
    """The answer to a call that this session never made. The history has it as what it is."""
    output = json.dumps(answer.output, default=str, ensure_ascii=False)
    text = f"The tool {answer.name} answered meanwhile: {output}"
    return Tell(Message("system", text), remember=False)
