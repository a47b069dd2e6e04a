"""The worker's end of the channel, with a real server behind it."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from bridge.agent.agent import Agent
from bridge.config import Config
from bridge.serving import handoff
from bridge.serving.handoff import Report
from bridge.serving.intake import ChannelIntake
from bridge.web.app import Bridge
from bridge.web.server import make_server
from tests.fakes.model import FakeModel

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: bridge.example\r\n\r\n"


class Supervising:
    """The supervisor's end, played by the test."""

    def __init__(self, channel: socket.socket, server: uvicorn.Server) -> None:
        self.channel = channel
        self.server = server
        self.welcome = True
        self._rest = b""
        self._reports: list[Report] = []

    async def report(self) -> Report:
        """The next one."""
        loop = asyncio.get_running_loop()
        while True:
            data = await asyncio.wait_for(loop.sock_recv(self.channel, 64), 10)
            assert data, "the worker has hung up"
            reports, self._rest = handoff.read_reports(self._rest + data)
            self._reports += reports
            if self._reports:
                return self._reports.pop(0)

    async def report_of(self, taken: int, connections: int) -> Report:
        """The first that says this."""
        async with asyncio.timeout(10):
            while True:
                report = await self.report()
                if (report.taken, report.connections) == (taken, connections):
                    return report

    def connect(self, *, stream: bool = False) -> socket.socket:
        """Pass a new connection on; the caller's end of it."""
        caller, accepted = socket.socketpair()
        caller.setblocking(False)
        with accepted:
            assert handoff.pass_on(self.channel, accepted, stream=stream)
        return caller


@asynccontextmanager
async def a_worker() -> AsyncIterator[Supervising]:
    """Ends when it is told to; the supervisor's end closes its half when it is asked to."""
    bridge = Bridge(Agent("Be kind."), Config.from_environ({}), model=FakeModel())
    ours, theirs = handoff.a_pair()
    supervising: list[Supervising] = []
    intake = ChannelIntake(theirs, lambda: supervising[0].welcome)
    supervising.append(Supervising(ours, make_server(bridge, "", 0, intake=intake)))
    with ours:
        serving = asyncio.create_task(supervising[0].server.serve())
        yield supervising[0]
        supervising[0].server.should_exit = True
        if ours.fileno() >= 0:
            ours.shutdown(socket.SHUT_WR)
        await asyncio.wait_for(serving, 20)


async def answer_to(caller: socket.socket) -> bytes:
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(caller, REQUEST)
    return await asyncio.wait_for(loop.sock_recv(caller, 4_096), 10)


async def test_what_is_passed_on_is_served() -> None:
    """As if the server had accepted it; what is open is reported."""
    async with a_worker() as worker:
        assert await worker.report() == Report(0, 0)
        with worker.connect() as caller:
            answer = await answer_to(caller)
            await worker.report_of(taken=1, connections=1)
        await worker.report_of(taken=1, connections=0)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_streams_are_counted_apart() -> None:
    """From the moment they are taken, until they are closed."""
    async with a_worker() as worker:
        with worker.connect(stream=True), worker.connect():
            while (report := await worker.report()).taken < 2:
                pass
            counted = report.connections, report.streams
        async with asyncio.timeout(10):
            while (await worker.report()).streams:
                pass

    assert counted == (2, 1)


async def test_it_reports_what_it_takes_at_once() -> None:
    """And before it reads from it: afterwards nobody else may have it."""
    async with a_worker() as worker:
        await worker.report()
        with worker.connect(), worker.connect():
            async with asyncio.timeout(10):
                while (await worker.report()).taken < 2:
                    pass


async def test_it_says_that_nothing_new_is_welcome() -> None:
    async with a_worker() as worker:
        assert (await worker.report()).welcome
        worker.welcome = False
        async with asyncio.timeout(10):
            while (await worker.report()).welcome:
                pass


async def test_at_the_end_nothing_is_lost() -> None:
    """It says that it takes no more, and takes what was on its way."""
    async with a_worker() as worker:
        await worker.report()
        worker.server.handle_exit(signal.SIGTERM, None)
        async with asyncio.timeout(10):
            while not (await worker.report()).final:
                pass
        with worker.connect() as caller:
            worker.channel.shutdown(socket.SHUT_WR)
            answer = await answer_to(caller)

    assert answer.startswith(b"HTTP/1.1 200 ")


async def test_a_worker_without_a_supervisor_ends() -> None:
    async with a_worker() as worker:
        await worker.report()
        worker.channel.close()
        async with asyncio.timeout(10):
            while not worker.server.should_exit:
                await asyncio.sleep(0.005)


async def test_a_supervisor_that_does_not_read_holds_nobody_up() -> None:
    """Reports are dropped; connections are served."""
    async with a_worker() as worker:
        for _ in range(300):
            with worker.connect() as caller:
                answer = await answer_to(caller)
            await asyncio.sleep(0)
            assert answer.startswith(b"HTTP/1.1 200 ")
        worker.channel.close()
