"""A runner on a fake model, as most of the runner's tests need it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from bridge.ports import server_events as event
from bridge.ports.conversation import HistoryItem, ToolAsked
from bridge.ports.runner_events import Finished, RunnerEvent
from bridge.ports.session import RealtimeConfig
from bridge.ports.tools import ToolHandler, ToolJournal
from bridge.runner.config import RunnerConfig
from bridge.runner.handler import EventHandler
from bridge.runner.runner import RealtimeRunner
from tests.fakes.model import FakeModel, FakeSession, turns

__all__ = ["OLD", "Stage", "created", "done", "instruct"]

E = TypeVar("E")

OLD = RealtimeConfig(instruction="old")


def instruct(instruction: str) -> RealtimeConfig:
    """A change of the instruction."""
    return RealtimeConfig(instruction=instruction)


def created(response_id: str = "r1") -> event.ResponseCreated:
    return event.ResponseCreated(response_id)


def done(response_id: str = "r1") -> event.ResponseDone:
    return event.ResponseDone(response_id)


class Stage:
    """
    `async with Stage(...) as stage` connects, closes, and sees to it that nothing is left
    open. `heard` is all that a listener was told.
    """

    def __init__(
        self,
        model: FakeModel | None = None,
        *,
        tools: Iterable[ToolHandler] = (),
        config: RealtimeConfig = OLD,
        options: RunnerConfig | None = None,
        handler: EventHandler | None = None,
        history: tuple[HistoryItem, ...] = (),
        unanswered: tuple[ToolAsked, ...] = (),
        token: str | None = None,
        journal: ToolJournal | None = None,
        listen: bool = True,
        jitter: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.model = model or FakeModel()
        self.heard: list[RunnerEvent] = []
        self.runner = RealtimeRunner(
            self.model,
            config,
            tools=tools,
            event_handler=handler,
            runner_config=options,
            history=history,
            unanswered=unanswered,
            token=token,
            journal=journal,
            jitter=jitter,
        )
        if listen:
            self.runner.attach(self.heard.append)

    async def __aenter__(self) -> Self:
        await self.runner.connect()
        await turns()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.runner.close()
        if error is None:
            self.model.check()
            assert not self.heard or isinstance(self.heard[-1], Finished)

    @property
    def session(self) -> FakeSession:
        """The newest session."""
        return self.model.session

    def all_heard(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [happened for happened in self.heard if isinstance(happened, kind)]

    async def call(self, *names: str, arguments: str = "{}") -> None:
        """The model calls tools, c1, c2 and so on, in one response."""
        self.session.emit(created())
        for number, name in enumerate(names, 1):
            self.session.emit(event.FunctionCallDone(f"c{number}", name, arguments, "r1"))
        self.session.emit(done())
        await turns()

    async def swap(self) -> FakeSession:
        """The session is lost and the next one takes over."""
        number = len(self.model.sessions)
        self.session.drop()
        session = await self.model.sessions_made(number + 1)
        await turns()
        return session
