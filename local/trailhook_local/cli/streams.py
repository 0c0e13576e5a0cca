"""Standard input and output as a shell or a supervisor gives them: closed, full, or in another encoding than UTF-8."""

import codecs
import errno
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

AS_JSON = "trailhook-as-json"


def prepare_streams() -> None:
    """Let a closed input be empty, and let everything be printed.

    Nothing that was done may end in a traceback because it could not be printed. A letter that the encoding does not
    have is written as JSON escapes it, so that a line of JSON says the same.
    """
    # In this order: what is opened next gets the lowest number that is free.
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - for as long as the process
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        # click would print a failure on standard output instead, where a shell evaluates what `trailhook env` says.
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115
    codecs.register_error(AS_JSON, _as_json)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=AS_JSON)


@contextmanager
def ended_by_a_full_disk() -> Iterator[None]:
    """Where nothing more can be written, say so, and end with 1."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        sys.exit(f"Error: cannot write {error.filename or 'the output'} ({error.strerror})")


def _as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
