"""Tool calls: who asked what under which id, and what may still be answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bridge.ports.model import ToolResponse

__all__ = ["ToolCalls"]

log = logging.getLogger(__name__)


class ToolCalls:
    """The calls of one session that wait for an answer."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._names: dict[str, str] = {}
        self._unnamed: set[str] = set()

    def __bool__(self) -> bool:
        """Whether the model waits for us."""
        return bool(self._names)

    def begin(self, call_id: str, name: str) -> str:
        """Note a call; returns its id, our own where Vertex gave none."""
        if not call_id:
            call_id = f"call_{next(self._numbers)}"
            self._unnamed.add(call_id)
        self._names[call_id] = name
        return call_id

    def cancel(self, call_ids: Iterable[str]) -> None:
        """The model no longer wants to know."""
        for call_id in call_ids:
            self._names.pop(call_id, None)

    def answers(self, responses: Sequence[ToolResponse]) -> list[dict[str, Any]]:
        """
        The `functionResponses` for these answers.

        An answer to a call that was taken back, answered before or asked by another
        session would cost us the connection. It is left out.
        """
        return [answer for response in responses if (answer := self._answer(response)) is not None]

    def _answer(self, response: ToolResponse) -> dict[str, Any] | None:
        name = self._names.pop(response.call_id, None)
        if name is None:
            log.warning("an answer to a tool call that nobody waits for was not sent")
            return None
        answer: dict[str, Any] = {"name": name, "response": _object(response.output)}
        if response.call_id in self._unnamed:
            self._unnamed.discard(response.call_id)
            return answer
        return {"id": response.call_id} | answer


def _object(output: Any) -> dict[str, Any]:
    """Gemini takes objects only."""
    return dict(output) if isinstance(output, Mapping) else {"result": output}
