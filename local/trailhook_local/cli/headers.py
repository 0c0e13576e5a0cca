"""Headers as they are written on the command line, `Name: value`."""

import re
from collections import Counter
from collections.abc import Mapping

import click

_LINE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:([\t -~\x80-\xff]*)")
"""A name and a value as HTTP allows them: anything else would be sent in pieces, or not at all."""


def read_headers(lines: tuple[str, ...]) -> Mapping[str, str]:
    """The lines' names and values. Raises `UsageError` for a line that is no header and a name that comes twice."""
    pairs = [(line, _LINE.fullmatch(line)) for line in lines]
    if wrong := [line for line, match in pairs if not match]:
        raise click.UsageError(f"{wrong[0]!r} is not 'Name: value' on one line, in characters that HTTP allows")
    headers = [(match[1], match[2].strip()) for _, match in pairs if match]
    if twice := [name for name, times in Counter(name.lower() for name, _ in headers).items() if times > 1]:
        raise click.UsageError(f"{twice[0]} is given twice: say it once, -H '{twice[0]}: one,two', as API Gateway does")
    return dict(headers)
