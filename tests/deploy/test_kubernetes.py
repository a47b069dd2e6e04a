"""Kubernetes: objects that its API would take, which fit each other and the bridge."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from bridge.config import SETTINGS, Config
from tests.deploy.commands import served
from tests.deploy.durations import LONGEST_AFTER_DRAIN
from tests.deploy.schemas import complaints
from tests.fakes.balancer import DEPLOY

FILES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def things() -> dict[str, Any]:
    """Every object, by its kind."""
    found = [each for file in FILES for each in yaml.safe_load_all(file.read_text())]
    kinds = {each["kind"]: each for each in found}
    assert len(kinds) == len(found)
    return kinds


def settings() -> dict[str, str]:
    """The environment of a worker."""
    found = things()
    return {**found["ConfigMap"]["data"], **found["Secret"]["stringData"]}


def pod() -> dict[str, Any]:
    found: dict[str, Any] = things()["Deployment"]["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    [found] = pod()["containers"]
    return dict(found)


@pytest.mark.parametrize("kind", things())
def test_kubernetes_takes_it(kind: str) -> None:
    """By its own schema."""
    assert complaints(things()[kind]) == []


def test_a_misspelt_field_would_be_noticed() -> None:
    """Deep in what is delivered, too."""
    deployment = things()["Deployment"]
    probe = deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    probe["periodSecond"] = probe.pop("periodSeconds")

    assert complaints(deployment)


def test_names_and_labels_fit() -> None:
    """Whoever selects pods finds these, and whoever names an object names one that is there."""
    found = things()
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    spread = [each["labelSelector"]["matchLabels"] for each in pod()["topologySpreadConstraints"]]
    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        *spread,
    ]
    [port] = container()["ports"]
    sources = {next(iter(each)): each for each in container()["envFrom"]}

    assert selectors == [labels] * len(selectors)
    assert found["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert str(port["containerPort"]) == settings()["PORT"]
    assert sources["configMapRef"]["configMapRef"]["name"] == found["ConfigMap"]["metadata"]["name"]
    assert sources["secretRef"]["secretRef"]["name"] == found["Secret"]["metadata"]["name"]
    scaled = found["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]
    assert (scaled["kind"], scaled["name"]) == (
        "Deployment",
        found["Deployment"]["metadata"]["name"],
    )


def test_the_settings_serve() -> None:
    """All of them exist, and together they are enough."""
    config = Config.from_environ(settings())

    assert set(settings()) <= {setting.name for setting in SETTINGS}
    config.check_serving()
    assert config.hints == ()
    assert served(["bridge", *container()["args"]]).workers is None


def test_there_is_time_to_stop() -> None:
    """For the pause before SIGTERM, the drain, and what comes after it; then comes SIGKILL."""
    [_, pause] = container()["lifecycle"]["preStop"]["exec"]["command"]
    config = Config.from_environ(settings())
    needed = float(pause) + config.drain_seconds + LONGEST_AFTER_DRAIN

    assert pod()["terminationGracePeriodSeconds"] > needed
    # By then the endpoint has to be gone everywhere.
    assert float(pause) >= 3


def test_probes_ask_what_they_should() -> None:
    """A full worker must not be killed, and a dead one must be."""
    probes = {kind: container()[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}

    asked = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    assert {probe["httpGet"]["port"] for probe in probes.values()} == {"http"}


def test_there_is_always_one_more() -> None:
    """No call is without a worker while another is replaced."""
    found = things()
    rolling = found["Deployment"]["spec"]["strategy"]["rollingUpdate"]

    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}
    assert found["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert found["HorizontalPodAutoscaler"]["spec"]["minReplicas"] >= 2


def test_workers_are_added_before_they_are_full() -> None:
    [metric] = things()["HorizontalPodAutoscaler"]["spec"]["metrics"]
    wanted = int(metric["pods"]["target"]["averageValue"])

    assert metric["pods"]["metric"]["name"] == "bridge_calls_live"
    most = Config.from_environ(settings()).max_calls
    assert most is not None
    assert wanted <= 0.7 * most


def test_a_worker_may_do_next_to_nothing() -> None:
    """And what it has to write, it writes where it may."""
    security = container()["securityContext"]
    [mount] = container()["volumeMounts"]

    assert pod()["securityContext"]["runAsNonRoot"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert not pod()["automountServiceAccountToken"]
    assert mount["mountPath"] == "/tmp"


def test_only_what_carriers_need_is_public() -> None:
    [rule] = things()["Ingress"]["spec"]["rules"]
    paths = {(each["path"], each["pathType"]) for each in rule["http"]["paths"]}

    assert paths == {("/twilio/", "Prefix"), ("/healthz", "Exact")}
    assert settings()["BRIDGE_PUBLIC_URL"] == f"https://{rule['host']}"
