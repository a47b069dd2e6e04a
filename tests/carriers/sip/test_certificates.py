"""TLS from the operator's files."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from bridge.carriers.sip.certificates import server_context
from bridge.errors import ConfigError
from tests.fakes.certificate import localhost_pem


def test_without_files_there_is_no_tls() -> None:
    assert server_context(None, None) is None


def test_a_certificate_and_its_key_make_a_server(tmp_path: Path) -> None:
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(localhost_pem())

    assert isinstance(server_context(pem, pem), ssl.SSLContext)


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    """By its setting, not by its content."""
    pem = tmp_path / "localhost.pem"
    pem.write_text("secret")

    with pytest.raises(ConfigError, match="BRIDGE_SIP_TLS_CERT") as refused:
        server_context(pem, pem)

    assert "secret" not in str(refused.value)
