"""Twilio's REST API on loopback: knows calls and numbers, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import urlsplit

from aiohttp import web

from bridge.simulator.exchange import Exchange

__all__ = ["Asked", "FakeTwilioRest"]

OVER = {"completed", "busy", "failed", "no-answer", "canceled"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived, and what it carried: query or form."""

    method: str
    path: str
    fields: dict[str, str] = field(default_factory=dict)


class FakeTwilioRest:
    """
    One account. `calls` are statuses by SID, `numbers` are dictionaries as Twilio has them.

    With an `exchange` its calls are the account's, too, and do what they are ordered to.
    `answer` (status and body) replaces every answer; a `silent` one never comes.
    """

    def __init__(self, account_sid: str, auth_token: str, exchange: Exchange | None = None) -> None:
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {credentials}"
        self._account = f"/2010-04-01/Accounts/{account_sid}"
        self._gone = asyncio.Event()
        self._port = 0
        self._exchange = exchange or Exchange()
        self.asked: list[Asked] = []
        self.calls: dict[str, str] = {}
        self.numbers: list[dict[str, str]] = []
        self.page_size = 2
        self.answer: tuple[int, str] | None = None
        self.silent = False

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._gone.set()
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        path = request.raw_path.partition("?")[0]
        self.asked.append(Asked(request.method, path, {**request.query, **form}))
        if self.silent:
            await self._gone.wait()
        if self.answer is not None:
            status, text = self.answer
            return web.Response(status=status, text=text)
        if request.headers.get("Authorization") != self._authorization:
            return _error(401, 20003, "Authenticate")
        return self._answer(request.method, path, {**request.query, **form})

    def _answer(self, method: str, path: str, fields: dict[str, str]) -> web.Response:
        resource = path.removeprefix(f"{self._account}/")
        if resource == "IncomingPhoneNumbers.json" and method == "GET":
            return self._number_page(fields)
        call = resource.removeprefix("Calls/").removesuffix(".json")
        status = self._exchange.status(call) or self.calls.get(call)
        if status is None or method not in {"GET", "POST"}:
            return _error(404, 20404, f"The requested resource {path} was not found")
        if method == "POST" and (refusal := self._change(call, status, fields)) is not None:
            return refusal
        status = self._exchange.status(call) or self.calls[call]
        return web.json_response({"sid": call, "status": status})

    def _change(self, call: str, status: str, fields: dict[str, str]) -> web.Response | None:
        """Do what is asked with a call, or say why not. `status`: how far it has come."""
        if status in OVER or ("Url" in fields and status != "in-progress"):
            return _error(400, 21220, "Invalid call state: call is not in-progress")
        if "Url" in fields:
            return self._redirect(call, fields["Url"], fields.get("Method", "POST"))
        if fields.get("Status") not in {"completed", "canceled"}:
            return _error(400, 21218, "Invalid parameters: neither a status nor a URL")
        if not self._exchange.hang_up(call):
            self.calls[call] = fields["Status"]
        return None

    def _redirect(self, call: str, url: str, method: str) -> web.Response | None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return _error(400, 21205, "Url is not a valid URL")
        if method not in {"GET", "POST"}:
            return _error(400, 21212, "Method is neither GET nor POST")
        self._exchange.redirect(call, url, method)
        return None

    def _number_page(self, fields: dict[str, str]) -> web.Response:
        wanted = fields.get("PhoneNumber")
        found = [entry for entry in self.numbers if wanted in {None, entry["phone_number"]}]
        start = int(fields.get("Page", "0")) * self.page_size
        end = start + self.page_size
        page = int(fields.get("Page", "0")) + 1
        path = f"{self._account}/IncomingPhoneNumbers.json"
        answer: dict[str, Any] = {
            "incoming_phone_numbers": found[start:end],
            "next_page_uri": f"{path}?PageSize=2&Page={page}" if end < len(found) else None,
        }
        return web.json_response(answer)


def _error(status: int, code: int, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message, "status": status}, status=status)
