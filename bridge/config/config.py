"""
The settings of the program, read and checked.

Rule: the environment is read once, where the program starts; from then on settings are
arguments. Everything that is wrong is named at once, one line each.
"""

from __future__ import annotations

import difflib
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

from bridge.config.reader import Reader, is_dialable, split
from bridge.config.secret import Secret
from bridge.config.settings import SETTINGS
from bridge.config.sip import SipSettings, read_sip
from bridge.errors import ConfigError

__all__ = [
    "AgentSettings",
    "AudioChoice",
    "Config",
    "GeminiSettings",
    "LogFormat",
    "LogLevel",
    "OpenAISettings",
    "ProviderName",
    "TwilioSettings",
]

MIN_KEY_LENGTH = 16  # characters of a key that encrypts and signs
MIN_TOKEN_LENGTH = 16  # characters of a bearer token; a hint, no error

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_REDIS = re.compile(r"(rediss?|unix|sentinel|redis-sentinel|rediss?\+(sentinel|cluster))://\S+")


class ProviderName(StrEnum):
    """Who runs the model."""

    OPENAI = "openai"
    GEMINI = "gemini"
    OFFLINE = "offline"
    """Nobody: an agent in this process that needs no account."""


class AudioChoice(StrEnum):
    """What the provider is sent."""

    AUTO = "auto"
    """G.711 untouched where the provider speaks it."""
    PCM16 = "pcm16"
    G711 = "g711"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    account_sid: str
    auth_tokens: tuple[Secret, ...]
    """The first signs; each of them verifies."""
    api_base_url: str


@dataclass(frozen=True, slots=True)
class OpenAISettings:
    api_key: Secret | None
    base_url: str


