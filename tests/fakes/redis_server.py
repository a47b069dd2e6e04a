"""
Real Redis servers for tests: processes that are started, frozen, killed and brought back.

A server of its own for each need, in a directory of its own, without a file of its data
unless a test asks for one. Nothing of the machine's own Redis is touched.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
import redis
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.retry import Retry

from tests.fakes.programs import free_port, program, until, with_us

__all__ = ["RedisCluster", "RedisServer", "Watch"]

START_SECONDS = 10.0


class RedisServer:
    """
    One server. It listens on a socket of its own, and on `port` if there is one.

    A context manager: it runs for as long as that lasts, unless it is killed before.
    """

    def __init__(self, *options: str, port: int = 0, program: Sequence[str] = ()) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="tb-"))
        self.socket = self.directory / "redis.sock"
        self.port = port
        self._options = options
        self.program = program
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.remove)
            self.start()
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def remove(self) -> None:
        """Kill it, and its directory goes too."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        """Return when it answers. What it had in memory before is gone."""
        self.socket.unlink(missing_ok=True)
        arguments = [
            *with_us(),
            redis_server(),
            *self.program,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--protected-mode", "no"),
            *("--unixsocket", str(self.socket), "--dir", str(self.directory)),
            *("--save", "", "--appendonly", "no", "--logfile", "redis.log"),
            *("--daemonize", "no", *self._options),
        ]
        nothing = subprocess.DEVNULL
        self._process = subprocess.Popen(arguments, stdin=nothing, stdout=nothing)
        until(self._answers, START_SECONDS)

    def kill(self) -> None:
        """As kill -9, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """It keeps its connections and answers nothing (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def raw(self, *command: str | bytes | int) -> Any:
        """The answer as the server gives it: bytes, numbers and lists of them."""
        with self.client() as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def client(self, *, decode: bool = False) -> redis.Redis:
        """A connection that waits; the caller closes it."""
        return redis.Redis(
            unix_socket_path=str(self.socket),
            decode_responses=decode,
            socket_timeout=5,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )

    def dump(self) -> bytes:
        """Every key and every value that lies there, one after the other."""
        found = b""
        with self.client() as client:
            for key in sorted(client.keys()):
                found += key + b"\n"
                match client.type(key):
                    case b"hash":
                        found += b"\n".join(b"%b=%b" % pair for pair in client.hgetall(key).items())
                    case b"stream":
                        found += repr(client.xrange(key)).encode()
                    case b"zset":
                        found += b"\n".join(client.zrange(key, 0, -1))
                    case b"list":
                        found += b"\n".join(client.lrange(key, 0, -1))
                    case _:
                        found += client.get(key) or b""
                found += b"\n"
        return found

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            log = self.directory / "redis.log"
            pytest.fail(f"redis-server has not started: {log.read_text()[-500:]}")
        try:
            self.raw("PING")
        except redis.AuthenticationError:
            return True
        except redis.RedisError:
            return False
        return True


class Watch:
    """A primary, a replica, and three Sentinels that watch them."""

    SERVICE = "calls"

    def __init__(self) -> None:
        self.primary = RedisServer(port=free_port())
        self.replica = RedisServer(
            "--replicaof", f"127.0.0.1 {self.primary.port}", port=free_port()
        )
        self.sentinels: list[RedisServer] = []

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.remove)
            self.primary.start()
            self.replica.start()
            for _ in range(3):
                self.sentinels.append(self._sentinel())
            until(lambda: all(map(self._knows_all, self.sentinels)), 20)
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def remove(self) -> None:
        for server in (*self.sentinels, self.primary, self.replica):
            server.remove()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/{self.SERVICE}"

    def _sentinel(self) -> RedisServer:
        sentinel = RedisServer(port=free_port())
        configuration = sentinel.directory / "sentinel.conf"
        configuration.write_text(
            f"sentinel monitor {self.SERVICE} 127.0.0.1 {self.primary.port} 2\n"
            f"sentinel down-after-milliseconds {self.SERVICE} 500\n"
            f"sentinel failover-timeout {self.SERVICE} 2000\n"
        )
        sentinel.program = (str(configuration), "--sentinel")
        sentinel.start()
        return sentinel

    def _knows_all(self, sentinel: RedisServer) -> bool:
        [told] = sentinel.raw("SENTINEL", "MASTERS")
        known = dict(zip(told[::2], told[1::2], strict=True))
        return (known[b"num-other-sentinels"], known[b"num-slaves"]) == (b"2", b"1")


class RedisCluster:
    """Three primaries that share the slots."""

    SLOTS = ((0, 5_460), (5_461, 10_922), (10_923, 16_383))

    def __init__(self) -> None:
        self.buses = [free_port() for _ in self.SLOTS]
        self.nodes = [
            RedisServer(
                *("--cluster-enabled", "yes", "--cluster-node-timeout", "1000"),
                *("--cluster-require-full-coverage", "no", "--cluster-port", str(bus)),
                port=free_port(),
            )
            for bus in self.buses
        ]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.remove)
            for node, (first, last) in zip(self.nodes, self.SLOTS, strict=True):
                node.start()
                node.raw("CLUSTER", "ADDSLOTSRANGE", first, last)
            for node, bus in zip(self.nodes[1:], self.buses[1:], strict=True):
                self.nodes[0].raw("CLUSTER", "MEET", "127.0.0.1", node.port, bus)
            until(lambda: all(map(self._is_whole, self.nodes)), 20)
            stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:2])
        return f"redis+cluster://{hosts}"

    def node_of(self, key: str) -> RedisServer:
        """The node that keeps this key."""
        slot = key_slot(key.encode())
        [node] = [n for n, (a, z) in zip(self.nodes, self.SLOTS, strict=True) if a <= slot <= z]
        return node

    def _is_whole(self, node: RedisServer) -> bool:
        info = node.raw("CLUSTER", "INFO")
        return b"cluster_state:ok" in info and b"cluster_slots_ok:16384" in info


def redis_server() -> str:
    """The program, installed first where that is possible."""
    return program("redis-server")
