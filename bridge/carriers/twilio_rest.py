"""
Twilio's REST API (2010-04-01), as far as the bridge needs it: end, redirect and look up a
call, and read how the account's numbers are set up.

The requests go over aiohttp, on which Twilio's library itself stands. That library's own
asynchronous client keeps no time-out and logs the numbers it asks for.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

import aiohttp

from bridge.errors import CarrierError

__all__ = ["BASE_URL", "TIMEOUT_SECONDS", "IncomingNumber", "TwilioRest"]

BASE_URL = "https://api.twilio.com"
TIMEOUT_SECONDS = 5.0
MAX_ANSWER_SIZE = 4 * 1024 * 1024  # bytes; a page of 1000 numbers takes about 2 MiB
MAX_PAGES = 20

NOT_FOUND = 404
CALL_IS_OVER = 21220  # "call is not in-progress"


@dataclass(frozen=True, slots=True)
class IncomingNumber:
    """A number of the account, and whom Twilio asks when it is called."""

    sid: str
    number: str = field(repr=False)
    voice_url: str
    voice_method: str
    fallback_url: str
    status_callback: str
    application_sid: str
    """Not blank where an application is asked instead of `voice_url`."""


class TwilioRest:
    """
    A client of one account. A context manager: it closes its connections.

    `base_url` is another origin for the API, or None. Whatever goes wrong is a CarrierError
    that names the request, HTTP status and Twilio's code, and neither a secret nor a number.
    All methods may be cancelled; what was asked may then have been done.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self._account_sid = account_sid
        self._origin = (base_url or BASE_URL).rstrip("/")
        self._timeout = timeout
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}", "Accept": "application/json"}
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"TwilioRest(account_sid={self._account_sid!r}, base_url={self._origin!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. A later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def hang_up(self, call_id: str) -> None:
        """End a call. That it has ended already is fine."""
        await self._change(call_id, {"Status": "completed"})

    async def redirect(self, call_id: str, url: str) -> bool:
        """Let a live call go on with the document behind `url`. False: the call is over."""
        return await self._change(call_id, {"Url": url, "Method": "POST"})

    async def call_status(self, call_id: str) -> str | None:
        """Twilio's word for how far a call has come; None where Twilio does not know it."""
        status, answer = await self._ask("GET", self._call_path(call_id))
        if status == NOT_FOUND:
            return None
        _expect_success("GET call", status, answer)
        word = _text(answer, "status")
        if not word:
            raise CarrierError("Twilio answered something else than a call")
        return word

    async def number_webhook(self, number: str) -> IncomingNumber | None:
        """One of the account's numbers (E.164); None where it is not the account's."""
        found = await self._numbers({"PhoneNumber": number})
        return next((entry for entry in found if entry.number == number), None)

    async def incoming_numbers(self) -> tuple[IncomingNumber, ...]:
        """The account's numbers, at most twenty pages of a thousand."""
        return await self._numbers({"PageSize": "1000"})

    async def _change(self, call_id: str, form: Mapping[str, str]) -> bool:
        status, answer = await self._ask("POST", self._call_path(call_id), form=form)
        if status == NOT_FOUND or answer.get("code") == CALL_IS_OVER:
            return False
        _expect_success("POST call", status, answer)
        return True

    async def _numbers(self, query: Mapping[str, str]) -> tuple[IncomingNumber, ...]:
        numbers: list[IncomingNumber] = []
        path = self._path("IncomingPhoneNumbers.json")
        for _ in range(MAX_PAGES):
            status, answer = await self._ask("GET", path, query=query)
            _expect_success("GET numbers", status, answer)
            numbers += _read_numbers(answer)
            path, query = self._next_page(answer), {}
            if not path:
                break
        return tuple(numbers)

    def _next_page(self, answer: Mapping[str, Any]) -> str:
        # Only the path counts: the credentials go nowhere but to the configured origin.
        uri = urlsplit(str(answer.get("next_page_uri") or ""))
        return f"{uri.path}?{uri.query}" if uri.path.startswith("/") else ""

    def _call_path(self, call_id: str) -> str:
        return self._path(f"Calls/{quote(call_id, safe='')}.json")

    def _path(self, resource: str) -> str:
        return f"/2010-04-01/Accounts/{quote(self._account_sid, safe='')}/{resource}"

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> tuple[int, dict[str, Any]]:
        if self._session is None:
            # Requests are rare, and a connection that was idle for long may be dead.
            connector = aiohttp.TCPConnector(force_close=True)
            self._session = aiohttp.ClientSession(connector=connector, headers=self._headers)
        request = self._session.request(
            method, self._origin + path, params=query, data=form, allow_redirects=False
        )
        try:
            async with asyncio.timeout(self._timeout), request as response:
                body = await _body(response)
        except TimeoutError:
            raise CarrierError(f"Twilio did not answer in {self._timeout:g} s") from None
        except (aiohttp.ClientError, OSError) as exc:
            raise CarrierError(f"Twilio cannot be reached: {type(exc).__name__}") from None
        return response.status, _parsed(body)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MAX_ANSWER_SIZE:
            raise CarrierError("Twilio's answer is too long")
    return bytes(body)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _expect_success(request: str, status: int, answer: Mapping[str, Any]) -> None:
    if 200 <= status < 300:
        return
    code = answer.get("code")
    known = f", code {code}" if isinstance(code, int) else ""
    if status in {401, 403}:
        raise CarrierError(f"Twilio refused the account's credentials ({request}: {status}{known})")
    raise CarrierError(f"Twilio refused a request ({request}: {status}{known})")


def _read_numbers(answer: Mapping[str, Any]) -> list[IncomingNumber]:
    entries = answer.get("incoming_phone_numbers")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise CarrierError("Twilio answered something else than a list of numbers")
    return [_read_number(entry) for entry in entries]


def _read_number(entry: Mapping[str, Any]) -> IncomingNumber:
    return IncomingNumber(
        sid=_text(entry, "sid"),
        number=_text(entry, "phone_number"),
        voice_url=_text(entry, "voice_url"),
        voice_method=_text(entry, "voice_method"),
        fallback_url=_text(entry, "voice_fallback_url"),
        status_callback=_text(entry, "status_callback"),
        application_sid=_text(entry, "voice_application_sid"),
    )


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value if isinstance(value, str) else ""
