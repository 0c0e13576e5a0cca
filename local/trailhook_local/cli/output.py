"""Standard output as a person's shell or a timer gives it: in another encoding than UTF-8, or closed."""

import codecs
import io
import json
import os
import sys
from pathlib import Path

AS_JSON = "trailhook-as-json"


def write_whatever_comes() -> None:
    """Let everything be printed: nothing that was done may end in a traceback because it could not be told.

    A letter that the encoding does not have is written as JSON escapes it, so that a line of JSON says the same.
    """
    # What is opened next gets the number of what is closed, and what is printed would end there.
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - for as long as the process
    codecs.register_error(AS_JSON, _as_json)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=AS_JSON)


def _as_json(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end
