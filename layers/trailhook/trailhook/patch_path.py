"""Where an operation of a JSON Patch, or of SCIM's, writes its value: the names on its path."""

import re

_MOST_OF_A_PATH = 6
"""Only so many names at the end of a path are looked at, for a sender may write millions."""
_FILTER = re.compile(r"\s((eq|ne|co|sw|ew|gt|ge|lt|le)\s|pr\b)", re.IGNORECASE)
"""How SCIM's filters compare an attribute, or ask whether it is there."""
_BRACKETS = re.compile(r"""\[((?:[^\[\]"\\]|\\.|"(?:[^"\\]|\\.)*+")*+)\]?""", re.DOTALL)
"""One pair of brackets; in quotation marks there may be others. It need not end: so no text is gone through twice."""


def names_on(path: str) -> list[str]:
    """The last names on the path of a JSON Patch (RFC 6901, with its escapes), or of SCIM's (RFC 7644, section 3.5.2):
    there a URN may come first, dots divide, and a filter in brackets only chooses among the elements of a list. Others
    have a name in brackets, which counts as any other: `variables["DB_PASSWORD"]`.
    """
    if path.startswith("/"):
        names = path[1:].rsplit("/", _MOST_OF_A_PATH)
        return [name.replace("~1", "/").replace("~0", "~") for name in names[-_MOST_OF_A_PATH:]]
    attribute, bracket, others = path.partition("[")
    if attribute[:4].lower() == "urn:":
        attribute = attribute.rpartition(":")[2]
    attributes = _BRACKETS.sub(_in_brackets, attribute + bracket + others)
    # Some leave the slash out that a JSON Patch's begins with.
    return attributes.rsplit("/" if "/" in attributes else ".", _MOST_OF_A_PATH)[-_MOST_OF_A_PATH:]


def _in_brackets(brackets: re.Match[str]) -> str:
    """Nothing for a filter, and a name as it stands behind a dot."""
    return "" if _FILTER.search(brackets[1]) else "." + brackets[1].strip("\"'")
