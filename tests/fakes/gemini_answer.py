"""How the fake Gemini Live server answers: the script's steps, said in the model's words."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING, Any

from google.genai import types
from websockets.exceptions import ConnectionClosed

from tests.fakes.gemini_ears import tone
from tests.fakes.gemini_rules import Refused, check_server_message
from tests.fakes.gemini_script import (
    Answer,
    Calls,
    Cut,
    GoAway,
    Handle,
    Hang,
    Pause,
    Raw,
    Say,
    Script,
    Step,
)

if TYPE_CHECKING:
    from tests.fakes.gemini_session import FakeSession

__all__ = ["Answering"]

RATE = 24_000  # Hz
PIECE = RATE * 2 // 10  # bytes of 100 ms


class Answering:
    """One answer at a time, from the caller's turn to turnComplete."""

    def __init__(self, session: FakeSession, script: Script) -> None:
        self.hands_out_handles = False
        self.turns = 0
        self._session = session
        self._script = script
        self._task: asyncio.Task[None] | None = None
        self._goodbye: asyncio.Task[None] | None = None
        self._open_calls: dict[str, str] = {}
        self._cancelled: set[str] = set()
        self._calls_done = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        """As the real server does: JSON in a binary frame."""
        check_server_message(message)
        await self._session.socket.send(json.dumps(message).encode())

    @property
    def busy(self) -> bool:
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Answer the turn that is complete now, unless an answer goes on."""
        if self.busy:
            return
        answers = self._script.answers
        steps = answers.pop(0) if answers else self._script.otherwise
        self.turns += 1
        self._task = asyncio.create_task(self._answer(steps), name="fake gemini's answer")

    async def understand(self, words: str) -> None:
        await self.send({"serverContent": {"inputTranscription": {"text": words}}})

    async def interrupt(self) -> None:
        """Somebody speaks over the answer."""
        if self._task is None or self._task.done():
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.send({"serverContent": {"interrupted": True}})
        await self.cancel_calls()
        await self.send({"serverContent": {"turnComplete": True}})
        await self.tell_handle(resumable=self._script.resumable)

    async def cancel_calls(self) -> None:
        if self._open_calls:
            ids = list(self._open_calls)
            self._cancelled.update(ids)
            self._open_calls.clear()
            await self.send({"toolCallCancellation": {"ids": ids}})
            self._calls_done.set()

    def take(self, response: types.FunctionResponse) -> None:
        """An answer to a tool call."""
        if response.id in self._cancelled:
            raise Refused(1007, "The function call was cancelled.")
        name = self._open_calls.pop(response.id or "", None)
        if name is None:
            raise Refused(1007, "No function call waits for this response.")
        if response.name != name:
            raise Refused(1007, "Please ensure that the names match.")
        if not self._open_calls:
            self._calls_done.set()

    async def tell_handle(self, *, resumable: bool) -> None:
        if not self.hands_out_handles:
            return
        update: dict[str, Any] = {}  # what is false or empty is not written
        if resumable:
            update = {"newHandle": self._session.fake.new_handle(self._session), "resumable": True}
        await self.send({"sessionResumptionUpdate": update})

    def stop(self) -> None:
        for task in (self._task, self._goodbye):
            if task is not None and task is not asyncio.current_task():
                task.cancel()

    async def stopped(self) -> None:
        tasks = [task for task in (self._task, self._goodbye) if task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, steps: Answer) -> None:
        spoken = 0.0
        try:
            await self.tell_handle(resumable=False)
            for step in steps:
                spoken += await self._do(step)
            await self.send({"serverContent": {"generationComplete": True}})
            await asyncio.sleep(spoken * self._script.playback)
            usage = {"totalTokenCount": 25, "responseTokenCount": 20, "promptTokenCount": 5}
            await self.send({"serverContent": {"turnComplete": True}, "usageMetadata": usage})
            await self.tell_handle(resumable=self._script.resumable)
        except ConnectionClosed:
            pass

    async def _do(self, step: Step) -> float:
        """Carry out a step; returns how many seconds of speech it was."""
        match step:
            case Say():
                return await self._speak(step)
            case Calls():
                await self._call(step)
            case Pause(seconds):
                await asyncio.sleep(seconds)
            case GoAway(seconds, code):
                await self.send({"goAway": {"timeLeft": f"{seconds}s"}})
                self._goodbye = asyncio.create_task(self._leave(seconds, code))
            case Handle(resumable):
                await self.tell_handle(resumable=resumable)
            case Cut(code, reason):
                await self._session.drop(code, reason)
            case Hang():
                await asyncio.Event().wait()
            case Raw(message):
                await self.send(dict(message))
        return 0.0

    async def _speak(self, step: Say) -> float:
        """In a burst, much faster than anybody listens."""
        pcm = tone(step.seconds, RATE) if step.pcm is None else step.pcm
        pieces = [pcm[at : at + PIECE] for at in range(0, len(pcm), PIECE)]
        words = step.text.split(" ") if step.text else []
        for number, piece in enumerate(pieces):
            data = base64.b64encode(piece).decode()
            blob = {"data": data, "mimeType": f"audio/pcm;rate={RATE}"}
            content: dict[str, Any] = {"modelTurn": {"parts": [{"inlineData": blob}]}}
            last = number == len(pieces) - 1
            said, words = (words, []) if last else (words[:1], words[1:])
            if said:
                text = " ".join(said) + (" " if words else "")
                content["outputTranscription"] = {"text": text}
            await self.send({"serverContent": content})
        return len(pcm) / 2 / RATE

    async def _call(self, step: Calls) -> None:
        self._calls_done.clear()
        self._open_calls.update({call["id"]: call["name"] for call in step.calls})
        await self.send({"toolCall": {"functionCalls": [dict(call) for call in step.calls]}})
        try:
            async with asyncio.timeout(step.taken_back_after):
                await self._calls_done.wait()
        except TimeoutError:
            await self.cancel_calls()

    async def _leave(self, seconds: float, code: int) -> None:
        await asyncio.sleep(seconds)
        await self._session.drop(code, "")
