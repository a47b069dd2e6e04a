"""What a worker brings along before it can answer: every library keeps it from its calls."""

from __future__ import annotations

import subprocess
import sys

import pytest

SELDOM = {
    "aiohttp",  # Twilio's REST API, for calls that were lost, and the doctor
    "jsonschema",  # tools whose schema somebody wrote by hand
    "redis",  # where REDIS_URL says so
    "google",  # Vertex AI
    "openai",
    "scipy",
    "bridge.providers.openai",  # the provider that the settings name, and no other
    "bridge.providers.gemini",
    "bridge.store.redis.store",
    "bridge.simulator",
    "bridge.bench",
    "bridge.cli.doctor",
    "bridge.cli.demo",
}
"""Each of them would cost some tenths of a second on one core."""


@pytest.mark.parametrize("module", ["bridge.cli.serve", "bridge.cli.main"])
def test_what_is_seldom_needed_is_imported_when_it_is(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    imported = set(done.stdout.decode().split())

    assert module in imported
    assert sorted(SELDOM & imported) == []


def test_what_the_package_offers_is_there_all_the_same() -> None:
    """And what it does not offer is not."""
    program = (
        "import bridge; print(*(getattr(bridge, name).__name__ for name in "
        "('GeminiLiveModel', 'OfflineModel', 'OpenAIRealtimeModel')), hasattr(bridge, 'Other'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert done.stdout.split() == [
        b"GeminiLiveModel",
        b"OfflineModel",
        b"OpenAIRealtimeModel",
        b"False",
    ]
