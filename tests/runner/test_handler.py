"""What a library user hears of a session."""

from __future__ import annotations

import inspect

import pytest

from bridge.errors import RealtimeError, ServerError
from bridge.ports import runner_events as runner
from bridge.ports import server_events as event
from bridge.ports.model import Memory
from bridge.ports.runner_events import Cause, RunnerEvent, ToolOutcome
from bridge.ports.server_events import Drop
from bridge.runner.handler import EventHandler, dispatch

DONE = event.ResponseDone("r1")
USAGE = event.Usage({"tokens": 7})
LOST = event.Disconnected(Drop.LOST)
FINISHED = runner.ToolFinished("c1", "look", ToolOutcome.ANSWERED, 0.1)
RESUMED = runner.Resumed(Cause.DROP, Memory.REPLAYED, 1, 0.5)
FAILED = runner.ResumptionFailed(Cause.DROP, 1, "busy", final=False)


class Notebook(EventHandler):
    """Writes down which method was called with what."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []

    async def on_audio(self, audio: bytes, item_id: str) -> None:
        self.heard.append(("audio", audio, item_id))

    async def on_text(self, text: str, item_id: str) -> None:
        self.heard.append(("text", text, item_id))

    async def on_transcript(self, transcript: str, item_id: str) -> None:
        self.heard.append(("transcript", transcript, item_id))

    async def on_input_transcript(self, transcript: str, item_id: str) -> None:
        self.heard.append(("input_transcript", transcript, item_id))

    async def on_speech_started(self, audio_start_ms: int) -> None:
        self.heard.append(("speech_started", audio_start_ms))

    async def on_speech_stopped(self, audio_end_ms: int) -> None:
        self.heard.append(("speech_stopped", audio_end_ms))

    async def on_interrupted(self, response_id: str) -> None:
        self.heard.append(("interrupted", response_id))

    async def on_response_done(self, done: event.ResponseDone) -> None:
        self.heard.append(("response_done", done))

    async def on_tool_started(self, call_id: str, name: str) -> None:
        self.heard.append(("tool_started", call_id, name))

    async def on_tool_finished(self, finished: runner.ToolFinished) -> None:
        self.heard.append(("tool_finished", finished))

    async def on_usage(self, usage: event.Usage) -> None:
        self.heard.append(("usage", usage))

    async def on_disconnected(self, disconnected: event.Disconnected) -> None:
        self.heard.append(("disconnected", disconnected))

    async def on_resumed(self, resumed: runner.Resumed) -> None:
        self.heard.append(("resumed", resumed))

    async def on_resumption_failed(self, failed: runner.ResumptionFailed) -> None:
        self.heard.append(("resumption_failed", failed))

    async def on_error(self, error: RealtimeError) -> None:
        self.heard.append(("error", type(error), str(error)))


@pytest.mark.parametrize(
    ("happened", "heard"),
    [
        (event.AudioDelta("a1", b"voice"), ("audio", b"voice", "a1")),
        (event.TextDelta("a1", "hi"), ("text", "hi", "a1")),
        (event.TranscriptDelta("a1", "hi"), ("transcript", "hi", "a1")),
        (event.InputTranscriptDone("yes", "u1"), ("input_transcript", "yes", "u1")),
        (event.SpeechStarted(100), ("speech_started", 100)),
        (event.SpeechStopped(900), ("speech_stopped", 900)),
        (event.Interrupted("r1"), ("interrupted", "r1")),
        (DONE, ("response_done", DONE)),
        (
            event.Error(event.ErrorInfo("t", "no more", "quota")),
            ("error", ServerError, "quota: no more"),
        ),
        (USAGE, ("usage", USAGE)),
        (LOST, ("disconnected", LOST)),
        (runner.ToolStarted("c1", "look"), ("tool_started", "c1", "look")),
        (FINISHED, ("tool_finished", FINISHED)),
        (RESUMED, ("resumed", RESUMED)),
        (FAILED, ("resumption_failed", FAILED)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
async def test_an_event_is_told_to_its_method(
    happened: RunnerEvent, heard: tuple[object, ...]
) -> None:
    """With what is in it."""
    notebook = Notebook()
    call = dispatch(notebook, happened)
    assert call is not None
    await call

    assert notebook.heard == [heard]


def test_events_without_a_method_are_told_to_on_event_only() -> None:
    """There is nothing to call."""
    assert dispatch(EventHandler(), event.RateLimitsUpdated(())) is None
    assert dispatch(EventHandler(), runner.Finished(runner.Closed())) is None


async def test_nothing_has_to_be_overridden() -> None:
    """Every method has something to do already, which is nothing."""
    handler = EventHandler()
    names = [name for name, _ in inspect.getmembers(handler, inspect.iscoroutinefunction)]
    for name in names:
        method = getattr(handler, name)
        arguments = inspect.signature(method).parameters
        await method(*([None] * len(arguments)))

    assert len(names) == 16
