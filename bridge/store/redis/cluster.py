"""
A cluster: who keeps which slot, and what to do when somebody else does.

redis-py has a client for clusters, too; but it cannot begin while one certain node is down,
and it does not tell which node a key is on, so that the calls of all would suffer with one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from bridge.store.redis.address import Cluster, Host
from bridge.store.redis.convoy import Command, Convoy

__all__ = ["ClusterClient", "Command", "together"]

REDIRECTS = 5  # that one command follows
SETTLE_SECONDS = 0.02  # that we wait while a slot is on its way from node to node


class ClusterClient:
    """`open_node` makes a client for one node, which connects with its first command."""

    def __init__(self, address: Cluster, open_node: Callable[[Host], Redis]) -> None:
        self._seeds = address.hosts
        self._open_node = open_node
        self._nodes: dict[Host, Redis] = {}
        self._convoys: dict[Host, Convoy] = {}
        self._slots: dict[int, Host] = {}
        self._looking: asyncio.Task[None] | None = None

    def place(self, key: str | None) -> str:
        """The node that is asked for this key, as far as is known; None stands for all keys."""
        if key is None:
            return "all"
        host = self._slots.get(_slot(key))
        return "" if host is None else str(host)

    async def execute(self, key: str, command: Command) -> Any:
        await self._know()
        slot = _slot(key)
        host = self._slots.get(slot)
        if host is None:
            raise _nobody()
        for _ in range(REDIRECTS):
            try:
                return await self._convoy(host).execute(command)
            except MovedError as moved:
                host = self._slots[slot] = Host(moved.host or host.name, moved.port)
            except AskError as asked:
                return await self._ask(Host(asked.host or host.name, asked.port), command)
            except TryAgainError:
                await asyncio.sleep(SETTLE_SECONDS)
        raise _nobody()

    async def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """One round trip to each node. The key of each command is its first argument."""
        await self._know()
        shares: dict[Host | None, list[int]] = defaultdict(list)
        for number, command in enumerate(commands):
            shares[self._slots.get(_slot(str(command[1])))].append(number)
        lists = await asyncio.gather(
            *(self._share(host, [commands[n] for n in share]) for host, share in shares.items()),
        )
        answers: list[Any] = [None] * len(commands)
        for share, found in zip(shares.values(), lists, strict=True):
            for number, answer in zip(share, found, strict=True):
                answers[number] = answer
        return answers

    async def find(self) -> None:
        """Ask who keeps what. Everybody who has to know waits for the same answer."""
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look(), name="slots")
            self._looking.add_done_callback(self._looked)
        await asyncio.shield(self._looking)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        await asyncio.gather(*(convoy.close() for convoy in self._convoys.values()))
        nodes, self._nodes = self._nodes, {}
        await asyncio.gather(*(node.aclose() for node in nodes.values()), return_exceptions=True)

    async def _know(self) -> None:
        if not self._slots:
            await self.find()

    async def _look(self) -> None:
        """Ask all that we were told of at once, for one of them may be frozen."""
        questions = [asyncio.create_task(self._slots_of(host)) for host in self._seeds]
        refusal: Exception = _nobody()
        try:
            for question in asyncio.as_completed(questions):
                try:
                    self._slots = await question
                except (RedisError, OSError) as exc:
                    refusal = exc
                else:
                    return
            raise refusal
        finally:
            for task in questions:
                task.cancel()
            await asyncio.gather(*questions, return_exceptions=True)

    def _looked(self, task: asyncio.Task[None]) -> None:
        self._looking = None
        if not task.cancelled():
            task.exception()  # whoever waited for it has it, and perhaps nobody did

    async def _slots_of(self, host: Host) -> dict[int, Host]:
        """As this node sees it: [first slot, last slot, [host, port, ...], replicas ...] ..."""
        slots = {}
        for first, last, (name, port, *_), *_ in await self._node(host).execute_command(
            "CLUSTER", "SLOTS"
        ):
            keeper = Host((name or b"").decode() or host.name, port)
            slots.update(dict.fromkeys(range(first, last + 1), keeper))
        if not slots:
            raise _nobody()
        return slots

    async def _share(self, host: Host | None, commands: Sequence[Command]) -> list[Any]:
        """What one node answers, or the error that there is instead of each answer."""
        if host is None:
            return [_nobody() for _ in commands]
        try:
            answers = await together(self._node(host), commands)
        except (RedisError, OSError) as exc:
            return [exc for _ in commands]
        for number, answer in enumerate(answers):
            if isinstance(answer, MovedError | AskError | TryAgainError):
                answers[number] = await self.execute(str(commands[number][1]), commands[number])
        return answers

    async def _ask(self, host: Host, command: Command) -> Any:
        """Here is a slot on its way to somebody who has this key already."""
        _, answer = await together(self._node(host), [("ASKING",), command])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _node(self, host: Host) -> Redis:
        if host not in self._nodes:
            self._nodes[host] = self._open_node(host)
        return self._nodes[host]

    def _convoy(self, host: Host) -> Convoy:
        if host not in self._convoys:
            self._convoys[host] = Convoy(partial(together, self._node(host)))
        return self._convoys[host]


async def together(redis: Redis, commands: Sequence[Command]) -> list[Any]:
    """The answers to commands that are sent at once; an answer may be an exception."""
    if len(commands) == 1:  # for which a pipeline is a long way round
        try:
            return [await redis.execute_command(*commands[0])]
        except ResponseError as exc:
            return [exc]
    async with redis.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)


def _slot(key: str) -> int:
    return key_slot(key.encode())


def _nobody() -> ClusterDownError:
    return ClusterDownError("CLUSTERDOWN nobody serves this slot")
