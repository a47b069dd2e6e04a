"""
Numbers as tones, which survive mu-law, resampling and being cut anywhere.

Rule: pure. A tone's frequency is a whole number of steps of 25 Hz, so that 40 ms of it,
taken from wherever, are told from any other by their spectrum.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bridge.audio.g711 import pcm16_to_ulaw, ulaw_to_pcm16

__all__ = [
    "CODES",
    "GREETING",
    "PARDON",
    "Tone",
    "code_of_caller",
    "code_of_turn",
    "codes_in",
    "pcm24",
    "samples_of_ulaw",
    "tones",
    "turn_of",
    "ulaw",
    "understand",
    "utterance",
]

CODES = 108
GREETING, PARDON = 0, 1
STEP_HZ = 25
LOWEST_HZ = 400
WINDOW_SECONDS = 0.04
LOUD = 500.0  # RMS of PCM16
PART_SECONDS = 0.28  # of an utterance: who it is, and then which turn
SHORTEST = 4  # windows of a part that was not cut

_FIRST = 2  # codes below are the agent's own

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tone:
    """So many windows of the same code on end."""

    code: int
    windows: int


def code_of_turn(turn: int) -> int:
    """Turns count from 1; there are no more of them in a call than there are codes."""
    if not 0 < turn <= CODES - _FIRST:
        raise ValueError(f"no code for turn {turn}")
    return _FIRST + turn - 1


def turn_of(code: int) -> int | None:
    return code - _FIRST + 1 if code >= _FIRST else None


def code_of_caller(caller: int) -> int:
    """Callers count from 0."""
    return code_of_turn(caller + 1)


@functools.cache
def pcm24(code: int, seconds: float) -> bytes:
    """PCM16 at 24 kHz."""
    return _sine(code, seconds, 24_000)


@functools.cache
def ulaw(code: int, seconds: float) -> bytes:
    """Mu-law at 8 kHz."""
    return pcm16_to_ulaw(_sine(code, seconds, 8_000))


@functools.cache
def utterance(caller: int, turn: int) -> bytes:
    """What a caller says in a turn, mu-law: who it is and which turn."""
    who, which = code_of_caller(caller), code_of_turn(turn)
    return ulaw(who, PART_SECONDS) + ulaw(which, PART_SECONDS)


def codes_in(samples: Samples, rate: int) -> Iterator[int | None]:
    """The code of each window of 40 ms, None for silence; a rest is left out."""
    size = round(rate * WINDOW_SECONDS)
    for start in range(0, len(samples) - size + 1, size):
        window = samples[start : start + size]
        if np.sqrt(np.mean(window**2)) < LOUD:
            yield None
            continue
        lowest = round(LOWEST_HZ / STEP_HZ)
        spectrum = np.abs(np.fft.rfft(window))
        yield int(np.argmax(spectrum[lowest : lowest + CODES]))


def tones(codes: Iterator[int | None]) -> list[Tone]:
    """Runs of the same code; silence between them is left out."""
    found: list[Tone] = []
    last: int | None = None
    for code in codes:
        if code is not None and code == last:
            found[-1] = Tone(code, found[-1].windows + 1)
        elif code is not None:
            found.append(Tone(code, 1))
        last = code
    return found


def understand(samples: Samples, rate: int) -> tuple[int, int] | None:
    """Caller and turn of an utterance; None when a part of it is missing."""
    whole = [tone for tone in tones(codes_in(samples, rate)) if tone.windows >= SHORTEST]
    match whole:
        case [Tone(who), Tone(which)]:
            pass
        case [Tone(who, windows)] if windows > 2 * SHORTEST:
            which = who
        case _:
            return None
    caller, turn = turn_of(who), turn_of(which)
    return None if caller is None or turn is None else (caller - 1, turn)


def samples_of_ulaw(audio: bytes) -> Samples:
    return np.frombuffer(ulaw_to_pcm16(audio), "<i2").astype(np.float64)


def _sine(code: int, seconds: float, rate: int) -> bytes:
    hertz = LOWEST_HZ + code * STEP_HZ
    wave = 8_000 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return wave.astype("<i2").tobytes()
