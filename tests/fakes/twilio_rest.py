"""Twilio's REST API on loopback: knows calls and numbers, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

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

    `answer` (status and body) replaces every answer; a `silent` one never comes.
    """

    def __init__(self, account_sid: str, auth_token: str) -> None:
        credentials = base64.b64encode(f"{account_sid}:{auth_token}".encode()).decode()
        self._authorization = f"Basic {credentials}"
        self._account = f"/2010-04-01/Accounts/{account_sid}"
        self._gone = asyncio.Event()
        self._port = 0
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
        if call not in self.calls:
            return _error(404, 20404, f"The requested resource {path} was not found")
        if method == "POST" and self.calls[call] in OVER:
            return _error(400, 21220, "Invalid call state: call is not in-progress")
        if "Status" in fields:
            self.calls[call] = fields["Status"]
        return web.json_response({"sid": call, "status": self.calls[call]})

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