@dataclass(frozen=True, slots=True)
class GeminiSettings:
    api_key: Secret | None
    base_url: str
    """"" means Google's."""
    vertex: bool
    project: str
    location: str


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """The agent without code. None means the provider's default, or no greeting."""

    instructions: str = field(repr=False)
    voice: str | None
    greeting: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked each by itself; `check_serving` checks what they are together."""

    port: int
    workers: int
    redis_url: Secret | None
    twilio: TwilioSettings
    openai: OpenAISettings
    gemini: GeminiSettings
    agent: AgentSettings
    public_url: str
    """An origin without a slash at its end, "" when it is not set."""
    provider: ProviderName
    model: str | None
    audio: AudioChoice
    append_ms: int
    """How much of the caller's audio goes to the provider in one message."""
    fallback_number: str | None = field(repr=False)
    max_calls: int | None
    """None: what the worker can bear is measured."""
    drain_seconds: float
    secret_keys: tuple[Secret, ...]
    """Newest first: the first encrypts and signs, each of them decrypts and verifies."""
    journal_dir: Path | None
    """In which the local journal has its folder; None: there is no journal."""
    admin_token: Secret | None
    insecure: bool
    log_level: LogLevel
    log_format: LogFormat
    sip: SipSettings
    hints: tuple[str, ...] = ()
    """What may be a slip but is no error, one sentence each."""

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Raises ConfigError with one line for everything that is wrong."""
        read = Reader(environ)
        insecure = read.flag("BRIDGE_INSECURE")
        openai = OpenAISettings(read.secret("OPENAI_API_KEY"), read.url("OPENAI_BASE_URL"))
        gemini = _gemini(read)
        sip = read_sip(read)
        config = cls(
            port=read.whole("PORT", 0, 65_535),
            workers=read.whole("WEB_CONCURRENCY", 1, 256),
            redis_url=_redis_url(read),
            twilio=_twilio(read),
            openai=openai,
            gemini=gemini,
            agent=_agent(read),
            public_url=_public_url(read, insecure),
            provider=_provider(read, openai, gemini),
            model=read.text("BRIDGE_MODEL") or None,
            audio=read.word("BRIDGE_AUDIO", AudioChoice),
            append_ms=read.whole("BRIDGE_APPEND_MS", 20, 200),
            fallback_number=_fallback_number(read),
            max_calls=read.optional_whole("BRIDGE_MAX_CALLS", 1, 100_000),
            drain_seconds=read.seconds("BRIDGE_DRAIN_SECONDS"),
            secret_keys=_secret_keys(read),
            journal_dir=_journal_dir(read),
            admin_token=read.secret("BRIDGE_ADMIN_TOKEN"),
            insecure=insecure,
            log_level=read.word("BRIDGE_LOG_LEVEL", LogLevel),
            log_format=read.word("BRIDGE_LOG_FORMAT", LogFormat),
            sip=sip,
            hints=_hints(environ, sip),
        )
        if read.problems:
            raise ConfigError("\n".join(read.problems))
        return config

    @property
    def serves_twilio(self) -> bool:
        """Whether Twilio's webhooks are answered. Where SIP is, they have to be asked for."""
        named = bool(self.twilio.account_sid or self.twilio.auth_tokens)
        return named or not self.sip.listen

    def check_serving(self) -> None:
        """Raises ConfigError, naming everything that carriers' calls still need."""
        sealed = not self.redis_url or self.secret_keys
        unchecked = self.insecure or not self.serves_twilio
        missing = {
            "BRIDGE_PUBLIC_URL: set the https origin under which carriers reach the bridge": not (
                self.public_url or unchecked
            ),
            "TWILIO_ACCOUNT_SID: set the account whose calls are served": not (
                self.twilio.account_sid or unchecked
            ),
            "TWILIO_AUTH_TOKEN: set it, for without it anybody could pose as Twilio "
            "(BRIDGE_INSECURE=1 serves all the same, for development)": not (
                self.twilio.auth_tokens or unchecked
            ),
            "BRIDGE_SECRET_KEY: set it, for what REDIS_URL stores is encrypted "
            "(openssl rand -base64 32 makes one)": not sealed,
            "WEB_CONCURRENCY: more than one worker need REDIS_URL to share their calls": (
                self.workers > 1 and not self.redis_url
            ),
            "WEB_CONCURRENCY: must be 1 with BRIDGE_SIP_LISTEN, for a SIP call stays with the "
            "process that answered it": self.workers > 1 and bool(self.sip.listen),
        }
        if problems := [problem for problem, found in missing.items() if found]:
            raise ConfigError("\n".join(problems))


def _twilio(read: Reader) -> TwilioSettings:
    sid = read.text("TWILIO_ACCOUNT_SID")
    if sid and not sid.startswith("AC"):
        read.complain("TWILIO_ACCOUNT_SID", "must be the account's own SID, which begins with AC")
    tokens = read.secrets("TWILIO_AUTH_TOKEN")
    if len(tokens) > 2:
        read.complain("TWILIO_AUTH_TOKEN", "must be one token, or two while one is being rotated")
    return TwilioSettings(sid, tokens, read.url("TWILIO_API_BASE_URL"))


def _gemini(read: Reader) -> GeminiSettings:
    # Google's own library has this order, too.
    keys = read.secret("GOOGLE_API_KEY"), read.secret("GEMINI_API_KEY")
    gemini = GeminiSettings(
        api_key=keys[0] or keys[1],
        base_url=read.url("GOOGLE_GEMINI_BASE_URL"),
        vertex=read.flag("GOOGLE_GENAI_USE_VERTEXAI"),
        project=read.text("GOOGLE_CLOUD_PROJECT"),
        location=read.text("GOOGLE_CLOUD_LOCATION"),
    )
    if gemini.vertex and not (gemini.project or gemini.api_key):
        read.complain("GOOGLE_CLOUD_PROJECT", "set it, for GOOGLE_GENAI_USE_VERTEXAI needs it")
    return gemini


def _agent(read: Reader) -> AgentSettings:
    return AgentSettings(
        instructions=read.text("BRIDGE_INSTRUCTIONS"),
        voice=read.text("BRIDGE_VOICE") or None,
        greeting=read.text("BRIDGE_GREETING") or None,
    )


