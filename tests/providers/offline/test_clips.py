from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bridge.audio.formats import ULAW_8K
from bridge.audio.g711 import ulaw_to_pcm16
from bridge.ports import phrases
from bridge.providers.offline import answers, dialogue, script
from bridge.providers.offline.clips import PROMPTS, Clips, recorded
from bridge.providers.offline.dialogue import Dialogue
from bridge.providers.offline.voice import Vocabulary, Voice
from bridge.providers.offline.wording import cardinal
from tests.providers.offline.talks import CLOCK, ENDING, PEOPLE, WEATHER

MAX_SIZE = 1_500_000  # bytes, of a package that people download


def test_a_folder_is_read(tmp_path: Path) -> None:
    """A file is called after its words; other files are nothing to say."""
    (tmp_path / "open-from.ulaw").write_bytes(b"a")
    (tmp_path / "seven.ulaw").write_bytes(b"b")
    (tmp_path / "seven.end.ulaw").write_bytes(b"c")
    (tmp_path / "NOTICE.txt").write_text("no sound")

    clips = Clips.load(tmp_path)

    assert clips.longest(["open", "from", "seven"]) == 2
    assert clips.longest(["open"]) == 0
    assert clips.longest([]) == 0
    assert clips.get(("seven",), ending=False) == b"b"
    assert clips.get(("seven",), ending=True) == b"c"
    assert clips.get(("open", "from"), ending=True) == b"a"


def test_the_recordings_are_small_and_say_where_they_come_from() -> None:
    """The package carries them, with their origin and licence."""
    files = list(PROMPTS.iterdir())

    assert sum(file.stat().st_size for file in files) < MAX_SIZE
    notice = (PROMPTS / "NOTICE.txt").read_text()
    assert "Apache License 2.0" in notice


@pytest.mark.parametrize("file", sorted(PROMPTS.glob("*.ulaw")), ids=lambda file: file.stem)
def test_every_recording_is_speech_of_the_same_loudness(file: Path) -> None:
    """Between 0.2 and 4 seconds, about -19 dB while it speaks, and never clipped."""
    samples = np.frombuffer(ulaw_to_pcm16(file.read_bytes()), "<i2") / 32_768
    windows = samples[: len(samples) // 80 * 80].reshape(-1, 80)
    power = (windows**2).mean(axis=1)
    active = power[power > power.max() / 1000]

    assert 200 <= ULAW_8K.duration_ms(len(samples)) <= 4000
    assert -23 <= 10 * np.log10(active.mean()) <= -17
    assert np.abs(samples).max() < 0.9


def test_everything_the_agent_can_say_by_itself_is_recorded() -> None:
    """No synthesiser is needed for it."""
    voice = Voice(Vocabulary(recorded()), ULAW_8K)
    agent = Dialogue(script.Script(), (CLOCK, WEATHER, CLOCK, WEATHER, ENDING, PEOPLE))
    sayings = [script.GREETING, dialogue.GOODBYE, dialogue.ANYTHING_ELSE, answers.FAILED]
    for keys in ("*", "0", "8", "42#", "7", "7", "9", "55", "#", "*1"):
        agent.told("user", f"The caller pressed {' '.join(keys)}.")
        sayings.append(agent.reply().text)
    wishes = (
        phrases.GO_ON,
        phrases.ASK_AGAIN,
        phrases.STILL_THERE,
        phrases.GOODBYE_SILENCE,
        phrases.GOODBYE_TIME,
        "Cheer them up.",
    )
    sayings += [agent.reply(wish).text for wish in wishes]
    silent = Dialogue(script.Script(goodbye_after=0))
    for seconds in (0.3, 1.0, 2.1, 95.0):
        silent.heard(seconds)
        sayings.append(silent.reply().text)
    sayings += [cardinal(number) for number in range(1100)]
    sayings += ["Yes.", "No.", "Done.", "Nothing."]

    assert {text: voice.missing(text) for text in sayings if voice.missing(text)} == {}
    assert all(sayings)
