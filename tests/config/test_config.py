from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.config import AudioChoice, Config, LogFormat, LogLevel, ProviderName, Secret
from bridge.config.settings import SETTINGS
from bridge.errors import ConfigError

KEY = "x" * 16

SERVING = {
    "BRIDGE_PUBLIC_URL": "https://bridge.example.com",
    "TWILIO_ACCOUNT_SID": "AC123",
    "TWILIO_AUTH_TOKEN": "token",
}


class Watched(Mapping[str, str]):
    """An environment that remembers what was looked for."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def problems(environ: Mapping[str, str]) -> list[str]:
    """The lines of the ConfigError that this environment raises."""
    with pytest.raises(ConfigError) as raised:
        Config.from_environ(environ)
    return str(raised.value).splitlines()


def missing(environ: Mapping[str, str]) -> list[str]:
    """The names that serving complains of in this environment."""
    try:
        Config.from_environ(environ).check_serving()
    except ConfigError as exc:
        return [line.split(":")[0] for line in str(exc).splitlines()]
    return []


def test_the_table_is_what_is_read() -> None:
    """Every setting of the reference is read, and nothing is read that it does not have."""
    environ = Watched()

    Config.from_environ(environ)

    assert environ.asked == {setting.name for setting in SETTINGS}


def test_defaults() -> None:
    """Without any setting there is an offline agent in one worker on port 8080."""
    config = Config.from_environ({})

    assert (config.port, config.workers, config.redis_url) == (8080, 1, None)
    assert (config.provider, config.model, config.audio) == ("offline", None, "auto")
    assert config.append_ms == 20
    assert config.twilio.api_base_url == "https://api.twilio.com"
    assert config.openai.base_url == "https://api.openai.com/v1"
    assert config.gemini.base_url == ""
    assert (config.fallback_number, config.max_calls, config.drain_seconds) == (None, None, 20.0)
    assert (config.secret_keys, config.admin_token, config.insecure) == ((), None, False)
    assert (config.log_level, config.log_format) == (LogLevel.INFO, LogFormat.TEXT)
    assert config.journal_dir == Path(tempfile.gettempdir())
    assert config.hints == ()


def test_where_the_journal_is() -> None:
    """Nowhere, if somebody says so; never below whatever directory we are started in."""
    assert Config.from_environ({"BRIDGE_JOURNAL_DIR": "Off"}).journal_dir is None
    [problem] = problems({"BRIDGE_JOURNAL_DIR": "journal"})
    assert problem.startswith("BRIDGE_JOURNAL_DIR: must be a path")


def test_everything_set() -> None:
    """Every setting arrives where it belongs."""
    config = Config.from_environ(
        {
            "PORT": "9000",
            "WEB_CONCURRENCY": "3",
            "REDIS_URL": "rediss://user:pass@redis.example.com:6379/0",
            "TWILIO_ACCOUNT_SID": "AC123",
            "TWILIO_AUTH_TOKEN": "new, old",
            "TWILIO_API_BASE_URL": "http://127.0.0.1:4010/",
            "OPENAI_API_KEY": "openai-key",
            "OPENAI_BASE_URL": "https://mine.openai.azure.com/openai/v1/",
            "GEMINI_API_KEY": "gemini-key",
            "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:4011",
            "GOOGLE_GENAI_USE_VERTEXAI": "True",
            "GOOGLE_CLOUD_PROJECT": "project",
            "GOOGLE_CLOUD_LOCATION": "europe-west1",
            "BRIDGE_PUBLIC_URL": "https://bridge.example.com/",
            "BRIDGE_PROVIDER": "Gemini",
            "BRIDGE_MODEL": "model",
            "BRIDGE_VOICE": "voice",
            "BRIDGE_INSTRUCTIONS": "You help.",
            "BRIDGE_GREETING": "Hello!",
            "BRIDGE_AUDIO": "g711",
            "BRIDGE_APPEND_MS": "40",
            "BRIDGE_FALLBACK_NUMBER": "+14155550100",
            "BRIDGE_MAX_CALLS": "7",
            "BRIDGE_DRAIN_SECONDS": "2.5",
            "BRIDGE_SECRET_KEY": f"{KEY}1,{KEY}2,{KEY}3",
            "BRIDGE_JOURNAL_DIR": "/dev/shm",
            "BRIDGE_ADMIN_TOKEN": "operator-and-nobody-else",
            "BRIDGE_INSECURE": "yes",
            "BRIDGE_LOG_LEVEL": "debug",
            "BRIDGE_LOG_FORMAT": "JSON",
        }
    )

    assert (config.port, config.workers) == (9000, 3)
    assert config.redis_url == Secret("rediss://user:pass@redis.example.com:6379/0")
    assert config.journal_dir == Path("/dev/shm")
    assert config.twilio.account_sid == "AC123"
    assert config.twilio.auth_tokens == (Secret("new"), Secret("old"))
    assert config.twilio.api_base_url == "http://127.0.0.1:4010"
    assert config.openai.api_key == Secret("openai-key")
    assert config.openai.base_url == "https://mine.openai.azure.com/openai/v1"
    assert config.gemini.api_key == Secret("gemini-key")
    assert config.gemini.base_url == "http://127.0.0.1:4011"
    assert config.gemini.vertex
    assert (config.gemini.project, config.gemini.location) == ("project", "europe-west1")
    assert config.public_url == "https://bridge.example.com"
    assert (config.provider, config.model) == (ProviderName.GEMINI, "model")
    assert (config.agent.voice, config.agent.instructions) == ("voice", "You help.")
    assert config.agent.greeting == "Hello!"
    assert config.audio is AudioChoice.G711
    assert config.append_ms == 40
    assert config.fallback_number == "+14155550100"
    assert (config.max_calls, config.drain_seconds) == (7, 2.5)
    assert config.secret_keys == (Secret(f"{KEY}1"), Secret(f"{KEY}2"), Secret(f"{KEY}3"))
    assert config.admin_token == Secret("operator-and-nobody-else")
    assert config.insecure
    assert (config.log_level, config.log_format) == (LogLevel.DEBUG, LogFormat.JSON)
    assert config.hints == ()
    config.check_serving()


def test_empty_settings_count_as_none() -> None:
    """`NAME=` in a .env file is as good as no line."""
    assert Config.from_environ({setting.name: " " for setting in SETTINGS}) == (
        Config.from_environ({})
    )


@pytest.mark.parametrize(
    ("environ", "provider"),
    [
        ({}, "offline"),
        ({"GEMINI_API_KEY": "g"}, "gemini"),
        ({"GOOGLE_API_KEY": "g"}, "gemini"),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "1", "GOOGLE_CLOUD_PROJECT": "p"}, "gemini"),
        ({"OPENAI_API_KEY": "o", "GEMINI_API_KEY": "g"}, "openai"),
        ({"OPENAI_API_KEY": "o", "GEMINI_API_KEY": "g", "BRIDGE_PROVIDER": "gemini"}, "gemini"),
        ({"OPENAI_API_KEY": "o", "BRIDGE_PROVIDER": "offline"}, "offline"),
    ],
)
def test_the_provider(environ: dict[str, str], provider: str) -> None:
    """The one that is named, else OpenAI if its key is set, else Gemini, else nobody."""
    assert Config.from_environ(environ).provider == provider


def test_two_keys_of_google() -> None:
    """As in Google's own library GOOGLE_API_KEY goes first, and a hint says so."""
    config = Config.from_environ({"GOOGLE_API_KEY": "first", "GEMINI_API_KEY": "second"})

    assert config.gemini.api_key == Secret("first")
    assert config.hints == ("GEMINI_API_KEY: is not used, because GOOGLE_API_KEY is set",)


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("PORT", "http", "a whole number from 0 to 65535"),
        ("PORT", "65536", "a whole number from 0 to 65535"),
        ("PORT", "-1", "a whole number from 0 to 65535"),
        ("WEB_CONCURRENCY", "0", "a whole number from 1 to 256"),
        ("BRIDGE_MAX_CALLS", "1e3", "a whole number from 1"),
        ("BRIDGE_DRAIN_SECONDS", "-1", "seconds, 0 or more"),
        ("BRIDGE_DRAIN_SECONDS", "nan", "seconds, 0 or more"),
        ("BRIDGE_DRAIN_SECONDS", "inf", "seconds, 0 or more"),
        ("REDIS_URL", "http://redis.example.com", "must begin with redis://"),
        ("REDIS_URL", "redis.example.com:6379", "must begin with redis://"),
        ("TWILIO_ACCOUNT_SID", "SK123", "begins with AC"),
        ("TWILIO_AUTH_TOKEN", "one,two,three", "one token, or two"),
        ("TWILIO_AUTH_TOKEN", "one,,two", "separated by single commas"),
        ("TWILIO_API_BASE_URL", "api.twilio.com", "must be a URL"),
        ("OPENAI_API_KEY", "two words", "copy it again"),
        ("OPENAI_BASE_URL", "ftp://api.example.com", "must be a URL"),
        ("OPENAI_BASE_URL", "https://api.example.com:port", "must be a URL"),
        ("GOOGLE_GEMINI_BASE_URL", "https://user:pass@example.com", "must be a URL"),
        ("GOOGLE_GENAI_USE_VERTEXAI", "perhaps", "must be 1 or 0"),
        ("BRIDGE_PUBLIC_URL", "bridge.example.com", "must be a URL"),
        ("BRIDGE_PUBLIC_URL", "http://bridge.example.com", "must begin with https://"),
        ("BRIDGE_PUBLIC_URL", "https://bridge.example.com/twilio", "must be an origin only"),
        ("BRIDGE_PUBLIC_URL", "https://bridge.example.com?a=b", "must be an origin only"),
        ("BRIDGE_PROVIDER", "azure", "one of openai, gemini, offline"),
        ("BRIDGE_AUDIO", "opus", "one of auto, pcm16, g711"),
        ("BRIDGE_APPEND_MS", "10", "a whole number from 20 to 200"),
        ("BRIDGE_FALLBACK_NUMBER", "0800 123", "must be like +14155550100, or a sip: URI"),
        ("BRIDGE_SECRET_KEY", "short", "16 characters"),
        ("BRIDGE_SECRET_KEY", f"{KEY},short", "16 characters"),
        ("BRIDGE_ADMIN_TOKEN", "two words", "copy it again"),
        ("BRIDGE_INSECURE", "maybe", "must be 1 or 0"),
        ("BRIDGE_LOG_LEVEL", "loud", "one of DEBUG, INFO"),
        ("BRIDGE_LOG_FORMAT", "xml", "one of text, json"),
    ],
)
def test_what_is_wrong(name: str, value: str, advice: str) -> None:
    """One line names the setting and what it must be, and does not repeat what it is."""
    [line] = problems({name: value})

    assert line.startswith(f"{name}: ")
    assert advice in line
    assert value not in line


