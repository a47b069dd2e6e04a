"""How a session's answers come about: one after another, step by step, and cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tests.fakes.openai.answer import Answer
from tests.fakes.openai.conversation import Conversation
from tests.fakes.openai.script import Call, Drop, Fail, Hang, Raise, Say, Script, Stall, Step

__all__ = ["Mouth"]


class _Session(Protocol):
    script: Script
    session: dict[str, Any]
    conversation: Conversation
    outbox: asyncio.Queue[str | Drop | Stall]

    @property
    def emit(self) -> Callable[..., None]: ...
    def new_id(self, kind: str) -> str: ...
    def fail(self, error: Raise, event: dict[str, Any]) -> None: ...
    def tell(self) -> None: ...


class Mouth:
    """At most one answer at a time belongs to the conversation; others may run aside."""

    def __init__(self, session: _Session) -> None:
        self.answer: Answer | None = None
        self._session = session
        self._asked = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def next_steps(self) -> Sequence[Step]:
        """What the script has for the next response."""
        number, self._asked = self._asked, self._asked + 1
        answers = self._session.script.answers
        steps = answers[number] if number < len(answers) else self._session.script.otherwise
        return steps if isinstance(steps, Sequence) else (steps,)

    def begin(
        self,
        steps: Sequence[Step],
        *,
        aside: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> None:
        """Answer with these steps; `aside` of the conversation, nothing of it is kept there."""
        session = self._session
        answer = Answer(
            response_id=session.new_id("resp"),
            conversation_id=None if aside else session.conversation.id,
            session=session.session,
            emit=session.emit,
            new_id=session.new_id,
            enter=session.conversation.enter,
            audio_ms={} if aside else session.conversation.audio_ms,
            metadata=metadata,
        )
        if not aside:
            self.answer = answer
        answer.created()
        task = asyncio.create_task(self._perform(answer, steps), name=answer.response_id)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cut(self, reason: str) -> None:
        """End the answer under way, if there is one."""
        if self.answer is None:
            return
        answer, self.answer = self.answer, None
        for task in self._tasks:
            if task.get_name() == answer.response_id:
                task.cancel()
        answer.done("cancelled", {"type": "cancelled", "reason": reason})

    def shut(self) -> None:
        """The session is over."""
        for task in self._tasks:
            task.cancel()

    async def _perform(self, answer: Answer, steps: Sequence[Step]) -> None:
        for step in steps:
            match step:
                case Say(pace=pace):
                    for _ in answer.say(step):
                        if pace:
                            await asyncio.sleep(pace)
                case Call():
                    answer.call(step, with_name=not self._session.script.omit_call_names)
                case Raise():
                    self._session.fail(step, {})
                case Fail(code, type_, message):
                    error = {"type": type_, "code": code, "message": message}
                    self._finish(answer, "failed", {"type": "failed", "error": error})
                    return
                case Drop() | Stall():
                    self._session.outbox.put_nowait(step)
                    return
                case Hang():
                    await asyncio.Event().wait()
        self._finish(answer, "completed")

    def _finish(self, answer: Answer, status: str, details: dict[str, Any] | None = None) -> None:
        answer.done(status, details)
        if self.answer is answer:
            self.answer = None
        self._session.tell()
