"""
PCM16 between 8, 16 and 24 kHz, in a stream.

Rule: what comes out depends on what went in and never on how it was cut. Therefore the
taps are multiples of 2**-30: with 16-bit samples every sum is exact in float64, and the
order in which a matrix product adds them up cannot be heard.

A linear-phase FIR (a sinc under a Kaiser window) keeps 85 % of the narrower band and has
fallen by more than 70 dB where the rest would fold back into it: for 8 kHz that is 3400 Hz
and 4600 Hz. It holds every sample for the same time, `delay_ms`, which is at most 2 ms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np
import numpy.typing as npt

from bridge.errors import AudioFormatError
from bridge.kernel import KERNEL

__all__ = ["RATES", "Resampler"]

RATES = (8_000, 16_000, 24_000)  # Hz

_REACH = 16  # zero crossings of the sinc on either side: samples at the lower rate
_ATTENUATION_DB = 77.0  # what the window gives over this reach for a 15 % transition
_GRID = 2.0**30  # taps are whole multiples of 1 / _GRID
_LOWEST, _HIGHEST = -32_768.0, 32_767.0

# One row of the matrix product makes this many units, 1 ms. Of 1 .. 80 units this was
# fastest where the caches are cold.
_ROW_UNITS = 8
# Products of many more rows than this wake BLAS's threads, which burn more than they save.
_PIECE_ROWS = 200

_SAMPLE = np.dtype("<i2")


class Resampler:
    """
    PCM16 at `source_rate` in, the same sound at `target_rate` out, `delay_ms` later.

    Audio may be cut anywhere, even within a sample. Nothing is held back but what makes
    no whole output sample yet: 20 ms in gives 20 ms out. What is too loud is clipped.
    Raises AudioFormatError for rates other than two different ones of RATES.
    """

    __slots__ = ("_bank", "_rest")

    def __init__(self, source_rate: int, target_rate: int) -> None:
        if source_rate == target_rate or not {source_rate, target_rate} <= set(RATES):
            raise AudioFormatError(f"no resampling from {source_rate} Hz to {target_rate} Hz")
        self._bank = _bank(source_rate, target_rate)
        self._rest = self._bank.silence

    @property
    def delay_ms(self) -> float:
        """How much later a sound comes out than it went in, in milliseconds."""
        return self._bank.delay_ms

    def feed(self, pcm16: bytes) -> bytes:
        """The samples that these bytes complete."""
        bank = self._bank
        audio = self._rest + pcm16
        units = (len(audio) - len(bank.silence)) // bank.unit_size
        if units <= 0:
            self._rest = audio
            return b""
        self._rest = audio[units * bank.unit_size :]
        return bank.filter(audio, units)

    def flush(self) -> bytes:
        """What is still inside, at least `delay_ms` of it; then everything is forgotten."""
        bank = self._bank
        begun = (len(self._rest) - len(bank.silence)) & ~1  # half a sample is no sound
        size = begun + bank.tail_size
        units = -(-size // bank.unit_size)
        self._rest = self._rest[: len(bank.silence) + begun]
        tail = self.feed(bytes(units * bank.unit_size - begun))
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget what went in: the next sound begins after silence."""
        self._rest = self._bank.silence