@pytest.mark.parametrize(
    ("environ", "key"),
    [
        ({"BRIDGE_PROVIDER": "openai"}, "OPENAI_API_KEY"),
        ({"BRIDGE_PROVIDER": "gemini", "OPENAI_API_KEY": "o"}, "GEMINI_API_KEY"),
        ({"GOOGLE_GENAI_USE_VERTEXAI": "1"}, "GOOGLE_CLOUD_PROJECT"),
    ],
)
def test_what_a_provider_needs(environ: dict[str, str], key: str) -> None:
    """Who names a provider is told what it needs."""
    [line] = problems(environ)

    assert line.startswith(f"{key}: set it")


def test_everything_wrong_at_once() -> None:
    """All that is wrong is named in one go, one line each."""
    lines = problems({"PORT": "x", "BRIDGE_AUDIO": "x", "REDIS_URL": "x", "BRIDGE_PROVIDER": "x"})

    assert [line.split(":")[0] for line in lines] == [
        "PORT",
        "REDIS_URL",
        "BRIDGE_PROVIDER",
        "BRIDGE_AUDIO",
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("redis://h", "rediss://:p@h:6380/1", "unix:///run/redis.sock?db=1"),
        *("redis+sentinel://a:26379,b:26379/mymaster/0", "redis+cluster://a:7000,b:7001"),
        *("sentinel://a:26379/mymaster", "rediss+sentinel://a/m"),
    ],
)
def test_redis_urls(url: str) -> None:
    """Single servers, sockets, Sentinel and Cluster."""
    assert Config.from_environ({"REDIS_URL": url}).redis_url == Secret(url)


