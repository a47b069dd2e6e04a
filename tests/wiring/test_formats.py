"""Which format the model is spoken to in."""

from __future__ import annotations

import pytest

from bridge.audio.formats import PCM16_24K, ULAW_8K, AudioEncoding
from bridge.errors import ConfigError
from bridge.ports.session import RealtimeConfig
from bridge.providers.gemini.model import GeminiLiveModel
from bridge.providers.openai.model import OpenAIRealtimeModel
from bridge.wiring.formats import AudioPath, negotiate
from tests.fakes.model import FakeModel

OPENAI = OpenAIRealtimeModel("key")
GEMINI = GeminiLiveModel("key")


@pytest.mark.parametrize("wish", ["auto", "g711"])
def test_what_the_carrier_speaks_passes_untouched_where_it_can(wish: str) -> None:
    assert negotiate(OPENAI, ULAW_8K, wish) == AudioPath(ULAW_8K, ULAW_8K, ULAW_8K)


def test_pcm16_can_be_wished_for() -> None:
    assert negotiate(OPENAI, ULAW_8K, "pcm16") == AudioPath(ULAW_8K, PCM16_24K, PCM16_24K)


def test_each_direction_has_its_own_rate() -> None:
    path = negotiate(GEMINI, ULAW_8K, "auto")

    assert (path.model_in.sample_rate, path.model_out.sample_rate) == (16_000, 24_000)


def test_g711_that_is_not_to_be_had_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigError, match="BRIDGE_AUDIO"):
        negotiate(GEMINI, ULAW_8K, "g711")


@pytest.mark.parametrize(("append_ms", "gathered"), [(20, 0), (40, 40)])
def test_longer_appends_are_gathered(append_ms: int, gathered: int) -> None:
    """What the carrier sends at once needs no gathering."""
    path = negotiate(OPENAI, ULAW_8K, "auto", append_ms)

    assert path == AudioPath(ULAW_8K, ULAW_8K, ULAW_8K, gathered)


def test_a_model_without_any_usable_format_cannot_be_called() -> None:
    model = FakeModel()
    model.supported_input_formats = ()
    with pytest.raises(ConfigError):
        negotiate(model, ULAW_8K, "auto")


def test_the_session_is_asked_for_the_formats() -> None:
    path = AudioPath(ULAW_8K, PCM16_24K, ULAW_8K)
    config = path.configure(RealtimeConfig(voice="marin"))

    assert config.input_audio_format is AudioEncoding.PCM16
    assert config.output_audio_format is AudioEncoding.G711_ULAW
    assert config.voice == "marin"