@dataclass(frozen=True, slots=True)
class _Bank:
    """
    The filter of one pair of rates, as a matrix.

    A unit is the shortest time with a whole number of samples at both rates. A row of
    input is the samples that the filter looks back to and _ROW_UNITS units; times `taps`
    it is the output of these units. Rows overlap.
    """

    taps: npt.NDArray[np.float64]
    unit_size: int
    """Bytes of input in a unit."""
    unit_made: int
    """Bytes of output in a unit."""
    silence: bytes
    """What the filter looks back to at the start."""
    tail_size: int
    """Bytes of silence that push the last sample out."""
    delay_ms: float
    phases: bytes
    """The same taps as the compiled filter wants them: for one unit, as rows of doubles."""

    def filter(self, audio: bytes, units: int) -> bytes:
        """What so many units become; `audio` begins with what the filter looks back to."""
        if KERNEL is not None:
            down, up = self.unit_size // _SAMPLE.itemsize, self.unit_made // _SAMPLE.itemsize
            made: bytes = KERNEL.fir(audio, units, down, up, self.phases)
            return made
        return self.filter_here(audio, units)

    def filter_here(self, audio: bytes, units: int) -> bytes:
        """The same in Python."""
        rows = -(-units // _ROW_UNITS)
        missing = rows * _ROW_UNITS - units
        if missing:
            audio += bytes(missing * self.unit_size)
        made = b"".join(
            self._apply(audio, first, min(_PIECE_ROWS, rows - first))
            for first in range(0, rows, _PIECE_ROWS)
        )
        return made[: units * self.unit_made]

    def _apply(self, audio: bytes, first: int, rows: int) -> bytes:
        """The output of `rows` rows of `audio`, from row `first` on."""
        step = self.unit_size * _ROW_UNITS
        row_length = self.taps.shape[0]
        overlapping: npt.NDArray[np.int16] = np.ndarray(
            (rows, row_length), _SAMPLE, audio, first * step, (step, _SAMPLE.itemsize)
        )
        samples: npt.NDArray[np.float64] = overlapping.astype(np.float64).dot(self.taps)
        np.rint(samples, out=samples)
        samples.clip(_LOWEST, _HIGHEST, out=samples)
        return samples.astype(_SAMPLE).tobytes()


@cache
def _bank(source_rate: int, target_rate: int) -> _Bank:
    common = gcd(source_rate, target_rate)
    up, down = target_rate // common, source_rate // common
    impulse = _impulse(up, down)

    # In a unit, output sample u is the sum over the inputs i (0 is the unit's first, earlier
    # ones are negative) of sample[i] * impulse[u * down + latest - i * up].
    latest = down - 1
    past = (len(impulse) - 1 - latest) // up
    inputs = np.arange(-past, _ROW_UNITS * down)[:, np.newaxis]
    outputs = np.arange(_ROW_UNITS * up)[np.newaxis, :]
    tap = outputs * down + latest - inputs * up
    known = (tap >= 0) & (tap < len(impulse))
    taps = np.where(known, impulse[np.where(known, tap, 0)], 0.0)

    seen = past + down  # samples of input in the first unit and before
    phases = np.ascontiguousarray(taps[:seen, :up].T)
    delay = (len(impulse) - 1) // 2 - latest  # samples at the rate source_rate * up
    return _Bank(
        taps=np.ascontiguousarray(taps),
        unit_size=down * _SAMPLE.itemsize,
        unit_made=up * _SAMPLE.itemsize,
        silence=bytes(past * _SAMPLE.itemsize),
        tail_size=-(-delay // up) * _SAMPLE.itemsize,
        delay_ms=delay * 1000 / (source_rate * up),
        phases=phases.tobytes(),
    )


def _impulse(up: int, down: int) -> npt.NDArray[np.float64]:
    """
    The low-pass at the rate that both have in common, cut off at the lower one's half.

    Each of its `up` phases adds up to exactly 1, so that a constant stays what it is.
    """
    lower = max(up, down)  # samples of the common rate in one of the lower rate
    reach = _REACH * lower
    time = np.arange(-reach + 1, reach)  # the sinc is 0 at both ends
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)  # Kaiser's formula
    window = np.kaiser(2 * reach + 1, beta)[1:-1]
    impulse = np.sinc(time / lower) * window
    for phase in range(up):
        impulse[phase::up] = _on_grid(impulse[phase::up] / impulse[phase::up].sum())
    return impulse


def _on_grid(taps: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same taps as whole multiples of 1 / _GRID; the largest makes their sum exactly 1."""
    whole = np.rint(taps * _GRID)
    whole[np.argmax(whole)] += _GRID - whole.sum()
    return whole / _GRID