@pytest.mark.parametrize(
    "environ",
    [
        {"BRIDGE_PUBLIC_URL": "http://localhost:8080"},
        {"BRIDGE_PUBLIC_URL": "http://127.0.0.1:8080"},
        {"BRIDGE_PUBLIC_URL": "http://[::1]:8080"},
        {"BRIDGE_PUBLIC_URL": "http://bridge:8080", "BRIDGE_INSECURE": "1"},
    ],
)
def test_plain_http(environ: dict[str, str]) -> None:
    """Without TLS a bridge is for this machine or for development."""
    assert Config.from_environ(environ).public_url == environ["BRIDGE_PUBLIC_URL"]


def test_serving() -> None:
    """With an account, its token and a public URL calls can be served."""
    assert missing(SERVING) == []


@pytest.mark.parametrize("name", SERVING)
def test_serving_needs(name: str) -> None:
    """Each of them is missed, unless it is served insecurely."""
    without = {key: value for key, value in SERVING.items() if key != name}

    assert missing(without) == [name]
    assert missing(without | {"BRIDGE_INSECURE": "1"}) == []


def test_serving_with_redis() -> None:
    """What leaves the process is encrypted, whether it is served insecurely or not."""
    stored = SERVING | {"REDIS_URL": "redis://h", "BRIDGE_INSECURE": "1"}

    assert missing(stored) == ["BRIDGE_SECRET_KEY"]
    assert missing(stored | {"BRIDGE_SECRET_KEY": KEY}) == []


