"""Tokens for Vertex AI, as Google's own library finds them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bridge.errors import AuthError
from bridge.wiring.google import credentials

WHERE = "GOOGLE_APPLICATION_CREDENTIALS"


async def test_a_service_account_gets_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for off the event loop, from the account's own token server."""
    asked: list[str] = []

    async def token(request: web.Request) -> web.Response:
        asked.append((await request.post())["grant_type"])  # type: ignore[arg-type]
        return web.json_response({"access_token": "a-token", "expires_in": 3600})

    app = web.Application()
    app.router.add_post("/token", token)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
        monkeypatch.setenv(WHERE, str(_account(tmp_path, url)))

        assert await credentials()() == "a-token"
    finally:
        await runner.cleanup()
    assert asked == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]


async def test_who_has_no_credentials_is_told_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is the operator's, and repeats nothing."""
    monkeypatch.setenv(WHERE, str(tmp_path / "nowhere.json"))

    with pytest.raises(AuthError) as refused:
        await credentials()()

    assert "nowhere" not in str(refused.value)


def _account(folder: Path, token_url: str) -> Path:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "bakery",
        "private_key_id": "1",
        "private_key": pem.decode(),
        "client_email": "bridge@bakery.example",
        "token_uri": token_url,
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account))
    return path
