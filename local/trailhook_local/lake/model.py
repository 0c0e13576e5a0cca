"""The service models inside the installed botocore, used as the judge of what a request may look like.

botocore itself sends a list of 101 events or an id with a space in it; the constraints are in its model all the same.
So lengths, patterns, enumerations and required members are read from there instead of being written down again.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StringShape, StructureShape

from trailhook_local.lake import errors

# The member that breaks a constraint decides the exception, where the operation declares that exception.
_ERROR_OF_MEMBER: Final[Mapping[str, type[errors.LakeError]]] = {
    "AdvancedEventSelectors": errors.InvalidEventSelectorsException,
    "Channel": errors.ChannelARNInvalidException,
    "EventDataStore": errors.EventDataStoreARNInvalidException,
    "KmsKeyId": errors.InvalidKmsKeyIdException,
    "MaxQueryResults": errors.InvalidMaxResultsException,
    "MaxResults": errors.InvalidMaxResultsException,
    "NextToken": errors.InvalidNextTokenException,
    "QueryStatement": errors.InvalidQueryStatementException,
    "QueryStatus": errors.InvalidQueryStatusException,
    "ResourceArn": errors.ResourceARNNotValidException,
    "ResourcePolicy": errors.ResourcePolicyNotValidException,
    "Source": errors.InvalidSourceException,
    "Tags": errors.InvalidTagParameterException,
    "TagsList": errors.InvalidTagParameterException,
    "channelArn": errors.InvalidChannelARN,
}


@cache
def service_model(service: str) -> ServiceModel:
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def validate(service: str, operation: str, parameters: object) -> None:
    """Raise the operation's own exception for the first constraint of its input shape that `parameters` breaks."""
    model = service_model(service).operation_model(operation)
    violation = next(_violations(model.input_shape, parameters, ""), None) if model.input_shape else None
    if violation is None:
        return
    path, complaint = violation
    declared = {shape.name for shape in model.error_shapes}
    candidates = (_ERROR_OF_MEMBER.get(re.split(r"[.\[]", path)[0]), errors.InvalidParameterException)
    error = next((c for c in candidates if c and c.code in declared), errors.ValidationException)
    raise error(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {complaint}")


def _violations(shape: Shape, value: object, path: str) -> Iterator[tuple[str, str]]:
    """(path, complaint) for each constraint of `shape` that `value` breaks."""
    if isinstance(shape, StructureShape):
        yield from _structure_violations(shape, value, path)
    elif isinstance(shape, ListShape):
        if not isinstance(value, list):
            yield path, "Member must be a list"
            return
        yield from _range_violations(shape, len(value), path, "length")
        for index, item in enumerate(value):
            yield from _violations(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        if not isinstance(value, dict):
            yield path, "Member must be a map"
    elif isinstance(shape, StringShape):
        yield from _string_violations(shape, value, path)
    else:
        yield from _scalar_violations(shape, value, path)


def _structure_violations(shape: StructureShape, value: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield path or "body", "Member must be a structure"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{name}".lstrip("."), "Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _violations(member, value[name], f"{path}.{name}".lstrip("."))


def _string_violations(shape: StringShape, value: object, path: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, str):
        yield path, "Member must be a string"
        return
    yield from _range_violations(shape, len(value), path, "length")
    if shape.enum and value not in shape.enum:
        yield path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value, re.ASCII | re.DOTALL):
        yield path, f"Member must satisfy regular expression pattern: {pattern}"


def _scalar_violations(shape: Shape, value: object, path: str) -> Iterator[tuple[str, str]]:
    kinds: Mapping[str, type[Any] | tuple[type[Any], ...]] = {
        "boolean": bool,
        "integer": int,
        "long": int,
        "timestamp": (int, float),
    }
    if not isinstance(value, kinds[shape.type_name]) or (isinstance(value, bool) and shape.type_name != "boolean"):
        yield path, f"Member must be of type {shape.type_name}"
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from _range_violations(shape, value, path, "value")


def _range_violations(shape: Shape, size: int, path: str, noun: str) -> Iterator[tuple[str, str]]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        yield path, f"Member must have {noun} greater than or equal to {minimum}"
    if maximum is not None and size > maximum:
        yield path, f"Member must have {noun} less than or equal to {maximum}"
