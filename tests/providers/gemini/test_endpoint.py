"""Google's two doors, and that no key shows in a URL or a repr (D32, D34)."""

from __future__ import annotations

import pytest

from bridge.errors import ConfigError, ConnectError
from bridge.providers.gemini.endpoint import DeveloperApi, VertexApi

SERVICE = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent"


async def token() -> str:
    return "a-token"


async def no_token() -> str:
    raise RuntimeError("the secret is s3cret")


async def test_the_key_travels_in_a_header_only() -> None:
    api = DeveloperApi("s3cret")

    assert api.url == (
        "wss://generativelanguage.googleapis.com"
        "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
    )
    assert await api.headers() == {"x-goog-api-key": "s3cret"}
    assert "s3cret" not in repr(api)


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("http://127.0.0.1:8765", "ws://127.0.0.1:8765/ws/"),
        ("https://proxy.example/gemini/", "wss://proxy.example/gemini/ws/"),
        ("ws://127.0.0.1:8765/", "ws://127.0.0.1:8765/ws/"),
        ("wss://[::1]:8765", "wss://[::1]:8765/ws/"),
    ],
)
def test_http_becomes_ws(base_url: str, expected: str) -> None:
    assert DeveloperApi("key", base_url).url.startswith(expected)


@pytest.mark.parametrize("base_url", ["proxy.example", "ftp://proxy.example", "https://", ""])
def test_a_base_url_that_is_none_is_a_wrong_setting(base_url: str) -> None:
    with pytest.raises(ConfigError):
        _ = DeveloperApi("key", base_url).url


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
async def test_every_location_has_its_host(location: str, host: str) -> None:
    api = VertexApi("my-project", location, token)

    assert api.url == f"wss://{host}{SERVICE}"
    assert await api.headers() == {"Authorization": "Bearer a-token"}


@pytest.mark.parametrize(
    ("model", "resource"),
    [
        ("gemini-3.8-live", "projects/p/locations/global/publishers/google/models/gemini-3.8-live"),
        ("publishers/google/models/m", "projects/p/locations/global/publishers/google/models/m"),
        ("projects/q/locations/eu/endpoints/7", "projects/q/locations/eu/endpoints/7"),
    ],
)
def test_vertex_wants_the_models_full_name(model: str, resource: str) -> None:
    assert VertexApi("p", "global", token).resource(model) == resource


@pytest.mark.parametrize(
    ("model", "resource"),
    [("gemini-3.8-live", "models/gemini-3.8-live"), ("tunedModels/m", "tunedModels/m")],
)
def test_the_developer_api_wants_a_short_one(model: str, resource: str) -> None:
    assert DeveloperApi("key").resource(model) == resource


async def test_credentials_that_fail_are_told_without_their_words() -> None:
    with pytest.raises(ConnectError) as caught:
        await VertexApi("p", "global", no_token).headers()

    assert caught.value.retryable
    assert "s3cret" not in str(caught.value)
