"""
Providers that answer by number: the strict fakes of the vendors with another mind in them.

`python -m tests.chaos.provider openai RECORDS` is a process of its own. It prints its URL,
obeys lines on standard input (`drop 0.5 7`: cut half of the sessions, drawn with seed 7),
and writes what became of its sessions, as JSON, when the input ends and so it does.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from websockets.asyncio.server import ServerConnection

from bridge.audio.g711 import ulaw_to_pcm16
from tests.chaos import codes
from tests.chaos.lag import Pulse
from tests.chaos.mind import Mind, Reply
from tests.chaos.words import Said
from tests.fakes import gemini_script
from tests.fakes.gemini_answer import Answering
from tests.fakes.gemini_live import FakeGemini
from tests.fakes.gemini_session import FakeSession as GeminiSession
from tests.fakes.openai.sound import bytes_per_ms
from tests.fakes.openai_realtime import FakeOpenAI, Say, Script
from tests.fakes.openai_realtime import FakeSession as OpenAISession

__all__ = ["NumberedGemini", "NumberedOpenAI"]

PACE = 0.095  # seconds between 100 ms of audio: a little ahead of the ear
KEPT_MS = 1_500  # of the caller's audio, in which an utterance is looked for


Facts = dict[str, Any]
"""Of one session, for JSON."""


class NumberedOpenAISession(OpenAISession):
    """Remembers by replay only: what it is told is what it knows."""

    def __init__(
        self, number: int, model: str, script: Script, headers: Mapping[str, str], *, record: bool
    ) -> None:
        del script
        self.mind = Mind()
        self.opened_at = time.monotonic()
        self.closed_at: float | None = None
        self._texts: dict[str, str] = {}
        super().__init__(number, model, Script(transcripts=[]), headers, record=record)

    def facts(self) -> Facts:
        return _facts(self.mind, self.opened_at, self.closed_at, native=False)

    def end(self, code: int | None) -> None:
        self.closed_at = time.monotonic()
        super().end(code)

    def emit(self, kind: str, **fields: Any) -> None:
        if kind == "response.output_audio_transcript.done":
            self._texts[fields["item_id"]] = fields["transcript"]
            self.mind.said(fields["transcript"], time.monotonic())
        super().emit(kind, **fields)

    def _append(self, event: dict[str, Any]) -> None:
        super()._append(event)
        size = KEPT_MS * bytes_per_ms(self.session["audio"]["input"]["format"])
        if len(self.received) > 2 * size:
            del self.received[:-size]

    def _speech_stopped(self, at_ms: int) -> None:
        samples, rate = self._samples()
        text, reply = self.mind.hear(codes.understand(samples, rate), time.monotonic())
        self.received.clear()
        self.script.transcripts = [*self.script.transcripts, text]
        self._will_say(reply)
        super()._speech_stopped(at_ms)

    def _create_response(self, event: dict[str, Any]) -> None:
        self._will_say(self.mind.asked())
        super()._create_response(event)

    def _change_conversation(self, event: dict[str, Any]) -> None:
        super()._change_conversation(event)
        match event:
            case {"type": "conversation.item.create", "item": {"role": role, "content": content}}:
                who = {"user": "user", "assistant": "agent"}.get(role, role)
                texts = [(who, str(part.get("text", ""))) for part in content]
                self.mind.tell(texts, time.monotonic())
            case {"type": "conversation.item.truncate"}:
                self.mind.truncate(self._texts.get(event["item_id"], ""), event["audio_end_ms"])

    def _will_say(self, reply: Reply) -> None:
        audio = codes.pcm24(reply.code, max(round(reply.seconds, 1), 0.1))
        self.script.otherwise = Say(reply.text, audio=audio, pace=PACE if reply.paced else 0.0)

    def _samples(self) -> tuple[codes.Samples, int]:
        if self.session["audio"]["input"]["format"]["type"] == "audio/pcm":
            return np.frombuffer(bytes(self.received), "<i2").astype(np.float64), 24_000
        narrow = ulaw_to_pcm16(bytes(self.received))
        return np.frombuffer(narrow, "<i2").astype(np.float64), 8_000


class NumberedOpenAI(FakeOpenAI):
    """A provider without resumption."""

    session_type = NumberedOpenAISession

    def facts(self) -> list[Facts]:
        """Of every session that there was."""
        sessions = [one for one in self.sessions if isinstance(one, NumberedOpenAISession)]
        return [one.facts() for one in sessions]

    def drop(self, share: float, dice: random.Random) -> None:
        """Break the sockets of so many of the sessions."""
        for session in self.sessions:
            if not session.closed and dice.random() < share:
                session.drop(1006)


class _Answering(Answering):
    """Asks the mind what to answer."""

    def __init__(self, session: NumberedGeminiSession) -> None:
        super().__init__(session, gemini_script.Script())
        self._mine = session
        self.reply: Reply | None = None

    def start(self) -> None:
        if self.busy:
            return
        reply, self.reply = self.reply or self._mine.mind.asked(), None
        pcm = codes.pcm24(reply.code, max(round(reply.seconds, 1), 0.1))
        self._script.answers = [[gemini_script.Say(reply.text, pcm=pcm)]]
        super().start()

    async def send(self, message: dict[str, Any]) -> None:
        match message:
            case {"serverContent": {"outputTranscription": {"text": text}}}:
                self._mine.mind.says(text, time.monotonic())
            case {"serverContent": {"turnComplete": True}} | {"serverContent": {"interrupted": _}}:
                self._mine.mind.pauses()
        await super().send(message)


class NumberedGeminiSession(GeminiSession):
    """Remembers by its handles, and what it is told where there is none."""

    def __init__(self, fake: FakeGemini, socket: ServerConnection, *, vertex: bool) -> None:
        super().__init__(fake, socket, vertex=vertex)
        self.mind = Mind()
        self.opened_at = time.monotonic()
        self.closed_at: float | None = None
        self.answering = self._speaker = _Answering(self)

    def facts(self) -> Facts:
        return _facts(
            self.mind, self.opened_at, self.closed_at, native=self.resumed_from is not None
        )

    async def run(self) -> None:
        try:
            await super().run()
        finally:
            self.closed_at = time.monotonic()

    def _resume(self, handle: str) -> None:
        super()._resume(handle)
        assert isinstance(self.fake, NumberedGemini)
        self.mind.told = self.fake.known[handle]

    async def _on_content(self, content: Any) -> None:
        for turn in content.turns or []:
            who = "agent" if turn.role == "model" else "user"
            self.mind.tell([(who, part.text or "") for part in turn.parts], time.monotonic())
        await super()._on_content(content)

    async def _on_audio(self, audio: Any) -> None:
        await super()._on_audio(audio)
        size = KEPT_MS * 32
        if len(self.audio) > 2 * size:
            del self.audio[:-size]

    async def _on_speech(self, changes: list[str]) -> None:
        for change in changes:
            if change == "start":
                await self.answering.interrupt()
                continue
            samples = np.frombuffer(bytes(self.audio), "<i2").astype(np.float64)
            self.audio.clear()
            text, reply = self.mind.hear(codes.understand(samples, 16_000), time.monotonic())
            await self.answering.understand(text)
            self._speaker.reply = reply
            self.answering.start()


class NumberedGemini(FakeGemini):
    """A provider that resumes its own sessions."""

    session_type = NumberedGeminiSession

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, list[Said]] = {}
        """What was known when a handle was given out."""

    def new_handle(self, session: GeminiSession) -> str:
        handle = super().new_handle(session)
        assert isinstance(session, NumberedGeminiSession)
        self.known[handle] = session.mind.memory
        return handle

    def facts(self) -> list[Facts]:
        """Of every session that there was."""
        sessions = [one for one in self.sessions if isinstance(one, NumberedGeminiSession)]
        return [one.facts() for one in sessions]

    def drop(self, share: float, dice: random.Random) -> None:
        """Break the sockets of so many of the sessions."""
        for session in self.sessions:
            if session.open and dice.random() < share:
                session.socket.transport.abort()


def _facts(mind: Mind, opened: float, closed: float | None, *, native: bool) -> Facts:
    return {
        "opened_at": opened,
        "closed_at": closed,
        "native": native,
        "told": mind.told,
        "lived": mind.lived,
    }


async def _serve(kind: str, records: Path) -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    fake = NumberedOpenAI(tolerant=True) if kind == "openai" else NumberedGemini()
    async with fake, Pulse() as pulse:
        print(fake.url, flush=True)
        while line := (await lines.readline()).decode():
            _, share, seed = line.split()
            fake.drop(float(share), random.Random(int(seed)))
    problems = [str(each) for each in fake.problems] if isinstance(fake, FakeOpenAI) else []
    told = {"sessions": fake.facts(), "problems": problems, "stalls": pulse.stalls}
    records.write_text(json.dumps({**told, "lag": pulse.worst}))


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], Path(sys.argv[2])))
