"""A call over a bad line: what the caller says still reaches the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bridge.audio.g711 import pcm16_to_ulaw
from bridge.ports.server_events import SpeechStarted
from tests.fakes.bad_line import bad_line
from tests.fakes.baresip import baresip
from tests.fakes.sipp import HOST
from tests.journeys import sound
from tests.journeys.sip.stage import Bakery, on_sip_stage
from tests.journeys.stage import speech, until

RATE = 8000
FRAME = 160
TONES = (450, 1_350, 650, 1_750, 850, 2_250, 1_050, 2_750)  # hertz, no two alike
TONE_SECONDS = 0.3
LOSS = 0.2
JITTER = 0.06  # seconds


def melody() -> bytes:
    """The tones one after the other, mu-law."""
    times = np.arange(round(TONE_SECONDS * RATE)) / RATE
    sounds = [6_000 * np.sin(2 * np.pi * hertz * times) for hertz in TONES]
    return pcm16_to_ulaw(np.concatenate(sounds).astype("<i2").tobytes())


def tones_heard(ulaw: bytes) -> dict[int, float]:
    """How many seconds of each tone there are."""
    said = sound.samples_of_ulaw(ulaw)
    frames = said[: len(said) // FRAME * FRAME].reshape(-1, FRAME)
    loud = frames[np.abs(frames).mean(axis=1) > 500]
    spectra = np.abs(np.fft.rfft(loud * np.hanning(FRAME), n=8 * FRAME, axis=1))
    highest = spectra.argmax(axis=1) * RATE / (8 * FRAME)
    return {hertz: 0.02 * int(np.count_nonzero(np.abs(highest - hertz) < 40)) for hertz in TONES}


async def test_a_fifth_is_lost_and_the_rest_is_late(tmp_path: Path) -> None:
    """
    Of every tone, most is heard; what is missing is made up, and so nothing is shorter. The
    model hears that somebody speaks, and the telephone still hangs up.
    """
    bakery, said = Bakery(), speech("yes")[:8_000] + melody()
    async with (
        on_sip_stage(bakery) as stage,
        bad_line(stage.port, loss=LOSS, jitter=JITTER) as line,
        baresip(tmp_path, says=said) as phone,
    ):
        phone.dials(f"sip:agent@{HOST}:{line.port}")
        await until(lambda: len(stage.fed) > len(said) + 6_000)
        fed = stage.fed
        phone.hangs_up()
        await until(lambda: bakery.endings)
        concealed = await stage.metric("bridge_rtp_mended_seconds_total", 'how="concealed"')
        lost = await stage.metric("bridge_rtp_packets_total", 'outcome="lost"')

    heard = tones_heard(fed)
    share = sum(min(each, TONE_SECONDS) for each in heard.values()) / (TONE_SECONDS * len(TONES))
    seconds = len(fed) / RATE
    print(
        f"bad line: {line.lost} lost, {line.late} out of order of {line.passed}; "
        f"{lost:.0f} missed, {concealed / seconds:.0%} made up, {share:.0%} of the tones heard"
    )
    assert min(heard.values()) >= TONE_SECONDS / 2
    assert share > 0.8
    assert 0 < concealed < 0.4 * seconds
    assert any(isinstance(event, SpeechStarted) for _, event in stage.bridge.told)
    assert bakery.endings == ["caller: hangup"]
