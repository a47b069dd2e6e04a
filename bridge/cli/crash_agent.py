"""The bakery's agent as the workers of `bridge demo --crash` serve it: it tells what happens."""

from __future__ import annotations

from bridge.cli.demo_agent import bakery, tell

__all__ = ["agent"]

agent = tell(bakery(), lambda line: print(line, flush=True))
