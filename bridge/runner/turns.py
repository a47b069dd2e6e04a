"""The tool calls of the model's turn: which are open, and what they answered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bridge.ports.model import ToolResponse

__all__ = ["ToolTurn"]


class ToolTurn:
    """
    Collects the answers of a turn until none is missing.

    A call belongs to the session that asked. When that session goes, its calls become
    orphans: their answers are kept apart, for the next session does not know their ids.
    """

    def __init__(self) -> None:
        self._open: dict[str, str] = {}
        self._answers: list[ToolResponse] = []
        self._orphans: dict[str, str] = {}
        self._late: list[ToolResponse] = []

    @property
    def open(self) -> bool:
        """Whether a call of this session still runs or waits for its answer."""
        return bool(self._open)

    @property
    def answered(self) -> bool:
        """Whether there are answers to send, and none is missing."""
        return bool(self._answers) and not self._open

    def begin(self, call_id: str, name: str) -> bool:
        """False when this call is known already, so that no tool runs twice for one call."""
        if call_id in self._orphans:
            self._open[call_id] = self._orphans.pop(call_id)  # this session asks for it as well
            return False
        known = call_id in self._open or any(a.call_id == call_id for a in self._answers)
        if not known:
            self._open[call_id] = name
        return not known

    def inherit(self, call_id: str, name: str) -> None:
        """A session of an earlier runner has asked for this."""
        self._orphans[call_id] = name

    def answer(self, call_id: str, output: Any) -> bool:
        """Note an answer; False when nobody asked, or no longer."""
        if call_id in self._open:
            name = self._open.pop(call_id)
            self._answers.append(ToolResponse(call_id, output, name))
            return True
        if call_id in self._orphans:
            name = self._orphans.pop(call_id)
            self._late.append(ToolResponse(call_id, output, name))
            return True
        return False

    def cancel(self, call_ids: Iterable[str]) -> list[str]:
        """Forget these calls and their answers; returns those that were still open."""
        gone = tuple(call_ids)
        self._answers = [answer for answer in self._answers if answer.call_id not in gone]
        return [call_id for call_id in gone if self._open.pop(call_id, None) is not None]

    def take(self) -> tuple[ToolResponse, ...]:
        """All answers of the turn, which is over with that."""
        answers, self._answers = tuple(self._answers), []
        return answers

    def orphan(self) -> None:
        """The session that asked is gone."""
        self._orphans.update(self._open)
        self._open.clear()
        self._late.extend(self.take())

    def take_late(self) -> tuple[ToolResponse, ...]:
        """Answers to calls of a session that is gone."""
        late, self._late = tuple(self._late), []
        return late
