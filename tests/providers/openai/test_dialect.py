"""Vendors of one protocol differ in address and key."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError
from bridge.providers.openai import AZURE, OPENAI, Dialect, OpenAIRealtimeModel


@pytest.mark.parametrize(
    ("dialect", "base_url", "url"),
    [
        (OPENAI, None, "wss://api.openai.com/v1/realtime?model=m"),
        (OPENAI, "http://localhost:9/v1", "ws://localhost:9/v1/realtime?model=m"),
        (OPENAI, "https://host/v1/", "wss://host/v1/realtime?model=m"),
        (OPENAI, "ws://host/v1/realtime", "ws://host/v1/realtime?model=m"),
        (OPENAI, "https://host/v1?team=a%20b", "wss://host/v1/realtime?team=a+b&model=m"),
        (
            AZURE,
            "https://us.openai.azure.com",
            "wss://us.openai.azure.com/openai/v1/realtime?model=m",
        ),
        (
            AZURE,
            "https://us.openai.azure.com/openai/v1/",
            "wss://us.openai.azure.com/openai/v1/realtime?model=m",
        ),
    ],
)
def test_urls(dialect: Dialect, base_url: str | None, url: str) -> None:
    """http becomes ws, what the base already says is not said twice, a query stays."""
    assert dialect.url(base_url, "m") == url


def test_a_model_s_name_is_escaped() -> None:
    """Deployments may be called anything."""
    assert OPENAI.url("http://h", "my model&x=1") == "ws://h/realtime?model=my+model%26x%3D1"


def test_azure_has_an_address_for_each_customer() -> None:
    """Without one there is nobody to call."""
    with pytest.raises(ConfigError):
        OpenAIRealtimeModel("key", "deployment", dialect=AZURE)


def test_keys_are_shown_as_each_vendor_wants() -> None:
    """A bearer token, or a header of Azure's own."""
    assert OPENAI.headers("k") == {"Authorization": "Bearer k"}
    assert AZURE.headers("k") == {"api-key": "k"}


def test_a_model_does_not_print_its_key() -> None:
    """Nor its headers, nor its URL."""
    model = OpenAIRealtimeModel("sk-secret", "m", base_url="https://user:pw@host/v1?token=t")

    assert repr(model) == "OpenAIRealtimeModel('m', dialect='openai')"


def test_what_a_model_can_do() -> None:
    """A new session may take over before the old one goes; tool answers need a response."""
    model = OpenAIRealtimeModel("k")

    assert (model.provider, model.model_id) == ("openai", "gpt-realtime")
    assert model.overlaps_sessions
    assert not model.responds_to_tools
    assert "marin" in model.available_voices
    assert [each.sample_rate for each in model.supported_input_formats] == [24_000, 8_000, 8_000]
