"""Headers as they are written on the command line, `Name: value`."""

from collections.abc import Mapping

import click


def read_headers(lines: tuple[str, ...]) -> Mapping[str, str]:
    """The lines' names and values. Raises `UsageError` for a line without a colon."""
    pairs = [line.partition(":") for line in lines]
    if wrong := [line for line, (_, colon, _value) in zip(lines, pairs, strict=True) if not colon]:
        raise click.UsageError(f"{wrong[0]!r} is not 'Name: value'")
    return {name.strip(): value.strip() for name, _, value in pairs}
