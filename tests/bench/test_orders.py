"""Orders over pipes, with a real process at the other end."""

from __future__ import annotations

import os
import sys
import textwrap

import pytest

from bridge.bench.orders import Obedient, OrderFailed

CHILD = textwrap.dedent(
    """
    import asyncio
    from bridge.bench.orders import OrderFailed, obey

    async def add(a, b):
        return a + b

    async def fail():
        raise OrderFailed("no")

    async def die():
        raise SystemExit(3)

    asyncio.run(obey({"add": add, "fail": fail, "die": die}))
    """
)


async def test_orders_are_answered() -> None:
    """Refusals too; and a process that is gone is told apart from them."""
    async with Obedient([sys.executable, "-c", CHILD], os.environ) as child:
        assert child.pid > 0
        assert await child.order("add", a=1, b=2) == 3
        with pytest.raises(OrderFailed, match="no"):
            await child.order("fail")
        assert await child.order("add", a="x", b="y") == "xy"
        with pytest.raises(OrderFailed, match="is gone"):
            await child.order("die")
