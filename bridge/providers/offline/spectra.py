"""
What the spectrum of a moment says about it: how loud, how pitched, how changing, a key?

Rule: pure, PCM16 at 8 kHz. A look sees 40 ms, the frame and the one before it, which is
enough for two periods of a deep voice and tells 60 Hz of hum apart from a pitch.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FRAME_MS", "Look", "Spectra"]

FRAME_MS = 20

_RATE = 8_000  # Hz
_FRAME = _RATE * FRAME_MS // 1000  # samples
_LENGTH = 4 * _FRAME  # of the transform: twice what it sees, for the correlation
_HZ = _RATE / _LENGTH  # of a bin
_BAND = slice(int(200 / _HZ), int(3_500 / _HZ))  # above the mains' hum
_PERIODS = slice(20, 131)  # samples: voices of 400 down to 61 Hz
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, ITU-T Q.23
_KEY_BINS = 3  # on either side
_BALANCE = 0.1  # of the power at least is on each of a key's two frequencies
_NOTHING = 1e-12

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """One frame. All but the level are shares of its power, about 0 to 1."""

    level_db: float
    """Of full scale."""
    pitch: float
    """What repeats with the period of a voice."""
    change: float
    """What was at another frequency 40 ms ago, by the lower of two estimates."""
    key: float
    """What is on the frequencies of one telephone key."""


class Spectra:
    """Looks at frames of 20 ms in their order."""

    def __init__(self) -> None:
        self._before = np.zeros(_FRAME)
        flat = np.full(_BAND.stop - _BAND.start, 1 / (_BAND.stop - _BAND.start))
        self._shapes = deque([flat, flat], maxlen=2)

    def look(self, frame: bytes) -> Look:
        """`frame` is 20 ms of PCM16 at 8 kHz."""
        samples: _Floats = np.frombuffer(frame, "<i2") / 32_768.0
        moment = np.concatenate([self._before, samples]) * _WINDOW
        self._before = samples
        power: _Floats = np.abs(np.fft.rfft(moment, _LENGTH)) ** 2
        total = float(power[_BAND].sum()) + _NOTHING
        shape = power[_BAND] / total
        slow, fast = (float(np.abs(shape - before).sum()) / 2 for before in self._shapes)
        self._shapes.append(shape)
        change = min(slow, 2 * fast)  # where a tone sets in, only the slow one sees a change
        return Look(10 * float(np.log10(total / _FULL_SCALE)), _pitch(power), change, _key(shape))


_WINDOW = np.hanning(2 * _FRAME)
_FULL_SCALE = _LENGTH / 2 * float((_WINDOW**2).sum())
# A window's own correlation falls with the lag; what is left after dividing is the sound's.
_FADING = np.fft.irfft(np.abs(np.fft.rfft(_WINDOW, _LENGTH)) ** 2)[_PERIODS]
_FADING /= float((_WINDOW**2).sum())


def _pitch(power: _Floats) -> float:
    voice = np.zeros_like(power)
    voice[_BAND] = power[_BAND]
    correlation: _Floats = np.fft.irfft(voice)
    repeated = (correlation[_PERIODS] / _FADING).max()
    return float(repeated / (correlation[0] + _NOTHING))


def _bins(frequencies: tuple[int, ...]) -> npt.NDArray[np.int64]:
    centres = np.rint(np.array(frequencies) / _HZ).astype(np.int64) - _BAND.start
    return centres[:, np.newaxis] + np.arange(-_KEY_BINS, _KEY_BINS + 1)


_ROW_BINS, _COLUMN_BINS = _bins(_ROWS), _bins(_COLUMNS)


def _key(shape: _Floats) -> float:
    row = float(shape[_ROW_BINS].sum(axis=1).max())
    column = float(shape[_COLUMN_BINS].sum(axis=1).max())
    return row + column if min(row, column) > _BALANCE else 0.0
