"""
Kubernetes' own schemas of the few kinds that `deploy/kubernetes` uses.

They are Kubernetes' OpenAPI definitions (Apache-2.0) in the strict form of the package
`kubernetes-validate` (Apache-2.0), in which a field that does not exist is refused. Of
them is kept what these kinds need, without the descriptions. To take another version:

    pip install --target FOLDER --no-deps kubernetes-validate==1.37.0
    python -m tests.deploy.schemas FOLDER 1.37.0
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["FILE", "complaints"]

FILE = Path(__file__).with_name("kubernetes.json")
KINDS = {
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Service": "io.k8s.api.core.v1.Service",
    "ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "Secret": "io.k8s.api.core.v1.Secret",
    "Ingress": "io.k8s.api.networking.v1.Ingress",
    "NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "HorizontalPodAutoscaler": "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
}
_REF = "#/$defs/"


def complaints(thing: Mapping[str, Any]) -> list[str]:
    """What the API server would not like about it, one line each."""
    schemas = json.loads(FILE.read_text())
    kind = KINDS[thing["kind"]]
    validator = Draft202012Validator({**schemas, "$ref": _REF + kind})
    said = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(thing)]
    version = schemas["$defs"][kind]["properties"]["apiVersion"]["enum"]
    if thing.get("apiVersion") not in version:
        said.append(f"$.apiVersion: it is not one of {version}")
    return said


def trim(definitions: Mapping[str, Any], version: str) -> dict[str, Any]:
    """What our kinds need of Kubernetes' definitions."""
    wanted, kept = list(KINDS.values()), dict[str, Any]()
    while wanted:
        name = wanted.pop()
        if name not in kept:
            kept[name] = _plain(definitions[name])
            wanted.extend(_named(kept[name]))
    source = f"Kubernetes {version}, Apache-2.0; see schemas.py"
    return {"$comment": source, "$defs": dict(sorted(kept.items()))}


def _plain(schema: Any) -> Any:
    """Without what is for people; a reference is to this document."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {}
    for name, value in schema.items():
        if name == "$ref":
            plain[name] = _REF + value.rpartition("/")[2]
        elif name == "properties":
            plain[name] = {field: _plain(inner) for field, inner in value.items()}
        elif name != "description" and not name.startswith("x-"):
            plain[name] = _plain(value)
    return plain


def _named(schema: Any) -> Iterator[str]:
    match schema:
        case {"$ref": str(name)}:
            yield name.removeprefix(_REF)
        case dict():
            for value in schema.values():
                yield from _named(value)
        case list():
            for value in schema:
                yield from _named(value)


if __name__ == "__main__":
    folder, version = sys.argv[1:]
    [found] = Path(folder).glob(f"**/v{version}-local-strict/_definitions.json")
    trimmed = trim(json.loads(found.read_text())["$defs"], version)
    FILE.write_text(json.dumps(trimmed, separators=(",", ":")) + "\n")
