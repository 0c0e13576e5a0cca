"""JSON as the specification has it, which Python's own parser is not: no NaN, no key twice, no half surrogate pairs."""

import json
import math
from typing import Any


class NotJSONError(ValueError):
    """The text is not strict JSON; the message says where it deviates."""


def parse(text: str | bytes) -> Any:
    """The value of `text`; raises NotJSONError for everything RFC 8259 refuses or leaves undefined."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        value = _DECODER.decode(decoded)
        if "\\u" in decoded or not decoded.isascii():
            dump(value).encode("utf-8")
    except RecursionError as error:
        raise NotJSONError("nested too deeply") from error
    except UnicodeError as error:
        raise NotJSONError("not valid UTF-8, or half of a surrogate pair") from error
    except ValueError as error:
        raise NotJSONError(str(error)) from error
    return value


def dump(value: object) -> str:
    """Compact JSON, characters outside ASCII as they are."""
    return _ENCODER.encode(value)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        raise NotJSONError(f"member {next(n for n in names if names.count(n) > 1)!r} appears twice")
    return members


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJSONError(f"{text} is not a finite number")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_finite)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
