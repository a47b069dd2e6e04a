"""The schemas refuse what Kubernetes would refuse. A check that cannot fail is none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.schemas import KINDS, complaints, trim

BUDGET: dict[str, Any] = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "bridge"},
    "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "bridge"}}},
}


def test_what_is_right_is_taken() -> None:
    assert complaints(BUDGET) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"spec": {"maxUnavailible": 1}},
        {"spec": {"maxUnavailable": 1, "selector": {"matchLabel": {}}}},
        {"spec": {"selector": {"matchLabels": {"app": 1}}}},
        {"apiVersion": "policy/v1beta1"},
        {"apiVersion": None},
        {"metadata": {"nam": "bridge"}},
        {"sepc": {}},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    """A field that is misspelt, a value of another type, a version that is gone."""
    assert complaints({**BUDGET, **wrong})


def test_what_is_missing_is_noticed() -> None:
    assert complaints({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {}})


def test_trimming_keeps_what_is_needed() -> None:
    """And the words for people go, but not a field that is called as they are."""
    plain = {"properties": {"description": {"$ref": "x.json#/$defs/Text"}}, "description": "It is."}
    definitions = dict.fromkeys(KINDS.values(), plain) | {"Text": {"type": "string"}, "Other": {}}

    trimmed = trim(definitions, "1.0.0")["$defs"]

    assert trimmed.keys() == {*KINDS.values(), "Text"}
    kept = {"properties": {"description": {"$ref": "#/$defs/Text"}}}
    assert trimmed["io.k8s.api.core.v1.Service"] == kept
