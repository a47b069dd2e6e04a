"""What a library user hears of a session: an EventHandler's methods, one for each kind of event."""

from __future__ import annotations

from collections.abc import Awaitable

from bridge.errors import RealtimeError, ServerError
from bridge.ports import runner_events as runner
from bridge.ports import server_events as event
from bridge.ports.runner_events import RunnerEvent

__all__ = ["EventHandler", "dispatch"]


class EventHandler:
    """
    Inherit and override what is of interest. A method that raises is counted and logged,
    and the session goes on. The methods are awaited one after the other: the session's
    own work (tools, resumption) does not wait for them.
    """

    async def on_audio(self, audio: bytes, item_id: str) -> None:
        """A piece of the model's voice, in the session's output format."""

    async def on_text(self, text: str, item_id: str) -> None:
        """A piece of a text answer."""

    async def on_transcript(self, transcript: str, item_id: str) -> None:
        """A piece of the transcript of the model's voice."""

    async def on_input_transcript(self, transcript: str, item_id: str) -> None:
        """What the caller said in one turn."""

    async def on_speech_started(self, audio_start_ms: int) -> None: ...

    async def on_speech_stopped(self, audio_end_ms: int) -> None: ...

    async def on_interrupted(self, response_id: str) -> None:
        """What was queued of the model's voice is not wanted any more."""

    async def on_response_done(self, done: event.ResponseDone) -> None: ...

    async def on_tool_started(self, call_id: str, name: str) -> None: ...

    async def on_tool_finished(self, finished: runner.ToolFinished) -> None: ...

    async def on_usage(self, usage: event.Usage) -> None: ...

    async def on_disconnected(self, disconnected: event.Disconnected) -> None:
        """The session is gone; unless we closed it, a resumption is under way."""

    async def on_resumed(self, resumed: runner.Resumed) -> None: ...

    async def on_resumption_failed(self, failed: runner.ResumptionFailed) -> None: ...

    async def on_error(self, error: RealtimeError) -> None:
        """The provider reports an error; the session may well go on."""

    async def on_event(self, happened: RunnerEvent) -> None:
        """Every event, before the method for its kind."""


def dispatch(handler: EventHandler, happened: RunnerEvent) -> Awaitable[None] | None:
    """The call of the one method that is for this event."""
    match happened:
        case event.AudioDelta(item_id, delta):
            return handler.on_audio(delta, item_id)
        case event.TextDelta(item_id, delta):
            return handler.on_text(delta, item_id)
        case event.TranscriptDelta(item_id, delta):
            return handler.on_transcript(delta, item_id)
        case event.InputTranscriptDone(transcript, item_id):
            return handler.on_input_transcript(transcript, item_id)
        case event.SpeechStarted(audio_start_ms):
            return handler.on_speech_started(audio_start_ms)
        case event.SpeechStopped(audio_end_ms):
            return handler.on_speech_stopped(audio_end_ms)
        case event.Interrupted(response_id):
            return handler.on_interrupted(response_id)
        case event.ResponseDone():
            return handler.on_response_done(happened)
        case event.Error(error):
            return handler.on_error(ServerError(error.code, error.message))
        case event.Usage():
            return handler.on_usage(happened)
        case event.Disconnected():
            return handler.on_disconnected(happened)
        case runner.ToolStarted(call_id, name):
            return handler.on_tool_started(call_id, name)
        case runner.ToolFinished():
            return handler.on_tool_finished(happened)
        case runner.Resumed():
            return handler.on_resumed(happened)
        case runner.ResumptionFailed():
            return handler.on_resumption_failed(happened)
        case _:
            return None
