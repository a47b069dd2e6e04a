"""OpenAI's realtime models, and those of vendors who speak the same protocol."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.audio.formats import AudioEncoding, AudioFormat
from bridge.errors import AuthError, ConnectError, ServerError, SessionClosed
from bridge.ports.model import Resumption
from bridge.ports.session import RealtimeConfig
from bridge.providers.openai.dialect import OPENAI, Dialect
from bridge.providers.openai.session import OpenAISession
from bridge.wire.openai.faults import is_fatal, is_passing
from bridge.wire.openai.session import FORMATS, write_session

__all__ = ["OpenAIRealtimeModel"]

READY_TIMEOUT = 4.0  # seconds from dialling to a confirmed configuration and a told history
PING_SECONDS = 2.4  # a silent provider is pinged; two such spans without a sign, and it is lost


class OpenAIRealtimeModel:
    """
    A model to connect to. Where the configuration names no formats, PCM16 at 24 kHz is
    spoken; G.711 passes untouched.

    `headers` go out with the handshake besides the key's, e.g. OpenAI-Safety-Identifier.
    """

    supports_realtime = True
    overlaps_sessions = True
    responds_to_tools = False
    tells_speech = True
    supported_input_formats: Sequence[AudioFormat] = tuple(FORMATS.values())
    supported_output_formats: Sequence[AudioFormat] = tuple(FORMATS.values())

    def __init__(
        self,
        api_key: str,
        model: str = "gpt-realtime",
        *,
        base_url: str | None = None,
        dialect: Dialect = OPENAI,
        headers: Mapping[str, str] | None = None,
        ready_timeout: float = READY_TIMEOUT,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.model_id = model
        self._url = dialect.url(base_url, model)
        self._headers = {**dialect.headers(api_key), **(headers or {})}
        self._dialect = dialect
        self._ready_timeout = ready_timeout
        self._ssl_context = ssl_context

    def __repr__(self) -> str:
        return f"OpenAIRealtimeModel({self.model_id!r}, dialect={self._dialect.name!r})"

    @property
    def provider(self) -> str:
        return self._dialect.name

    @property
    def available_voices(self) -> Sequence[str]:
        return self._dialect.voices

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> OpenAISession:
        """
        A session that is configured and knows the conversation in `resumption.history`.

        The protocol has no tokens to resume by. Raises UnsupportedConfig, AuthError or
        ConnectError. May be cancelled without loss.
        """
        session = OpenAISession(write_session(_with_formats(config)), self._dialect)
        history = resumption.history if resumption is not None else ()
        try:
            async with asyncio.timeout(self._ready_timeout):
                await session.open(
                    self._url,
                    headers=self._headers,
                    open_timeout=self._ready_timeout,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    ssl_context=self._ssl_context,
                )
                await session.configure(history)
        except TimeoutError:
            session.abort()
            raise ConnectError("the provider did not become ready in time") from None
        except (ServerError, SessionClosed) as error:
            session.abort()
            raise _not_ready(error) from error
        except BaseException:
            session.abort()
            raise
        return session


def _with_formats(config: RealtimeConfig) -> RealtimeConfig:
    return replace(
        config,
        input_audio_format=config.input_audio_format or AudioEncoding.PCM16,
        output_audio_format=config.output_audio_format or AudioEncoding.PCM16,
    )


def _not_ready(error: ServerError | SessionClosed) -> ConnectError:
    if isinstance(error, SessionClosed):
        return ConnectError("the provider hung up before it was ready")
    if is_fatal(error.code):
        return AuthError(f"the provider refused the account: {error.code}")
    message = f"the provider refused the configuration: {error}"
    return ConnectError(message, retryable=is_passing(error.code))
