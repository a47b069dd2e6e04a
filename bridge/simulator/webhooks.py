"""
A carrier's webhooks: form requests that are signed, and tried again as the URL wishes.

Twilio, Webhooks security; Webhook connection overrides (`#rc=2&ct=1000&rt=3000&rp=all`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urldefrag

from bridge.errors import BridgeError, ConfigError
from bridge.simulator.network import Answer, Network, Unanswered
from bridge.wire.twilio import signature, webhook
from bridge.wire.twilio.signature import Form

__all__ = ["CallIdentity", "Overrides", "WebhookFailed", "Webhooks"]

USER_AGENT = "TwilioProxy/1.1"
FORM_TYPE = "application/x-www-form-urlencoded; charset=UTF-8"

INVALID_URL = 11100
HTTP_RETRIEVAL_FAILURE = 11200
HTTP_CONNECTION_FAILURE = 11205


class WebhookFailed(BridgeError):
    """A webhook was not answered, or not with 200. `code` is Twilio's for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Overrides:
    """How often and how long a webhook is tried: `retries`, and seconds for all of a try."""

    retries: int = 1
    try_seconds: float = 15.0
    total_seconds: float = 15.0
    policy: frozenset[str] = frozenset({"ct"})

    @classmethod
    def of(cls, fragment: str) -> Overrides:
        """Read a URL's fragment. What it does not say, or says wrongly, stays as it is."""
        said = dict(parse_qsl(fragment))
        return cls(
            retries=_within(said.get("rc"), default=1, top=5),
            try_seconds=_within(said.get("rt"), default=15_000, top=15_000) / 1000,
            total_seconds=_within(said.get("tt"), default=15_000, top=15_000) / 1000,
            policy=frozenset(said.get("rp", "ct").split(",")),
        )

    def tries_again(self, why: str) -> bool:
        """Whether another try follows after `ct`, `rt`, `4xx` or `5xx`."""
        return why in self.policy or "all" in self.policy


@dataclass(frozen=True, slots=True)
class CallIdentity:
    """Who calls whom: what every webhook of a call says."""

    call_sid: str
    account_sid: str
    from_: str = field(repr=False)
    to: str = field(repr=False)
    parameters: Mapping[str, str] = field(default_factory=dict, repr=False)

    def form(self, status: str, more: Mapping[str, str] | None = None) -> Form:
        """The fields of a voice webhook while the call is in this status. Some are blank."""
        usual = {
            "ApiVersion": "2010-04-01",
            "Caller": self.from_,
            "CallerCity": "",
            "CallerCountry": "US",
            "Called": self.to,
            "CalledCity": "",
            "CalledCountry": "US",
        }
        return webhook.write_voice(
            webhook.VoiceRequest(
                self.call_sid,
                self.account_sid,
                self.from_,
                self.to,
                status=status,
                parameters={**usual, **self.parameters, **(more or {})},
            )
        )


class Webhooks:
    """Asks the bridge, as Twilio does. Without a token the requests are not signed."""

    def __init__(self, network: Network, token: str | None = None) -> None:
        self._network = network
        self._token = token

    async def ask(self, method: str, url: str, form: Form) -> Answer:
        """The answer, whose status is 2xx. Raises WebhookFailed. May be cancelled."""
        target, fragment = urldefrag(url)
        overrides = Overrides.of(fragment)
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        headers["I-Twilio-Idempotency-Token"] = secrets.token_hex(16)
        content = webhook.write_form(form).decode()
        if method == "POST":
            body, signed = content, form
            headers["Content-Type"] = FORM_TYPE
        else:
            body, signed = "", ()
            target += ("&" if "?" in target else "?") + content
        if self._token:
            headers["X-Twilio-Signature"] = signature.sign_form(target, signed, self._token)
        try:
            async with asyncio.timeout(overrides.total_seconds):
                return await self._try(overrides, method, target, headers, body)
        except TimeoutError:
            raise _too_late(overrides.total_seconds) from None
        except ConfigError as exc:
            raise WebhookFailed(INVALID_URL, str(exc)) from None

    def handshake_headers(self, url: str) -> dict[str, str]:
        """What a media stream's handshake carries."""
        if not self._token:
            return {}
        return {"X-Twilio-Signature": signature.sign_url(url, self._token)}

    async def _try(
        self, overrides: Overrides, method: str, url: str, headers: Mapping[str, str], body: str
    ) -> Answer:
        for left in reversed(range(overrides.retries + 1)):
            why, failure = "rt", _too_late(overrides.try_seconds)
            try:
                async with asyncio.timeout(overrides.try_seconds):
                    answer = await self._network.request(method, url, headers, body)
                if 200 <= answer.status < 300:
                    return answer
                why = f"{answer.status // 100}xx"
                failure = WebhookFailed(HTTP_RETRIEVAL_FAILURE, f"it answered {answer.status}")
            except Unanswered as exc:
                why, failure = "ct", WebhookFailed(HTTP_CONNECTION_FAILURE, str(exc))
            except TimeoutError:
                pass
            if not left or not overrides.tries_again(why):
                raise failure
        raise AssertionError("there is always a first try")


def _too_late(seconds: float) -> WebhookFailed:
    return WebhookFailed(HTTP_CONNECTION_FAILURE, f"no answer within {seconds:g} seconds")


def _within(text: str | None, *, default: int, top: int) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return default
    return min(int(text[:9]), top)
