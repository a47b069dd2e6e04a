"""`module:attribute`: the user's agent."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from bridge.agent.agent import Agent
from bridge.errors import ConfigError

__all__ = ["load_agent"]


def load_agent(target: str) -> Agent:
    """Raises ConfigError, naming what was not found."""
    module_name, found, attribute = target.partition(":")
    if not found or not module_name or not attribute:
        raise ConfigError(f"TARGET must be module:attribute, as in bakery:agent; not {target!r}")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name is not None and module_name.split(".")[0] == exc.name.split(".")[0]:
            raise ConfigError(f"there is no module {module_name} in {here} or installed") from None
        raise
    agent = getattr(module, attribute, None)
    if not isinstance(agent, Agent):
        raise ConfigError(f"{module_name} has no Agent called {attribute}")
    return agent
