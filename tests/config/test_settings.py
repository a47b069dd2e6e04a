from __future__ import annotations

from bridge.config.settings import SETTINGS

PROMISED = {
    *("PORT", "WEB_CONCURRENCY", "REDIS_URL"),
    *("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_API_BASE_URL"),
    *("OPENAI_API_KEY", "OPENAI_BASE_URL"),
    *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"),
    *("BRIDGE_PUBLIC_URL", "BRIDGE_PROVIDER", "BRIDGE_MODEL", "BRIDGE_VOICE"),
    *("BRIDGE_INSTRUCTIONS", "BRIDGE_GREETING", "BRIDGE_AUDIO", "BRIDGE_FALLBACK_NUMBER"),
    *("BRIDGE_MAX_CALLS", "BRIDGE_DRAIN_SECONDS", "BRIDGE_SECRET_KEY", "BRIDGE_ADMIN_TOKEN"),
    "BRIDGE_INSECURE",
}


def test_names_that_users_rely_on() -> None:
    """These are in scripts and deployments, and stay as they are."""
    assert {setting.name for setting in SETTINGS} >= PROMISED


def test_every_setting_is_explained_once() -> None:
    """A row has a name of its own and says what it means."""
    names = [setting.name for setting in SETTINGS]

    assert len(names) == len(set(names))
    assert all(setting.meaning for setting in SETTINGS)
    assert not any(setting.default and setting.otherwise for setting in SETTINGS)
