"""
Baresip, a softphone: a microphone that plays what it is given, and ears that write it down.

It is steered over its control socket, in JSON between lengths, and tells there what happens.
"""

from __future__ import annotations

import asyncio
import json
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bridge.audio.g711 import ulaw_to_pcm16
from tests.fakes.programs import program, with_us
from tests.fakes.sipp import HOST, free_port

__all__ = ["Baresip", "baresip"]

MODULES = "/usr/lib/baresip/modules"
START_SECONDS = 20.0
RATE = 8000
MARGIN_SECONDS = 60.0
"""Of silence behind what the microphone says: a softphone hangs up where its file ends."""

CONFIG = """\
poll_method epoll
sip_listen {host}:{port}
net_interface {host}
audio_source aufile,{folder}/microphone.wav
audio_player none
audio_alert none
ausrc_srate {rate}
auplay_srate {rate}
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
jitter_buffer_delay 3-20
snd_path {folder}
ctrl_tcp_listen {host}:{control}
module_path {modules}
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
"""


@dataclass
class Baresip:
    """One telephone on a port of its own."""

    port: int
    folder: Path = field(repr=False)
    events: list[dict[str, Any]] = field(default_factory=list)
    """All that happened to its calls, as it tells it."""

    def __post_init__(self) -> None:
        self._news = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None

    @property
    def uri(self) -> str:
        return f"sip:phone@{HOST}:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def dials(self, uri: str) -> None:
        self._says("dial", uri)

    def presses(self, key: str) -> None:
        """And lets go of it."""
        self._says("sndcode", key)
        self._says("sndcode", "\x04")

    def hangs_up(self) -> None:
        self._says("hangup")

    def told(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind (CALL_ESTABLISHED, CALL_CLOSED, …)."""
        return [event for event in self.events if event.get("type") == kind]

    async def until(self, kind: str, seconds: float = 15.0) -> dict[str, Any]:
        """Wait for an event, and return the first of its kind."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := self.told(kind)):
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {kind}: {self.events}\n{self.log[-2000:]}") from None
        return found[0]

    def heard(self) -> bytes:
        """What came out of the last call's decoder, PCM16; whole once the call is closed."""
        recordings = sorted(self.folder.glob("dump-*-dec.wav"))
        if not recordings:
            return b""
        # The header is right only once the file is closed.
        return recordings[-1].read_bytes()[44:]

    def _says(self, command: str, words: str = "") -> None:
        assert self._writer is not None
        text = json.dumps({"command": command, "params": words, "token": command})
        self._writer.write(f"{len(text)}:{text},".encode())

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while size := (await reader.readuntil(b":"))[:-1]:
            message = json.loads(await reader.readexactly(int(size)))
            await reader.readexactly(1)  # the comma
            self.events.append(message)
            self._news.set()


@asynccontextmanager
async def baresip(
    folder: Path,
    *,
    says: bytes = b"",
    codecs: str = "PCMU/8000/1,PCMA/8000/1",
    account: str = "",
) -> AsyncIterator[Baresip]:
    """
    A softphone that says this, mu-law, in every call, and then is silent. It takes calls.

    `account` is more of what it knows of itself: `auth_pass=secret;dtmfmode=info`.
    """
    folder.mkdir(exist_ok=True)
    phone = Baresip(free_port(), folder)
    control = free_port()
    _write_microphone(folder / "microphone.wav", says)
    words = {"host": HOST, "port": phone.port, "control": control, "rate": RATE}
    (folder / "config").write_text(CONFIG.format(folder=folder, modules=MODULES, **words))
    (folder / "accounts").write_text(
        f"<sip:phone@{HOST}>;regint=0;answermode=auto;audio_codecs={codecs};{account}\n"
    )
    (folder / "contacts").write_text("")
    command = [*with_us(), program("baresip"), "-f", str(folder), "-4", "-v"]
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
        )
    listening: asyncio.Task[None] | None = None
    try:
        reader, phone._writer = await _control(control, phone, process)
        listening = asyncio.create_task(phone._listen(reader), name="baresip")
        yield phone
    finally:
        if listening is not None and phone._writer is not None:
            listening.cancel()
            phone._writer.close()
            await asyncio.gather(listening, return_exceptions=True)
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _control(
    port: int, phone: Baresip, process: asyncio.subprocess.Process
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As soon as it answers."""
    deadline = asyncio.get_running_loop().time() + START_SECONDS
    while True:
        try:
            return await asyncio.open_connection(HOST, port)
        except OSError:
            gone = process.returncode is not None
            if gone or asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"baresip has not started: {phone.log[-2000:]}") from None
            await asyncio.sleep(0.02)


def _write_microphone(path: Path, says: bytes) -> None:
    silence = b"\xff" * round(MARGIN_SECONDS * RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(ulaw_to_pcm16(says + silence))
