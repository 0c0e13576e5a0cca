"""Headers as they are written on the command line, `Name: value`."""

import re
from collections.abc import Mapping

import click

_LINE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:([\t -~\x80-\xff]*)")
"""A name and a value as HTTP allows them: what is neither would be sent in pieces, or not at all."""


def read_headers(lines: tuple[str, ...]) -> Mapping[str, str]:
    """The lines' names and values. Raises `UsageError` for a line that is no header."""
    pairs = [(line, _LINE.fullmatch(line)) for line in lines]
    if wrong := [line for line, match in pairs if not match]:
        raise click.UsageError(f"{wrong[0]!r} is not 'Name: value' in HTTP's letters, on one line")
    return {match[1]: match[2].strip() for _, match in pairs if match}
