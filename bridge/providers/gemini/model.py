"""A Gemini Live model, ready to be connected to."""

from __future__ import annotations

import asyncio
import itertools
import random
import ssl
from collections.abc import Sequence

from bridge.audio.formats import PCM16_16K, PCM16_24K, AudioFormat
from bridge.errors import ConnectError, ResumptionRefused, SessionClosed
from bridge.ports.model import Memory, Resumption
from bridge.ports.session import RealtimeConfig, VadMode
from bridge.providers.gemini.endpoint import Credentials, DeveloperApi, Endpoint, VertexApi
from bridge.providers.gemini.patience import Patience
from bridge.providers.gemini.session import GeminiSession
from bridge.wire.gemini import (
    VOICES,
    GeminiTranslator,
    capabilities_of,
    write_history,
    write_setup,
)

__all__ = ["DEFAULT_MODEL", "GeminiLiveModel"]

DEFAULT_MODEL = "gemini-3.8-live"
SETUP_TIMEOUT = 4.0  # seconds from the first packet to setupComplete
PATIENCE = 8.0  # seconds that a server may be silent while it owes an answer
BLOCKAGE = 8.0  # seconds in which no audio gets out, on top of what the buffers hold
STILL_OPEN = 1011  # the close code on a resumption whose earlier socket still counts as open
RESUME_PAUSE = 1.0  # seconds after which that socket has been noticed to be gone


class GeminiLiveModel:
    """
    A model of the Gemini Live API. Raises ConfigError for a base URL that is none.

    `patience` is how many seconds the server may be silent while it owes an answer, before
    the connection counts as broken; `setup_timeout` how many may pass from the first packet
    to a session that is ready.
    """

    provider = "gemini"
    supports_realtime = True
    overlaps_sessions = False
    """A session is resumed only when the socket of the one before is completely closed."""
    responds_to_tools = True
    tells_speech = False
    """Vertex does, if it is asked to; the Developer API has no word for it."""

    def __init__(
        self,
        api_key: str,
        model: str = DEFAULT_MODEL,
        *,
        base_url: str | None = None,
        api_version: str = "v1beta",
        patience: float = PATIENCE,
        setup_timeout: float = SETUP_TIMEOUT,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        api = DeveloperApi(api_key, api_version=api_version)
        if base_url is not None:
            api = DeveloperApi(api_key, base_url, api_version)
        self._set_up(api, model, patience, setup_timeout, ssl_context)

    @classmethod
    def vertex(
        cls,
        project: str,
        location: str,
        credentials: Credentials,
        model: str = DEFAULT_MODEL,
        *,
        base_url: str | None = None,
        api_version: str = "v1beta1",
        patience: float = PATIENCE,
        setup_timeout: float = SETUP_TIMEOUT,
        ssl_context: ssl.SSLContext | None = None,
    ) -> GeminiLiveModel:
        """
        The model on Vertex AI. `credentials` is asked for an OAuth token before each
        connection; `location` is a region, a multi-region or "global".
        """
        made = cls.__new__(cls)
        api = VertexApi(project, location, credentials, base_url, api_version)
        made._set_up(api, model, patience, setup_timeout, ssl_context)
        return made

    def _set_up(
        self,
        endpoint: Endpoint,
        model: str,
        patience: float,
        setup_timeout: float,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._endpoint = endpoint
        self._url = endpoint.url
        self._model = model
        self._patience = patience
        self._setup_timeout = setup_timeout
        self._ssl_context = ssl_context
        self._capabilities = capabilities_of(model)
        # Shared by all sessions, so that a caller's playback never meets the same id twice.
        self._numbers = itertools.count(1)
        # A call may go on at another worker, where no tool call may be taken for one of ours.
        self._call_numbers = itertools.count(random.getrandbits(48))

    def __repr__(self) -> str:
        return f"<GeminiLiveModel {self._model} at {self._endpoint!r}>"

    @property
    def model_id(self) -> str:
        return self._model

    @property
    def supported_input_formats(self) -> Sequence[AudioFormat]:
        return (PCM16_16K,)

    @property
    def supported_output_formats(self) -> Sequence[AudioFormat]:
        return (PCM16_24K,)

    @property
    def available_voices(self) -> Sequence[str]:
        return VOICES

    async def connect(
        self, config: RealtimeConfig, resumption: Resumption | None = None
    ) -> GeminiSession:
        """
        Open a session and return it when it is ready.

        A token is tried twice at most, the second time only because the server had not yet
        noticed the end of the earlier socket. Raises UnsupportedConfig, AuthError,
        ResumptionRefused or ConnectError; may be cancelled without loss.
        """
        resumption = resumption or Resumption()
        if resumption.token is None:
            return await self._begin_anew(config, resumption)
        setup = self._write_setup(config, handle=resumption.token)
        session = self._new_session(config)
        try:
            await self._open(session, setup, resuming=True)
        except ResumptionRefused:
            if session.close_code != STILL_OPEN:
                raise
            await asyncio.sleep(RESUME_PAUSE)
            session = self._new_session(config)
            await self._open(session, setup, resuming=True)
        session.memory = Memory.NATIVE
        return session

    async def _begin_anew(self, config: RealtimeConfig, resumption: Resumption) -> GeminiSession:
        history = write_history(resumption.history, self._capabilities)
        setup = self._write_setup(config, tells_history=history is not None)
        session = self._new_session(config)
        await self._open(session, setup, history=history)
        if history is not None:
            session.memory = Memory.REPLAYED
        return session

    def _write_setup(
        self, config: RealtimeConfig, *, handle: str | None = None, tells_history: bool = False
    ) -> str:
        return write_setup(
            config,
            self._capabilities,
            model=self._endpoint.resource(self._model),
            handle=handle,
            tells_history=tells_history,
        )

    def _new_session(self, config: RealtimeConfig) -> GeminiSession:
        vad = config.turn_detection
        translator = GeminiTranslator(
            self._capabilities,
            by_hand=vad is not None and vad.mode is VadMode.NONE,
            ends_audio=self._endpoint.ends_audio,
            numbers=self._numbers,
            call_numbers=self._call_numbers,
        )
        patience = Patience(self._patience, BLOCKAGE)
        return GeminiSession(translator, self._capabilities, patience)

    async def _open(
        self,
        session: GeminiSession,
        setup: str,
        *,
        history: str | None = None,
        resuming: bool = False,
    ) -> None:
        try:
            async with asyncio.timeout(self._setup_timeout):
                headers = await self._endpoint.headers()
                await session.open(self._url, headers=headers, ssl_context=self._ssl_context)
                await session.begin(setup, history=history, resuming=resuming)
        except SessionClosed:
            await session.close()
            raise ConnectError("Gemini closed the connection as soon as it was ready") from None
        except TimeoutError:
            await session.close()
            raise ConnectError("Gemini did not become ready in time") from None
        except BaseException:
            await session.close()
            raise
