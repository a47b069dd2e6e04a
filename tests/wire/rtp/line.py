"""A telephone, a network that loses and delays, and a clock of paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt

import bridge
from bridge.audio import g711
from bridge.audio.formats import ULAW_8K, AudioFormat
from bridge.audio.wav import read_wav
from bridge.wire.rtp import packet
from bridge.wire.rtp.latch import Latch
from bridge.wire.rtp.payloads import Payloads
from bridge.wire.rtp.receiver import Receiver, Rules

__all__ = [
    "KEYS",
    "PHONE",
    "SSRC",
    "STRANGER",
    "Arrivals",
    "Line",
    "best_match",
    "datagram",
    "receiver",
    "similarity",
    "sound",
    "speech",
    "through",
]

PHONE = ("192.0.2.10", 40_000)
STRANGER = ("203.0.113.66", 40_000)
SSRC = 0x1234ABCD
KEYS = 101

Arrivals = list[tuple[float, bytes]]
Samples = npt.NDArray[np.float64]

_SPEECH = Path(bridge.__file__).parent / "simulator" / "speech"


@cache
def speech() -> bytes:
    """Nine seconds of a person, in mu-law."""
    pcm16 = b"".join(read_wav(_SPEECH / f"{name}.wav")[0] for name in ("order", "thanks"))
    return g711.pcm16_to_ulaw(pcm16)


def sound(ulaw: bytes) -> Samples:
    return np.frombuffer(g711.ulaw_to_pcm16(ulaw), "<i2").astype(np.float64)


def datagram(
    number: int,
    audio: bytes = b"\xff" * 160,
    *,
    ssrc: int = SSRC,
    timestamp: int | None = None,
    payload_type: int = 0,
    marker: bool = False,
) -> bytes:
    """The packet with this number of a stream of 20 ms packets."""
    timestamp = number * 160 if timestamp is None else timestamp
    return packet.write(
        payload_type, number & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc, audio, marker=marker
    )


def receiver(
    format: AudioFormat = ULAW_8K, rules: Rules | None = None, *, latch: Latch | None = None
) -> Receiver:
    payloads = Payloads(events=frozenset({KEYS}))
    return Receiver(format, payloads, latch or Latch(PHONE), rules or Rules())


@dataclass
class Line:
    """
    A telephone that speaks, and the way from it: `loss` is a share of packets, `jitter`
    seconds that one may take longer than another, `drift` how much faster its clock runs.
    """

    ptime_ms: int = 20
    loss: float = 0.0
    jitter: float = 0.0
    drift: float = 0.0
    first: int = 65_500  # so that it wraps
    timestamp: int = 0xFFFFFF00
    payload_type: int = 0
    random: Random = field(default_factory=lambda: Random(7))

    def carry(self, audio: bytes, start: float = 100.0) -> Arrivals:
        """When which datagram arrives."""
        size = self.ptime_ms * 8
        arrivals: Arrivals = []
        for index in range(len(audio) // size):
            sent = start + index * self.ptime_ms / 1000 / (1 + self.drift)
            took = 0.030 + self.random.random() * self.jitter
            data = datagram(
                self.first + index,
                audio[index * size : (index + 1) * size],
                timestamp=self.timestamp + index * size,
                payload_type=self.payload_type,
            )
            if self.random.random() >= self.loss:
                arrivals.append((sent + took, data))
        return sorted(arrivals)


def through(ear: Receiver, arrivals: Iterable[tuple[float, bytes]], rest: float = 0.3) -> bytes:
    """What comes out, until `rest` seconds after the last datagram."""
    frames: list[bytes] = []
    now = 0.0
    for now, data in arrivals:
        while ear.deadline is not None and ear.deadline <= now:
            frames += ear.time_is_up(ear.deadline)
        ear.receive(data, PHONE, now)
    while ear.deadline is not None and ear.deadline <= now + rest:
        frames += ear.time_is_up(ear.deadline)
    return b"".join(frames)


def best_match(original: bytes, heard: bytes) -> int:
    """At which sample of `heard` the original begins (below 0: cut), by correlation."""
    first, second = sound(original), sound(heard)
    length = 1 << (len(first) + len(second)).bit_length()
    spectrum = np.fft.rfft(second, length) * np.conj(np.fft.rfft(first, length))
    peak = int(np.argmax(np.fft.irfft(spectrum, length)))
    return peak if peak < length // 2 else peak - length


def similarity(original: bytes, heard: bytes, reach: int = 1200) -> float:
    """
    How alike the voices are in pieces of 40 ms, from 0 to 1: each piece of speech is
    looked for near the place where it should be, and the likenesses are averaged.
    """
    wanted, got = sound(original), np.pad(sound(heard), reach)
    piece = 320
    likenesses: list[float] = []
    for start in range(0, len(wanted) - piece, piece):
        part = wanted[start : start + piece]
        if np.abs(part).mean() < 300:
            continue
        near = got[start : start + piece + 2 * reach]
        if len(near) < piece:
            break
        windows = np.lib.stride_tricks.sliding_window_view(near, piece)
        norms = np.sqrt(np.einsum("ij,ij->i", windows, windows)) * np.sqrt(part @ part) + 1.0
        likenesses.append(float((windows @ part / norms).max()))
    return float(np.mean(likenesses))