def _provider(read: Reader, openai: OpenAISettings, gemini: GeminiSettings) -> ProviderName:
    """The provider that is named, else the first that has what it needs."""
    able = {
        ProviderName.OPENAI: openai.api_key is not None,
        ProviderName.GEMINI: gemini.api_key is not None or gemini.vertex,
        ProviderName.OFFLINE: True,
    }
    named = read.optional_word("BRIDGE_PROVIDER", ProviderName)
    if named is not None and not able[named]:
        key = "OPENAI_API_KEY" if named is ProviderName.OPENAI else "GEMINI_API_KEY"
        read.complain(key, f"set it, for BRIDGE_PROVIDER is {named}")
    return named or next(provider for provider, ready in able.items() if ready)


def _redis_url(read: Reader) -> Secret | None:
    url = read.secret("REDIS_URL")
    if url is not None and not _REDIS.fullmatch(url.reveal()):
        read.complain(
            "REDIS_URL", "must begin with redis://, rediss:// or unix://, and name a host"
        )
    return url


def _public_url(read: Reader, insecure: bool) -> str:
    """An origin; plain http is for this machine and for development."""
    url = read.url("BRIDGE_PUBLIC_URL")
    if not url:
        return ""
    parts = split(url)
    if parts is not None and (parts.path or parts.query or parts.fragment):
        read.complain("BRIDGE_PUBLIC_URL", "must be an origin only, with nothing after the host")
    local = insecure or (parts is not None and parts.hostname in _LOOPBACK)
    if parts is not None and parts.scheme == "http" and not local:
        read.complain("BRIDGE_PUBLIC_URL", "must begin with https://")
    return url


def _fallback_number(read: Reader) -> str | None:
    number = read.text("BRIDGE_FALLBACK_NUMBER")
    if number and not is_dialable(number):
        read.complain("BRIDGE_FALLBACK_NUMBER", "must be like +14155550100, or a sip: URI")
    return number or None


def _secret_keys(read: Reader) -> tuple[Secret, ...]:
    keys = read.secrets("BRIDGE_SECRET_KEY")
    if any(len(key.reveal()) < MIN_KEY_LENGTH for key in keys):
        advice = f"each key needs {MIN_KEY_LENGTH} characters (openssl rand -base64 32 makes one)"
        read.complain("BRIDGE_SECRET_KEY", advice)
    return keys


def _journal_dir(read: Reader) -> Path | None:
    named = read.text("BRIDGE_JOURNAL_DIR")
    if named.lower() == "off":
        return None
    if named and not Path(named).is_absolute():
        read.complain("BRIDGE_JOURNAL_DIR", "must be a path from the root (/), or off")
    return Path(named or tempfile.gettempdir())


def _hints(environ: Mapping[str, str], sip: SipSettings) -> tuple[str, ...]:
    """Settings that nobody reads but almost, and those that are weak."""
    names = [setting.name for setting in SETTINGS]
    unread = sorted(name for name in set(environ).difference(names) if name.startswith("BRIDGE_"))
    near = {name: difflib.get_close_matches(name, names, n=1, cutoff=0.85) for name in unread}
    hints = [f"{name}: is not read; {meant[0]} is" for name, meant in near.items() if meant]
    if environ.get("GOOGLE_API_KEY", "").strip() and environ.get("GEMINI_API_KEY", "").strip():
        hints.append("GEMINI_API_KEY: is not used, because GOOGLE_API_KEY is set")
    if sip.deaf:
        hints.append("BRIDGE_SIP_PEERS: without it and BRIDGE_SIP_ACCOUNTS no SIP call is answered")
    if 0 < len(environ.get("BRIDGE_ADMIN_TOKEN", "").strip()) < MIN_TOKEN_LENGTH:
        hints.append(f"BRIDGE_ADMIN_TOKEN: has less than {MIN_TOKEN_LENGTH} characters")
    return tuple(hints)
