"""
The table of all settings: what the program reads, what the reference prints.

Rule: a default is written down here and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SETTINGS", "Setting"]

_INSTRUCTIONS = (
    "You are a helpful assistant on the telephone. Speak the caller's language, and answer "
    "in one or two short sentences."
)


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the reference. `default` is what could be written in its place."""

    name: str
    meaning: str
    default: str = ""
    otherwise: str = ""
    """What it means to leave it out, where `default` cannot say it."""


_P = "provider's own"
SETTINGS = (
    Setting("PORT", "port to listen on; 0 takes any that is free", "8080"),
    Setting("WEB_CONCURRENCY", "worker processes; more than one need REDIS_URL", "1"),
    Setting(
        "REDIS_URL",
        "where calls are remembered: redis://, rediss://, unix://, Sentinel and Cluster URLs",
        otherwise="in the memory of the process, one worker only",
    ),
    Setting("TWILIO_ACCOUNT_SID", "account at Twilio, AC…", otherwise="Twilio is not served"),
    Setting(
        "TWILIO_AUTH_TOKEN",
        "its auth token; while it is being rotated two, separated by a comma",
        otherwise="serving is refused, unless BRIDGE_INSECURE=1",
    ),
    Setting("TWILIO_API_BASE_URL", "origin of Twilio's REST API", "https://api.twilio.com"),
    Setting("OPENAI_API_KEY", "key of OpenAI, or of one who speaks its protocol"),
    Setting("OPENAI_BASE_URL", "its API", "https://api.openai.com/v1"),
    Setting("GOOGLE_API_KEY", "key of the Gemini API; goes before GEMINI_API_KEY"),
    Setting("GEMINI_API_KEY", "key of the Gemini API"),
    Setting("GOOGLE_GEMINI_BASE_URL", "its API", otherwise=_P),
    Setting("GOOGLE_GENAI_USE_VERTEXAI", "1: Gemini by way of Vertex AI", "0"),
    Setting("GOOGLE_CLOUD_PROJECT", "project at Google Cloud, for Vertex AI"),
    Setting("GOOGLE_CLOUD_LOCATION", "its region, for Vertex AI", "global"),
    Setting(
        "BRIDGE_PUBLIC_URL",
        "https origin under which carriers reach the bridge; URLs and signatures are made from it",
        otherwise="serving is refused, unless BRIDGE_INSECURE=1",
    ),
    Setting(
        "BRIDGE_PROVIDER",
        "openai, gemini or offline",
        otherwise="openai if its key is set, else gemini if its key is set, else offline",
    ),
    Setting("BRIDGE_MODEL", "model", otherwise=_P),
    Setting("BRIDGE_VOICE", "voice", otherwise=_P),
    Setting("BRIDGE_INSTRUCTIONS", "what the agent is told to be", _INSTRUCTIONS),
    Setting(
        "BRIDGE_GREETING", "what the agent says first", otherwise="it waits for the caller to speak"
    ),
    Setting("BRIDGE_AUDIO", "what the provider is sent: auto, pcm16 or g711", "auto"),
    Setting(
        "BRIDGE_APPEND_MS",
        "milliseconds of the caller's audio in each message to the provider, 20 to 200; longer "
        "ones cost less and come later",
        "20",
    ),
    Setting(
        "BRIDGE_FALLBACK_NUMBER",
        "whom callers are transferred to when the agent cannot go on: E.164 or sip: URI",
        otherwise="an apology and goodbye",
    ),
    Setting(
        "BRIDGE_MAX_CALLS",
        "calls that one worker carries at once; the next is refused in words",
        otherwise="measured: as many as leave the event loop on time and a fifth of its core idle",
    ),
    Setting("BRIDGE_DRAIN_SECONDS", "how long a stopping worker waits for its calls to end", "20"),
    Setting(
        "BRIDGE_SECRET_KEY",
        "keys that encrypt and sign what is stored, newest first, separated by commas",
        otherwise="made for the run; with REDIS_URL serving is refused",
    ),
    Setting(
        "BRIDGE_JOURNAL_DIR",
        "where the workers of a machine keep what they know of their calls, for when Redis is "
        "gone; off: nowhere",
        otherwise="with REDIS_URL the system's directory for temporary files",
    ),
    Setting(
        "BRIDGE_ADMIN_TOKEN",
        "bearer token of the operator's API",
        otherwise="it is closed to everybody",
    ),
    Setting("BRIDGE_INSECURE", "1: serve without checking signatures, for development", "0"),
    Setting(
        "BRIDGE_SIP_LISTEN",
        "where SIP is answered: udp://0.0.0.0:5060, tcp://… and tls://…, separated by commas",
        otherwise="SIP is off",
    ),
    Setting(
        "BRIDGE_SIP_PUBLIC_HOST",
        "IP address that SIP callers reach",
        otherwise="the one that is listened to",
    ),
    Setting("BRIDGE_SIP_RTP_PORTS", "UDP ports of the calls' audio, two a call", "16384-17383"),
    Setting(
        "BRIDGE_SIP_PEERS",
        "whose SIP calls are taken: addresses and networks (CIDR), separated by commas",
        otherwise="nobody's, but for BRIDGE_SIP_ACCOUNTS",
    ),
    Setting(
        "BRIDGE_SIP_ACCOUNTS",
        "who may call over SIP from anywhere: user:password, separated by commas",
    ),
    Setting("BRIDGE_SIP_TLS_CERT", "certificate of SIP over TLS, with its chain (PEM)"),
    Setting("BRIDGE_SIP_TLS_KEY", "its key (PEM)"),
    Setting(
        "BRIDGE_SIP_REGISTER",
        "accounts at registrars, separated by commas: sip:user:password@host;transport=udp",
    ),
    Setting("BRIDGE_SIP_PEER_CALLS", "SIP calls at once of one account or address; 0: any", "0"),
    Setting(
        "BRIDGE_SIP_PEER_MINUTES",
        "minutes of SIP calls of one account or address within 24 hours; 0: any",
        "0",
    ),
    Setting("BRIDGE_LOG_LEVEL", "DEBUG, INFO, WARNING, ERROR or CRITICAL", "INFO"),
    Setting("BRIDGE_LOG_FORMAT", "text or json", "text"),
)
