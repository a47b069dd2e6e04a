from __future__ import annotations

import asyncio
import time

from bridge.telemetry import lag


async def test_a_loop_that_is_blocked() -> None:
    """Whoever blocks the loop is seen as lag of about that length."""
    seen: asyncio.Queue[float] = asyncio.Queue()

    async with asyncio.timeout(30):
        watching = asyncio.ensure_future(lag.watch(seen.put_nowait, interval=0.01))
        await seen.get()
        time.sleep(0.1)
        while (late := await seen.get()) < 0.05:
            pass
        watching.cancel()
        await asyncio.wait([watching])

    assert late >= 0.05
    assert watching.cancelled()
