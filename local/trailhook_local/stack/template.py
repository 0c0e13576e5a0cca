"""Reads template.yaml the way CloudFormation does, as far as the local stack needs it.

Knows the short forms (`!Ref`), parameters with their defaults, conditions, and the intrinsic functions that settings
and environment variables use. Everything else is refused by name: a setting guessed wrongly proves the wrong thing.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from trailhook_local.stack.errors import TemplateError

NO_VALUE = object()


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags, each turned into its long form."""


def _long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        text = loader.construct_scalar(node)
        return {name: text.split(".", 1) if suffix == "GetAtt" else text}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    raise TemplateError(f"!{suffix} stands before something that is neither text, list nor mapping")


_Loader.add_multi_constructor("!", _long_form)


class Template:
    """A template whose parameters have their values; `fill` adds what its resources are, as they are made.

    `parameters` override the template's defaults, `pseudo` are the values of `AWS::Region` and the like.
    """

    def __init__(
        self,
        document: Mapping[str, Any],
        parameters: Mapping[str, str],
        pseudo: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        declared = document.get("Parameters", {})
        if unknown := sorted(set(parameters) - set(declared)):
            raise TemplateError(
                f"the template has no parameter {', '.join(unknown)}; it has {', '.join(sorted(declared))}"
            )
        self.document = document
        self._parameters = {
            name: _typed(name, parameters.get(name, declaration.get("Default")), declaration)
            for name, declaration in declared.items()
        }
        self._resources: dict[str, Mapping[str, Any]] = {}
        self._pseudo = {**pseudo, "AWS::NoValue": NO_VALUE}
        self._functions: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::GetAtt": self._get_att,
            "Fn::Sub": self._sub,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair: self.resolve(pair[0]) == self.resolve(pair[1]),
            "Fn::Not": lambda one: not self.resolve(one[0]),
            "Fn::Contains": lambda pair: self.resolve(pair[1]) in self.resolve(pair[0]),
            "Fn::And": lambda all_of: all(map(self.resolve, all_of)),
            "Fn::Or": lambda any_of: any(map(self.resolve, any_of)),
            "Fn::Join": lambda pair: pair[0].join(map(str, self.resolve(pair[1]))),
            "Fn::Select": lambda pair: self.resolve(pair[1])[int(self.resolve(pair[0]))],
            "Fn::Split": lambda pair: self.resolve(pair[1]).split(pair[0]),
            "Fn::FindInMap": self._find_in_map,
        }

    def fill(self, resources: Mapping[str, Mapping[str, Any]]) -> None:
        """By logical id, what `Ref` (under the key `"Ref"`) and `GetAtt` (under the attribute's name) stand for."""
        self._resources |= resources

    def resources_of_type(self, *types: str) -> dict[str, dict[str, Any]]:
        """Logical ids and properties (unresolved) of the resources that exist under the given parameters."""
        return {
            logical_id: resource.get("Properties", {})
            for logical_id, resource in self.document["Resources"].items()
            if resource["Type"] in types and ("Condition" not in resource or self.condition(resource["Condition"]))
        }

    def condition(self, name: str) -> bool:
        try:
            return bool(self.resolve(self.document["Conditions"][name]))
        except KeyError:
            raise TemplateError(f"there is no condition {name}") from None

    def resolve(self, value: Any) -> Any:
        """`value` with every intrinsic function replaced by what it stands for. Raises `TemplateError`."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name in self._functions:
                return self._functions[name](argument)
            if name.startswith("Fn::"):
                raise TemplateError(f"the local stack does not know {name}")
        resolved = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def _ref(self, name: str) -> Any:
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self._parameters:
            if self._parameters[name] is None:
                raise TemplateError(f"parameter {name} has no default and was given no value")
            return self._parameters[name]
        return self._get_att([name, "Ref"])

    def _get_att(self, path: list[str]) -> Any:
        logical_id, attribute = path
        try:
            return self._resources[logical_id][attribute]
        except KeyError:
            what = f"!Ref {logical_id}" if attribute == "Ref" else f"!GetAtt {logical_id}.{attribute}"
            raise TemplateError(f"the local stack has nothing to put in the place of {what}") from None

    def _sub(self, argument: Any) -> str:
        text, names = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in names:
                return str(self.resolve(names[name]))
            return str(self._get_att(name.split(".", 1)) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)

    def _if(self, argument: list[Any]) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self.condition(condition) else otherwise)

    def _find_in_map(self, argument: list[Any]) -> Any:
        name, first, second = map(self.resolve, argument[:3])
        try:
            return self.document["Mappings"][name][first][second]
        except KeyError:
            raise TemplateError(f"there is no {first}.{second} in the mapping {name}") from None


def _typed(name: str, value: Any, declaration: Mapping[str, Any]) -> Any:
    if value is None:
        return None
    allowed = [str(one) for one in declaration.get("AllowedValues", [])]
    if allowed and str(value) not in allowed:
        raise TemplateError(
            f"parameter {name} must be one of {', '.join(allowed)}, not {value!r}; "
            "what is new has to be added to its AllowedValues in template.yaml first"
        )
    if "List" in declaration.get("Type", "String"):
        return str(value).split(",") if value != "" else [""]
    return str(value)


def load_document(path: Path) -> dict[str, Any]:
    """The template as plain data, intrinsic functions in their long form. Raises `TemplateError`."""
    try:
        # A SafeLoader with constructors that build nothing but dicts, lists and text.
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    except OSError as error:
        raise TemplateError(
            f"cannot read the template {path} ({error.strerror}): run this from the project's own folder"
        ) from error
    except yaml.YAMLError as error:
        raise TemplateError(f"cannot read the template {path}: {error}") from error
    if not isinstance(document, dict) or "Resources" not in document:
        raise TemplateError(f"{path} is no template: it has no Resources")
    return document
