"""
Arguments checked against a JSON schema that somebody wrote by hand.

Rule: a schema never makes us fetch anything, and what does not fit is told to the model
in the schema's words, without the values. (JSON Schema, draft 2020-12 unless it says other.)

The library comes with the first schema: most agents have none, and theirs wait for it no longer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from bridge.errors import ConfigError
from bridge.functions.schema import MAX_PATH_LENGTH, MAX_PROBLEMS, misfit

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["JsonSchema"]

MAX_RULE_LENGTH = 200


class JsonSchema:
    """A schema of a tool's arguments. Raises ConfigError when it is not one of an object."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema.exceptions import SchemaError
        from jsonschema.validators import Draft202012Validator, validator_for
        from referencing import Registry

        if schema.get("type") != "object":
            raise ConfigError('its parameters must be a JSON schema with "type": "object"')
        kind: type[Validator] = validator_for(schema, default=Draft202012Validator)
        try:
            kind.check_schema(dict(schema))
        except SchemaError as exc:
            raise ConfigError(f"its parameters are no valid JSON schema: {exc.message}") from exc
        # An empty registry: a reference to another document is an error, not a download.
        self._validator: Validator = kind(schema, registry=Registry())

    def check(self, arguments: Mapping[str, Any]) -> None:
        """Raises ToolArgumentsError."""
        errors = islice(self._validator.iter_errors(dict(arguments)), MAX_PROBLEMS)
        if problems := [_reason(error) for error in errors]:
            raise misfit(problems)


def _reason(error: ValidationError) -> str:
    path = ".".join(str(part) for part in error.absolute_path)[:MAX_PATH_LENGTH] or "arguments"
    match error.validator:
        case "required":  # the message names the property, which is the schema's own word
            return f"{path}: {error.message}"
        case "additionalProperties" | "unevaluatedProperties":
            return f"{path}: has an argument that does not exist"
        case "anyOf" | "oneOf" | "allOf" | "not" | "if":
            return f"{path}: has none of the forms that the schema allows"
        case keyword:
            rule = json.dumps(error.validator_value, default=str, ensure_ascii=False)
            return f"{path}: breaks the rule {keyword} {rule[:MAX_RULE_LENGTH]}"