def test_serving_with_several_workers() -> None:
    """Several workers must share what they know."""
    several = SERVING | {"WEB_CONCURRENCY": "2"}

    assert missing(several) == ["WEB_CONCURRENCY"]
    assert missing(several | {"REDIS_URL": "redis://h", "BRIDGE_SECRET_KEY": KEY}) == []
    with pytest.raises(ConfigError, match="WEB_CONCURRENCY"):
        replace(Config.from_environ(SERVING), workers=2).check_serving()


def test_everything_that_serving_needs_at_once() -> None:
    """An empty environment learns all that it lacks."""
    assert missing({"REDIS_URL": "redis://h"}) == [*SERVING, "BRIDGE_SECRET_KEY"]


def test_hints() -> None:
    """A slip in a name and a weak token are no errors, but worth a word."""
    environ = {
        "BRIDGE_FALBACK_NUMBER": "+14155550100",
        "BRIDGE_SERVICE_HOST": "10.0.0.1",
        "BRIDGE_ADMIN_TOKEN": "short",
    }

    assert Config.from_environ(environ).hints == (
        "BRIDGE_FALBACK_NUMBER: is not read; BRIDGE_FALLBACK_NUMBER is",
        "BRIDGE_ADMIN_TOKEN: has less than 16 characters",
    )


def test_secrets_do_not_print_themselves() -> None:
    """A configuration in a log shows no key, no token, no password and no number."""
    names = ["OPENAI_API_KEY", "GEMINI_API_KEY", "TWILIO_AUTH_TOKEN", "BRIDGE_ADMIN_TOKEN"]
    environ = dict.fromkeys(names, "hunter2-hunter2-hunter2")
    environ["BRIDGE_SECRET_KEY"] = "hunter2-hunter2-hunter2"
    environ["REDIS_URL"] = "redis://:hunter2@h"
    environ["BRIDGE_FALLBACK_NUMBER"] = "+14155550100"

    shown = f"{Config.from_environ(environ)!r} {Config.from_environ(environ)}"

    assert "hunter2" not in shown
    assert "+1415" not in shown
