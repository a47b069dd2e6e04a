"""
A typed function as a tool: its JSON schema, and its arguments checked and converted.

Rule: what the model did wrong is told to the model, by the names of the arguments and
the reasons, and without the values; what the author did wrong is a ConfigError.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import ErrorDetails

from bridge.errors import ConfigError, ToolArgumentsError
from bridge.functions.docstrings import Docstring

__all__ = ["FunctionSchema", "misfit"]

MAX_PROBLEMS = 8
MAX_PATH_LENGTH = 80

_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_RULES = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


@dataclass(frozen=True, slots=True)
class FunctionSchema:
    """What a function wants to be called with."""

    description: str
    """The prose of its docstring, in one line."""
    parameters: Mapping[str, Any]
    """A JSON schema of an object, without references and titles."""
    given: Mapping[str, type]
    """Parameters that the bridge fills in, by name; the model does not see them."""
    _model: type[BaseModel] = field(repr=False)
    _names: Mapping[str, str] = field(repr=False)
    _defaults_in_model: frozenset[str] = field(repr=False)

    @classmethod
    def of(cls, function: Callable[..., Any], given: Collection[type] = ()) -> Self:
        """
        Read the signature and the docstring of `function`.

        Parameters annotated with a type of `given` are left out of the schema. Raises
        ConfigError, naming all that is wrong with the signature.
        """
        parameters = _signature(function).parameters.values()
        shown = [parameter for parameter in parameters if parameter.annotation not in given]
        if problems := [problem for parameter in shown if (problem := _problem(parameter))]:
            raise ConfigError("; ".join(problems))
        # The fields have names of our own, for an argument may well be called `json` or `copy`.
        by_field = {f"argument_{index}": parameter for index, parameter in enumerate(shown)}
        docstring = Docstring.read(inspect.getdoc(_whole(function)))
        model, schema = _model(by_field, docstring.arguments)
        return cls(
            description=docstring.text,
            parameters=schema,
            given={each.name: each.annotation for each in parameters if each not in shown},
            _model=model,
            _names={key: parameter.name for key, parameter in by_field.items()},
            _defaults_in_model=frozenset(
                key for key, each in by_field.items() if isinstance(each.default, FieldInfo)
            ),
        )

    def convert(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """
        The arguments in the types that the function asks for; absent ones stay absent.

        Raises ToolArgumentsError.
        """
        try:
            model = self._model.model_validate(dict(arguments))
        except ValidationError as exc:
            errors = exc.errors(include_url=False, include_input=False)
            raise misfit(_reason(error) for error in errors) from None
        present = model.model_fields_set | self._defaults_in_model
        return {name: getattr(model, key) for key, name in self._names.items() if key in present}


def misfit(problems: Iterable[str]) -> ToolArgumentsError:
    """The error that tells the model what to mend."""
    named = list(problems)
    more = [f"and {len(named) - MAX_PROBLEMS} more"] if len(named) > MAX_PROBLEMS else []
    text = "; ".join(named[:MAX_PROBLEMS] + more)
    return ToolArgumentsError(f"The arguments do not fit: {text}. Mend them and call again.")


def _whole(function: Callable[..., Any]) -> Callable[..., Any]:
    while isinstance(function, partial):
        function = function.func
    return function


def _signature(function: Callable[..., Any]) -> inspect.Signature:
    try:
        return inspect.signature(function, eval_str=True)
    except (AttributeError, NameError, SyntaxError, TypeError, ValueError) as exc:
        raise ConfigError(
            f"its parameters' types cannot be read ({exc}); "
            "use types that its module knows at the top level"
        ) from exc


def _problem(parameter: inspect.Parameter) -> str:
    if parameter.kind not in _BY_NAME:
        return f"{parameter.name}: a model passes single arguments by their names"
    if parameter.annotation is inspect.Parameter.empty:
        return f"{parameter.name}: has no type; write one, such as `{parameter.name}: str`"
    return ""


def _model(
    parameters: Mapping[str, inspect.Parameter], descriptions: Mapping[str, str]
) -> tuple[type[BaseModel], dict[str, Any]]:
    """A model that checks the parameters, and its JSON schema."""
    fields: dict[str, Any] = {
        key: _field(parameter, descriptions.get(parameter.name, ""))
        for key, parameter in parameters.items()
    }
    try:
        model = create_model("Arguments", __config__=_RULES, **fields)
        return model, model.model_json_schema(schema_generator=_PlainSchema)
    except (PydanticUserError, PydanticUndefinedAnnotation) as exc:
        raise ConfigError(f"a model cannot fill in its parameters: {exc.message}") from exc


def _field(parameter: inspect.Parameter, description: str) -> tuple[Any, Any]:
    more: dict[str, Any] = {"alias": parameter.name}
    if description and FieldInfo.from_annotation(parameter.annotation).description is None:
        more["description"] = description
    required = parameter.default is inspect.Parameter.empty
    default = ... if required else parameter.default
    return Annotated[parameter.annotation, Field(**more)], default


def _reason(error: ErrorDetails) -> str:
    path = ".".join(str(part) for part in error["loc"])[:MAX_PATH_LENGTH] or "arguments"
    match error["type"]:
        case "extra_forbidden":
            return f"{path}: there is no such argument"
        case "missing":
            return f"{path}: is required"
        case "union_tag_invalid":  # its message would repeat the value
            return f"{path}: {error['ctx']['discriminator']} is none of the expected words"
        case _:
            return f"{path}: {error['msg']}"


class _PlainSchema(GenerateJsonSchema):
    """A schema that every provider understands: no references, no titles, no discriminators."""

    # A default that JSON has no word for is simply not shown.
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def generate(self, schema: Any, mode: Any = "validation") -> dict[str, Any]:
        whole = super().generate(schema, mode)
        return _plain(whole, whole.pop("$defs", {}), ())


def _plain(
    node: Mapping[str, Any], definitions: Mapping[str, Any], within: tuple[str, ...]
) -> dict[str, Any]:
    """`node` with its references written out; `within` are those that it stands inside of."""

    def inner(value: Any) -> Any:
        if isinstance(value, list):
            return [inner(item) for item in value]
        return _plain(value, definitions, within) if isinstance(value, dict) else value

    if (reference := node.get("$ref")) is not None:
        name = reference.removeprefix("#/$defs/")
        if name in within:
            raise ConfigError(f"a model cannot fill in {name}, which contains itself")
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return _plain({**definitions[name], **rest}, definitions, (*within, name))
    plain: dict[str, Any] = {}
    for key, value in node.items():
        match key:
            case "title" | "discriminator":
                continue
            case "properties" | "patternProperties":
                plain[key] = {name: inner(schema) for name, schema in value.items()}
            case "const" | "default" | "enum" | "examples":
                plain[key] = value
            case _:
                plain[key] = inner(value)
    return plain
