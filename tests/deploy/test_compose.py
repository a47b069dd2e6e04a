"""Docker Compose: names that fit each other, time to stop, and a Redis that forgets nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from bridge.config import SETTINGS, Config
from tests.deploy.durations import LONGEST_AFTER_DRAIN, seconds
from tests.fakes.balancer import DEPLOY
from tests.fakes.redis_server import RedisServer

PASSWORD = "a-password-for-tests"
SECRETS = {"REDIS_PASSWORD": PASSWORD, "BRIDGE_SECRET_KEY": "k" * 32}

# https://github.com/compose-spec/compose-spec: what may stand there, as far as it is used.
TOP = {"name", "services", "configs", "volumes", "networks", "x-worker"}
SERVICE = {
    *("image", "build", "env_file", "environment", "restart", "stop_grace_period", "read_only"),
    *("tmpfs", "cap_drop", "security_opt", "ulimits", "networks", "command", "configs"),
    *("volumes", "ports"),
}


def compose() -> dict[str, Any]:
    """The file, with what it asks of `.env`."""
    text = (DEPLOY / "compose.yaml").read_text()
    filled = re.sub(r"\$\{(\w+):\?[^}]*\}", lambda name: SECRETS[name[1]], text)
    found: dict[str, Any] = yaml.safe_load(filled)
    return found


def workers() -> dict[str, Any]:
    return {name: each for name, each in compose()["services"].items() if "build" in each}


def test_compose_knows_every_word() -> None:
    """And whatever one service or file names is there."""
    found = compose()

    assert found.keys() <= TOP
    for service in found["services"].values():
        assert service.keys() <= SERVICE
        assert set(service["networks"]) <= found["networks"].keys()
        assert {each["source"] for each in service.get("configs", ())} <= found["configs"].keys()
        sources = [volume.partition(":")[0] for volume in service.get("volumes", ())]
        files = [DEPLOY / source for source in sources if source.startswith(".")]
        assert all(file.exists() for file in files)
        assert {name for name in sources if not name.startswith(".")} <= found["volumes"].keys()


def test_the_balancers_know_the_workers() -> None:
    """By their names, with the port that they listen on."""
    named = {f"{name}:{each['environment']['PORT']}" for name, each in workers().items()}

    for file in ("haproxy.cfg", "nginx.conf"):
        servers = re.findall(
            r"^ *server (?:\w+ )?([\w.-]+:\d+)", (DEPLOY / file).read_text(), re.MULTILINE
        )
        assert set(servers) == named


def test_a_worker_is_built_from_our_file() -> None:
    for worker in workers().values():
        context = (DEPLOY / worker["build"]["context"]).resolve()
        assert (context / worker["build"]["dockerfile"]) == DEPLOY / "Dockerfile"
        assert worker["cap_drop"] == ["ALL"]
        assert worker["read_only"]


def test_a_worker_has_time_to_stop() -> None:
    """More than it needs with the settings that it gets."""
    for worker in workers().values():
        config = Config.from_environ(worker["environment"])
        needed = config.drain_seconds + LONGEST_AFTER_DRAIN
        assert seconds(worker["stop_grace_period"]) > needed


def test_a_worker_is_given_settings_that_exist() -> None:
    known = {setting.name for setting in SETTINGS}

    for worker in workers().values():
        assert set(worker["environment"]) <= known
        assert worker["environment"]["REDIS_URL"].startswith(f"redis://:{PASSWORD}@redis:")


def test_redis_asks_for_its_password_and_forgets_nothing(tmp_path: Path) -> None:
    """A real one, with what Compose would give it."""
    content = compose()["configs"]["redis"]["content"]
    with RedisServer() as server:
        file = server.directory / "redis.conf"
        file.write_text(content.replace("dir /data", f"dir {server.directory}"))
        server.kill()
        server.program = (str(file),)
        server.start()
        with pytest.raises(redis.AuthenticationError):
            server.raw("CONFIG", "GET", "maxmemory-policy")
        with server.client() as client:
            client.auth(PASSWORD)
            told = client.config_get("maxmemory-policy", "maxmemory", "requirepass")

    assert told["maxmemory-policy"] == "noeviction"
    assert int(told["maxmemory"]) >= 256 * 1024**2
    assert re.search(r"^appendonly yes$", content, re.MULTILINE)
